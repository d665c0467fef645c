"""Points follow orders: what a purchase earned and cost, its refunds take and give back, once."""

from datetime import timedelta
from typing import Any

import pytest

from graphql_api.kit.time import Clock
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.orders import buyers, service, tasks
from graphql_api.orders.service import Snapshot, SnapshotLine, SnapshotRefundLine
from graphql_api.points import service as points
from graphql_api.points.rules import OrderPoints
from graphql_api.points.service import Cause
from graphql_api.stores.models import Store
from tests.factories import (
    CLOCK,
    NOW,
    make_identity,
    make_member,
    make_refund,
    make_settled,
    make_shell,
    make_snapshot,
)
from tests.members.aliases import put_in_place_of
from tests.orders.storage import facts_of, member_now, order_of
from tests.points.storage import figures_of, ledger_of, on_day, publish_points, with_member

CAUSE = Cause(CLOCK)


@pytest.fixture
def member(store: Store) -> Member:
    return make_member(store)


def apply(
    snapshot: Snapshot, clock: Clock = CLOCK, origin: Origin = Origin.LIVE
) -> OrderPoints | None:
    """What stands on the order about points, once the snapshot is taken in."""
    return service.apply(snapshot, clock=clock, origin=origin).order.points


def grant(member: Member, given: int) -> None:
    points.grant(member.id, given, key=f"grant-{given}", cause=CAUSE)


def refund(order: Snapshot, fen: int, id: str = "r1", **more: Any) -> Snapshot:
    given = make_refund(id, amount=fen, **more)
    return make_shell(given, external_id=order.external_id)


def test_purchase_earns_points_that_wait_a_week_and_its_refund_takes_them_back(
    store: Store, member: Member
) -> None:
    order = make_snapshot(store, member_id=member.id)
    told = apply(order)
    assert told is not None
    assert (told.earned, told.tier, told.percent) == (100, "V1", 100)
    assert figures_of(member.id) == (0, 100, 0)
    apply(refund(order, 3_050))
    assert figures_of(member.id) == (0, 69, 0)
    apply(refund(order, 6_950, "r2"), on_day(30))
    assert figures_of(member.id) == (0, 0, 0)
    assert facts_of(member.id).orders == 0
    kinds = [kind for kind, *_ in ledger_of(member.id)]
    assert kinds == ["EARN", "REVERSE", "ACTIVATE", "REVERSE"]


def test_tier_of_before_the_order_says_how_much_it_earns(store: Store, member: Member) -> None:
    first = apply(make_snapshot(store, member_id=member.id, total=300_000))
    second = apply(make_snapshot(store, member_id=member.id, total=10_000))
    assert first is not None
    assert second is not None
    assert (first.tier, first.earned) == ("V1", 3_000)
    assert (second.tier, second.earned) == ("V5", 130)


def test_refund_by_line_takes_what_the_line_earned(store: Store, member: Member) -> None:
    publish_points(excludedCategories=["烟"])
    lines = [
        SnapshotLine(item_id="a", category="茶", amount=6_000),
        SnapshotLine(item_id="b", category="烟", amount=4_000),
    ]
    order = make_snapshot(store, member_id=member.id, total=None, lines=lines)
    apply(order)
    assert figures_of(member.id) == (0, 60, 0)
    apply(refund(order, 4_000, lines=[SnapshotRefundLine(item_id="b", amount=4_000)]))
    assert figures_of(member.id) == (0, 60, 0)
    apply(refund(order, 3_000, "r2", lines=[SnapshotRefundLine(item_id="a", amount=3_000)]))
    assert figures_of(member.id) == (0, 30, 0)


def test_points_used_are_spent_and_come_back_in_proportion(store: Store, member: Member) -> None:
    grant(member, 500)
    order = make_snapshot(store, member_id=member.id, points_used=200)
    apply(order)
    assert figures_of(member.id) == (300, 100, 0)
    apply(refund(order, 2_500))
    assert figures_of(member.id) == (350, 75, 0)
    apply(refund(order, 7_500, "r2"))
    assert figures_of(member.id) == (500, 0, 0)


def test_order_is_a_fact_and_leaves_a_debt_where_points_are_missing(
    store: Store, member: Member
) -> None:
    order = make_snapshot(store, member_id=member.id, points_used=40)
    apply(order)
    assert figures_of(member.id) == (-40, 100, 0)
    apply(refund(order, 10_000))
    assert figures_of(member.id) == (0, 0, 0)


def test_points_that_were_frozen_for_the_order_are_taken_first(
    store: Store, member: Member
) -> None:
    grant(member, 500)
    order = make_snapshot(store, member_id=member.id, points_used=120)
    freeze(member, 150, key=order.order_id)
    assert figures_of(member.id) == (350, 0, 150)
    apply(order)
    assert figures_of(member.id) == (380, 100, 0)


def freeze(member: Member, given: int, *, key: str) -> None:
    with_member(
        member.id, lambda tx, m: points.freeze_in(tx, m, given, key=key, until=None, cause=CAUSE)
    )


@pytest.mark.parametrize("refunded_before", [True, False])
def test_points_held_until_settlement_come_with_it_or_never(
    store: Store, member: Member, refunded_before: bool
) -> None:
    publish_points(holding="UNTIL_SETTLED")
    order = make_snapshot(store, member_id=member.id)
    settled = make_settled(order.external_id)
    whole = refund(order, 10_000)
    apply(order)
    assert figures_of(member.id) == (0, 100, 0)
    for told in (whole, settled) if refunded_before else (settled, whole):
        apply(told)
        if told is settled and not refunded_before:
            assert figures_of(member.id) == (100, 0, 0)
    assert figures_of(member.id) == (0, 0, 0)


def test_settlement_alone_changes_points_and_no_facts(store: Store, member: Member) -> None:
    publish_points(holding="UNTIL_SETTLED")
    order = make_snapshot(store, member_id=member.id)
    apply(order)
    before = facts_of(member.id)
    apply(make_settled(order.external_id))
    assert (figures_of(member.id), facts_of(member.id)) == ((100, 0, 0), before)


def test_refund_in_another_month_after_the_points_were_spent_leaves_a_debt(
    store: Store, member: Member
) -> None:
    order = make_snapshot(store, member_id=member.id)
    apply(order)
    spent = make_snapshot(
        store, member_id=member.id, total=50, points_used=100, paid_at=NOW + timedelta(days=20)
    )
    apply(spent, on_day(20))
    assert figures_of(member.id) == (0, 0, 0)
    apply(refund(order, 10_000, at=NOW + timedelta(days=40)), on_day(40))
    assert figures_of(member.id) == (-100, 0, 0)
    apply(refund(spent, 50), on_day(41))
    assert figures_of(member.id) == (0, 0, 0)


def test_order_that_goes_to_another_member_takes_everything_along(store: Store) -> None:
    ann, bob = make_member(store), make_member(store)
    grant(ann, 300)
    order = make_snapshot(store, member_id=ann.id, points_used=200)
    apply(order)
    assert figures_of(ann.id) == (100, 100, 0)
    moved = make_snapshot(
        store, external_id=order.external_id, revision=2, member_id=bob.id, points_used=200
    )
    apply(moved)
    assert (figures_of(ann.id), figures_of(bob.id)) == ((300, 0, 0), (-200, 100, 0))
    apply(make_snapshot(store, external_id=order.external_id, revision=3))
    assert (figures_of(ann.id), figures_of(bob.id)) == ((300, 0, 0), (0, 0, 0))
    assert order_of(order).points is None


def test_order_that_waited_earns_when_its_member_comes(store: Store) -> None:
    buyer = make_identity()
    order = make_snapshot(store, buyer=[buyer], points_used=30)
    assert apply(order) is None
    member = make_member(store, buyer)
    [claim] = member_service.claims_of(buyer)
    assert tasks.attach_waiting(claim, clock=CLOCK) == 1
    assert figures_of(member.id) == (-30, 100, 0)


def test_refund_before_its_order_gives_and_takes_nothing_until_then(
    store: Store, member: Member
) -> None:
    order = make_snapshot(store, member_id=member.id)
    assert apply(refund(order, 4_000)) is None
    told = apply(order)
    assert told is not None
    assert told.earned == 60
    assert figures_of(member.id) == (0, 60, 0)


def test_refund_that_is_withdrawn_gives_the_points_again(store: Store, member: Member) -> None:
    order = make_snapshot(store, member_id=member.id)
    apply(order)
    apply(refund(order, 10_000))
    apply(refund(order, 0, revision=2))
    assert figures_of(member.id) == (0, 100, 0)


def test_history_earns_nothing_and_its_refund_takes_nothing(store: Store, member: Member) -> None:
    told = [make_snapshot(store, member_id=member.id, points_used=70) for _ in range(3)]
    service.backfill(member.id, told[:2], clock=CLOCK, job="j")
    apply(told[2], origin=Origin.BACKFILL)
    for order in told:
        assert apply(refund(order, 10_000)) is None
    service.backfill(member.id, told, clock=CLOCK, job="j")
    assert figures_of(member.id) == (0, 0, 0)
    assert ledger_of(member.id) == []


def test_history_that_waited_for_its_member_earns_nothing_when_they_come(store: Store) -> None:
    buyer = make_identity()
    apply(make_snapshot(store, buyer=[buyer]), origin=Origin.BACKFILL)
    member = make_member(store, buyer)
    [claim] = member_service.claims_of(buyer)
    assert tasks.attach_waiting(claim, clock=CLOCK) == 1
    assert figures_of(member.id) == (0, 0, 0)


def test_refund_of_an_order_of_an_alias_takes_from_the_survivor(store: Store) -> None:
    loser, survivor = make_member(store), make_member(store)
    order = make_snapshot(store, member_id=survivor.id)
    apply(order)
    put_in_place_of(member_now(survivor.id), member_now(loser.id))
    named = make_snapshot(
        store, external_id=order.external_id, revision=2, member_id=loser.id, total=5_000
    )
    apply(named)
    assert figures_of(survivor.id) == (0, 50, 0)


def test_order_of_who_was_erased_keeps_nothing_of_points(store: Store, member: Member) -> None:
    order = make_snapshot(store, member_id=member.id, points_used=10)
    assert apply(order) is not None
    buyers.anonymise([order.order_id], at=NOW)
    assert order_of(order).points is None
    assert order_of(order).points_used == 10


def test_same_snapshot_again_writes_nothing_and_another_channel_leaves_the_member_alone(
    store: Store, member: Member
) -> None:
    order = make_snapshot(store, member_id=member.id)
    apply(order)
    version = member_now(member.id).version
    service.apply(order, clock=CLOCK)
    mall = make_snapshot(
        store, external_id=order.external_id, revision=2, member_id=member.id, channel="MALL"
    )
    apply(mall)
    assert member_now(member.id).version == version
    assert len(ledger_of(member.id)) == 1
