"""The mall, as clients see it."""

from datetime import datetime
from typing import Any

import strawberry

from graphql_api.context import Info
from graphql_api.coupons import repository as coupons
from graphql_api.coupons.types.coupons import Coupon, visible_coupon
from graphql_api.coupons.types.templates import CouponTemplate, visible_template
from graphql_api.kit.graphql import Node, field, relation
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.relations import Loads
from graphql_api.kit.graphql.scalars import URL
from graphql_api.mall import models, repository, rules
from graphql_api.mall.rules import ItemKind, ItemState, Obstacle, RedemptionState
from graphql_api.members import repository as members
from graphql_api.members.types import Member
from graphql_api.members.types import visible as visible_member
from graphql_api.permissions import COUPON_FIELD, MALL_FIELD, MALL_STAFF
from graphql_api.standing.models import tier_and_state
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store
from graphql_api.viewer import Role, Viewer

describe_enum(
    ItemKind,
    name="MallItemKind",
    description="What a member gets for points. 兑换品类型",
    values={
        "COUPON": "A coupon, at once. 优惠券",
        "GOODS": "Goods that are fetched in a store. 实物",
    },
)
describe_enum(
    ItemState,
    name="MallItemState",
    description="Whether something can be had. 兑换品状态",
    values={
        "DRAFT": "Being prepared. 草稿",
        "ACTIVE": "Offered. 上架",
        "STOPPED": "No longer offered. 下架",
    },
)
describe_enum(
    RedemptionState,
    name="MallRedemptionState",
    description="What became of a redemption. 兑换状态",
    values={
        "DONE": "The coupon is there. 已发放",
        "WAITING": "The goods wait in the store. 待领取",
        "HANDED_OVER": "The member has the goods. 已领取",
        "CANCELLED": "Points and piece went back. 已取消",
    },
)
describe_enum(
    Obstacle,
    name="MallObstacle",
    description="Why a member cannot have something now. 不可兑换原因",
    values={
        "NOT_ACTIVE": "It is not offered. 未上架",
        "NOT_BEGUN": "It is not offered yet. 未开始",
        "OVER": "It is not offered any more. 已结束",
        "TIER": "It is for other tiers. 等级不符",
        "LIMIT": "The member had all that one may have. 已达上限",
        "OUT_OF_STOCK": "None is left. 库存不足",
        "POINTS": "It costs more points than there are. 积分不足",
    },
)


def visible_item(viewer: Viewer, item: models.MallItem) -> models.MallItem | None:
    """The row rule of items."""
    return item if rules.item_is_visible(viewer, item.state) else None


async def look(context: Loads, one: models.Redemption) -> models.Redemption | None:
    """The row rule of redemptions: it asks whose each is by now."""
    member = await context.load(members.get_many, one.member_id)
    seen = member is not None and rules.sees_redemption(context.viewer, member, one.store_id)
    return one if seen else None


async def _left(root: strawberry.Parent[models.MallItem], info: Info) -> int | None:
    if root.stock is None:
        return None
    left: int = await info.context.load(repository.left_of, root.id)
    return left


async def _obstacle(root: strawberry.Parent[models.MallItem], info: Info) -> Obstacle | None:
    context = info.context
    if context.viewer.role is not Role.MEMBER:
        return None
    member = await context.load(members.get_many, context.viewer.id)
    if member is None:
        return None
    held = tier_and_state(member)
    found = rules.obstacle(
        root.offer,
        tier=held[0] if held else None,
        taken=await context.load(repository.taken_by, (member.lives, root.id)),
        left=await _left(root, info),
        at=context.clock.now(),
    )
    return found or (Obstacle.POINTS if member.points < root.points else None)


@strawberry.type(description="Something that members have for points. 积分兑换品")
class MallItem(Node):
    """Shows models.MallItem."""

    kind: ItemKind = field(rule=MALL_FIELD, description="What it is. 类型")
    name: str = field(rule=MALL_FIELD, description="Its name. 名称")
    description: str | None = field(rule=MALL_FIELD, description="More about it. 说明")
    image_url: URL | None = field(rule=MALL_FIELD, description="A picture of it. 图片")
    points: int = field(rule=MALL_FIELD, description="How many points it costs. 所需积分")
    coupon_template: CouponTemplate | None = relation(
        key="template_id",
        load=coupons.get_templates,
        visible=visible_template,
        rule=COUPON_FIELD,
        description="Of which template the coupon is. 优惠券模板",
    )
    per_member: int | None = field(
        rule=MALL_FIELD, description="How often a member may have it. 每人限兑"
    )
    tiers: list[str] = field(
        rule=MALL_FIELD, description="For which tiers it is; empty for all. 适用等级"
    )
    starts_at: datetime | None = field(rule=MALL_FIELD, description="From when on. 开始时间")
    ends_at: datetime | None = field(rule=MALL_FIELD, description="Until when. 结束时间")
    state: ItemState = field(rule=MALL_FIELD, description="Whether it can be had. 状态")
    left: int | None = field(
        rule=MALL_FIELD,
        description="How many are left; null where there is no end. 剩余库存",
        resolver=_left,
    )
    obstacle: Obstacle | None = field(
        rule=MALL_FIELD,
        description="Why you cannot have it now; null when you can, and for staff. 不可兑换原因",
        resolver=_obstacle,
    )
    stock: int | None = field(rule=MALL_STAFF, description="How many there were in all. 总库存")
    created_at: datetime = field(rule=MALL_STAFF, description="When it was recorded. 创建时间")
    version: int = field(
        rule=MALL_STAFF, description="Rises with every change; give it as `expectedVersion`. 版本"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.MallItem)


@strawberry.type(description="What a member had for points. 兑换记录")
class MallRedemption(Node):
    """Shows models.Redemption."""

    id: strawberry.ID = field(
        rule=MALL_FIELD, description="Its id. 全局 ID", resolver=lambda root: root.redemption_id
    )
    member: Member | None = relation(
        key="member_id",
        load=members.get_many,
        visible=visible_member,
        rule=MALL_STAFF,
        description="Whose it is. 会员",
    )
    item: MallItem | None = relation(
        key="item_id",
        load=repository.get_many,
        visible=visible_item,
        rule=MALL_FIELD,
        description="What was had, as it is now. 兑换品",
    )
    item_name: str = field(rule=MALL_FIELD, description="What it was called then. 兑换时名称")
    kind: ItemKind = field(rule=MALL_FIELD, description="What it was. 类型")
    points: int = field(rule=MALL_FIELD, description="How many points it took. 消耗积分")
    coupon: Coupon | None = relation(
        key="coupon_id",
        load=coupons.get_many,
        visible=visible_coupon,
        rule=COUPON_FIELD,
        description="The coupon. 优惠券",
    )
    store: Store | None = relation(
        key="store_id",
        load=stores.get_many,
        rule=MALL_FIELD,
        description="Where the goods are fetched. 领取门店",
    )
    state: RedemptionState = field(rule=MALL_FIELD, description="What became of it. 状态")
    at: datetime = field(rule=MALL_FIELD, description="When. 兑换时间")
    ended_at: datetime | None = field(
        rule=MALL_FIELD, description="When it was handed over or cancelled. 完成时间"
    )
    by_role: Role = field(rule=MALL_STAFF, description="Who redeemed. 操作人角色")
    by_id: strawberry.ID = field(rule=MALL_STAFF, description="Who redeemed. 操作人 ID")
    ended_by_role: Role | None = field(
        rule=MALL_STAFF, description="Who handed over or cancelled. 完成人角色"
    )
    ended_by_id: strawberry.ID | None = field(
        rule=MALL_STAFF, description="Who handed over or cancelled. 完成人 ID"
    )
    note: str | None = field(rule=MALL_STAFF, description="What was noted then. 备注")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Redemption)


registry.add("mit", repository.get_many, visible_item)
registry.add_looked_up("mrd", repository.redemptions, look)
