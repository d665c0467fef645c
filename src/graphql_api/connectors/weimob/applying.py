"""What a message of Weimob means: which door it goes through, and in whose turn."""

from graphql_api.connectors.adapters import Handled
from graphql_api.connectors.doors import coupons, customers, guides, merges, orders, points, tags
from graphql_api.connectors.doors import people as known
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import Outcome
from graphql_api.connectors.told import Told
from graphql_api.connectors.turns import turn_of
from graphql_api.connectors.weimob import api, payloads, people
from graphql_api.connectors.weimob import orders as shop_orders
from graphql_api.connectors.weimob.messages import Message, read_message
from graphql_api.connectors.weimob.payloads import (
    AccountCancelled,
    CouponConsumed,
    CouponReceived,
    CustomerChange,
    CustomersCreated,
    MemberCard,
    MergeBegun,
    Merged,
    OrderChange,
    PhoneRebound,
    PointsChange,
    RelationChange,
    RightsChange,
    TagChange,
)
from graphql_api.kit.time import Clock

_STALE = Handled(Outcome.STALE)
_MEMBER = 1
_UNPAID = 0
_TAKEN_AWAY = ("DELETE", "UNBIND")
_ENDED = ("6", "7", "8")
"""Unbound by hand, implicitly, or run out."""


def apply(shop: Shop, raw: bytes, _event_type: str | None, *, clock: Clock) -> Handled:
    """Have a message followed here.

    Orders are asked for, so that their messages need no order. Of all others the later one counts,
    within one type and subject.
    """
    message = read_message(raw)
    told = payloads.content_of(message)
    if told is None:
        return Handled(Outcome.IGNORED, "type")
    if isinstance(told, OrderChange) and told.payment_status == _UNPAID:
        return Handled(Outcome.IGNORED, "not paid")
    if isinstance(told, OrderChange | RightsChange):
        return Handled(orders.apply(shop_orders.snapshot(shop, told.order_no), clock=clock))
    subject, version = payloads.place_of(told)
    with turn_of(shop.id, message.type, subject or message.envelope.id, version) as turn:
        if turn.is_stale:
            return _STALE
        _meet(shop, told, clock)
        return _followed(shop, message, told, clock)


def _meet(shop: Shop, told: Told, clock: Clock) -> None:
    """Ask who somebody is of whom more is told than who they are, and who is nobody here yet."""
    if not isinstance(told, PointsChange | CouponReceived | RelationChange | TagChange):
        return
    if known.member_id_of(shop, told.wid) is None:
        people.profile(shop, told.wid, is_member=False, clock=clock)


def _followed(shop: Shop, message: Message, told: Told, clock: Clock) -> Handled:
    match told:
        case PointsChange():
            return _points(shop, told, clock)
        case CouponReceived():
            return _coupon(shop, told, clock)
        case CouponConsumed():
            return _used(shop, told, clock)
        case RelationChange():
            return Handled(_relation(shop, told, clock))
        case TagChange():
            return Handled(_tag(shop, told, clock))
        case _:
            return _person(shop, message, told, clock)


def _person(shop: Shop, message: Message, told: Told, clock: Clock) -> Handled:
    """What is about who somebody is."""
    match told:
        case CustomersCreated():
            is_one = told.membership_type == _MEMBER
            done = [people.profile(shop, wid, is_member=is_one, clock=clock) for wid in told.wids]
            return Handled(Outcome.APPLIED if Outcome.APPLIED in done else Outcome.UNCHANGED)
        case CustomerChange():
            return Handled(people.profile(shop, told.wid, is_member=False, clock=clock))
        case MemberCard():
            if payloads.is_own_channel(told.channel):
                return Handled(Outcome.ECHO)
            return Handled(people.profile(shop, told.wid, is_member=True, clock=clock))
        case MergeBegun() | Merged():
            return Handled(_merge(shop, message, told, clock))
        case PhoneRebound():
            return Handled(customers.phone_changed(shop, told.wid, told.phone))
        case AccountCancelled():
            return Handled(customers.closed(shop, told.wid, clock=clock))
        case _:
            return Handled(Outcome.IGNORED, "type")


def _points(shop: Shop, told: PointsChange, clock: Clock) -> Handled:
    if told.is_own:
        return Handled(Outcome.ECHO)
    outcome = points.told(shop, told.wid, told.total, event_id=told.unique_id, clock=clock)
    return Handled(outcome)


def _coupon(shop: Shop, told: CouponReceived, clock: Clock) -> Handled:
    if payloads.is_own_channel(told.channel):
        return Handled(Outcome.ECHO)
    return Handled(coupons.given(shop, told.wid, told.code, told.template, clock=clock))


def _used(shop: Shop, told: CouponConsumed, clock: Clock) -> Handled:
    """Have a coupon be used; that it was got may be told later than that."""
    if told.template is not None:
        coupons.given(shop, told.wid, told.code, told.template, clock=clock)
    return Handled(coupons.used(shop, told.code, told.order_no, clock=clock))


def _relation(shop: Shop, told: RelationChange, clock: Clock) -> Outcome:
    """Behind an end, who looks after the customer now is asked: a change of guide fires one too."""
    if told.kind not in _ENDED:
        if told.after is None:
            return Outcome.IGNORED
        return guides.told(shop, told.wid, told.after, clock=clock)
    if told.after and told.after != told.before:
        return Outcome.IGNORED
    return guides.told(shop, told.wid, api.guide_of(shop, told.wid), clock=clock)


def _tag(shop: Shop, told: TagChange, clock: Clock) -> Outcome:
    is_gone = told.event.upper() in _TAKEN_AWAY
    gained, lost = ([], [told.key]) if is_gone else ([told.key], [])
    return tags.told(shop, told.wid, gained, lost, clock=clock)


def _merge(shop: Shop, message: Message, told: MergeBegun | Merged, clock: Clock) -> Outcome:
    """A merge is told in two messages, in either order: who, and who they are from now on."""
    if isinstance(told, MergeBegun):
        return merges.begun(shop, told.wids, event_id=message.envelope.id, clock=clock)
    return merges.ended(shop, told.wid, event_id=message.envelope.id, clock=clock)
