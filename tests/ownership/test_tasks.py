"""Hand-overs in steps, and ownerships that ran out."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from graphql_api.errors import AppError, ForbiddenTransition, Invalid, NotFound
from graphql_api.guides import repository as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.service import Update
from graphql_api.ownership import repository, service, tasks
from graphql_api.ownership.models import HandOver, OwnershipItem, Skips, Term
from graphql_api.ownership.rules import EndReason, HandOverState, Outcome
from graphql_api.ownership.service import (
    Assign,
    GuideMove,
    HandOverCreate,
    Release,
    TakeOver,
)
from graphql_api.stores import service as stores
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.calls import counted
from tests.factories import CLOCK, NOW, make_guide, make_member, numbered, put_numbered
from tests.ownership.storage import (
    PowerCut,
    everything,
    history,
    job_now,
    leave,
    member_now,
    on_day,
    power_cut,
    told,
)


def hand_over(giver: Guide, *takers: Guide, viewer: Viewer = SYSTEM, **more: object) -> HandOver:
    given = {"from_guide_id": giver.id, "target_ids": [t.id for t in takers], **more}
    return service.hand_over(HandOverCreate.model_validate(given), viewer=viewer, clock=CLOCK)


def run(job: HandOver, steps: int | None = None) -> HandOver:
    tasks.run_hand_over(job.id, clock=CLOCK, steps=steps)
    return job_now(job.id)


def crowd(count: int, store: Store, guide: Guide) -> None:
    """Bare members of a store and a guide, in bulk."""
    put_numbered(
        range(1, count + 1),
        newest=count,
        given=lambda n: {
            "store_id": store.id,
            "guide_id": guide.id,
            "joined_at": NOW - timedelta(minutes=n),
        },
    )


def of_guide(guide: Guide) -> list[Member]:
    """All members of a guide."""
    found: list[Member] = []
    after = None
    while True:
        page = members.page_of_guide(guide.id, first=100, after=after, reverse=False)
        found += page.items
        if not page.more:
            return found
        after = page.places[-1]


def refused(error: type[AppError], field: tuple[str, ...], do: object) -> None:
    before = everything()
    assert callable(do)
    with pytest.raises(error) as refusal:
        do()
    assert refusal.value.field == field
    assert everything() == before


# --- hand-overs: to the end ------------------------------------------------------------------


def test_thousand_members_are_moved_once_although_the_power_goes_twice(
    store: Store, ann: Guide, bob: Guide
) -> None:
    """The power goes at two calls at random, each named by the failing test for a second look."""
    eve = make_guide(store, "夏")
    crowd(1_000, store, ann)
    leave(ann)
    job = hand_over(ann, bob, eve)
    for calls, answered in ((random.randrange(20, 90), True), (random.randrange(2, 90), False)):
        with power_cut(calls, answered=answered), pytest.raises(PowerCut):
            tasks.run_hand_over(job.id, clock=CLOCK)
    over = run(job)
    assert (over.state, over.total, over.done) == (HandOverState.DONE, 1_000, 1_000)
    assert (over.outcomes, over.skipped) == ({Outcome.MOVED: 1_000}, [])
    of_bob, of_eve = of_guide(bob), of_guide(eve)
    assert (of_guide(ann), len(of_bob), len(of_eve)) == ([], 500, 500)
    terms = [row for row in OwnershipItem.scan() if row.sort.startswith("term#")]
    assert Counter(row.sort for row in terms) == {"term#000001": 1_000, "term#000002": 1_000}
    assert {(m.version, m.terms) for m in (*of_bob, *of_eve)} == {(2, 2)}
    assert told(numbered(7))[0] == (ann.id, "LEFT")


@pytest.mark.parametrize("answered", [False, True])
def test_hand_over_ends_the_same_at_whichever_call_the_power_goes(
    store: Store, ann: Guide, bob: Guide, answered: bool
) -> None:
    crowd(3, store, ann)
    clean = run(hand_over(ann, bob))
    givers = [bob, ann]
    for calls in range(13):
        giver, taker = givers[calls % 2], givers[(calls + 1) % 2]
        job = hand_over(giver, taker)
        with power_cut(calls, answered=answered), pytest.raises(PowerCut):
            tasks.run_hand_over(job.id, clock=CLOCK)
        over = run(job)
        assert (over.state, over.outcomes) == (clean.state, clean.outcomes)
        assert len(of_guide(taker)) == 3
        assert [len(history(numbered(n))) for n in (1, 2, 3)] == [calls + 3] * 3


def test_hand_over_that_is_over_does_nothing_again(store: Store, ann: Guide, bob: Guide) -> None:
    crowd(2, store, ann)
    job = run(hand_over(ann, bob))
    before = everything()
    assert tasks.run_hand_over(job.id, clock=on_day(1))
    assert tasks.run_hand_over(ids.derived_id("hov", "unknown"), clock=CLOCK)
    assert everything() == before


def test_progress_is_told_step_by_step(store: Store, ann: Guide, bob: Guide) -> None:
    crowd(tasks.LISTED_AT_ONCE + 10, store, ann)
    job = hand_over(ann, bob)
    seen = []
    while job.state not in {HandOverState.DONE}:
        seen.append((job.state, job.total, job.moved))
        job = run(job, steps=1)
    assert seen == [
        ("WAITING", None, 0),
        ("IN_PROGRESS", None, 0),
        ("IN_PROGRESS", 80, 0),
        ("IN_PROGRESS", 80, 48),
    ]
    assert (job.total, job.moved, job.started_at, job.ended_at) == (80, 80, NOW, NOW)


def test_guide_without_members_hands_over_nobody(store: Store, ann: Guide, bob: Guide) -> None:
    job = run(hand_over(ann, bob), steps=1)
    assert (job.state, job.total, job.moved, job.skipped) == ("DONE", 0, 0, [])


def test_sixteen_members_are_moved_by_one_read_and_one_write(
    store: Store, ann: Guide, bob: Guide
) -> None:
    crowd(40, store, ann)
    job = run(hand_over(ann, bob), steps=1)
    with counted() as calls:
        tasks.run_hand_over(job.id, clock=CLOCK, steps=1)
    # The job, its targets, the policy, the list, 16 + 16 + 8 members, the job again.
    assert calls == {"BatchGetItem": 5 + 3, "TransactWriteItems": 3 + 1}


def test_transaction_holds_sixteen_members_and_as_many_takers(store: Store, ann: Guide) -> None:
    takers = [make_guide(store, f"导购{n:02d}") for n in range(20)]
    crowd(16, store, ann)
    job = run(hand_over(ann, *takers), steps=1)
    with counted() as calls:
        assert run(job).moved == 16
    assert calls["TransactWriteItems"] == 1 + 1
    assert [len(of_guide(taker)) for taker in takers] == [1] * 16 + [0] * 4


def test_moved_member_has_a_new_protection_and_where_it_came_from(
    store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store, guide_id=ann.id)
    manager = Viewer(Role.STORE_MANAGER, "stf_1", store_ids=frozenset({store.id}))
    run(hand_over(ann, bob, viewer=manager))
    [old, new] = history(member.id)
    assert (old.end_reason, old.ended_at) == (EndReason.HANDED_OVER, NOW)
    assert (new.source, new.since) == ("ASSIGNED_BY_MANAGER", NOW)
    assert new.protected_until == date(2018, 2, 9)


def test_ownerships_end_with_the_reason_of_the_hand_over(
    store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store, guide_id=ann.id)
    reasons = ["HANDED_OVER", "LEFT", "DISMISSED", "MOVED_STORE"]
    for n, reason in enumerate(reasons):
        giver, taker = ((ann, bob), (bob, ann))[n % 2]
        run(hand_over(giver, taker, reason=reason))
    assert [end for _, end in told(member.id)] == [*reasons, None]


# --- hand-overs: who is skipped --------------------------------------------------------------


def test_members_are_skipped_with_the_reason(
    store: Store, other_store: Store, ann: Guide, bob: Guide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "PATIENCE_SECONDS", 0.05)
    moves, released, taken, moved_away, busy = (
        make_member(store, guide_id=ann.id) for _ in range(5)
    )
    job = run(hand_over(ann, bob), steps=1)
    assert job.total == 5
    service.release(Release(member_id=released.id), viewer=SYSTEM, clock=CLOCK)
    eve = make_guide(store, "夏")
    forced = TakeOver(member_id=taken.id, guide_id=eve.id, force=True)
    service.take_over(forced, viewer=SYSTEM, clock=CLOCK)
    member_service.update(Update(id=moved_away.id, store_id=other_store.id), viewer=SYSTEM)
    member_service.lock(busy.id, "merge", clock=CLOCK)
    over = run(job)
    assert (over.state, over.moved) == ("DONE", 1)
    assert over.skipped == [
        Skips(Outcome.BUSY, 1),
        Skips(Outcome.NO_LONGER_THEIRS, 2),
        Skips(Outcome.OTHER_STORE, 1),
    ]
    page = repository.page_of_skipped(job.id, first=10, after=None, reverse=False)
    assert {row.member_id: row.reason for row in page.items} == {
        released.id: "NO_LONGER_THEIRS",
        taken.id: "NO_LONGER_THEIRS",
        moved_away.id: "OTHER_STORE",
        busy.id: "BUSY",
    }
    assert [told(m.id)[-1] for m in (moves, taken, moved_away, busy)] == [
        (bob.id, None),
        (eve.id, None),
        (ann.id, None),
        (ann.id, None),
    ]


def test_skipped_members_are_paged(store: Store, ann: Guide, bob: Guide) -> None:
    crowd(5, store, ann)
    job = run(hand_over(ann, bob), steps=1)
    for number in range(1, 6):
        service.release(Release(member_id=numbered(number)), viewer=SYSTEM, clock=CLOCK)
    run(job)
    for reverse in (False, True):
        order = list(range(1, 6)) if reverse else list(range(5, 0, -1))
        seen: list[str] = []
        after = None
        while True:
            page = repository.page_of_skipped(job.id, first=2, after=after, reverse=reverse)
            seen += [row.member_id for row in page.items]
            if not page.more:
                break
            after = page.places[-1]
        assert seen == [numbered(number) for number in order]


def test_member_of_an_ownership_that_ran_out_is_no_longer_theirs(
    store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store)
    given = Assign(member_id=member.id, guide_id=ann.id, valid_until=date(2018, 1, 10))
    service.assign(given, viewer=SYSTEM, clock=CLOCK)
    job = hand_over(ann, bob)
    assert tasks.run_hand_over(job.id, clock=on_day(1))
    assert job_now(job.id).skipped == [Skips(Outcome.NO_LONGER_THEIRS, 1)]


# --- hand-overs: those who take --------------------------------------------------------------


def test_taker_who_leaves_meanwhile_is_passed_over(store: Store, ann: Guide, bob: Guide) -> None:
    eve = make_guide(store, "夏")
    crowd(60, store, ann)
    job = run(hand_over(ann, bob, eve), steps=2)
    assert [len(of_guide(guide)) for guide in (ann, bob, eve)] == [12, 24, 24]
    leave(eve)
    over = run(job)
    assert (over.state, over.moved, over.skipped) == ("DONE", 60, [])
    assert [len(of_guide(guide)) for guide in (ann, bob, eve)] == [0, 36, 24]


def test_taker_who_leaves_within_a_step_is_passed_over(
    store: Store, ann: Guide, bob: Guide, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = make_guide(store, "夏")
    crowd(4, store, ann)
    job = run(hand_over(ann, bob, eve), steps=1)
    read = guides.get_now

    def then_eve_stops(guide_ids: list[str]) -> list[Guide | None]:
        found = read(guide_ids)
        monkeypatch.setattr(guides, "get_now", read)
        leave(eve, GuideStatus.STOPPED)
        return found

    monkeypatch.setattr(guides, "get_now", then_eve_stops)
    over = run(job)
    assert (over.state, over.moved) == ("DONE", 4)
    assert [len(of_guide(guide)) for guide in (ann, bob, eve)] == [0, 4, 0]


def test_hand_over_without_anybody_left_to_take_fails_with_the_reason(
    store: Store, other_store: Store, ann: Guide, bob: Guide
) -> None:
    crowd(50, store, ann)
    job = run(hand_over(ann, bob), steps=2)
    service.move_guide(
        GuideMove(guide_id=bob.id, store_id=other_store.id), viewer=SYSTEM, clock=CLOCK
    )
    over = run(job)
    assert (over.state, over.failure, over.ended_at) == ("FAILED", "NO_TARGET", NOW)
    assert (over.total, over.moved) == (50, 48)
    assert len(of_guide(ann)) == 2


# --- hand-overs: asked for and cancelled -----------------------------------------------------


def test_hand_over_waits_with_what_was_asked_for(store: Store, ann: Guide, bob: Guide) -> None:
    viewer = Viewer(Role.STORE_MANAGER, "stf_1", store_ids=frozenset({store.id}))
    job = job_now(hand_over(ann, bob, viewer=viewer).id)
    assert (job.state, job.total, job.moved, job.version) == ("WAITING", None, 0, 1)
    assert (job.from_guide_id, job.target_ids, job.store_id) == (ann.id, [bob.id], store.id)
    assert (job.reason, job.created_by, job.created_at) == ("HANDED_OVER", "stf_1", NOW)
    assert (job.started_at, job.ended_at, job.failure) == (None, None, None)


def test_wrong_hand_overs_are_refused_with_their_field(
    store: Store, other_store: Store, ann: Guide, bob: Guide
) -> None:
    there, gone = make_guide(other_store, "卡"), make_guide(store, "夏")
    leave(gone)
    nobody = ids.derived_id("gde", "nobody")
    elsewhere = Viewer(Role.STORE_MANAGER, "stf_2", store_ids=frozenset({other_store.id}))
    giver, second = ("input", "from_guide_id"), ("input", "target_ids", "1")

    def asked(giver_id: str, *taker_ids: str, viewer: Viewer = SYSTEM) -> object:
        given = HandOverCreate(from_guide_id=giver_id, target_ids=list(taker_ids))
        return lambda: service.hand_over(given, viewer=viewer, clock=CLOCK)

    refused(NotFound, giver, asked(nobody, bob.id))
    refused(NotFound, giver, asked(store.id, bob.id))
    refused(NotFound, giver, asked(ann.id, bob.id, viewer=elsewhere))
    refused(NotFound, second, asked(ann.id, bob.id, nobody))
    refused(NotFound, second, asked(ann.id, bob.id, there.id))
    refused(Invalid, second, asked(ann.id, bob.id, ann.id))
    refused(ForbiddenTransition, second, asked(ann.id, bob.id, gone.id))


@pytest.mark.parametrize(
    "wrong",
    [
        {"target_ids": []},
        {"target_ids": ["a", "a"]},
        {"target_ids": [str(n) for n in range(51)]},
        {"reason": "EXPIRED"},
        {"reason": "TAKEN_OVER"},
    ],
)
def test_hand_over_that_cannot_be_right_is_no_command(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        HandOverCreate.model_validate({"from_guide_id": "g", "target_ids": ["a"], **wrong})


def test_cancelled_hand_over_goes_no_further(store: Store, ann: Guide, bob: Guide) -> None:
    crowd(60, store, ann)
    job = run(hand_over(ann, bob), steps=2)
    cancelled = service.cancel_hand_over(job.id, viewer=SYSTEM, clock=CLOCK)
    assert (cancelled.state, cancelled.ended_at, cancelled.moved) == ("CANCELLED", NOW, 48)
    before = everything()
    service.cancel_hand_over(job.id, viewer=SYSTEM, clock=on_day(1))
    assert tasks.run_hand_over(job.id, clock=CLOCK)
    assert everything() == before
    assert [len(of_guide(guide)) for guide in (ann, bob)] == [12, 48]
    run(hand_over(ann, bob))
    assert [len(of_guide(guide)) for guide in (ann, bob)] == [0, 60]


def test_step_at_hand_is_counted_although_the_job_was_cancelled(
    store: Store, ann: Guide, bob: Guide, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(50, store, ann)
    job = run(hand_over(ann, bob), steps=1)
    listed = repository.listed

    def then_cancel(*args: object) -> object:
        service.cancel_hand_over(job.id, viewer=SYSTEM, clock=CLOCK)
        return listed(*args)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(repository, "listed", then_cancel)
    over = run(job)
    assert (over.state, over.done, over.moved) == ("CANCELLED", 48, 48)
    assert len(of_guide(bob)) == 48


def test_hand_over_that_is_over_or_not_yours_is_not_cancelled(
    store: Store, other_store: Store, ann: Guide, bob: Guide
) -> None:
    job = hand_over(ann, bob)
    elsewhere = Viewer(Role.STORE_MANAGER, "stf_2", store_ids=frozenset({other_store.id}))

    def cancel(id_: str, viewer: Viewer = SYSTEM) -> object:
        return lambda: service.cancel_hand_over(id_, viewer=viewer, clock=CLOCK)

    refused(NotFound, ("id",), cancel(job.id, elsewhere))
    refused(NotFound, ("id",), cancel(ann.id))
    run(job)
    refused(ForbiddenTransition, ("id",), cancel(job.id))


# --- a guide moves ---------------------------------------------------------------------------


def move(guide: Guide, store: Store, *takers: Guide) -> service.Moved:
    given = GuideMove(guide_id=guide.id, store_id=store.id, hand_over_to=[t.id for t in takers])
    return service.move_guide(given, viewer=SYSTEM, clock=CLOCK)


def test_members_of_a_guide_who_moves_stay_with_guides_of_the_old_store(
    store: Store, other_store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store, guide_id=ann.id)
    moved = move(ann, other_store, bob)
    assert (moved.guide.store_id, moved.guide.version) == (other_store.id, 2)
    assert moved.hand_over is not None
    assert (moved.hand_over.store_id, moved.hand_over.reason) == (store.id, "MOVED_STORE")
    run(moved.hand_over)
    assert told(member.id) == [(ann.id, "MOVED_STORE"), (bob.id, None)]
    page = guides.page_of_store(other_store.id, first=5, after=None, reverse=False)
    assert [guide.id for guide in page.items] == [ann.id]


def test_members_stay_with_the_store_alone_where_nobody_takes_them(
    store: Store, other_store: Store, ann: Guide
) -> None:
    mine, away = make_member(store, guide_id=ann.id), make_member(store, guide_id=ann.id)
    member_service.update(Update(id=away.id, store_id=other_store.id), viewer=SYSTEM)
    job = run(move(ann, other_store).hand_over)  # type: ignore[arg-type]  # it moved
    assert (job.state, job.moved, job.skipped) == ("DONE", 2, [])
    for member in (mine, away):
        assert told(member.id) == [(ann.id, "MOVED_STORE")]
    assert member_now(mine.id).store_id == store.id


def test_guide_who_is_there_already_stays(store: Store, ann: Guide) -> None:
    before = everything()
    moved = move(ann, store)
    assert (moved.guide.version, moved.hand_over) == (1, None)
    assert everything() == before


def test_wrong_moves_are_refused_and_nothing_is_written(
    store: Store, other_store: Store, ann: Guide, bob: Guide
) -> None:
    there, gone = make_guide(other_store, "卡"), make_guide(store, "夏")
    leave(gone)
    target = ("input", "hand_over_to", "0")
    refused(NotFound, target, lambda: move(ann, other_store, there))
    refused(ForbiddenTransition, target, lambda: move(ann, other_store, gone))
    refused(Invalid, target, lambda: move(ann, other_store, ann))
    refused(ForbiddenTransition, ("input", "guide_id"), lambda: move(gone, other_store))
    region = Viewer(Role.OPERATOR, "stf_2", store_ids=frozenset({store.id}))

    def moving(guide_id: str, store_id: str, viewer: Viewer = SYSTEM) -> object:
        given = GuideMove(guide_id=guide_id, store_id=store_id)
        return lambda: service.move_guide(given, viewer=viewer, clock=CLOCK)

    refused(NotFound, ("input", "store_id"), moving(ann.id, other_store.id, region))
    refused(NotFound, ("input", "guide_id"), moving(there.id, store.id, region))
    refused(NotFound, ("input", "store_id"), moving(ann.id, ids.derived_id("sto", "nowhere")))
    refused(NotFound, ("input", "guide_id"), moving(store.id, other_store.id))
    stores.archive_store(other_store.id, viewer=SYSTEM, clock=CLOCK)
    refused(ForbiddenTransition, ("input", "store_id"), moving(ann.id, other_store.id))


# --- expiry ----------------------------------------------------------------------------------


def test_only_what_ran_out_is_ended_and_once(store: Store, ann: Guide, bob: Guide) -> None:
    given = {0: None, 1: 3, 2: 4, 3: 5, 4: 40}
    people = {n: make_member(store) for n in given}
    for n, days in given.items():
        last = None if days is None else date(2018, 1, 10) + timedelta(days=days)
        wanted = Assign(member_id=people[n].id, guide_id=ann.id, valid_until=last)
        service.assign(wanted, viewer=SYSTEM, clock=CLOCK)
    clock = on_day(5)
    assert tasks.expire(clock.today(), clock=clock) == 2
    assert {n: told(m.id) for n, m in people.items()} == {
        0: [(ann.id, None)],
        1: [(ann.id, "EXPIRED")],
        2: [(ann.id, "EXPIRED")],
        3: [(ann.id, None)],
        4: [(ann.id, None)],
    }
    assert sorted(m.id for m in of_guide(ann)) == sorted(people[n].id for n in (0, 3, 4))
    before = everything()
    with counted() as calls:
        assert tasks.expire(clock.today(), clock=clock) == 0
    assert calls == {"Query": 16}
    assert everything() == before


def test_run_of_a_day_late_ends_what_an_earlier_run_would_have_ended(
    store: Store, ann: Guide
) -> None:
    early, late = (make_member(store) for _ in range(2))
    ends = []
    for member, days in ((early, 1), (late, 20)):
        wanted = Assign(member_id=member.id, guide_id=ann.id, valid_until=date(2018, 1, 10))
        service.assign(wanted, viewer=SYSTEM, clock=CLOCK)
        clock = on_day(days)
        assert tasks.expire(clock.today(), clock=clock) == 1
        ends += [(term.ended_at, term.end_reason) for term in history(member.id)]
    assert ends[0] == ends[1]


def test_busy_member_is_left_to_the_next_run(store: Store, ann: Guide, impatient: None) -> None:
    busy, free = (make_member(store) for _ in range(2))
    for member in (busy, free):
        wanted = Assign(member_id=member.id, guide_id=ann.id, valid_until=date(2018, 1, 10))
        service.assign(wanted, viewer=SYSTEM, clock=CLOCK)
    member_service.lock(busy.id, "merge", clock=on_day(1))
    assert tasks.expire(date(2018, 1, 11), clock=on_day(1)) == 1
    assert (told(busy.id), told(free.id)) == ([(ann.id, None)], [(ann.id, "EXPIRED")])
    assert tasks.expire(date(2018, 1, 12), clock=on_day(2)) == 1
    assert told(busy.id) == [(ann.id, "EXPIRED")]


def test_expiry_and_a_take_over_on_the_same_day_end_the_term_once(
    store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store)
    wanted = Assign(member_id=member.id, guide_id=ann.id, valid_until=date(2018, 1, 10))
    service.assign(wanted, viewer=SYSTEM, clock=CLOCK)
    viewer = Viewer(Role.GUIDE, bob.id, store_ids=frozenset({store.id}))
    service.take_over(TakeOver(member_id=member.id), viewer=viewer, clock=on_day(1))
    assert tasks.expire(date(2018, 1, 11), clock=on_day(1)) == 0
    assert told(member.id) == [(ann.id, "EXPIRED"), (bob.id, None)]
    assert [type(row) for row in Term.query(member.id)] == [Term, Term]
