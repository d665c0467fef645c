"""What is stored of orders: the order by its owner and time, its pointer, and who it waits for."""

from datetime import date
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.constants import STREAM_NEW_AND_OLD_IMAGE
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.coupons.rules import OrderCoupons
from graphql_api.kit.dynamo import (
    DayAttribute,
    InstantAttribute,
    Item,
    JsonAttribute,
    table_name,
)
from graphql_api.kit.time import month_of
from graphql_api.members.rules import Origin
from graphql_api.orders.rules import (
    Body,
    Line,
    OrderChannel,
    OrderStatus,
    Refund,
    RefundLine,
    Settlement,
    State,
)
from graphql_api.points.rules import OrderPoints

SOLE = "@"
_INSTANT = InstantAttribute()
_JSON = JsonAttribute()


class StoreMonthIndex(GlobalSecondaryIndex["OrdersItem"]):
    """Orders of a store in a calendar month, by time of payment."""

    class Meta:
        index_name = "store-month"
        projection = KeysOnlyProjection()

    store_month = UnicodeAttribute(hash_key=True)
    paid_key = UnicodeAttribute(range_key=True)


class OrdersItem(Item):
    """The table of this slice; every item has the base key (owner, place).

    An order stands under its member; one without a member, or a shell, under its own id.
    """

    class Meta:
        table_name = table_name("orders")
        billing_mode = "PAY_PER_REQUEST"
        stream_view_type = STREAM_NEW_AND_OLD_IMAGE

    owner = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)
    store_month = UnicodeAttribute(null=True)
    paid_key = UnicodeAttribute(null=True)

    by_store_month = StoreMonthIndex()


class Order(OrdersItem):
    """A purchase with its lines and refunds; shown totals are stored beside what they come from.

    `origin` is that of its newest version, `body_origin` that of the version in which its body
    first came: what follows from an order hangs on it. `erased_at` is when its buyer was erased: it
    has no buyer any more, whatever its source repeats.
    """

    id = UnicodeAttribute()
    source = UnicodeAttribute()
    external_id = UnicodeAttribute()
    status = UnicodeEnumAttribute(OrderStatus)
    revision_number = NumberAttribute(attr_name="revision", null=True)
    paid_at = InstantAttribute(null=True)
    day = DayAttribute(null=True)
    total = NumberAttribute(default=0)
    refunded = NumberAttribute(default=0)
    channel = UnicodeEnumAttribute(OrderChannel, null=True)
    store_id = UnicodeAttribute(null=True)
    guide_id = UnicodeAttribute(null=True)
    exclusive_guide_id = UnicodeAttribute(null=True)
    member_id = UnicodeAttribute(null=True)
    named_member_id = UnicodeAttribute(null=True)
    line_document = JsonAttribute(attr_name="lines", default=list)
    refund_document = JsonAttribute(attr_name="refunds", default=list)
    buyer_document = JsonAttribute(attr_name="buyer", default=list)
    points_used = NumberAttribute(default=0)
    coupon_codes = JsonAttribute(default=list)
    settled_at = InstantAttribute(null=True)
    settled_on = DayAttribute(null=True)
    points_document = JsonAttribute(attr_name="points", null=True)
    coupons_document = JsonAttribute(attr_name="coupons", null=True)
    growth_version = NumberAttribute(default=0)
    recorded_at = InstantAttribute()
    origin = UnicodeEnumAttribute(Origin, null=True)
    body_origin = UnicodeEnumAttribute(Origin, null=True)
    erased_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def revision(self) -> str | None:
        """The revision of the body as decimal digits; None for a shell."""
        return None if self.revision_number is None else str(int(self.revision_number))

    @property
    def came_live(self) -> bool:
        """Whether its body came live first: of a back-filled order nothing follows, ever."""
        return (self.body_origin or self.origin) is not Origin.BACKFILL

    @property
    def net(self) -> int:
        """Fen paid and not refunded."""
        return int(self.total) - int(self.refunded)

    @property
    def lines(self) -> list[Line]:
        """The lines of the body."""
        return [Line(*row) for row in self.line_document]

    @property
    def refunds(self) -> list[Refund]:
        """The refunds, by id."""
        return [_refund(row) for row in self.refund_document]

    @property
    def points(self) -> OrderPoints | None:
        """What it earned its member, and which points it was paid with; None of nobody's."""
        row = self.points_document
        return None if row is None else OrderPoints.of_row(row)

    @points.setter
    def points(self, points: OrderPoints | None) -> None:
        self.points_document = None if points is None else points.row

    @property
    def coupons(self) -> OrderCoupons | None:
        """What it made of the coupons that it names; None where it names none."""
        row = self.coupons_document
        return None if row is None else OrderCoupons.of_row(row)

    @coupons.setter
    def coupons(self, coupons: OrderCoupons | None) -> None:
        self.coupons_document = None if coupons is None else coupons.row

    @property
    def state(self) -> State:
        """What is known of the order, as rules take it."""
        refunds = {refund.id: refund for refund in self.refunds}
        settled = Settlement(self.settled_at, self.settled_on) if self.settled_at else None
        return State(self._body(), refunds, settled)

    def _body(self) -> Body | None:
        if self.revision_number is None:
            return None
        return Body(
            revision=int(self.revision_number),
            paid_at=self.paid_at,
            day=self.day,
            total=int(self.total),
            channel=self.channel,
            store_id=str(self.store_id),
            guide_id=self.guide_id,
            lines=tuple(self.lines),
            buyer=tuple(self.buyer_document),
            member_id=self.named_member_id,
            points_used=int(self.points_used),
            coupons=tuple(self.coupon_codes),
        )

    def hold(self, state: State, member_id: str | None) -> None:
        """Take a state and an owner on, with every key and total that follows from them."""
        body = state.body
        self.status = state.status
        self.total, self.refunded = state.total, state.refunded
        self.refund_document = [_refund_row(r) for _, r in sorted(state.refunds.items())]
        self.member_id = member_id
        self.owner = member_id or self.id
        self.place = place_of(self.id, state)
        if state.settled:
            self.settled_at, self.settled_on = state.settled.at, state.settled.day
        if body is None:
            return
        self.revision_number = body.revision
        self.paid_at, self.day, self.channel = body.paid_at, body.day, body.channel
        self.store_id, self.guide_id = body.store_id, body.guide_id
        self.named_member_id = body.member_id
        self.line_document = [_line_row(line) for line in body.lines]
        self.buyer_document = list(body.buyer)
        self.points_used, self.coupon_codes = body.points_used, list(body.coupons)
        self.store_month = store_month_of(body.store_id, month_of(body.day))
        self.paid_key = f"{_INSTANT.serialize(body.paid_at)}#{self.id}"
        self.body_origin = self.body_origin or self.origin


class Pointer(OrdersItem):
    """Where an order stands; under the order's own id."""

    id_prefix = "ord"

    at_owner = UnicodeAttribute()
    at_place = UnicodeAttribute()


class Waiting(OrdersItem):
    """An order whose buyer is not a member yet, under the claim that would make it one."""


def waiting_owner(claim: str) -> str:
    """The partition of orders that wait for an identity."""
    return f"waiting#{claim}"


def place_of(order_id: str, state: State) -> str:
    """By time of payment, and unique; a shell has no time."""
    return f"{_INSTANT.serialize(state.body.paid_at) if state.body else '-'}#{order_id}"


def store_month_of(store_id: str, month: str) -> str:
    """The key of a store's orders in a month."""
    return f"{store_id}#{month}"


def size_of(state: State) -> int:
    """Bytes that the lists of an order take in its item; everything else is under 12,000."""
    rows: list[Any] = [_refund_row(refund) for refund in state.refunds.values()]
    if state.body:
        rows += [_line_row(line) for line in state.body.lines]
        rows += [*state.body.buyer, *state.body.coupons]
    return len(_JSON.serialize(rows).encode())


def _line_row(line: Line) -> list[Any]:
    return [line.item_id, line.name, line.category, line.quantity, line.amount]


def _refund_row(refund: Refund) -> list[Any]:
    lines = [[line.item_id, line.amount] for line in refund.lines]
    at = _INSTANT.serialize(refund.at)
    day = refund.day.isoformat() if refund.day else None
    return [refund.id, refund.revision, at, refund.amount, lines, day]


def _refund(row: list[Any]) -> Refund:
    id_, revision, at, amount, lines, day = row
    shown = tuple(RefundLine(*line) for line in lines)
    on = date.fromisoformat(day) if day else None
    return Refund(id_, revision, _INSTANT.deserialize(at), amount, shown, on)
