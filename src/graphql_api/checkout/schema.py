"""Queries and mutations of checkouts."""

import dataclasses
from typing import Annotated, Any

import strawberry

from graphql_api.checkout import models, service
from graphql_api.checkout.rules import Quote
from graphql_api.checkout.service import QuoteChanged
from graphql_api.checkout.types import CheckoutQuote, CheckoutReservation
from graphql_api.context import Info
from graphql_api.errors import Invalid, NotFound, Required
from graphql_api.kit.graphql import (
    UserError,
    changed_field,
    command,
    errors_field,
    field,
    mutation,
)
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.arguments import INPUT
from graphql_api.kit.graphql.costs import Cost
from graphql_api.kit.graphql.keys import KeyUse
from graphql_api.kit.graphql.scalars import Money
from graphql_api.members.schema import MemberSelector, id_of
from graphql_api.orders.rules import OrderChannel
from graphql_api.permissions import CHECKOUT_QUOTE, CHECKOUT_WRITE
from graphql_api.viewer import Role, Viewer

QUOTE_COST = 20
"""A quote reads the member, fifty coupons with their templates, the store and its units."""


@strawberry.input(description="A line of a basket. 试算商品行")
class CheckoutLineInput:
    """See service.CheckoutLine."""

    item_id: strawberry.ID = strawberry.field(description="The source's item id. 商品 ID")
    category: str = strawberry.field(default="", description="Category of the item. 品类")
    quantity: int = strawberry.field(default=1, description="How many, 1 or more. 数量")
    unit_price: Money = strawberry.field(description="List price of one. 单价")


@strawberry.input(description="What a member buys, and what is to pay for it. 试算输入")
class CheckoutInput:
    """See service.Checkout."""

    member: MemberSelector | None = strawberry.field(
        default=None, description="Which member; a member may leave it out. 会员选择条件"
    )
    store_id: strawberry.ID | None = strawberry.field(
        default=None, description="The store; the member's home store by default. 门店 ID"
    )
    channel: OrderChannel = strawberry.field(default=OrderChannel.STORE, description="Where. 渠道")
    lines: list[CheckoutLineInput] = strawberry.field(
        description="The lines, 1 to 200, at their list prices. 商品行"
    )
    coupons: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description=(
            "Coupons to choose from, by id or code, at most 10; without the list the best of those"
            " that the member holds, of the 50 that run out first. 优惠券"
        ),
    )
    points: int = strawberry.field(
        default=0, description="How many points are to pay at most. 使用积分"
    )
    shipping: Money = strawberry.field(
        default=0, description="The sending, before anything takes it off. 运费"
    )


@strawberry.input(description="A checkout to keep for an order to come. 结算锁定输入")
class CheckoutReserveInput(CheckoutInput):
    """See service.CheckoutReserve."""

    source: str = strawberry.field(
        description="Which system will have the order, such as `mall`. 来源系统"
    )
    external_id: strawberry.ID = strawberry.field(
        description="The number that it will have there. 外部订单号"
    )
    payable: Money = strawberry.field(
        description="What the quote left to pay; CONFLICT where that changed. 应付"
    )


@strawberry.input(description="An order for which something may be kept. 结算锁定订单")
class CheckoutOrderInput:
    """See service.CheckoutRelease."""

    member: MemberSelector | None = strawberry.field(
        default=None, description="Which member; a member may leave it out. 会员选择条件"
    )
    source: str = strawberry.field(description="Which system has the order. 来源系统")
    external_id: strawberry.ID = strawberry.field(description="Its number there. 外部订单号")


@strawberry.type
class CheckoutQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description=(
            "What a basket costs a member now: every reduction with its shares, or why it gives"
            " nothing. Nothing is written. 试算"
        ),
        graphql_type=CheckoutQuote | None,
        metadata={"rule": CHECKOUT_QUOTE},
        directives=[Cost(weight=QUOTE_COST)],
    )
    async def checkout_quote(self, info: Info, input: Annotated[CheckoutInput, INPUT]) -> Quote:
        """See service.quote."""
        context = info.context

        def quoted() -> Quote:
            try:
                asked = _asked(service.Checkout, input, context.viewer)
                return service.quote(asked, viewer=context.viewer, clock=context.clock)
            except NotFound as nobody:
                raise Invalid(nobody.message, field=nobody.field) from None

        return await context.run(quoted)

    @strawberry.field(
        description="What is kept of a member for an order; null where nothing is. 结算锁定",
        graphql_type=CheckoutReservation | None,
        metadata={"rule": CHECKOUT_QUOTE},
    )
    async def checkout_reservation(
        self, info: Info, input: Annotated[CheckoutOrderInput, INPUT]
    ) -> models.Reservation | None:
        """By the order."""
        context = info.context

        def kept() -> models.Reservation | None:
            try:
                asked = _asked(service.CheckoutRelease, input, context.viewer)
                return service.kept(asked, viewer=context.viewer)
            except NotFound:
                return None

        return await context.run(kept)


def _asked(model: type[Any], given: Any, viewer: Viewer) -> Any:
    """The input as a command on a member: the one named, or who asks."""
    if given.member is None:
        if viewer.role is not Role.MEMBER:
            raise Required("Name the member", field=("input", "member"))
        member_id: str | None = viewer.id
    else:
        member_id = id_of(given.member, at=("input", "member"))
    if member_id is None:
        raise NotFound("There is no such member", field=("input", "member"))
    return command(model, dataclasses.replace(given, member=None), member_id=member_id)


@strawberry.type(description="What became of a reservation. 结算锁定结果")
class CheckoutReservePayload:
    """The reservation, or why not."""

    reservation: CheckoutReservation | None = changed_field(
        "What is kept now; null when refused. 结算锁定"
    )
    quote: CheckoutQuote | None = field(
        rule=INHERITED,
        description=(
            "The quote behind it; where it was refused because that changed, the quote of now; null"
            " where it was kept already. 试算结果"
        ),
        default=None,
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a reservation. 结算释放结果")
class CheckoutReleasePayload:
    """The reservation, or why not."""

    reservation: CheckoutReservation | None = changed_field(
        "As it is now; null when refused. 结算锁定"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class CheckoutMutations:
    """Commands of this slice."""

    @mutation(
        CheckoutReservePayload,
        rule=CHECKOUT_WRITE,
        key=KeyUse.REQUIRED,
        description=(
            "Keep the points and coupons of a quote for an order to come, until a time; the order"
            " takes them. Again with the same input gives what is kept. Refused with CONFLICT and"
            " the quote of now where it costs something else. 结算锁定"
        ),
    )
    def checkout_reserve(
        self, info: Info, input: Annotated[CheckoutReserveInput, INPUT]
    ) -> CheckoutReservePayload:
        """See service.reserve."""
        context = info.context
        asked = _asked(service.CheckoutReserve, input, context.viewer)
        try:
            done = service.reserve(asked, viewer=context.viewer, clock=context.clock)
        except QuoteChanged as changed:
            changed.beside = {"quote": changed.quote}
            raise
        return CheckoutReservePayload(reservation=done.reservation, quote=done.quote)  # type: ignore[arg-type]  # shown by attribute

    @mutation(
        CheckoutReleasePayload,
        rule=CHECKOUT_WRITE,
        key=KeyUse.REQUIRED,
        description=(
            "Let go of what is kept for an order that does not come; again changes nothing."
            " 结算释放"
        ),
    )
    def checkout_release(
        self, info: Info, input: Annotated[CheckoutOrderInput, INPUT]
    ) -> models.Reservation:
        """See service.release."""
        context = info.context
        asked = _asked(service.CheckoutRelease, input, context.viewer)
        return service.release(asked, viewer=context.viewer, clock=context.clock)
