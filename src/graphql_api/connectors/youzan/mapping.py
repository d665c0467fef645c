"""What a trade of Youzan is here: a snapshot of an order with its refunds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from graphql_api.connectors.told import Unreadable
from graphql_api.connectors.youzan.payloads import Refund, RefundOfTrade, Trade, TradeLine
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import NewIdentity
from graphql_api.orders.rules import OrderChannel
from graphql_api.orders.service import (
    Snapshot,
    SnapshotBody,
    SnapshotLine,
    SnapshotRefund,
    SnapshotRefundLine,
)

SOURCE = "youzan"
_NAME_CHARACTERS = 200
_REFUSED, _CLOSED, _PAID_BACK = 10, 50, 60
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class StoreKey:
    """A store as Youzan names it: the shop's id, and the number that its staff gave it."""

    kdt_id: str | None
    display_no: str | None


def store_key(trade: Trade) -> StoreKey:
    """Which store sold."""
    info = trade.full_order_info.order_info
    return StoreKey(info.node_kdt_id, info.shop_display_no)


def guide_key(trade: Trade) -> str | None:
    """The staff number of the guide who sold."""
    sold_by = trade.full_order_info.order_info.order_extra.sales_guide
    return next(iter(sold_by.order_sales_staff), None) if sold_by else None


def snapshot_of(
    trade: Trade, *, store_id: str, guide_id: str | None, refunds: Sequence[Refund] = ()
) -> Snapshot | None:
    """The trade as an order of this store and guide; None if it was never paid.

    `refunds` are answers about refunds of the trade: they know when, and of which lines, while the
    trade knows what became of them. Raises Unreadable for what no order can be.
    """
    info = trade.full_order_info.order_info
    if info.pay_time is None:
        return None
    asked = {refund.refund_id: refund for refund in refunds}
    changed_at = info.update_time or info.pay_time
    try:
        return Snapshot(
            source=SOURCE,
            external_id=info.tid,
            body=_body(trade, info.pay_time, changed_at, store_id, guide_id),
            refunds=[
                _refund(refund, asked.get(refund.refund_id), changed_at)
                for refund in trade.refund_order
                if refund.refund_state in (_REFUSED, _CLOSED, _PAID_BACK)
            ],
            settled_at=info.success_time,
        )
    except ValidationError:
        raise Unreadable("not a trade that an order can be") from None


def _body(
    trade: Trade, paid_at: datetime, changed_at: datetime, store_id: str, guide_id: str | None
) -> SnapshotBody:
    whole = trade.full_order_info
    return SnapshotBody(
        revision=milliseconds(changed_at),
        paid_at=paid_at,
        # Postage and what rounding left stand in no line.
        total=whole.pay_info.payment,
        channel=_channel(trade),
        store_id=store_id,
        guide_id=guide_id,
        buyer=list(_buyer(trade)),
        lines=[_line(line) for line in whole.orders],
        coupons=list(dict.fromkeys(_coupons(trade))),
    )


def _channel(trade: Trade) -> OrderChannel:
    info = trade.full_order_info.order_info
    at_the_till = trade.full_order_info.source_info.is_offline_order or info.order_extra.is_offline
    return OrderChannel.STORE if at_the_till or info.is_retail_order else OrderChannel.MALL


def _buyer(trade: Trade) -> Iterator[NewIdentity]:
    # Phones are masked and openids are of an app that is not named: neither says who it is.
    if yz_open_id := trade.full_order_info.buyer_info.yz_open_id:
        yield NewIdentity(kind=IdentityKind.YOUZAN, value=yz_open_id)


def _line(line: TradeLine) -> SnapshotLine:
    name = line.title[:_NAME_CHARACTERS]
    return SnapshotLine(item_id=line.oid, name=name, quantity=line.num, amount=line.payment)


def _coupons(trade: Trade) -> Iterator[str]:
    for promotion in trade.order_promotion.order:
        if promotion.coupon_id not in (None, "0"):
            yield str(promotion.coupon_id)


def _refund(told: RefundOfTrade, asked: Refund | None, changed_at: datetime) -> SnapshotRefund:
    at = (asked.modified or asked.created if asked else None) or changed_at
    amount = told.refund_fee if told.refund_state == _PAID_BACK else 0
    items = asked.refund_order_item if asked and amount else []
    return SnapshotRefund(
        id=told.refund_id,
        revision=milliseconds(changed_at),
        at=at,
        amount=amount,
        lines=[SnapshotRefundLine(item_id=item.oid, amount=item.refund_fee) for item in items],
    )


def milliseconds(instant: datetime) -> int:
    """Since 1970: the revision of what changed then."""
    return (instant - _EPOCH) // _MILLISECOND
