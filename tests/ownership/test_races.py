"""Several at once: one wins, the others are told, and no member has two guides."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from graphql_api.errors import AppError, ForbiddenTransition
from graphql_api.guides.models import Guide
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.orders import service as orders
from graphql_api.ownership import service, tasks
from graphql_api.ownership.rules import HandOverState, Outcome
from graphql_api.ownership.service import Assign, HandOverCreate, Protected, Release, TakeOver
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.factories import CLOCK, make_guide, make_member, make_snapshot, numbered, put_numbered
from tests.ownership.storage import history, job_now, leave, member_now, on_day, told


def at_once(work: Sequence[Callable[[], object]]) -> list[object]:
    """All of it at the same time, each in a thread of its own; refusals are results."""
    ready = threading.Barrier(len(work))

    def one(do: Callable[[], object]) -> object:
        ready.wait()
        try:
            return do()
        except AppError as refusal:
            return refusal

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))


def taking(member: Member, guide: Guide, clock: Clock) -> Callable[[], object]:
    viewer = Viewer(Role.GUIDE, guide.id, store_ids=frozenset({guide.store_id}))
    given = TakeOver(member_id=member.id)
    return lambda: service.take_over(given, viewer=viewer, clock=clock)


def test_two_guides_take_one_member_over_and_one_is_told_until_when(
    store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store, guide_id=make_guide(store, "旧").id)
    clock = on_day(31)
    done = at_once([taking(member, ann, clock), taking(member, bob, clock)])
    [won] = [one for one in done if isinstance(one, Member)]
    [lost] = [one for one in done if isinstance(one, Protected)]
    assert lost.until == won.guide_protected_until
    assert [reason for _, reason in told(member.id)] == ["TAKEN_OVER", None]
    assert member_now(member.id).guide_id == won.guide_id
    assert member_now(member.id).version == 2


def test_six_guides_take_a_member_whom_nobody_has(store: Store) -> None:
    member = make_member(store)
    guides = [make_guide(store, f"导购{n}") for n in range(6)]
    done = at_once([taking(member, guide, CLOCK) for guide in guides])
    assert sorted(type(one).__name__ for one in done) == ["Member"] + ["Protected"] * 5
    assert len(history(member.id)) == 1


def test_assigning_and_releasing_at_once_leaves_a_whole_history(
    store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store, guide_id=ann.id)

    def assign() -> Member:
        given = Assign(member_id=member.id, guide_id=bob.id)
        return service.assign(given, viewer=SYSTEM, clock=CLOCK)

    def release() -> Member:
        return service.release(Release(member_id=member.id), viewer=SYSTEM, clock=CLOCK)

    done = at_once([assign, release, assign, release])
    assert all(isinstance(one, Member | ForbiddenTransition) for one in done)
    rows = told(member.id)
    assert rows[0] == (ann.id, "BY_HAND")
    assert {guide_id for guide_id, _ in rows[1:]} <= {bob.id}
    assert {reason for _, reason in rows[:-1]} <= {"BY_HAND"}
    assert len(rows) <= 3


def test_purchases_and_a_take_over_at_once_all_count(store: Store, ann: Guide) -> None:
    member = make_member(store)
    snapshots = [make_snapshot(store, member_id=member.id) for _ in range(4)]
    buy = [lambda one=one: orders.apply(one, clock=CLOCK) for one in snapshots]
    done = at_once([*buy, taking(member, ann, CLOCK)])
    assert not [one for one in done if isinstance(one, AppError)]
    assert (member_now(member.id).order_count, member_now(member.id).guide_id) == (4, ann.id)


def test_two_runners_of_a_hand_over_move_each_member_once(
    store: Store, ann: Guide, bob: Guide
) -> None:
    put_numbered(
        range(1, 61), newest=60, given=lambda _: {"store_id": store.id, "guide_id": ann.id}
    )
    given = HandOverCreate(from_guide_id=ann.id, target_ids=[bob.id])
    job = service.hand_over(given, viewer=SYSTEM, clock=CLOCK)
    at_once([lambda: tasks.run_hand_over(job.id, clock=CLOCK)] * 3)
    assert tasks.run_hand_over(job.id, clock=CLOCK)
    over = job_now(job.id)
    assert (over.state, over.total, over.outcomes) == (HandOverState.DONE, 60, {Outcome.MOVED: 60})
    for number in range(1, 61):
        assert told(numbered(number)) == [(ann.id, "HANDED_OVER"), (bob.id, None)]


def test_guide_who_leaves_while_taking_over_takes_nobody_or_was_faster(
    store: Store, ann: Guide
) -> None:
    member = make_member(store)
    taken, _ = at_once([taking(member, ann, CLOCK), lambda: leave(ann)])
    if isinstance(taken, Member):
        assert told(member.id) == [(ann.id, None)]
    else:
        assert isinstance(taken, ForbiddenTransition)
        assert told(member.id) == []
