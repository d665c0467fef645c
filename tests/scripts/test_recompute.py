"""`make recompute` and `make replay` on a chain of a few members."""

from datetime import date, timedelta

import pytest

from graphql_api.members.models import Member
from graphql_api.stores import service as stores
from scripts import recompute
from scripts.days import Days
from tests.factories import make_member, make_store
from tests.standing.storage import everything, standing_now


@pytest.fixture
def members(chain: str) -> list[Member]:
    """Members who joined today, where the chain is."""
    store = make_store("S1")
    return [make_member(store, clock=stores.clock()) for _ in range(2)]


def test_day_is_worked_off_once_and_told_in_a_line(
    members: list[Member], capsys: pytest.CaptureFixture[str]
) -> None:
    today = stores.clock().today()
    assert recompute.main(["--as-of", today.isoformat()]) == 0
    assert capsys.readouterr().out == f"{today}: 2 due, 2 changed, 0 failed\n"
    assert [str(standing_now(m).lifecycle.state) for m in members] == ["ONBOARDING"] * 2
    before = everything()
    assert recompute.main(["--as-of", today.isoformat()]) == 0
    assert capsys.readouterr().out == f"{today}: 0 due, 0 changed, 0 failed\n"
    assert everything() == before


def test_replay_goes_through_the_days_and_takes_the_chain_along(
    members: list[Member], capsys: pytest.CaptureFixture[str]
) -> None:
    today = stores.clock().today()
    recompute.run_day(today)
    lost = today + timedelta(days=370)
    recompute.run_day(lost - timedelta(days=2))
    first, last = (lost - timedelta(days=1)).isoformat(), lost.isoformat()
    assert recompute.main(["--from", first, "--to", last]) == 0
    assert stores.clock().today() == lost
    assert [str(standing_now(m).lifecycle.state) for m in members] == ["LOST"] * 2
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{last}: 0 due")


@pytest.mark.parametrize(
    "arguments", [[], ["--from", "2018-01-01"], ["--from", "2018-01-02", "--to", "2018-01-01"]]
)
def test_days_are_named_in_order(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        recompute.main(arguments)


def test_day_of_a_laptop_is_worked_off_when_it_begins(
    members: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[date] = []
    monkeypatch.setattr(recompute, "run_day", done.append)
    days = Days(lambda text: None)
    days.look()
    days.look()
    assert done == [stores.clock().today()]
