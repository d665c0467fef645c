"""Queries and mutations of orders."""

from datetime import datetime
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.kit import ids
from graphql_api.kit.graphql import UserError, changed_field, command, errors_field, mutation
from graphql_api.kit.graphql.arguments import INPUT
from graphql_api.kit.graphql.scalars import Money
from graphql_api.members.schema import IdentityInput
from graphql_api.orders import models, repository, service
from graphql_api.orders.rules import OrderChannel
from graphql_api.orders.types import Order, visible
from graphql_api.permissions import ORDER_FIELD, ORDER_WRITE


@strawberry.input(description="An order by its number at its source. 外部订单号")
class ExternalOrderInput:
    """(source, external id) is one order."""

    source: str = strawberry.field(description="Which system, such as `pos`. 来源系统")
    external_id: strawberry.ID = strawberry.field(description="Its number there. 外部订单号")


@strawberry.input(description="Which order: exactly one of these. 订单选择条件", one_of=True)
class OrderSelector:
    """One way to name an order."""

    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Its id. 全局 ID")
    external: strawberry.Maybe[ExternalOrderInput] = strawberry.field(
        description="Its number at its source. 外部订单号"
    )


@strawberry.type
class OrderQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="One order; null where there is none that you may see. 订单",
        graphql_type=Order | None,
        metadata={"rule": ORDER_FIELD},
    )
    async def order(
        self,
        info: Info,
        by: Annotated[OrderSelector, strawberry.argument(description="Which one. 选择条件")],
    ) -> models.Order | None:
        """By id or by its number at its source."""
        if by.id:
            id_ = str(by.id.value)
        else:
            assert by.external is not None
            external = by.external.value
            id_ = ids.derived_id("ord", external.source, external.external_id)
        item = await info.context.load(repository.get_many, id_)
        return visible(info.context.viewer, item) if item else None


@strawberry.input(description="A line of an order. 订单行")
class OrderLineInput:
    """See service.SnapshotLine."""

    item_id: strawberry.ID = strawberry.field(description="The source's item id. 商品 ID")
    name: str = strawberry.field(default="", description="Name of the item. 商品名")
    category: str = strawberry.field(default="", description="Category of the item. 品类")
    quantity: int = strawberry.field(default=1, description="How many, 0 or more. 数量")
    amount: Money = strawberry.field(description="Paid for the whole line. 实付金额")


@strawberry.input(description="What was refunded of one item. 退款行")
class OrderRefundLineInput:
    """See service.SnapshotRefundLine."""

    item_id: strawberry.ID = strawberry.field(description="The source's item id. 商品 ID")
    amount: Money = strawberry.field(description="Refunded of it. 退款金额")


@strawberry.input(description="A refund as its source tells it now. 退款")
class OrderRefundInput:
    """See service.SnapshotRefund."""

    id: strawberry.ID = strawberry.field(description="The source's refund id. 退款单号")
    revision: str = strawberry.field(
        description="Its version or update time in digits; the higher wins. 版本"
    )
    at: datetime = strawberry.field(description="When it was refunded. 退款时间")
    amount: Money = strawberry.field(description="Refunded; 0.00 withdraws it. 退款金额")
    lines: list[OrderRefundLineInput] = strawberry.field(
        default_factory=list, description="By item, where known. 退款行"
    )


@strawberry.input(description="An order as its source tells it now. 订单内容")
class OrderBodyInput:
    """See service.SnapshotBody."""

    revision: str = strawberry.field(
        description="Its version or update time in digits; the higher wins. 版本"
    )
    paid_at: datetime = strawberry.field(description="When it was paid. 支付时间")
    total: Money | None = strawberry.field(
        default=None, description="What was paid; the sum of the lines by default. 实付"
    )
    channel: OrderChannel = strawberry.field(default=OrderChannel.STORE, description="Where. 渠道")
    store_id: strawberry.ID = strawberry.field(description="The store. 门店 ID")
    guide_id: strawberry.ID | None = strawberry.field(
        default=None, description="The guide who sold it. 销售导购 ID"
    )
    member_id: strawberry.ID | None = strawberry.field(
        default=None, description="The member, where known. 会员 ID"
    )
    buyer: list[IdentityInput] = strawberry.field(
        default_factory=list,
        description="Identities of the buyer; the order waits until somebody has one. 买家身份",
    )
    lines: list[OrderLineInput] = strawberry.field(
        default_factory=list, description="Its lines, at most 200. 订单行"
    )
    points_used: int = strawberry.field(
        default=0, description="How many points it was paid with. 使用积分"
    )
    coupons: list[strawberry.ID] = strawberry.field(
        default_factory=list,
        description="Coupons that it was paid with, by code or id, at most 10. 使用优惠券",
    )


@strawberry.input(description="What a source knows of one order now. 订单快照")
class OrderApplyInput:
    """See service.Snapshot."""

    source: str = strawberry.field(description="Which system, such as `pos`. 来源系统")
    external_id: strawberry.ID = strawberry.field(description="Its number there. 外部订单号")
    body: OrderBodyInput | None = strawberry.field(
        default=None, description="The order itself; may arrive after its refunds. 订单内容"
    )
    refunds: list[OrderRefundInput] = strawberry.field(
        default_factory=list, description="Its refunds, at most 50. 退款"
    )
    settled_at: datetime | None = strawberry.field(
        default=None,
        description=(
            "When its refund period ended; may be told later, alone; the first that is told stands."
            " 交易完成时间"
        ),
    )


@strawberry.type(description="What became of an order snapshot. 订单操作结果")
class OrderPayload:
    """The order, or why not."""

    order: Order | None = changed_field("The order as it is now; null when refused. 订单")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class OrderMutations:
    """Commands of this slice."""

    @mutation(
        OrderPayload,
        rule=ORDER_WRITE,
        description=(
            "Take in what a source knows of an order: late, doubled or out of order, it changes"
            " everything once. 写入订单快照"
        ),
    )
    def order_apply(
        self, info: Info, input: Annotated[OrderApplyInput, INPUT]
    ) -> models.Order | None:
        """See service.apply."""
        context = info.context
        snapshot = command(service.Snapshot, input)
        applied = service.apply(snapshot, clock=context.clock, viewer=context.viewer)
        return visible(context.viewer, applied.order)
