"""What an order of Weimob is here: a snapshot of an order with its refunds."""

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from graphql_api.connectors.told import Unreadable
from graphql_api.connectors.weimob.details import OrderDetail, OrderInfo, Rights
from graphql_api.connectors.weimob.fields import milliseconds
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

SOURCE = "weimob"
_NAME_CHARACTERS = 200
_PAID, _DONE = 2, 8
_AT_THE_TILL = 10002
_PAID_BACK, _WITHDRAWN = 6, (7, 8)


def store_key(detail: OrderDetail) -> str | None:
    """Which store sold: its vid."""
    return detail.info.merchant.vid


def guide_key(detail: OrderDetail) -> str | None:
    """The wid of the guide who sold."""
    return detail.info.guide.wid


def is_paid(detail: OrderDetail) -> bool:
    """Whether it was ever paid."""
    return detail.info.base.pay_status == _PAID and detail.info.base.paid_at is not None


def revision_of(detail: OrderDetail) -> int | None:
    """What of an order is newer: the milliseconds of its last change."""
    changed_at = detail.info.base.updated_at or detail.info.base.paid_at
    return milliseconds(changed_at) if changed_at else None


def snapshot_of(
    detail: OrderDetail, *, store_id: str, guide_id: str | None, rights: Sequence[Rights] = ()
) -> Snapshot | None:
    """An order of this store and guide; None if it was never paid.

    `rights` are its returns and refunds: those that are over, one way or the other, count. Raises
    Unreadable for what no order can be.
    """
    info, base = detail.info, detail.info.base
    revision = revision_of(detail)
    if not is_paid(detail) or base.paid_at is None or revision is None:
        return None
    try:
        return Snapshot(
            source=SOURCE,
            external_id=base.order_no,
            body=SnapshotBody(
                revision=revision,
                paid_at=base.paid_at,
                # Postage stands in no line.
                total=info.pay_info.paid,
                channel=_channel(info),
                store_id=store_id,
                guide_id=guide_id,
                buyer=list(_buyer(info)),
                lines=[
                    SnapshotLine(
                        item_id=item.item_id,
                        name=item.title[:_NAME_CHARACTERS],
                        quantity=item.quantity,
                        amount=item.pay_info.paid,
                    )
                    for item in info.items
                ],
            ),
            refunds=[refund for each in rights if (refund := _refund(each)) is not None],
            settled_at=(base.finished_at or base.updated_at)
            if base.order_status == _DONE
            else None,
        )
    except ValidationError:
        raise Unreadable("not an order that an order can be") from None


def _channel(info: OrderInfo) -> OrderChannel:
    is_till = info.ext.sale_channel == _AT_THE_TILL
    return OrderChannel.STORE if is_till else OrderChannel.MALL


def _buyer(info: OrderInfo) -> Iterator[NewIdentity]:
    if info.buyer.wid:
        yield NewIdentity(kind=IdentityKind.WEIMOB, value=info.buyer.wid)


def _refund(rights: Rights) -> SnapshotRefund | None:
    status = rights.order.status
    if status != _PAID_BACK and status not in _WITHDRAWN:
        return None
    at = rights.order.updated_at or rights.order.created_at
    if at is None:
        return None
    amount = rights.refund.refunded if status == _PAID_BACK else 0
    items = rights.items if amount else []
    return SnapshotRefund(
        id=rights.order.rights_id,
        revision=milliseconds(at),
        at=at,
        amount=amount,
        lines=[
            SnapshotRefundLine(item_id=item.order_item_id, amount=item.refund.refunded)
            for item in items
            if item.order_item_id and item.refund.refunded
        ],
    )
