"""Orders, as clients see them."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from graphql_api.context import Info
from graphql_api.coupons import models as coupon_models
from graphql_api.coupons import repository as coupons
from graphql_api.coupons import rules as coupon_rules
from graphql_api.coupons.rules import CouponReason
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as visible_guide
from graphql_api.guides.types import Guide
from graphql_api.kit.graphql import Node, field, relation, relations
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import Money
from graphql_api.members import repository as members
from graphql_api.members.types import Member
from graphql_api.members.types import visible as visible_member
from graphql_api.orders import models, repository, rules
from graphql_api.orders.rules import OrderChannel, OrderStatus
from graphql_api.permissions import COUPON_FIELD, ORDER_FIELD, ORDER_STAFF
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store
from graphql_api.viewer import Viewer

if TYPE_CHECKING:
    from graphql_api.coupons.types import Coupon

_Coupons = list[Annotated["Coupon", strawberry.lazy("graphql_api.coupons.types")]]

describe_enum(
    CouponReason,
    description="Why a coupon is not used. 优惠券不可用原因",
    values={
        "NOT_FOUND": "The member has no such coupon. 无此优惠券",
        "NO_MEMBER": "The order has no member. 订单无会员",
        "OTHER_MEMBER": "It is somebody else's. 非本人优惠券",
        "LOCKED": "It is held for something else. 已锁定",
        "REDEEMED": "It is used. 已核销",
        "EXPIRED": "It has run out. 已过期",
        "RECYCLED": "It was taken back. 已回收",
        "GIFTED": "It was given to a friend. 已转赠",
        "NOT_YET": "It does not hold yet. 未到生效日",
        "WEEKDAY": "It does not hold on this weekday. 今日星期不可用",
        "HOUR": "It does not hold at this hour. 当前时段不可用",
        "STORE": "It is for other stores. 不适用门店",
        "CHANNEL": "It is for another channel. 不适用渠道",
        "TIER": "It is for other tiers. 会员等级不适用",
        "CATEGORY": "Nothing that it is for is in the basket. 无适用商品",
        "THRESHOLD": "The basket comes to less than it asks for. 未达门槛",
        "ITEM": "Its item is not in the basket. 无兑换商品",
        "SHIPPING": "Nothing is to be paid for the sending. 无运费",
        "NOT_STACKABLE": "It does not go with other coupons. 不可叠加",
        "SAME_GROUP": "Another coupon of its group is used. 同组限用一张",
        "TOO_MANY": "An order takes ten coupons. 超出张数",
        "NO_GAIN": "It would not make it cheaper. 无需使用",
    },
)
describe_enum(
    OrderChannel,
    description="Where a purchase was made. 订单渠道",
    values={"STORE": "In a store. 门店", "MALL": "In the online mall. 商城"},
)
describe_enum(
    OrderStatus,
    description="What is left of an order. 订单状态",
    values={
        "SHELL": "The order itself has not arrived; refunds may be known. 仅有退款",
        "PAID": "Paid, nothing refunded. 已支付",
        "PARTIALLY_REFUNDED": "Part of it was refunded. 部分退款",
        "REFUNDED": "All of it was refunded. 全额退款",
    },
)


def visible(viewer: Viewer, order: models.Order) -> models.Order | None:
    """The row rule of orders."""
    return order if rules.reaches(viewer, order) else None


@strawberry.type(description="A line of an order. 订单行")
class OrderLine:
    """Shows rules.Line."""

    item_id: strawberry.ID = field(rule=INHERITED, description="The source's item id. 商品 ID")
    name: str = field(rule=INHERITED, description="Name of the item. 商品名")
    category: str = field(rule=INHERITED, description="Category of the item. 品类")
    quantity: int = field(rule=INHERITED, description="How many. 数量")
    amount: Money = field(rule=INHERITED, description="Paid for the line. 实付金额")


@strawberry.type(description="What was refunded of one item. 退款行")
class OrderRefundLine:
    """Shows rules.RefundLine."""

    item_id: strawberry.ID = field(rule=INHERITED, description="The source's item id. 商品 ID")
    amount: Money = field(rule=INHERITED, description="Refunded of it. 退款金额")


@strawberry.type(description="A refund of an order. 退款")
class OrderRefund:
    """Shows rules.Refund."""

    id: strawberry.ID = field(rule=INHERITED, description="The source's refund id. 退款单号")
    at: datetime = field(rule=INHERITED, description="When it was refunded. 退款时间")
    amount: Money = field(
        rule=INHERITED, description="Refunded; 0.00 when the refund was withdrawn. 退款金额"
    )
    lines: list[OrderRefundLine] = field(
        rule=INHERITED, description="By item, where the source tells. 退款行"
    )


@strawberry.type(description="What an order earned its member and cost them in points. 订单积分")
class OrderPoints:
    """Shows points.rules.OrderPoints: the terms, and what the order comes to as it is now."""

    earned: int = field(
        rule=INHERITED, description="What it earns as it is now, after refunds. 获得积分"
    )
    capped: int = field(
        rule=INHERITED, description="Of that, what a cap of the policy kept back. 超出上限未发"
    )
    waived: int = field(
        rule=INHERITED, description="What refunds could not take back. 未能扣回积分"
    )
    used: int = field(rule=INHERITED, description="What it was paid with. 使用积分")
    restored: int = field(rule=INHERITED, description="What its refunds gave back. 退回积分")
    tier: str | None = field(
        rule=INHERITED, description="The member's tier as it arrived. 下单时等级"
    )
    percent: int = field(
        rule=INHERITED, description="What that tier earns, in percent of others. 积分倍率（%）"
    )
    version: int = field(
        rule=INHERITED,
        name="policyVersion",
        description="The version of POINTS that it is counted by. 积分政策版本",
    )


@strawberry.type(description="A coupon that an order names and that does not fit. 优惠券问题")
class OrderCouponProblem:
    """Shows coupons.rules.CouponProblem."""

    code: str = field(rule=INHERITED, description="As the source names it. 券码")
    reason: CouponReason = field(rule=INHERITED, description="Why it does not fit. 原因")


def _visible_coupon(viewer: Viewer, coupon: coupon_models.Coupon) -> coupon_models.Coupon | None:
    return coupon if coupon_rules.sees_coupon(viewer, coupon) else None


@strawberry.type(description="What an order made of the coupons that it names. 订单优惠券")
class OrderCoupons:
    """Shows coupons.rules.OrderCoupons."""

    redeemed: _Coupons = relations(
        keys=lambda root, _: root.redeemed,
        load=coupons.get_many,
        visible=_visible_coupon,
        rule=COUPON_FIELD,
        description="Those that it used; left out where they are not yours to see. 已核销",
    )
    returned: _Coupons = relations(
        keys=lambda root, _: root.returned,
        load=coupons.get_many,
        visible=_visible_coupon,
        rule=COUPON_FIELD,
        description="Those that its refund gave back. 已退回",
    )
    problems: list[OrderCouponProblem] = field(
        rule=INHERITED,
        description="Those that do not fit; the order stands all the same. 不适用的券",
    )


@strawberry.type(description="A purchase with its refunds. 订单")
class Order(Node):
    """Shows models.Order."""

    source: str = field(rule=ORDER_FIELD, description="Which system told us. 来源系统")
    external_id: strawberry.ID = field(
        rule=ORDER_FIELD, description="The order number at its source. 外部订单号"
    )
    revision: str | None = field(
        rule=ORDER_STAFF, description="The source's version of the order, in digits. 版本"
    )
    status: OrderStatus = field(rule=ORDER_FIELD, description="What is left of it. 状态")
    paid_at: datetime | None = field(
        rule=ORDER_FIELD, description="When it was paid; null for a shell. 支付时间"
    )
    day: date | None = field(rule=ORDER_FIELD, description="Business day of payment. 营业日")
    total: Money = field(rule=ORDER_FIELD, description="What was paid. 实付")
    refunded: Money = field(rule=ORDER_FIELD, description="What was refunded. 已退款")
    net: Money = field(rule=ORDER_FIELD, description="Paid and not refunded. 净额")
    channel: OrderChannel | None = field(rule=ORDER_FIELD, description="Where. 渠道")
    lines: list[OrderLine] = field(rule=ORDER_FIELD, description="Its lines. 订单行")
    refunds: list[OrderRefund] = field(rule=ORDER_FIELD, description="Its refunds. 退款")
    points_used: int = field(
        rule=ORDER_FIELD, description="How many points it was paid with. 使用积分"
    )
    coupon_codes: list[str] = field(
        rule=ORDER_FIELD,
        description="The coupons that it was paid with, as its source names them. 使用优惠券",
    )
    points: OrderPoints | None = field(
        rule=ORDER_FIELD,
        description="Points that it earned and cost; null without a member, and of history. 积分",
    )
    coupons: OrderCoupons | None = field(
        rule=ORDER_FIELD, description="What it made of its coupons; null where none. 优惠券"
    )
    settled_at: datetime | None = field(
        rule=ORDER_FIELD,
        description="When its refund period ended; null while it may come back. 交易完成时间",
    )
    member: Member | None = relation(
        key="member_id",
        load=members.get_many,
        visible=visible_member,
        rule=ORDER_FIELD,
        description="Who bought; null while unknown or not yours to see. 会员",
    )
    store: Store | None = relation(
        key="store_id", load=stores.get_many, rule=ORDER_FIELD, description="The store. 门店"
    )
    guide: Guide | None = relation(
        key="guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=ORDER_FIELD,
        description="The guide who sold it. 销售导购",
    )
    exclusive_guide: Guide | None = relation(
        key="exclusive_guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=ORDER_STAFF,
        description="The member's own guide when it was recorded. 专属导购",
    )
    recorded_at: datetime = field(
        rule=ORDER_STAFF, description="When this system first heard of it. 记录时间"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Order)


registry.add("ord", repository.get_many, visible)
