"""The streams of members and orders: what happened is told once to whoever wants to know."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from graphql_api.benefits import service as benefits
from graphql_api.benefits.rules import JOINED
from graphql_api.coupons import service as coupons
from graphql_api.coupons.models import CouponsItem
from graphql_api.coupons.service import Lock, Shown, WithReason
from graphql_api.handlers import webhook_events
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Item, transact
from graphql_api.members import service as members
from graphql_api.members.models import Effect, MembersItem, effect_sort
from graphql_api.members.rules import EffectKind, IdentityKind, Origin
from graphql_api.orders import service as orders
from graphql_api.orders.models import OrdersItem
from graphql_api.ownership import service as ownership
from graphql_api.ownership.service import Assign
from graphql_api.points import service as points
from graphql_api.points import tasks as points_tasks
from graphql_api.privacy import service as privacy
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from graphql_api.webhooks import repository, service
from graphql_api.webhooks.rules import EndpointState, StopReason, Topic
from scripts.stream_pump import Pump
from tests.calls import counted
from tests.coupons.factories import claim, follow, make_template, use_of
from tests.factories import (
    CLOCK,
    NOW,
    make_guide,
    make_identity,
    make_member,
    make_refund,
    make_snapshot,
    make_store,
)
from tests.tags.factories import make_group, make_tag, set_tags
from tests.webhooks.factories import deliveries, everything, register

URL = "http://127.0.0.1:9/hook"


class Streams:
    """Both streams, read into the handler; keeps the batches."""

    def __init__(self, folder: Path) -> None:
        self.batches: list[dict[str, Any]] = []
        self._folder = folder
        self._client = boto3.client("dynamodbstreams")

    def _handle(self, event: dict[str, Any], context: Any) -> Any:
        self.batches.append(event)
        return webhook_events.handler(event, context)

    def drain(self, *models: type[Item]) -> list[tuple[str, dict[str, Any]]]:
        """Read all that waits; what is told now that was not told before, by topic."""
        before = {delivery.id for delivery in deliveries()}
        for table in models or (MembersItem, OrdersItem):
            pump = Pump(table.Meta.table_name, self._handle, self._folder, consumer="webhooks")
            while pump.drain(self._client):
                pass
        new = [one for one in deliveries() if one.id not in before]
        return [(one.topic.value, one.payload) for one in new]


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


@pytest.fixture
def streams(chain: str, tmp_path: Path) -> Streams:
    return Streams(tmp_path)


def test_enrolment_and_every_change_of_a_member_are_told(store: Store, streams: Streams) -> None:
    register(URL)
    guide = make_guide(store)
    member = make_member(store)
    [(topic, told)] = streams.drain()
    assert (topic, told["object"]) == (
        "MEMBER_ENROLLED",
        {"type": "Member", "id": member.id, "version": None},
    )

    members.update(members.Update(id=member.id, name="王小明"), viewer=SYSTEM)
    [(topic, told)] = streams.drain()
    assert (topic, told["changed"], told["object"]["version"]) == ("MEMBER_UPDATED", ["name"], 2)
    assert "王" not in str(told)

    tag = make_tag(make_group("饮食"), "爱喝茶")
    set_tags(member, tag)
    assert [topic for topic, _ in streams.drain()] == ["MEMBER_TAGS_CHANGED"]

    assign = Assign(member_id=member.id, guide_id=guide.id)
    ownership.assign(assign, viewer=SYSTEM, clock=CLOCK)
    [(topic, told)] = streams.drain()
    assert (topic, told["changed"]) == ("MEMBER_GUIDE_CHANGED", ["guide"])

    members.archive(member.id, viewer=SYSTEM, clock=CLOCK)
    assert "MEMBER_ARCHIVED" in [topic for topic, _ in streams.drain()]
    members.restore(member.id, viewer=SYSTEM)
    assert "MEMBER_RESTORED" in [topic for topic, _ in streams.drain()]


def test_coupon_is_told_when_it_is_given_used_and_back_and_not_when_it_is_held(
    store: Store, streams: Streams
) -> None:
    register(URL)
    member, template = make_member(store), make_template()
    coupon = claim(member, template)
    [(topic, told)] = streams.drain(CouponsItem)
    assert (topic, told["object"]) == (
        "COUPON_ISSUED",
        {"type": "Coupon", "id": coupon.coupon_id, "version": 1},
    )
    assert (told["memberId"], told["templateId"]) == (member.id, template.id)

    shown = Shown(id=coupon.coupon_id)
    held = Lock(coupon=shown, key="ord_1", until=NOW + timedelta(hours=1))
    coupons.lock(held, viewer=SYSTEM, clock=CLOCK)
    assert streams.drain(CouponsItem) == []
    kept = follow(member, use_of(coupon))
    follow(member, use_of(coupon, refunded=True), kept)
    assert [topic for topic, _ in streams.drain(CouponsItem)] == [
        "COUPON_REDEEMED",
        "COUPON_RETURNED",
    ]
    given = WithReason(id=coupon.coupon_id, reason="误发")
    coupons.recycle(given, viewer=SYSTEM, clock=CLOCK)
    assert [topic for topic, _ in streams.drain(CouponsItem)] == ["COUPON_RECYCLED"]


def test_coupon_that_a_history_used_is_not_told(store: Store, streams: Streams) -> None:
    register(URL)
    member = make_member(store)
    coupon = claim(member, make_template())
    streams.drain(CouponsItem)
    used, origin = use_of(coupon), Origin.BACKFILL
    transact(lambda tx: coupons.follow_order(tx, member, used, None, clock=CLOCK, origin=origin))
    assert streams.drain(CouponsItem) == []


def test_order_refund_and_first_purchase_are_told(store: Store, streams: Streams) -> None:
    member = make_member(store)
    streams.drain()
    register(URL)
    snapshot = make_snapshot(store, external_id="W-1", member_id=member.id)
    order = orders.apply(snapshot, clock=CLOCK).order
    first, earned, applied = sorted(streams.drain())
    assert (earned[0], earned[1]["object"]["id"]) == ("MEMBER_POINTS_CHANGED", member.id)
    assert (first[0], first[1]["object"]["id"]) == ("MEMBER_FIRST_PURCHASE", member.id)
    assert applied[0] == "ORDER_APPLIED"
    assert applied[1]["object"] == {"type": "Order", "id": order.id, "version": 1}
    assert (applied[1]["memberId"], applied[1]["storeId"]) == (member.id, store.id)

    orders.apply(
        make_snapshot(store, make_refund(), external_id="W-1", member_id=member.id), clock=CLOCK
    )
    [(lost, _), (topic, told)] = sorted(streams.drain())
    assert lost == "MEMBER_POINTS_CHANGED"
    assert (topic, told["changed"], told["object"]["version"]) == ("ORDER_REFUNDED", ["refunds"], 2)

    orders.apply(snapshot, clock=CLOCK)
    assert streams.drain() == []


def test_gift_is_told_with_what_it_is_for(store: Store, streams: Streams) -> None:
    member = make_member(store)
    streams.drain()
    register(URL)
    benefits.give(member.id, JOINED, date(2018, 1, 10), clock=CLOCK)
    [told] = [payload for topic, payload in streams.drain() if topic == "GIFT_GIVEN"]
    assert told["object"] == {"type": "Member", "id": member.id, "version": None}
    assert (told["occasion"], told["level"]) == ("JOINING", "-")


def test_order_that_finds_its_member_is_told_again(store: Store, streams: Streams) -> None:
    buyer = make_identity()
    register(URL, Topic.ORDER_APPLIED)
    order = orders.apply(make_snapshot(store, buyer=[buyer]), clock=CLOCK).order
    [(_, told)] = streams.drain()
    assert told["memberId"] is None
    member = make_member(store, buyer)
    orders.attach(order.id, clock=CLOCK)
    [(_, told)] = streams.drain()
    assert (told["object"]["version"], told["memberId"]) == (2, member.id)


def test_back_fill_tells_nothing(store: Store, streams: Streams) -> None:
    register(URL)
    new = members.Enrol(identities=[make_identity()], store_id=store.id)
    member = members.enrol(new, viewer=SYSTEM, clock=CLOCK, origin=Origin.BACKFILL)
    told = [make_snapshot(store, external_id="W-1"), make_snapshot(store, external_id="W-2")]
    orders.backfill(member.id, told, clock=CLOCK, job="import")
    refunded = make_snapshot(store, make_refund(), external_id="W-1", member_id=member.id)
    orders.apply(refunded, clock=CLOCK, origin=Origin.BACKFILL)
    assert streams.drain() == []
    orders.apply(
        make_snapshot(store, make_refund(), external_id="W-2", member_id=member.id), clock=CLOCK
    )
    assert [topic for topic, _ in streams.drain()] == ["ORDER_REFUNDED"]


def test_record_that_comes_again_makes_no_second_delivery(store: Store, streams: Streams) -> None:
    register(URL)
    register(URL, Topic.MEMBER_ENROLLED)
    make_member(store)
    assert [topic for topic, _ in streams.drain()] == ["MEMBER_ENROLLED"] * 2
    assert len({one.event_id for one in deliveries()}) == 1
    before = everything()
    for batch in streams.batches * 2:
        webhook_events.handler(batch, None)
    assert everything() == before


def test_batch_that_died_half_way_is_told_whole_and_once(
    store: Store, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(URL)
    make_member(store)
    create, written = repository.create_delivery, []

    def die_once(tx: Any, delivery: Any) -> None:
        written.append(delivery.id)
        if len(written) == 1:
            raise TimeoutError
        create(tx, delivery)

    monkeypatch.setattr(repository, "create_delivery", die_once)
    assert [topic for topic, _ in streams.drain()] == ["MEMBER_ENROLLED"]


def test_each_endpoint_is_told_what_it_wants_and_a_stopped_one_not_yet_or_never(
    store: Store, streams: Streams
) -> None:
    orders_only = register(URL, Topic.ORDER_APPLIED).endpoint
    wants, paused, disabled = (register(URL, Topic.MEMBER_ENROLLED).endpoint for _ in range(3))
    service.stop(paused.id, EndpointState.PAUSED, StopReason.FAILING, at=NOW)
    service.disable(disabled.id, viewer=SYSTEM, at=NOW)
    make_member(store)
    streams.drain()
    assert {one.endpoint_id: one.state for one in deliveries()} == {
        wants.id: "PENDING",
        paused.id: "HELD",
    }
    assert orders_only.id not in {one.endpoint_id for one in deliveries()}


def test_nothing_is_read_where_nothing_is_told(store: Store, streams: Streams) -> None:
    register(URL)
    member = make_member(store)
    streams.drain()
    written = {"ApproximateCreationDateTime": 1.0, "Keys": {"id": {"S": member.id}}}
    counter = {"id": {"S": "counter"}, "sort": {"S": "@"}}
    records: list[dict[str, Any]] = [
        {
            "eventID": "1",
            "dynamodb": {
                **written,
                "OldImage": {**counter, "id": {"S": member.id}, "sort": {"S": "effect#ENROLLED#-"}},
            },
        },
        {"eventID": "2", "dynamodb": {**written, "NewImage": counter, "OldImage": counter}},
    ]
    with counted() as calls:
        webhook_events.handler({"Records": records}, None)
    assert calls == {}


def test_points_that_move_and_that_run_out_are_told_and_opening_balances_are_not(
    store: Store, streams: Streams
) -> None:
    register(URL)
    member = make_member(store)
    balance = points.OpeningBalance(
        member_id=member.id, points=50, key="k", expires_on=CLOCK.today()
    )
    opening = points.PointsImport(balances=[balance])
    points.import_balances(opening, viewer=SYSTEM, clock=CLOCK)
    assert [topic for topic, _ in streams.drain()] == ["MEMBER_ENROLLED"]
    points.grant(member.id, 5, key="g", cause=points.Cause(CLOCK))
    points_tasks.run(CLOCK.today(), clock=CLOCK)
    told = streams.drain()
    assert [topic for topic, _ in told] == ["MEMBER_POINTS_CHANGED", "MEMBER_POINTS_EXPIRING"]
    assert told[0][1]["changed"] == ["points"]


def test_effect_of_a_back_fill_is_not_told_and_another_is(database: str) -> None:
    register(URL)
    for n, origin in enumerate(Origin):
        sort = effect_sort(EffectKind.ENROLLED, "-")
        effect = Effect(
            ids.new_id("mbr"),
            sort,
            kind=EffectKind.ENROLLED,
            level="-",
            origin=origin,
            decided_on=NOW.date(),
        )
        image = effect.serialize()
        written = {
            "ApproximateCreationDateTime": 1.0,
            "Keys": {"id": image["id"], "sort": image["sort"]},
            "NewImage": image,
        }
        webhook_events.handler({"Records": [{"eventID": str(n), "dynamodb": written}]}, None)
    assert [(one.topic, one.payload["occurredAt"]) for one in deliveries()] == [
        ("MEMBER_ENROLLED", "1970-01-01T00:00:01.000Z")
    ]


def test_phone_is_told_as_a_change_of_identities(store: Store, streams: Streams) -> None:
    member = make_member(store)
    streams.drain()
    register(URL, Topic.MEMBER_UPDATED)
    change = members.IdentityChange(
        member_id=member.id, identity=make_identity("+8613800138000", IdentityKind.PHONE)
    )
    members.add_identity(change, viewer=SYSTEM)
    [(_, told)] = streams.drain()
    assert told["changed"] == ["identities"]


def test_erased_member_is_told_once_and_nothing_of_them(store: Store, streams: Streams) -> None:
    member = make_member(store, name="王小明")
    streams.drain()
    register(URL, Topic.MEMBER_ERASED, Topic.MEMBER_UPDATED)
    erasure = privacy.erase(member.id, viewer=SYSTEM, clock=CLOCK)
    assert erasure is not None
    [(topic, told)] = streams.drain()
    assert (topic, told["object"]) == (
        "MEMBER_ERASED",
        {"type": "Member", "id": member.id, "version": None},
    )


def test_new_tier_is_told_and_that_of_a_back_fill_is_not(store: Store, streams: Streams) -> None:
    register(URL, Topic.MEMBER_TIER_CHANGED)
    member, imported = make_member(store), make_member(store)
    small = make_snapshot(store, member_id=member.id, total=100)
    orders.apply(small, clock=CLOCK)
    assert streams.drain() == []
    orders.apply(make_snapshot(store, member_id=member.id, total=5_000_000), clock=CLOCK)
    [(topic, told)] = streams.drain()
    assert (topic, told["changed"], told["object"]["id"]) == (
        "MEMBER_TIER_CHANGED",
        ["tier"],
        member.id,
    )
    orders.apply(make_snapshot(store, member_id=imported.id, total=100), clock=CLOCK)
    large = make_snapshot(store, member_id=imported.id, total=5_000_000)
    orders.apply(large, clock=CLOCK, origin=Origin.BACKFILL)
    assert streams.drain() == []
