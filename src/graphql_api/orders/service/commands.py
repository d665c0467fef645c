"""What a source tells of an order, as it comes from outside."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from graphql_api.kit import ids
from graphql_api.members import service as member_service
from graphql_api.orders.rules import OrderChannel

MAX_LINES = 200
MAX_REFUNDS = 50
MAX_COUPONS = 10
MAX_POINTS = 10**9
MAX_FEN = 10**12
_MAX_REVISION = 2**62
_FIRST_INSTANT, _LAST_INSTANT = (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 2200))

Fen = Annotated[int, Field(ge=0, le=MAX_FEN)]
Revision = Annotated[int, Field(ge=0, le=_MAX_REVISION)]
ExternalId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]
Source = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Text = Annotated[str, StringConstraints(max_length=200)]
Instant = Annotated[AwareDatetime, Field(ge=_FIRST_INSTANT, lt=_LAST_INSTANT)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SnapshotLine(_Command):
    """One line as the vendor tells it; fen."""

    item_id: ExternalId
    name: Text = ""
    category: Text = ""
    quantity: int = Field(default=1, ge=0, le=10**6)
    amount: Fen


class SnapshotRefundLine(_Command):
    """What was refunded of one item; fen."""

    item_id: ExternalId
    amount: Fen


class SnapshotRefund(_Command):
    """One refund as the vendor tells it; fen."""

    id: ExternalId
    revision: Revision
    at: Instant
    amount: Fen
    lines: list[SnapshotRefundLine] = Field(default_factory=list, max_length=MAX_LINES)

    @model_validator(mode="after")
    def _lines_fit_the_amount(self) -> Self:
        if sum(line.amount for line in self.lines) > self.amount:
            raise ValueError("the lines of a refund come to more than its amount")
        return self


class SnapshotBody(_Command):
    """The order as the vendor tells it; `total` is fen paid, the sum of the lines if unset."""

    revision: Revision
    paid_at: Instant
    total: Fen | None = None
    channel: OrderChannel = OrderChannel.STORE
    store_id: str
    guide_id: str | None = None
    member_id: str | None = None
    buyer: list[member_service.NewIdentity] = Field(default_factory=list, max_length=8)
    lines: list[SnapshotLine] = Field(default_factory=list, max_length=MAX_LINES)
    points_used: int = Field(default=0, ge=0, le=MAX_POINTS)
    coupons: list[ExternalId] = Field(default_factory=list, max_length=MAX_COUPONS)

    @field_validator("coupons")
    @classmethod
    def _stand_once(cls, coupons: list[str]) -> list[str]:
        if len(set(coupons)) < len(coupons):
            raise ValueError("a coupon stands once in an order")
        return coupons


def order_id_of(source: str, external_id: str) -> str:
    """The id that an order of a source has in this chain."""
    return ids.derived_id("ord", source, external_id)


class Snapshot(_Command):
    """What a source knows of one order now: its body, refunds, that it is settled, or all of it."""

    source: Source
    external_id: ExternalId
    body: SnapshotBody | None = None
    refunds: list[SnapshotRefund] = Field(default_factory=list, max_length=MAX_REFUNDS)
    settled_at: Instant | None = None

    @field_validator("refunds")
    @classmethod
    def _stand_once(cls, refunds: list[SnapshotRefund]) -> list[SnapshotRefund]:
        if len({refund.id for refund in refunds}) < len(refunds):
            raise ValueError("a refund stands once in a snapshot")
        return refunds

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.body is None and not self.refunds and self.settled_at is None:
            raise ValueError("a snapshot has a body, a refund, or says when it was settled")
        return self

    @property
    def order_id(self) -> str:
        """The id that this order has in this chain, known before it is stored."""
        return order_id_of(self.source, self.external_id)
