"""From stream records to events, and from events to deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql_api.coupons.models import Coupon
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.members.models import SOLE as SOLE_MEMBER
from graphql_api.members.models import Effect, Member
from graphql_api.members.rules import Origin
from graphql_api.orders.models import Order
from graphql_api.standing import models as standing
from graphql_api.webhooks import messages, repository, rules, service
from graphql_api.webhooks.models import Delivery
from graphql_api.webhooks.rules import DeliveryState, EndpointState, Event, Topic

WRITTEN_AT_ONCE = 40
_EFFECT = "effect#"


@dataclass(frozen=True, slots=True)
class Change:
    """A stream record: its id, when it was written, and the item before and after, as stored."""

    id: str
    at: datetime
    old: dict[str, Any] | None
    new: dict[str, Any] | None


def member_events(change: Change) -> list[Event]:
    """What a change in the members table tells: of a member, or of a decision about one."""
    image = change.new or change.old or {}
    key = (image["id"]["S"], image["sort"]["S"])
    if not Member.owns(key):
        return []
    if key[1].startswith(_EFFECT) and change.new and not change.old:
        return _effect_events(change, Effect.from_raw_data(change.new))
    if key[1] != SOLE_MEMBER or change.old is None:
        return []
    if change.new is None:
        return [_event(change, Topic.MEMBER_ERASED, "Member", key[0], None)]
    old, new = Member.from_raw_data(change.old), Member.from_raw_data(change.new)
    topics = rules.member_topics(old, new)
    if new.standing_origin is not Origin.BACKFILL:
        held = standing.tier_and_state(old), standing.tier_and_state(new)
        topics |= rules.standing_topics(*held)
    if new.points_origin is not Origin.BACKFILL:
        topics |= rules.points_topics(old, new)
    return [
        _event(change, topic, "Member", new.id, int(new.version), changed=names)
        for topic, names in topics.items()
    ]


def _effect_events(change: Change, effect: Effect) -> list[Event]:
    topic = rules.OF_EFFECTS.get(effect.kind)
    if topic is None or effect.origin is Origin.BACKFILL:
        return []
    data = rules.effect_data(effect.kind, effect.level)
    return [_event(change, topic, "Member", effect.id, None, **data)]


def order_events(change: Change) -> list[Event]:
    """What a change in the orders table tells; nothing of what a back-fill wrote."""
    if change.new is None or "source" not in change.new:
        return []
    new = Order.from_raw_data(change.new)
    if new.origin is Origin.BACKFILL:
        return []
    topics = rules.order_topics(Order.from_raw_data(change.old) if change.old else None, new)
    place = {"memberId": new.member_id, "storeId": new.store_id}
    return [
        _event(change, topic, "Order", new.id, int(new.version), changed=names, **place)
        for topic, names in topics.items()
    ]


def coupon_events(change: Change) -> list[Event]:
    """What a change of a member's coupon tells; nothing of what a back-fill wrote."""
    if change.new is None:
        return []
    new = Coupon.from_raw_data(change.new)
    topic = rules.coupon_topic(Coupon.from_raw_data(change.old) if change.old else None, new)
    if topic is None or new.origin is Origin.BACKFILL:
        return []
    data = {"memberId": new.member_id, "templateId": new.template_id}
    return [_event(change, topic, "Coupon", new.coupon_id, int(new.version), **data)]


def _event(
    change: Change, topic: Topic, type_: str, object_id: str, version: int | None, **data: Any
) -> Event:
    event_id = ids.derived_id("evt", change.id, topic)
    return Event(event_id, topic, change.at, type_, object_id, version, data)


def tell(events: Sequence[Event], *, at: datetime) -> int:
    """Write a delivery for each endpoint that wants an event, once however often it comes.

    Gives how many are on their way. One that was written before and never tried is sent again.
    """
    if not events:
        return 0
    endpoints = [e for e in repository.all_endpoints() if e.state is not EndpointState.DISABLED]
    wanted = [
        service.delivery_of(endpoint, event, at)
        for event in events
        for endpoint in endpoints
        if event.topic in endpoint.topics
    ]
    sent = 0
    for start in range(0, len(wanted), WRITTEN_AT_ONCE):
        waiting = _write(wanted[start : start + WRITTEN_AT_ONCE])
        messages.try_soon(waiting)
        sent += len(waiting)
    return sent


def _write(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Write those that are not there; gives the ones to try now."""

    def attempt(tx: Transaction) -> list[Delivery]:
        known = repository.get_deliveries_now([delivery.id for delivery in deliveries])
        for delivery, stored in zip(deliveries, known, strict=True):
            if stored is None:
                repository.create_delivery(tx, delivery)
        both = [stored or delivery for delivery, stored in zip(deliveries, known, strict=True)]
        return [one for one in both if one.state is DeliveryState.PENDING and not one.turn]

    return transact(attempt)
