"""Queries and mutations of the mall."""

from datetime import datetime
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.errors import Invalid
from graphql_api.kit.graphql import (
    Connection,
    UserError,
    changed_field,
    command,
    errors_field,
    mutation,
    paged,
)
from graphql_api.kit.graphql.arguments import INPUT, After, First, Id, Reverse
from graphql_api.kit.graphql.keys import KeyUse
from graphql_api.mall import models, repository, rules, service
from graphql_api.mall.rules import ItemKind, ItemState
from graphql_api.mall.types import MallItem, MallRedemption, look, visible_item
from graphql_api.permissions import (
    MALL_CANCEL,
    MALL_FIELD,
    MALL_HAND_OVER,
    MALL_REDEEM,
    MALL_STAFF,
    MALL_WRITE,
)

_VERSION = "Refuse with CONFLICT when it has changed since. 期望版本"


@strawberry.type
class MallQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="Something to be had for points; null where you see none. 兑换品",
        graphql_type=MallItem | None,
        metadata={"rule": MALL_FIELD},
    )
    async def mall_item(self, info: Info, id: Id) -> models.MallItem | None:
        """By id."""
        item: models.MallItem | None = await info.context.load(repository.get_many, id)
        return visible_item(info.context.viewer, item) if item else None

    @strawberry.field(
        description="What can be had for points, oldest first. 兑换品列表",
        graphql_type=Connection[MallItem],
        metadata={"rule": MALL_FIELD},
    )
    async def mall_items(
        self,
        info: Info,
        state: Annotated[
            ItemState, strawberry.argument(description="In which state. 状态")
        ] = ItemState.ACTIVE,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
    ) -> object:
        """By state; drafts for who makes them."""
        if not rules.item_is_visible(info.context.viewer, state):
            raise Invalid("Drafts are for who makes them", field=("state",))
        page = repository.page_of_items
        return await paged(info.context, page, (state,), first=first, after=after, reverse=reverse)

    @strawberry.field(
        description="What somebody had for points; null where you see none. 兑换记录",
        graphql_type=MallRedemption | None,
        metadata={"rule": MALL_FIELD},
    )
    async def mall_redemption(self, info: Info, id: Id) -> models.Redemption | None:
        """By id, to the member, and to who reaches the member or the store."""
        found: models.Redemption | None = await info.context.load(repository.redemptions, id)
        return await look(info.context, found) if found else None

    @strawberry.field(
        description="Goods that wait in a store to be handed over, oldest first. 待领取兑换",
        graphql_type=Connection[MallRedemption],
        metadata={"rule": MALL_STAFF},
    )
    async def mall_redemptions_waiting(
        self,
        info: Info,
        store_id: Annotated[
            strawberry.ID, strawberry.argument(description="In which store. 门店 ID")
        ],
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
    ) -> object:
        """In a store within reach."""
        context = info.context
        if not context.viewer.reaches_store(store_id):
            raise Invalid("This store is not within your reach", field=("storeId",))
        page = repository.page_of_waiting
        return await paged(context, page, store_id, first=first, after=after, reverse=reverse)


@strawberry.input(description="Something new to be had for points, as a draft. 新建兑换品")
class MallItemCreateInput:
    """See service.ItemCreate."""

    kind: ItemKind = strawberry.field(description="What it is. 类型")
    name: str = strawberry.field(description="Its name, 1 to 80 characters. 名称")
    points: int = strawberry.field(description="How many points it costs, from 1. 所需积分")
    template_id: strawberry.ID | None = strawberry.field(
        default=None, description="The template of a coupon. 优惠券模板 ID"
    )
    stock: int | None = strawberry.field(
        default=None, description="How many there are; without it there is no end. 库存"
    )
    description: str | None = strawberry.field(default=None, description="More about it. 说明")
    image_url: str | None = strawberry.field(default=None, description="A picture, https. 图片")
    per_member: int | None = strawberry.field(
        default=None, description="How often a member may have it. 每人限兑"
    )
    tiers: list[str] | None = strawberry.field(
        default=None, description="For which tiers; for all without. 适用等级"
    )
    starts_at: datetime | None = strawberry.field(
        default=None, description="From when on it can be had. 开始时间"
    )
    ends_at: datetime | None = strawberry.field(
        default=None, description="Until when it can be had. 结束时间"
    )


@strawberry.input(description="Changes of an item; what is left out stays. 修改兑换品")
class MallItemUpdateInput:
    """See service.ItemUpdate."""

    id: strawberry.ID = strawberry.field(description="Which item. 兑换品 ID")
    name: strawberry.Maybe[str] = strawberry.field(description="Its name. 名称")
    points: strawberry.Maybe[int] = strawberry.field(description="What it costs. 所需积分")
    description: strawberry.Maybe[str | None] = strawberry.field(description="More about it. 说明")
    image_url: strawberry.Maybe[str | None] = strawberry.field(description="A picture. 图片")
    per_member: strawberry.Maybe[int | None] = strawberry.field(
        description="How often a member may have it; null for any. 每人限兑"
    )
    tiers: strawberry.Maybe[list[str]] = strawberry.field(
        description="For which tiers; empty for all. 适用等级"
    )
    starts_at: strawberry.Maybe[datetime | None] = strawberry.field(
        description="From when on. 开始时间"
    )
    ends_at: strawberry.Maybe[datetime | None] = strawberry.field(
        description="Until when. 结束时间"
    )
    expected_version: strawberry.Maybe[int] = strawberry.field(description=_VERSION)


@strawberry.input(description="Offer an item, or stop. 上下架")
class MallItemStateSetInput:
    """See service.ItemStateSet."""

    id: strawberry.ID = strawberry.field(description="Which item. 兑换品 ID")
    state: ItemState = strawberry.field(description="ACTIVE or STOPPED. 新状态")
    expected_version: strawberry.Maybe[int] = strawberry.field(description=_VERSION)


@strawberry.input(description="More pieces of an item, or fewer. 调整库存")
class MallItemStockAddInput:
    """See service.StockAdd."""

    id: strawberry.ID = strawberry.field(description="Which item. 兑换品 ID")
    quantity: int = strawberry.field(description="How many more; negative for fewer. 数量")


@strawberry.input(description="One piece of an item for points. 积分兑换")
class MallItemRedeemInput:
    """See service.Redeem."""

    member_id: strawberry.ID = strawberry.field(description="For whom. 会员 ID")
    item_id: strawberry.ID = strawberry.field(description="What. 兑换品 ID")
    store_id: strawberry.ID | None = strawberry.field(
        default=None, description="Where goods are fetched. 领取门店 ID"
    )


@strawberry.input(description="A redemption that comes to its end. 完成或取消兑换")
class MallRedemptionEndInput:
    """See service.RedemptionEnd."""

    id: strawberry.ID = strawberry.field(description="Which redemption. 兑换记录 ID")
    note: str | None = strawberry.field(default=None, description="A note. 备注")


@strawberry.type(description="What became of a command on an item. 兑换品操作结果")
class MallItemPayload:
    """The item, or why not."""

    item: MallItem | None = changed_field("The item as it is now; null when refused. 兑换品")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a redemption. 兑换操作结果")
class MallRedemptionPayload:
    """The redemption, or why not."""

    redemption: MallRedemption | None = changed_field(
        "The redemption as it is now; null when refused. 兑换记录"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class MallMutations:
    """Commands of this slice."""

    @mutation(
        MallItemPayload, rule=MALL_WRITE, description="Prepare something for points. 新建兑换品"
    )
    def mall_item_create(
        self, info: Info, input: Annotated[MallItemCreateInput, INPUT]
    ) -> models.MallItem:
        """See service.create."""
        new = command(service.ItemCreate, input)
        return service.create(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(MallItemPayload, rule=MALL_WRITE, description="Change an item. 修改兑换品")
    def mall_item_update(
        self, info: Info, input: Annotated[MallItemUpdateInput, INPUT]
    ) -> models.MallItem:
        """See service.update."""
        change = command(service.ItemUpdate, input)
        return service.update(change, viewer=info.context.viewer)

    @mutation(MallItemPayload, rule=MALL_WRITE, description="Offer an item, or stop. 上下架")
    def mall_item_state_set(
        self, info: Info, input: Annotated[MallItemStateSetInput, INPUT]
    ) -> models.MallItem:
        """See service.set_state."""
        change = command(service.ItemStateSet, input)
        return service.set_state(change, viewer=info.context.viewer)

    @mutation(
        MallItemPayload,
        rule=MALL_WRITE,
        key=KeyUse.REQUIRED,
        description="More pieces of an item, or fewer, down to none. 调整库存",
    )
    def mall_item_stock_add(
        self, info: Info, input: Annotated[MallItemStockAddInput, INPUT]
    ) -> models.MallItem:
        """See service.add_stock."""
        change = command(service.StockAdd, input)
        return service.add_stock(change, viewer=info.context.viewer)

    @mutation(
        MallRedemptionPayload,
        rule=MALL_REDEEM,
        key=KeyUse.REQUIRED,
        description="Have one piece of an item for points. 积分兑换",
    )
    def mall_item_redeem(
        self, info: Info, input: Annotated[MallItemRedeemInput, INPUT]
    ) -> models.Redemption:
        """See service.redeem."""
        given = command(service.Redeem, input)
        return service.redeem(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        MallRedemptionPayload,
        rule=MALL_HAND_OVER,
        key=KeyUse.REQUIRED,
        description="Goods were handed over to the member. 确认领取",
    )
    def mall_redemption_hand_over(
        self, info: Info, input: Annotated[MallRedemptionEndInput, INPUT]
    ) -> models.Redemption:
        """See service.hand_over."""
        given = command(service.RedemptionEnd, input)
        return service.hand_over(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        MallRedemptionPayload,
        rule=MALL_CANCEL,
        key=KeyUse.REQUIRED,
        description="Goods that wait are not wanted: points and piece go back. 取消兑换",
    )
    def mall_redemption_cancel(
        self, info: Info, input: Annotated[MallRedemptionEndInput, INPUT]
    ) -> models.Redemption:
        """See service.cancel."""
        given = command(service.RedemptionEnd, input)
        return service.cancel(given, viewer=info.context.viewer, clock=info.context.clock)
