"""Quotes and reservations, as clients see them."""

from datetime import datetime

import strawberry

from graphql_api.checkout import models
from graphql_api.checkout.rules import Reason, ReservationState, StepKind
from graphql_api.context import Info
from graphql_api.coupons import repository as coupons
from graphql_api.coupons.rules import CouponReason
from graphql_api.coupons.types import Coupon, visible_coupon
from graphql_api.kit.graphql import field, relation, relations
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.scalars import Money
from graphql_api.orders import repository as orders
from graphql_api.orders.types import Order
from graphql_api.orders.types import visible as visible_order
from graphql_api.permissions import COUPON_FIELD, ORDER_FIELD

_LINES = 20
_STEPS = 15

describe_enum(
    StepKind,
    name="CheckoutStepKind",
    description="What changes what a basket costs. 优惠类型",
    values={
        "MEMBER_PRICE": "The discount of the member's tier. 会员价",
        "SPEND_AND_SAVE": "Spend so much, save so much. 满减",
        "MEMBER_DAY": "Off at once on a member day. 会员日立减",
        "COUPON": "A coupon. 优惠券",
        "FREE_SHIPPING": "Free sending by the member's tier. 满额包邮",
        "POINTS": "Points pay a part. 积分抵扣",
    },
)
describe_enum(
    Reason,
    name="CheckoutReason",
    description="Why a step gives nothing, or no more. 未优惠原因",
    values={
        "NOT_TODAY": "It does not hold on this day. 不在活动日期",
        "NOT_HERE": "It does not hold in this store. 不适用门店",
        "NOT_IN_CHANNEL": "It does not hold in this channel. 不适用渠道",
        "NOT_FOR_TIER": "The member's tier does not have it. 会员等级不适用",
        "NO_SUCH_ITEMS": "Nothing that it is for is in the basket. 无适用商品",
        "BELOW_LEAST": "The basket comes to less than it takes; see `missing`. 未达门槛",
        "NOT_COMBINED": "It does not combine with what saves more. 不可同享",
        "ANOTHER_SAVES_MORE": "Another of the same group saves more. 已取更优活动",
        "SAVES_NOTHING": "There is nothing left to take off. 无可优惠金额",
        "COUPON_UNFIT": "See `couponReasons`. 优惠券不可用",
        "POINTS_SHORT": "The member has no more points. 积分不足",
        "POINTS_CAPPED": "Points pay no greater part of an order. 超出积分抵扣上限",
        "TOO_FEW_POINTS": "Fewer points than may be spent at once. 未达最低使用积分",
    },
)
describe_enum(
    ReservationState,
    name="CheckoutReservationState",
    description="Where a reservation stands. 锁定状态",
    values={
        "HELD": "Points and coupons are kept. 已锁定",
        "RELEASED": "They were let go. 已释放",
        "EXPIRED": "Its time is over; they are free again. 已超时",
    },
)


@strawberry.type(description="What a line of a basket costs. 试算商品行")
class CheckoutLine:
    """Shows rules.PricedLine."""

    amount: Money = field(rule=INHERITED, description="At its list price. 原价")
    off: Money = field(rule=INHERITED, description="Taken off. 优惠")
    by_points: Money = field(rule=INHERITED, description="Paid by points. 积分抵扣")
    payable: Money = field(rule=INHERITED, description="Left to pay. 应付")


@strawberry.type(description="What one reduction gives, or why it gives nothing. 优惠明细")
class CheckoutStep:
    """Shows rules.Step."""

    kind: StepKind = field(rule=INHERITED, description="What it is. 类型")
    amount: Money = field(rule=INHERITED, description="What it takes off or pays. 优惠金额")
    shares: list[Money] = field(
        rule=INHERITED,
        description="Of each line, in the sequence given; empty where it touches none. 各行分摊",
        size=_LINES,
    )
    reason: Reason | None = field(
        rule=INHERITED, description="Why nothing, or no more; null where all is given. 原因"
    )
    missing: Money = field(
        rule=INHERITED, description="How much more the basket would have to come to. 还差"
    )
    name: str | None = field(
        rule=INHERITED, description="Of a spend-and-save its name, of a coupon its id. 名称"
    )
    points: int = field(rule=INHERITED, description="How many points pay it. 使用积分")
    coupon: Coupon | None = relation(
        key="coupon_id",
        load=coupons.get_many,
        visible=visible_coupon,
        rule=COUPON_FIELD,
        description="The coupon; null where it is none of the member's. 优惠券",
    )
    coupon_reasons: list[CouponReason] = field(
        rule=INHERITED, description="Why the coupon is not used. 优惠券不可用原因", size=2
    )


@strawberry.type(description="What a basket costs a member, step by step. 试算结果")
class CheckoutQuote:
    """Shows rules.Quote."""

    goods: Money = field(rule=INHERITED, description="The lines at their list prices. 商品原价")
    off: Money = field(rule=INHERITED, description="Taken off the lines. 商品优惠")
    shipping: Money = field(rule=INHERITED, description="The sending, as given. 运费")
    shipping_off: Money = field(rule=INHERITED, description="Taken off the sending. 运费优惠")
    total: Money = field(
        rule=INHERITED, description="What it comes to, of which points pay a part. 合计"
    )
    points: int = field(rule=INHERITED, description="How many points pay a part. 使用积分")
    by_points: Money = field(rule=INHERITED, description="What they pay. 积分抵扣")
    usable_points: int | None = field(
        rule=INHERITED,
        description="How many could pay at most; null without the scope for points. 最多可用积分",
    )
    payable: Money = field(rule=INHERITED, description="Left to pay with money. 应付")
    lines: list[CheckoutLine] = field(
        rule=INHERITED, description="The lines, in the sequence given. 商品行", size=_LINES
    )
    steps: list[CheckoutStep] = field(
        rule=INHERITED,
        description="What was looked at, in the sequence in which it applies. 优惠明细",
        size=_STEPS,
    )
    coupon_ids: list[strawberry.ID] = field(
        rule=INHERITED, description="The coupons that it uses. 所用优惠券 ID", size=_STEPS
    )
    policy_version: int = field(
        rule=INHERITED, description="The version of the policy `PRICING`. 规则版本"
    )


def _coupon_ids(root: models.Reservation, _context: object) -> list[str]:
    return list(root.coupon_ids)


def _state(root: models.Reservation, info: Info) -> ReservationState:
    return root.state_at(info.context.clock.now())


@strawberry.type(description="Points and coupons kept for an order to come. 结算锁定")
class CheckoutReservation:
    """Shows models.Reservation."""

    source: str = field(rule=INHERITED, description="Which system has the order. 来源系统")
    external_id: strawberry.ID = field(
        rule=INHERITED, description="The number of the order there. 外部订单号"
    )
    order_id: strawberry.ID = field(
        rule=INHERITED, description="The id that the order has here once it came. 订单 ID"
    )
    order: Order | None = relation(
        key="order_id",
        load=orders.get_many,
        visible=visible_order,
        rule=ORDER_FIELD,
        description="The order; null until it came, or where it is not yours to see. 订单",
    )
    payable: Money = field(rule=INHERITED, description="The money that was agreed. 应付")
    points: int = field(rule=INHERITED, description="How many points are kept. 锁定积分")
    coupons: list[Coupon] = relations(
        keys=_coupon_ids,
        load=coupons.get_many,
        visible=visible_coupon,
        rule=COUPON_FIELD,
        description="The coupons that are kept. 锁定优惠券",
    )
    reserved_at: datetime = field(rule=INHERITED, description="Since when. 锁定时间")
    until: datetime = field(rule=INHERITED, description="Until when. 锁定至")
    released_at: datetime | None = field(
        rule=INHERITED, description="When it was let go by somebody. 释放时间"
    )
    policy_version: int = field(
        rule=INHERITED, description="The version of the policy `PRICING`. 规则版本"
    )

    state: ReservationState = field(
        rule=INHERITED, description="Where it stands by now. 状态", resolver=_state
    )
