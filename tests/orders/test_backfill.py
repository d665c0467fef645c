"""A back-fill folds a history in memory: as if applied one by one, once, whatever interrupts it."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.errors import Conflict, Invalid, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Item, batch_write
from graphql_api.kit.time import Clock
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.orders import repository, service
from graphql_api.orders.models import Order
from graphql_api.orders.service import Snapshot
from graphql_api.stores.models import Store
from tests.factories import (
    CLOCK,
    NOW,
    PAID_AT,
    fresh,
    make_guide,
    make_identity,
    make_member,
    make_refund,
    make_shell,
    make_snapshot,
)
from tests.orders.conftest import Meanwhile
from tests.orders.storage import (
    about,
    everything,
    facts_of,
    first_purchases,
    member_now,
    on_storage,
    order_of,
)

LATER = Clock(wall=lambda: NOW + member_service.LOCK + timedelta(seconds=1))


class PowerCut(Exception):
    """The process died."""


def die(*_: object, **__: object) -> None:
    raise PowerCut


def two_orders(store: Store, member: Member) -> list[Snapshot]:
    """A history: an order of 100 yuan with 10 refunded, and one of 50 a month before."""
    return [
        make_snapshot(store, make_refund(), member_id=member.id),
        make_snapshot(
            store, member_id=member.id, total=5_000, paid_at=PAID_AT - timedelta(days=31)
        ),
    ]


told = st.tuples(
    st.integers(0, 2),  # which order
    st.integers(1, 3),  # revision
    st.sampled_from([0, 4_000, 10_050]),  # fen
    st.sampled_from([0, 1, 40]),  # days ago
    st.sampled_from([None, 3_000, 10_050]),  # refunded
    st.booleans(),  # the body is told
).filter(lambda row: row[5] or row[4] is not None)


def as_told(rows: Sequence[tuple[Any, ...]], store: Store, member: Member) -> list[Snapshot]:
    """The rows as snapshots of a member's orders."""
    numbers = [fresh("W") for _ in range(3)]
    snapshots = []
    for order, revision, total, days, refunded, with_body in rows:
        paid_at = PAID_AT - timedelta(days=days)
        whole = make_snapshot(
            store,
            *([] if refunded is None else [make_refund(amount=refunded, revision=revision)]),
            external_id=numbers[order],
            revision=revision,
            total=total,
            paid_at=paid_at,
            member_id=member.id,
        )
        snapshots.append(whole if with_body else whole.model_copy(update={"body": None}))
    return snapshots


@on_storage
@given(
    rows=st.lists(told, min_size=1, max_size=6, unique_by=lambda row: row[:2]),
    live=st.integers(0, 2),
)
def test_backfill_is_the_history_applied_one_by_one(
    rows: list[tuple[Any, ...]], live: int, store: Store
) -> None:
    guide = make_guide(store, fresh("甲"))
    folded, single = (make_member(store, guide_id=guide.id) for _ in range(2))
    in_bulk, one_by_one = as_told(rows, store, folded), as_told(rows, store, single)
    for snapshot in (*in_bulk[:live], *one_by_one):
        service.apply(snapshot, clock=CLOCK, origin=Origin.BACKFILL)
    service.backfill(folded.id, in_bulk, clock=CLOCK, job="j")
    assert member_now(folded.id).lock_owner is None
    assert facts_of(folded.id) == facts_of(single.id)
    for one, other in zip(in_bulk, one_by_one, strict=True):
        assert about(one, {folded.id: "M"}) == about(other, {single.id: "M"})
    if facts_of(folded.id).orders:
        for id_ in (folded.id, single.id):
            [effect] = first_purchases(id_)
            assert (effect.origin, effect.decided_on) == (Origin.BACKFILL, NOW.date())


def test_backfill_decides_once_from_the_whole_history(store: Store) -> None:
    member = make_member(store)
    returned = make_snapshot(store, make_refund(amount=10_000), member_id=member.id)
    service.backfill(member.id, [returned], clock=CLOCK, job="j")
    assert first_purchases(member.id) == []
    service.backfill(member.id, two_orders(store, member), clock=CLOCK, job="j")
    [effect] = first_purchases(member.id)
    assert effect.origin is Origin.BACKFILL


def test_order_is_recorded_when_it_was_paid(store: Store) -> None:
    member = make_member(store)
    [first, _] = history = two_orders(store, member)
    service.backfill(member.id, history, clock=CLOCK, job="j")
    assert order_of(first).recorded_at == PAID_AT


def test_order_remembers_how_its_body_first_came(store: Store) -> None:
    """Whatever comes later: what follows from a purchase hangs on it."""
    member = make_member(store)
    [told, _] = history = two_orders(store, member)
    live = make_snapshot(store, member_id=member.id)
    service.apply(live, clock=CLOCK)
    service.backfill(member.id, history, clock=CLOCK, job="j")
    service.apply(make_shell(make_refund("r9"), external_id=told.external_id), clock=CLOCK)
    service.backfill(
        member.id,
        [make_shell(make_refund("r9"), external_id=live.external_id)],
        clock=CLOCK,
        job="j",
    )
    stored = [order_of(told), order_of(live)]
    assert [order.origin for order in stored] == [Origin.LIVE, Origin.BACKFILL]
    assert [order.body_origin for order in stored] == [Origin.BACKFILL, Origin.LIVE]


def test_backfill_again_changes_nothing_but_the_lock(store: Store) -> None:
    member = make_member(store)
    history = two_orders(store, member)
    assert service.backfill(member.id, history, clock=CLOCK, job="j") == 2
    stored = [text for text in everything() if '"identity_claims"' not in text]
    assert service.backfill(member.id, [*history, history[0]], clock=CLOCK, job="j") == 0
    assert [text for text in everything() if '"identity_claims"' not in text] == stored


def test_newer_day_moves_the_order_and_leaves_nothing_at_the_old_one(store: Store) -> None:
    member = make_member(store)
    old = make_snapshot(store, make_refund(), member_id=member.id)
    service.apply(old, clock=CLOCK)
    new = make_snapshot(
        store,
        external_id=old.external_id,
        revision=2,
        paid_at=PAID_AT + timedelta(days=1),
        member_id=member.id,
    )
    written = service.backfill(member.id, [new], clock=CLOCK, job="j")
    [only] = repository.all_of_member(member)
    assert (written, only.day, only.refunded) == (1, PAID_AT.date() + timedelta(days=1), 1_000)
    [found] = repository.get_many([new.order_id])
    assert found is not None
    assert found.place == only.place


def test_history_meets_the_shell_of_a_refund_that_came_before(store: Store) -> None:
    member = make_member(store)
    order = make_snapshot(store, member_id=member.id)
    service.apply(make_shell(external_id=order.external_id), clock=CLOCK)
    service.backfill(member.id, [order], clock=CLOCK, job="j")
    [only] = repository.all_of_member(member)
    assert (only.total, only.refunded) == (10_000, 1_000)
    assert facts_of(member.id).refunded == 1_000
    assert len(about(order, {})) == 2


@pytest.mark.parametrize("revision", [1, 2])
def test_history_meets_an_order_that_waited_for_the_member(store: Store, revision: int) -> None:
    known = make_identity()
    order = make_snapshot(store, buyer=[known])
    service.apply(order, clock=CLOCK)
    member = make_member(store, known)
    told = make_snapshot(store, external_id=order.external_id, revision=revision, buyer=[known])
    assert service.backfill(member.id, [told], clock=CLOCK, job="j") == 1
    [claim] = member_service.claims_of(known)
    assert [only.id for only in repository.all_of_member(member)] == [order.order_id]
    assert facts_of(member.id).orders == 1
    assert repository.waiting_for(claim) == []


def test_order_of_a_history_stays_with_its_member_when_it_is_told_again(store: Store) -> None:
    """A history knows whose it is, even where its snapshots name nobody."""
    member = make_member(store)
    nameless = make_snapshot(store)
    service.backfill(member.id, [nameless], clock=CLOCK, job="j")
    assert not service.apply(nameless, clock=CLOCK).changed
    newer = make_snapshot(store, external_id=nameless.external_id, revision=2)
    service.backfill(member.id, [newer], clock=CLOCK, job="j")
    assert order_of(nameless).member_id == member.id
    assert facts_of(member.id).orders == 1


def refused(history: Sequence[Snapshot], member_id: str, error: type[Exception]) -> None:
    """A back-fill that is refused, leaves nothing, and does not hold the member."""
    before = everything()
    with pytest.raises(error):
        service.backfill(member_id, history, clock=CLOCK, job="j")
    assert everything() == before


def test_history_that_names_another_member_is_refused(store: Store) -> None:
    member, other = make_member(store), make_member(store)
    refused([make_snapshot(store, member_id=other.id)], member.id, Invalid)


def test_history_with_an_order_of_another_member_is_refused(store: Store) -> None:
    member, other = make_member(store), make_member(store)
    theirs = make_snapshot(store, member_id=other.id)
    service.apply(theirs, clock=CLOCK)
    mine = make_snapshot(store, external_id=theirs.external_id, revision=2)
    refused([make_snapshot(store), mine], member.id, Invalid)


def test_history_that_was_paid_in_the_future_is_refused(store: Store) -> None:
    member = make_member(store)
    future = make_snapshot(store, paid_at=NOW + timedelta(days=2))
    refused([make_snapshot(store), future], member.id, Invalid)


def test_history_of_nobody_is_refused(store: Store) -> None:
    refused([make_snapshot(store)], ids.derived_id("mbr", "nobody"), NotFound)


@pytest.fixture
def undisturbed(store: Store) -> tuple[Member, list[Snapshot], list[str], Any]:
    """A member with a history of 30 orders, and what a back-fill without a cut makes of it."""
    members = [make_member(store) for _ in range(2)]
    numbers = [fresh("W") for _ in range(30)]
    histories = [
        [
            make_snapshot(
                store,
                make_refund(),
                external_id=f"{number}-{n}",
                member_id=member.id,
                total=1_000 + i,
            )
            for i, number in enumerate(numbers)
        ]
        for n, member in enumerate(members)
    ]
    (whole, cut), (whole_history, history) = members, histories
    service.backfill(whole.id, whole_history, clock=CLOCK, job="j")
    stored = [text for one in whole_history for text in about(one, {whole.id: "M"})]
    return cut, history, stored, facts_of(whole.id)


def cut_after(monkeypatch: pytest.MonkeyPatch, items: int) -> None:
    """The power goes after so many items of a batch were written."""

    def write(model: type[Item], written: Sequence[Item]) -> None:
        batch_write(model, written[:items])
        raise PowerCut

    monkeypatch.setattr(repository, "batch_write", write)


@pytest.mark.parametrize("items", [0, 7, 30, 45, 60])
def test_same_job_ends_the_same_whenever_the_power_went(
    undisturbed: tuple[Member, list[Snapshot], list[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    items: int,
) -> None:
    member, history, stored, facts = undisturbed
    with monkeypatch.context() as power:
        cut_after(power, items)
        with pytest.raises(PowerCut):
            service.backfill(member.id, history, clock=CLOCK, job="j")
    assert facts_of(member.id).orders == 0
    service.backfill(member.id, history, clock=CLOCK, job="j")
    assert [text for one in history for text in about(one, {member.id: "M"})] == stored
    assert facts_of(member.id) == facts
    assert len(first_purchases(member.id)) == 1
    assert member_now(member.id).lock_owner is None


def test_another_job_is_refused_while_the_lock_holds_and_takes_one_that_ran_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = make_member(store)
    history = two_orders(store, member)
    with monkeypatch.context() as power:
        power.setattr(repository, "put_all", die)
        with pytest.raises(PowerCut):
            service.backfill(member.id, history, clock=CLOCK, job="first")
    before = everything()
    with pytest.raises(Conflict):
        service.backfill(member.id, history, clock=CLOCK, job="second")
    assert everything() == before
    service.backfill(member.id, history, clock=LATER, job="second")
    assert facts_of(member.id).orders == 2


def test_job_that_lost_its_lock_settles_nothing(store: Store, meanwhile: Meanwhile) -> None:
    member = make_member(store)
    history = two_orders(store, member)
    meanwhile(repository, "put_all", lambda: member_service.lock(member.id, "second", clock=LATER))
    with pytest.raises(Conflict):
        service.backfill(member.id, history, clock=CLOCK, job="first")
    assert facts_of(member.id).orders == 0
    service.backfill(member.id, history, clock=LATER, job="second")
    assert facts_of(member.id).orders == 2


def test_purchase_during_a_backfill_gives_up_at_the_deadline_with_nothing_written(
    store: Store, impatient: None
) -> None:
    member = make_member(store)
    purchase = make_snapshot(store, member_id=member.id)
    member_service.lock(member.id, "j", clock=CLOCK)
    before = everything()
    with pytest.raises(Conflict):
        service.apply(purchase, clock=CLOCK)
    assert everything() == before
    service.backfill(member.id, two_orders(store, member), clock=CLOCK, job="j")
    service.apply(purchase, clock=CLOCK)
    assert facts_of(member.id).paid == 25_000


def test_purchase_during_a_backfill_waits_for_its_end(
    store: Store, meanwhile: Meanwhile, patient: None
) -> None:
    member = make_member(store)
    purchase = make_snapshot(store, member_id=member.id)
    waiting = threading.Thread(target=service.apply, args=(purchase,), kwargs={"clock": CLOCK})
    meanwhile(repository, "put_all", waiting.start)
    service.backfill(member.id, two_orders(store, member), clock=CLOCK, job="j")
    waiting.join()
    assert facts_of(member.id).paid == 25_000
    assert len(repository.all_of_member(member)) == 3


def test_purchase_after_the_lock_ran_out_is_not_lost_to_the_job_that_held_it(
    store: Store, meanwhile: Meanwhile
) -> None:
    member = make_member(store)
    history = two_orders(store, member)
    purchase = make_snapshot(store, member_id=member.id)
    meanwhile(repository, "put_all", lambda: service.apply(purchase, clock=LATER))
    with pytest.raises(Conflict):
        service.backfill(member.id, history, clock=CLOCK, job="j")
    service.backfill(member.id, history, clock=LATER, job="j")
    assert facts_of(member.id).paid == 25_000


def test_purchase_of_somebody_else_does_not_wait(store: Store, impatient: None) -> None:
    locked, free = make_member(store), make_member(store)
    member_service.lock(locked.id, "j", clock=CLOCK)
    service.apply(make_snapshot(store, member_id=free.id), clock=CLOCK)
    assert facts_of(free.id).orders == 1


def test_order_does_not_leave_a_locked_member(store: Store, impatient: None) -> None:
    locked, free = make_member(store), make_member(store)
    order = make_snapshot(store, member_id=locked.id)
    service.apply(order, clock=CLOCK)
    member_service.lock(locked.id, "j", clock=CLOCK)
    moved = make_snapshot(store, external_id=order.external_id, revision=2, member_id=free.id)
    with pytest.raises(Conflict):
        service.apply(moved, clock=CLOCK)
    assert (facts_of(locked.id).orders, facts_of(free.id).orders) == (1, 0)
    assert isinstance(order_of(order), Order)
    assert order_of(order).member_id == locked.id
