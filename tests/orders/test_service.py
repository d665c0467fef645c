"""The one door for orders: what a snapshot stores, moves, waits for, and refuses."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from graphql_api.errors import AppError, ErrorCode, Invalid, LimitExceeded, NotFound
from graphql_api.kit import ids
from graphql_api.members import service as member_service
from graphql_api.members.rules import Bucket, Facts, IdentityKind
from graphql_api.orders import repository, service, tasks
from graphql_api.orders.rules import Line, OrderChannel, OrderStatus, Refund, RefundLine
from graphql_api.orders.service import Snapshot, SnapshotLine, SnapshotRefundLine
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.calls import counted
from tests.factories import (
    CLOCK,
    NOW,
    PAID_AT,
    make_guide,
    make_identity,
    make_member,
    make_refund,
    make_settled,
    make_shell,
    make_snapshot,
    make_store,
)
from tests.orders.storage import (
    about,
    everything,
    facts_of,
    first_purchases,
    member_now,
    order_of,
)

DAY = date(2018, 1, 5)
WRITES = {"TransactWriteItems", "BatchWriteItem", "PutItem", "UpdateItem", "DeleteItem"}


def apply(snapshot: Snapshot, viewer: Viewer = SYSTEM) -> service.Applied:
    return service.apply(snapshot, clock=CLOCK, viewer=viewer)


def in_store(store: Store, month: str = "2018-01") -> list[str]:
    """Ids of the orders of a store in a month, by time."""
    page = repository.page_of_store_month(store.id, month, first=50, after=None, reverse=False)
    return [order.id for order in page.items]


def test_order_is_stored_as_it_was_told(store: Store) -> None:
    guide, own_guide = make_guide(store, "甲"), make_guide(store, "乙")
    member = make_member(store, guide_id=own_guide.id)
    paid_at = datetime.fromisoformat("2018-01-05T23:30:00.123456+08:00")
    snapshot = make_snapshot(
        store,
        make_refund(amount=500, lines=[SnapshotRefundLine(item_id="a", amount=500)]),
        revision=7,
        paid_at=paid_at,
        total=None,
        channel=OrderChannel.MALL,
        guide_id=guide.id,
        member_id=member.id,
        lines=[
            SnapshotLine(
                item_id="e7b1b3", name="五常大米", category="粮油", quantity=2, amount=9_990
            ),
            SnapshotLine(item_id="b", quantity=0, amount=0),
        ],
    )
    applied = apply(snapshot)
    assert applied.changed
    order = order_of(snapshot)
    assert applied.order.serialize() == order.serialize()
    assert (order.id, order.source, order.external_id) == (
        ids.derived_id("ord", "pos", snapshot.external_id),
        "pos",
        snapshot.external_id,
    )
    assert (order.status, order.total, order.refunded, order.net) == (
        OrderStatus.PARTIALLY_REFUNDED,
        9_990,
        500,
        9_490,
    )
    assert order.paid_at == datetime.fromisoformat("2018-01-05T15:30:00.123+00:00")
    assert (order.day, order.channel, order.revision) == (DAY, OrderChannel.MALL, "7")
    assert (order.store_id, order.guide_id, order.member_id) == (store.id, guide.id, member.id)
    assert order.exclusive_guide_id == own_guide.id
    assert order.lines == [
        Line("e7b1b3", "五常大米", "粮油", 2, 9_990),
        Line("b", "", "", 0, 0),
    ]
    assert order.refunds == [Refund("r1", 1, NOW, 500, (RefundLine("a", 500),), NOW.date())]
    assert order.recorded_at == NOW
    assert facts_of(member.id) == Facts(
        months={"2018-01": Bucket(1, 9_490, 94)},
        newest_month="2018-01",
        orders=1,
        paid=9_990,
        refunded=500,
        growth=94,
        first_on=DAY,
        last_on=DAY,
    )


def test_purchase_is_one_transaction(store: Store) -> None:
    member = make_member(store)
    apply(make_snapshot(store, member_id=make_member(store).id))  # policies are known for a minute
    with counted() as first:
        apply(make_snapshot(store, member_id=member.id))
    with counted() as second:
        apply(make_snapshot(store, member_id=member.id))
    # Store; pointer; member; points; whether a first purchase was decided before.
    assert first == {"BatchGetItem": 5, "TransactWriteItems": 1}
    # The second reaches a tier: whether it was reached before.
    assert second == {"BatchGetItem": 5, "TransactWriteItems": 1}


def test_what_is_known_already_writes_nothing(store: Store) -> None:
    member = make_member(store)
    snapshot = make_snapshot(store, make_refund(), member_id=member.id)
    apply(snapshot)
    older = make_snapshot(store, external_id=snapshot.external_id, revision=0, total=1)
    before = everything()
    for told in (snapshot, older, make_shell(external_id=snapshot.external_id)):
        with counted() as calls:
            assert not apply(told).changed
        assert not WRITES & calls.keys()
    assert everything() == before


def test_version_that_changes_no_facts_leaves_the_member_alone(store: Store) -> None:
    member = make_member(store)
    snapshot = make_snapshot(store, member_id=member.id)
    apply(snapshot)
    before = member_now(member.id)
    sent = make_snapshot(
        store, external_id=snapshot.external_id, revision=2, member_id=member.id, channel="MALL"
    )
    assert apply(sent).changed
    assert order_of(snapshot).channel is OrderChannel.MALL
    assert member_now(member.id).serialize() == before.serialize()


def test_refund_of_the_first_of_two_orders_leaves_the_second_as_the_first(store: Store) -> None:
    member = make_member(store)
    first = make_snapshot(store, member_id=member.id, paid_at=PAID_AT - timedelta(days=40))
    second = make_snapshot(store, member_id=member.id, total=100)
    apply(second)
    apply(first)
    assert facts_of(member.id).first_on == date(2017, 11, 26)
    apply(make_shell(make_refund(amount=10_000), external_id=first.external_id))
    assert facts_of(member.id) == Facts(
        months={
            "2017-11": Bucket(0, 0, 0, 1, 10_000, 100),
            "2018-01": Bucket(1, 100, 1, -1, -10_000, -100),
        },
        newest_month="2018-01",
        orders=1,
        paid=10_100,
        refunded=10_000,
        growth=1,
        first_on=DAY,
        last_on=DAY,
    )


def test_purchase_of_nothing_is_a_purchase(store: Store) -> None:
    member = make_member(store)
    apply(make_snapshot(store, member_id=member.id, total=0))
    facts = facts_of(member.id)
    assert (facts.orders, facts.paid, facts.last_on) == (1, 0, DAY)
    assert len(first_purchases(member.id)) == 1


def test_refund_before_its_order_waits_for_it_as_a_shell(store: Store) -> None:
    member = make_member(store)
    snapshot = make_snapshot(store, member_id=member.id)
    apply(make_shell(make_refund(amount=4_000), external_id=snapshot.external_id))
    shell = order_of(snapshot)
    assert (shell.status, shell.total, shell.member_id, shell.day) == (
        OrderStatus.SHELL,
        0,
        None,
        None,
    )
    assert in_store(store) == []
    assert facts_of(member.id) == Facts()
    apply(snapshot)
    assert order_of(snapshot).net == 6_000
    assert facts_of(member.id).refunded == 4_000
    assert in_store(store) == [snapshot.order_id]
    assert len(about(snapshot, {})) == 2


def test_order_without_a_member_counts_for_its_store_alone(store: Store) -> None:
    snapshot = make_snapshot(store)
    apply(snapshot)
    assert order_of(snapshot).member_id is None
    assert in_store(store) == [snapshot.order_id]
    assert len(about(snapshot, {})) == 2


def test_order_waits_for_its_buyer_and_comes_when_the_identity_is_claimed(store: Store) -> None:
    phone, openid = make_identity("13800138000", IdentityKind.PHONE), make_identity()
    claims = [claim for one in (phone, openid) for claim in member_service.claims_of(one)]
    snapshot = make_snapshot(store, buyer=[phone, openid])
    apply(snapshot)
    assert [repository.waiting_for(claim) for claim in claims] == [[snapshot.order_id]] * 2
    assert "13800138000" not in "".join(everything())
    guide = make_guide(store)
    member = make_member(store, openid, guide_id=guide.id)
    assert facts_of(member.id).orders == 0
    assert tasks.attach_waiting(claims[1], clock=CLOCK) == 1
    order = order_of(snapshot)
    assert (order.member_id, order.exclusive_guide_id) == (member.id, guide.id)
    assert facts_of(member.id).paid == 10_000
    assert [repository.waiting_for(claim) for claim in claims] == [[], []]
    assert len(first_purchases(member.id)) == 1


def test_order_of_a_known_buyer_does_not_wait(store: Store) -> None:
    known, unknown = make_identity(), make_identity()
    member = make_member(store, known)
    snapshot = make_snapshot(store, buyer=[unknown, known])
    apply(snapshot)
    assert order_of(snapshot).member_id == member.id
    claims = [claim for one in (known, unknown) for claim in member_service.claims_of(one)]
    assert [repository.waiting_for(claim) for claim in claims] == [[], []]


def test_refund_stays_with_who_bought_though_the_identity_is_another_s_now(store: Store) -> None:
    buyer = make_identity()
    first = make_member(store, buyer, make_identity())
    snapshot = make_snapshot(store, buyer=[buyer])
    apply(snapshot)
    given_up = member_service.IdentityChange(member_id=first.id, identity=buyer)
    member_service.remove_identity(given_up, viewer=SYSTEM)
    second = make_member(store, buyer)
    apply(make_shell(external_id=snapshot.external_id))
    assert order_of(snapshot).member_id == first.id
    assert (facts_of(first.id).refunded, facts_of(second.id).orders) == (1_000, 0)


def test_order_waits_for_whom_the_newest_version_names(store: Store) -> None:
    first, second, third = (make_identity() for _ in range(3))
    order = make_snapshot(store, buyer=[first, second])
    apply(order)
    apply(make_snapshot(store, external_id=order.external_id, revision=2, buyer=[second, third]))
    claims = [claim for one in (first, second, third) for claim in member_service.claims_of(one)]
    waiting = [repository.waiting_for(claim) for claim in claims]
    assert waiting == [[], [order.order_id], [order.order_id]]


def test_named_member_comes_before_the_identities_of_the_buyer(store: Store) -> None:
    known = make_identity()
    make_member(store, known)
    named = make_member(store)
    snapshot = make_snapshot(store, buyer=[known], member_id=named.id)
    apply(snapshot)
    assert order_of(snapshot).member_id == named.id


@pytest.mark.parametrize("change", ["time", "store", "member", "nobody", "all"])
def test_order_that_moves_leaves_nothing_behind(store: Store, change: str) -> None:
    other_store, ann, bob = make_store("S2"), make_member(store), make_member(store)
    old = make_snapshot(store, make_refund(), member_id=ann.id)
    apply(old)
    was_at = order_of(old).key
    given: dict[str, Any] = {"member_id": ann.id}
    if change in {"time", "all"}:
        given["paid_at"] = PAID_AT - timedelta(days=5)
    if change in {"member", "all"}:
        given["member_id"] = bob.id
    if change == "nobody":
        given["member_id"] = None
    at = other_store if change in {"store", "all"} else store
    new = make_snapshot(at, external_id=old.external_id, revision=2, **given)
    apply(new)
    [found] = repository.get_many([old.order_id])
    assert found is not None
    assert (found.member_id, found.store_id) == (given["member_id"], at.id)
    assert (found.total, found.refunded, found.version) == (10_000, 1_000, 2)
    assert (found.key == was_at) is (change == "store")
    assert len(about(old, {})) == 2
    month = "2017-12" if "paid_at" in given else "2018-01"
    indexed = {
        (s.code, m) for s in (store, other_store) for m in ("2017-12", "2018-01") if in_store(s, m)
    }
    assert indexed == {(at.code, month)}
    owners = {"ann": facts_of(ann.id).orders, "bob": facts_of(bob.id).orders}
    bought = {ann.id: "ann", bob.id: "bob", None: None}[given["member_id"]]
    assert owners == {name: int(name == bought) for name in owners}


def test_orders_of_a_member_are_listed_by_time(store: Store) -> None:
    member = make_member(store)
    hours = [5, 1, 3]
    snapshots = {
        hour: make_snapshot(store, member_id=member.id, paid_at=PAID_AT + timedelta(hours=hour))
        for hour in hours
    }
    for snapshot in snapshots.values():
        apply(snapshot)
    page = repository.page_of_member(member.id, first=5, after=None, reverse=False)
    assert [order.id for order in page.items] == [snapshots[hour].order_id for hour in (1, 3, 5)]


def test_exclusive_guide_is_the_one_of_the_day_the_order_came(store: Store) -> None:
    member = make_member(store, guide_id=make_guide(store, "甲").id)
    snapshot = make_snapshot(store, member_id=member.id)
    apply(snapshot)
    moved = member_now(member.id)
    moved.guide_id = make_guide(store, "乙").id
    moved.save()
    apply(make_shell(external_id=snapshot.external_id))
    assert order_of(snapshot).exclusive_guide_id == member.guide_id


# --- refusals --------------------------------------------------------------------------------


def refusal(snapshot: Snapshot, viewer: Viewer = SYSTEM) -> AppError:
    """Why a snapshot is refused, with nothing written."""
    before = everything()
    with pytest.raises(AppError) as refused:
        apply(snapshot, viewer)
    assert everything() == before
    return refused.value


@pytest.mark.parametrize(
    ("field", "id_"),
    [
        ("store_id", ids.derived_id("sto", "nowhere")),
        ("store_id", "chain"),
        ("guide_id", ids.derived_id("gde", "nobody")),
        ("guide_id", "wecom#x"),
        ("member_id", ids.derived_id("mbr", "nobody")),
        ("member_id", "counter"),
        ("member_id", ""),
    ],
)
def test_unknown_reference_is_refused(store: Store, field: str, id_: str) -> None:
    known = make_identity()
    make_member(store, known)
    refused = refusal(make_snapshot(store, buyer=[known], **{field: id_}))
    assert (type(refused), refused.field) == (NotFound, ("input", "body", field))


def test_payment_up_to_a_day_ahead_passes_for_a_clock_that_is_fast(store: Store) -> None:
    apply(make_snapshot(store, paid_at=NOW + timedelta(days=1)))
    refused = refusal(make_snapshot(store, paid_at=NOW + timedelta(days=1, milliseconds=1)))
    assert (type(refused), refused.field) == (Invalid, ("input", "body", "paid_at"))


def test_settlement_comes_when_it_comes_and_the_first_stands(store: Store) -> None:
    order = make_snapshot(store, coupons=["C1"], points_used=5)
    assert apply(make_settled(order.external_id, NOW)).order.status is OrderStatus.SHELL
    apply(order)
    assert order_of(order).settled_at == NOW
    earlier = NOW - timedelta(hours=13)
    assert apply(make_settled(order.external_id, earlier)).changed
    assert not apply(make_settled(order.external_id, NOW)).changed
    corrected = make_snapshot(store, external_id=order.external_id, revision=2)
    stored = apply(corrected).order
    assert (stored.settled_at, stored.settled_on) == (earlier, date(2018, 1, 9))
    assert (stored.points_used, stored.coupon_codes) == (0, [])
    with pytest.raises(Invalid, match="future") as refused:
        apply(make_settled(order.external_id, NOW + timedelta(days=2)))
    assert refused.value.field == ("input", "settled_at")


def test_region_writes_no_order_of_another_region(store: Store) -> None:
    own = make_store("S2")
    region = Viewer(Role.OPERATOR, id="opr_2", store_ids=frozenset({own.id}))
    theirs = make_snapshot(store)
    refused = refusal(theirs, region)
    assert (refused.code, refused.field) == (ErrorCode.NOT_FOUND, ("input", "body", "store_id"))
    apply(theirs)
    refund = make_shell(external_id=theirs.external_id)
    taken = make_snapshot(own, external_id=theirs.external_id, revision=2)
    for told in (refund, taken):
        refused = refusal(told, region)
        assert (refused.code, refused.field) == (ErrorCode.NOT_FOUND, ("input", "external_id"))
    apply(make_snapshot(own), region)


def test_order_that_no_item_can_hold_is_refused(store: Store) -> None:
    order = make_snapshot(store)
    apply(order)
    lines = [SnapshotRefundLine(item_id=f"{n:0100d}", amount=1) for n in range(200)]
    refunds = [make_refund(f"r{n}", amount=200, lines=lines) for n in range(50)]
    refused = refusal(make_shell(*refunds, external_id=order.external_id))
    assert (type(refused), refused.field) == (LimitExceeded, ("input",))
    apply(make_shell(*refunds[:10], external_id=order.external_id))
    assert order_of(order).refunded == 2_000
