"""Orders under contention: each change happens once, whoever else is at work."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from graphql_api.errors import Conflict
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.rules import Bucket, Facts
from graphql_api.orders import repository, service, tasks
from graphql_api.orders.rules import OrderStatus
from graphql_api.orders.service import Applied, Snapshot
from graphql_api.stores.models import Store
from tests.factories import (
    CLOCK,
    NOW,
    PAID_AT,
    make_identity,
    make_member,
    make_refund,
    make_shell,
    make_snapshot,
)
from tests.orders.conftest import Meanwhile
from tests.orders.storage import about, facts_of, first_purchases, member_now, order_of

pytestmark = pytest.mark.usefixtures("patient")

DAY = PAID_AT.date()


def apply(snapshot: Snapshot, clock: Clock = CLOCK) -> Applied:
    return service.apply(snapshot, clock=clock)


def at_once(work: Sequence[Callable[[], Applied]]) -> list[Applied]:
    """All of it at the same time, each in a thread of its own."""
    ready = threading.Barrier(len(work))

    def one(do: Callable[[], Applied]) -> Applied:
        ready.wait()
        return do()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))


def test_same_snapshot_eight_times_at_once_changes_once(store: Store) -> None:
    member = make_member(store)
    snapshot = make_snapshot(store, make_refund(), member_id=member.id)
    done = at_once([lambda: apply(snapshot)] * 8)
    assert Counter(one.changed for one in done) == {True: 1, False: 7}
    assert {one.order.version for one in done} == {1}
    assert member_now(member.id).version == 2
    assert facts_of(member.id) == Facts(
        months={"2018-01": Bucket(1, 9_000, 90)},
        newest_month="2018-01",
        orders=1,
        paid=10_000,
        refunded=1_000,
        growth=90,
        first_on=DAY,
        last_on=DAY,
    )
    assert len(first_purchases(member.id)) == 1


def test_eight_orders_of_one_member_at_once_all_count(store: Store) -> None:
    member = make_member(store)
    snapshots = [
        make_snapshot(
            store, member_id=member.id, total=10_000 + n, paid_at=PAID_AT - timedelta(days=n)
        )
        for n in range(8)
    ]
    at_once([lambda one=one: apply(one) for one in snapshots])  # type: ignore[misc]
    assert facts_of(member.id) == Facts(
        months={"2018-01": Bucket(5, 50_010, 500), "2017-12": Bucket(3, 30_018, 300)},
        newest_month="2018-01",
        orders=8,
        paid=80_028,
        refunded=0,
        growth=800,
        first_on=DAY - timedelta(days=7),
        last_on=DAY,
    )
    assert member_now(member.id).version == 9
    assert len(first_purchases(member.id)) == 1


def test_versions_of_one_order_at_once_end_as_the_newest_with_every_refund(store: Store) -> None:
    ann, bob = make_member(store), make_member(store)
    order = make_snapshot(store, member_id=ann.id)
    versions = [
        make_snapshot(
            store,
            make_refund(f"r{n}", amount=100),
            external_id=order.external_id,
            revision=n,
            member_id=(ann, bob)[n % 2].id,
            paid_at=PAID_AT - timedelta(days=n % 3),
        )
        for n in range(1, 9)
    ]
    at_once([lambda one=one: apply(one) for one in versions])  # type: ignore[misc]
    assert (facts_of(ann.id).orders, facts_of(ann.id).refunded) == (1, 800)
    left = facts_of(bob.id)
    assert (left.orders, left.paid, left.months, left.newest_month) == (0, 0, {}, None)
    ended = order_of(order)
    assert (ended.revision, ended.member_id, ended.refunded) == ("8", ann.id, 800)
    assert len(about(order, {})) == 2


def test_orders_that_change_hands_at_once_are_counted_where_they_end(store: Store) -> None:
    ann, bob = make_member(store), make_member(store)
    orders = [make_snapshot(store, member_id=(ann, bob)[n % 2].id) for n in range(8)]
    for snapshot in orders:
        apply(snapshot)
    swapped = [
        make_snapshot(
            store,
            external_id=snapshot.external_id,
            revision=2,
            member_id=(bob, ann)[n % 2].id,
            total=1_000 * (n + 1),
        )
        for n, snapshot in enumerate(orders)
    ]
    at_once([lambda one=one: apply(one) for one in swapped])  # type: ignore[misc]
    assert (facts_of(bob.id).orders, facts_of(bob.id).paid) == (4, 16_000)
    assert (facts_of(ann.id).orders, facts_of(ann.id).paid) == (4, 20_000)


def test_refunds_of_one_order_at_once_are_all_taken(store: Store) -> None:
    member = make_member(store)
    order = make_snapshot(store, member_id=member.id)
    apply(order)
    refunds = [
        make_shell(make_refund(f"r{n}", amount=1_250), external_id=order.external_id)
        for n in range(8)
    ]
    at_once([lambda one=one: apply(one) for one in refunds])  # type: ignore[misc]
    assert order_of(order).status is OrderStatus.REFUNDED
    facts = facts_of(member.id)
    assert (facts.orders, facts.refunded, facts.last_on) == (0, 10_000, None)


def test_identity_taken_between_reading_and_writing_gets_the_order(
    store: Store, meanwhile: Meanwhile
) -> None:
    buyer = make_identity()
    taken: list[str] = []
    meanwhile(members, "holders_and_gone", lambda: taken.append(make_member(store, buyer).id))
    order = make_snapshot(store, buyer=[buyer])
    applied = apply(order)
    [claim] = member_service.claims_of(buyer)
    assert applied.order.member_id == order_of(order).member_id == taken[0]
    assert facts_of(taken[0]).orders == 1
    assert repository.waiting_for(claim) == []


def test_version_without_new_facts_does_not_slip_past_a_lock(
    store: Store, meanwhile: Meanwhile, impatient: None
) -> None:
    member = make_member(store)
    order = make_snapshot(store, member_id=member.id)
    apply(order)
    sent = make_snapshot(
        store, external_id=order.external_id, revision=2, member_id=member.id, channel="MALL"
    )
    meanwhile(members, "get_now", lambda: member_service.lock(member.id, "j", clock=CLOCK))
    with pytest.raises(Conflict):
        apply(sent)
    assert order_of(order).revision == "1"


def test_order_that_went_away_and_came_back_in_between_is_not_overwritten(
    store: Store, meanwhile: Meanwhile
) -> None:
    order = make_snapshot(store, total=100)

    def told(revision: int, days: int) -> Snapshot:
        paid_at = PAID_AT + timedelta(days=days)
        return make_snapshot(
            store,
            external_id=order.external_id,
            revision=revision,
            total=100 * revision,
            paid_at=paid_at,
        )

    def away_and_back() -> None:
        apply(told(2, days=1))
        apply(told(3, days=0))

    apply(order)
    meanwhile(repository, "get", away_and_back)
    apply(make_shell(make_refund(amount=50), external_id=order.external_id))
    ended = order_of(order)
    assert (ended.revision, ended.total, ended.refunded) == ("3", 300, 50)


def test_order_that_moves_while_its_identity_is_claimed_still_comes_to_the_member(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A till's correction reads before the claim, and writes while `attach` looks for the order."""
    buyer = make_identity()
    [claim] = member_service.claims_of(buyer)
    order = make_snapshot(store, buyer=[buyer])
    apply(order)
    moved = make_snapshot(
        store,
        external_id=order.external_id,
        revision=2,
        buyer=[buyer],
        paid_at=PAID_AT + timedelta(days=1),
    )
    has_read, may_write = threading.Event(), threading.Event()
    look_up, batch_get = members.holders_and_gone, vars(repository)["batch_get"]

    def slow(claims: Sequence[str], stones: Sequence[str]) -> tuple[list[str | None], set[str]]:
        found = look_up(claims, stones)
        if threading.current_thread() is correction and not has_read.is_set():
            has_read.set()
            may_write.wait(30)
        return found

    def interrupted(*args: object, **kwargs: object) -> object:
        found = batch_get(*args, **kwargs)
        if threading.current_thread() is not correction and not may_write.is_set():
            may_write.set()
            correction.join()
        return found

    correction = threading.Thread(target=apply, args=(moved,))
    monkeypatch.setattr(members, "holders_and_gone", slow)
    correction.start()
    assert has_read.wait(30)
    member = make_member(store, buyer)
    monkeypatch.setattr(repository, "batch_get", interrupted)
    assert tasks.attach_waiting(claim, clock=CLOCK) == 1
    assert order_of(order).member_id == member.id
    assert facts_of(member.id).last_on == DAY + timedelta(days=1)
    assert repository.waiting_for(claim) == []


def test_buyers_who_enrol_while_their_orders_arrive_get_every_one_of_them(store: Store) -> None:
    buyers = [make_identity() for _ in range(3)]
    snapshots = [make_snapshot(store, buyer=[buyers[n % 3]]) for n in range(6)]

    def enrol_and_attach(n: int) -> Applied:
        make_member(store, buyers[n])
        [claim] = member_service.claims_of(buyers[n])
        tasks.attach_waiting(claim, clock=CLOCK)
        return Applied(order_of(snapshots[n]), changed=True)

    apply(snapshots[0])
    apply(snapshots[1])
    apply(snapshots[2])
    work: list[Callable[[], Applied]] = [lambda one=one: apply(one) for one in snapshots[3:]]  # type: ignore[misc]
    at_once([*work, *(lambda n=n: enrol_and_attach(n) for n in range(3))])
    for buyer in buyers:
        [claim] = member_service.claims_of(buyer)
        [holder] = members.holders([claim])
        assert holder is not None
        assert facts_of(holder).orders == 2
        assert repository.waiting_for(claim) == []


def test_attempt_that_lost_a_race_starts_from_what_is_stored(
    store: Store, meanwhile: Meanwhile
) -> None:
    """The first attempt had moved the order in memory; the second one must not see that."""
    ann, bob = make_member(store), make_member(store)
    order = make_snapshot(store, member_id=ann.id)
    apply(order)
    moved = make_snapshot(
        store,
        external_id=order.external_id,
        revision=2,
        member_id=bob.id,
        paid_at=PAID_AT + timedelta(days=1),
    )
    refund = make_shell(external_id=order.external_id)
    meanwhile(members, "get_now", lambda: apply(refund))
    applied = apply(moved)
    assert (applied.order.member_id, applied.order.refunded) == (bob.id, 1_000)
    assert (facts_of(ann.id).orders, facts_of(ann.id).paid) == (0, 0)
    assert (facts_of(bob.id).paid, facts_of(bob.id).refunded) == (10_000, 1_000)
    assert len(about(order, {})) == 2


def test_first_purchase_at_the_same_time_on_two_days_has_one_day(store: Store) -> None:
    member = make_member(store)
    tomorrow = Clock(wall=lambda: NOW + timedelta(days=1))
    done = at_once(
        [
            lambda clock=clock: apply(make_snapshot(store, member_id=member.id), clock)  # type: ignore[misc]
            for clock in (CLOCK, tomorrow) * 2
        ]
    )
    assert all(one.changed for one in done)
    assert len(first_purchases(member.id)) == 1
    assert facts_of(member.id).orders == 4
