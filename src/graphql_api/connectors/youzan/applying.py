"""What a message of Youzan means: which door it goes through, and in whose turn."""

from graphql_api.connectors import repository
from graphql_api.connectors.adapters import Handled
from graphql_api.connectors.doors import coupons, customers, merges, orders, points
from graphql_api.connectors.doors.customers import Customer
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, Outcome
from graphql_api.connectors.told import Told
from graphql_api.connectors.turns import turn_of
from graphql_api.connectors.youzan import messages, payloads, people
from graphql_api.connectors.youzan import orders as trades
from graphql_api.connectors.youzan.messages import Message
from graphql_api.connectors.youzan.payloads import (
    CouponChange,
    CustomerCard,
    CustomerEvent,
    CustomerMerge,
    MobileChange,
    PointsChange,
    TradeChange,
)
from graphql_api.kit.time import Clock

_UNPAID = "WAIT_BUYER_PAY"
_USED = frozenset({"CARD_CONSUME", "CODE_CONSUME"})
_BACK = frozenset({"CARD_BACK", "CODE_BACK", "CARD_REVERT", "CODE_REVERT"})


def apply(shop: Shop, raw: bytes, event_type: str | None, *, clock: Clock) -> Handled:
    """Have a message followed here.

    Trades are asked for, so that their messages need no order. Of all others the higher version
    counts, within one type and id.
    """
    message = messages.read(raw, event_type)
    told = payloads.content_of(message)
    if told is None:
        return Handled(Outcome.IGNORED, "type")
    if isinstance(told, TradeChange):
        return _trade(shop, message, told, clock)
    subject = message.id or message.identity
    with turn_of(shop.id, message.type, subject, message.version) as turn:
        if turn.is_stale:
            return Handled(Outcome.STALE)
        return _followed(shop, message, told, clock)


def _trade(shop: Shop, message: Message, told: TradeChange, clock: Clock) -> Handled:
    """Ask for the trade and have it so here; that it waits to be paid is no reason to ask."""
    if message.status == _UNPAID:
        return Handled(Outcome.IGNORED, "not paid")
    return Handled(orders.apply(trades.snapshot(shop, told.tid), clock=clock))


def _followed(shop: Shop, message: Message, told: Told, clock: Clock) -> Handled:
    match told:
        case CustomerEvent():
            return _customer(shop, message, told, clock)
        case CustomerCard():
            return _card(shop, message, told, clock)
        case PointsChange():
            return _points(shop, told, clock)
        case CouponChange():
            return _coupon(shop, told, clock)
        case CustomerMerge(merge_info=info):
            keys = info.from_yz_open_id, info.to_yz_open_id
            outcome = merges.merged(shop, *keys, event_id=message.identity, clock=clock)
            return Handled(outcome)
        case MobileChange():
            return Handled(_phone(shop, told, clock))
        case _:
            return Handled(Outcome.IGNORED, "type")


def _customer(shop: Shop, message: Message, told: CustomerEvent, clock: Clock) -> Handled:
    key = told.yz_open_id or message.yz_open_id
    if key is None:
        return Handled(Outcome.IGNORED, "no yz_open_id")
    if told.is_log_off:
        return Handled(customers.closed(shop, key, clock=clock))
    person = people.person_of(key, told, store_key=message.kdt_id)
    outcome = customers.changed(shop, person, is_member=told.is_member is True, clock=clock)
    if message.status == "CUSTOMER_CREATED" and outcome is not Outcome.IGNORED:
        guided = people.take_guide(shop, key, clock=clock)
        outcome = guided if guided is Outcome.APPLIED else outcome
    return Handled(outcome)


def _card(shop: Shop, message: Message, told: CustomerCard, clock: Clock) -> Handled:
    """A benefit card makes a member; what else of it there is stays at Youzan."""
    given = message.status in (None, "CUSTOMER_CARD_GIVEN", "CUSTOMER_CARD_TAKEN")
    key = told.yz_open_id or message.yz_open_id
    if key is None or not given:
        return Handled(Outcome.IGNORED, "card" if key else "no yz_open_id")
    customer = Customer(key, phone=told.mobile, store_key=message.kdt_id)
    return Handled(customers.changed(shop, customer, is_member=True, clock=clock))


def _phone(shop: Shop, told: MobileChange, clock: Clock) -> Outcome:
    """Whoever has this phone here is found by it, who was not known by Youzan's id before."""
    outcome = customers.phone_changed(shop, told.yz_open_id, told.mobile)
    if outcome is not Outcome.IGNORED:
        return outcome
    customer = Customer(told.yz_open_id, phone=told.mobile)
    return customers.changed(shop, customer, is_member=False, clock=clock)


def _points(shop: Shop, told: PointsChange, clock: Clock) -> Handled:
    if told.is_own(shop.client_id):
        return Handled(Outcome.ECHO)
    if told.yz_open_id is None:
        return Handled(Outcome.IGNORED, "no yz_open_id")
    outcome = points.told(shop, told.yz_open_id, told.total, event_id=told.unique_id, clock=clock)
    return Handled(outcome)


def _coupon(shop: Shop, told: CouponChange, clock: Clock) -> Handled:
    """A coupon's template is not told: only those that were given from here are known."""
    if told.status not in _USED | _BACK:
        return Handled(Outcome.IGNORED, "status")
    if repository.our_id(shop.id, LinkKind.COUPON, told.id) is None:
        return Handled(Outcome.IGNORED, "not from here")
    if told.status in _BACK:
        return Handled(coupons.back(shop, told.id, clock=clock))
    ordered = Outcome.UNCHANGED
    if told.order_no is not None:
        # The order says it best: then the coupon is used by it, and comes back with it.
        ordered = orders.apply(trades.snapshot(shop, told.order_no), clock=clock)
    alone = coupons.used(shop, told.id, told.order_no, clock=clock)
    return Handled(Outcome.APPLIED if Outcome.APPLIED in (ordered, alone) else alone)
