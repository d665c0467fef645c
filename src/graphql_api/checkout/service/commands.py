"""What is asked of a checkout, as it comes from outside."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from graphql_api.coupons.rules import MAX_OF_ORDER
from graphql_api.kit import ids

MAX_LINES = 200
MAX_FEN = 10**12

Fen = Annotated[int, Field(ge=0, le=MAX_FEN)]
ItemId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]
ExternalId = ItemId
Source = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Category = Annotated[str, StringConstraints(max_length=200)]
CouponName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CheckoutLine(_Command):
    """So many pieces of an item; fen for one."""

    item_id: ItemId
    category: Category = ""
    quantity: Annotated[int, Field(ge=1, le=10**6)] = 1
    unit_price: Fen


class Checkout(_Command):
    """What a member buys where, and by what it is to be paid.

    Without a store it is the member's home store. `coupons` are named by id or code; None takes the
    best of those that the member holds. `points` is how many are to pay at most, `shipping` the fee
    in fen before anything takes it off.
    """

    member_id: str
    store_id: str | None = None
    channel: Literal["STORE", "MALL"] = "STORE"
    lines: list[CheckoutLine] = Field(min_length=1, max_length=MAX_LINES)
    coupons: list[CouponName] | None = Field(default=None, max_length=MAX_OF_ORDER)
    points: Annotated[int, Field(ge=0, le=10**9)] = 0
    shipping: Fen = 0

    @model_validator(mode="after")
    def _comes_to_an_amount(self) -> Self:
        if sum(line.unit_price * line.quantity for line in self.lines) > MAX_FEN:
            raise ValueError("the lines come to more than can be paid")
        return self


class _Named(_Command):
    """An order that is to come: the number that it will have at its source."""

    source: Source
    external_id: ExternalId

    @property
    def order_id(self) -> str:
        """The id that the order will have in this chain."""
        return ids.derived_id("ord", self.source, self.external_id)


class CheckoutReserve(Checkout, _Named):
    """A checkout that is to be kept for an order, at the money that a quote gave, in fen."""

    payable: Fen


class CheckoutRelease(_Named):
    """An order of a member: to look at what is kept for it, or to let it go."""

    member_id: str
