"""What days do to points: once, and right before the day was worked off."""

from datetime import date, timedelta

import pytest

from graphql_api.errors import Conflict
from graphql_api.handlers import recompute_worker
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import EffectKind
from graphql_api.points import models, repository, service, tasks
from graphql_api.stores.models import Store
from tests.factories import CLOCK, NOW, make_member
from tests.points.factories import buy, later
from tests.points.storage import CAUSE, figures_of, follow, ledger_of, on_day
from tests.points.test_commands import everything


def run(days: int, *, expiring: bool = True) -> int:
    return tasks.run(later(days), clock=on_day(days), expiring=expiring)


def test_day_activates_then_expires_and_a_second_run_writes_nothing(member: Member) -> None:
    follow(member.id, buy())
    service.grant(member.id, 30, key="g", cause=CAUSE, expires_on=later(6))
    assert (run(6), run(6)) == (1, 0)  # the announcement
    assert run(7, expiring=False) == 1
    assert figures_of(member.id) == (130, 0, 0)
    assert run(7) == 1
    assert figures_of(member.id) == (100, 0, 0)
    before = everything()
    assert (run(7, expiring=False), run(7)) == (0, 0)
    assert everything() == before
    assert [kind for kind, *_ in ledger_of(member.id)] == ["EARN", "GRANT", "ACTIVATE", "EXPIRE"]
    entries = repository.all_entries(member.id)
    assert [entry.on for entry in entries[2:]] == [later(7), later(7)]


def test_days_that_were_left_out_are_worked_off_by_the_next(member: Member) -> None:
    follow(member.id, buy())
    assert run(400) == 1
    assert figures_of(member.id) == (0, 0, 0)
    assert [kind for kind, *_ in ledger_of(member.id)] == ["EARN", "ACTIVATE", "EXPIRE"]
    item = repository.get(member.id)
    assert item is not None
    assert (item.due_key, item.due_shard) == (None, None)


def test_points_that_run_out_soon_are_announced_once(member: Member) -> None:
    service.grant(member.id, 30, key="g", cause=CAUSE, expires_on=later(40))
    assert run(9) == 0
    assert (run(10), run(10), run(11)) == (1, 0, 0)
    told = [e for e in members.effects_of(member.id) if e.kind is EffectKind.POINTS_EXPIRING]
    assert [(e.level, e.decided_on) for e in told] == [("2018-02-19", later(10))]
    assert ledger_of(member.id) == [("GRANT", 30, 0, 0)]
    assert run(41) == 1
    assert figures_of(member.id) == (0, 0, 0)


def test_read_after_midnight_and_before_the_run_is_right(member: Member) -> None:
    follow(member.id, buy())
    before = everything()
    item = repository.get(member.id)
    assert service.current(item, later(6)).figures == (0, 100, 0)
    assert service.current(item, later(7)).figures == (100, 0, 0)
    assert service.spendable(member, on_day(7)) == 100
    assert service.current(item, date(2019, 2, 1)).figures == (0, 0, 0)
    assert service.current(None, later(7)).figures == (0, 0, 0)
    assert everything() == before


def test_who_stays_busy_is_left_due_and_the_others_go_on(
    member: Member, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_member(store)
    for one in (member, other):
        follow(one.id, buy(f"ord_{one.id[4:]}"))
    settle = service.settle

    def busy(member_id: str, *args: object, **kwargs: object) -> bool:
        if member_id == member.id:
            raise Conflict("busy")
        return settle(member_id, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(service, "settle", busy)
    assert run(7) == 1
    monkeypatch.undo()
    assert run(7) == 1
    assert (figures_of(member.id), figures_of(other.id)) == ((100, 0, 0), (100, 0, 0))


def test_whose_history_is_being_settled_is_left_due(member: Member) -> None:
    follow(member.id, buy())
    member_service.lock(member.id, "import", clock=on_day(7))
    assert run(7) == 0
    assert run(8) == 1  # the lock ran out


def test_piece_that_takes_too_long_says_where_it_stopped(
    member: Member, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "shard_of", lambda _: "00")
    monkeypatch.setattr(tasks, "_PAGE", 1)
    other = make_member(store)
    for one in (member, other):
        follow(one.id, buy(f"ord_{one.id[4:]}"))
    first = tasks.run_shard("00", later(7), clock=on_day(7), seconds=0)
    assert (first.changed, first.more) == (1, True)
    rest = tasks.run_shard("00", later(7), clock=on_day(7), after=first.after)
    assert (rest.changed, rest.more) == (1, False)


def test_who_was_erased_in_between_is_passed_over(member: Member) -> None:
    follow(member.id, buy())
    stored = members.get(member.id)
    assert stored is not None
    stored.delete()
    assert run(7) == 0


def test_run_of_a_day_activates_points_before_standings_and_lets_them_run_out_after(
    member: Member,
) -> None:
    follow(member.id, buy())
    pieces = recompute_worker.pieces(later(7))
    works = list(dict.fromkeys(piece["work"] for piece in pieces))
    assert works.index("points-activate") < works.index("standing") < works.index("points-expire")
    for piece in pieces:
        if piece["work"].startswith("points"):
            assert recompute_worker.do(piece, on_day(7)) is None
    assert figures_of(member.id) == (100, 0, 0)
    assert CLOCK.today() + timedelta(days=7) == later(7) == (NOW + timedelta(days=7)).date()
