"""Members' coupons, as clients see them."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from graphql_api.context import Info
from graphql_api.coupons import models, repository, rules, tokens
from graphql_api.coupons.rules import CouponSource, CouponState, LockKind
from graphql_api.coupons.types.templates import CouponTemplate
from graphql_api.kit.graphql import Node, field, relation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.members import repository as members
from graphql_api.members.types import visible as visible_member
from graphql_api.orders import repository as orders
from graphql_api.orders.types import visible as visible_order
from graphql_api.permissions import COUPON_FIELD, COUPON_OWN, COUPON_STAFF
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store
from graphql_api.viewer import Role, Viewer

if TYPE_CHECKING:
    from graphql_api.members.types import Member
    from graphql_api.orders.types import Order

describe_enum(
    CouponSource,
    description="How a member came to a coupon. 优惠券来源",
    values={
        "CLAIM": "The member claimed it. 领取",
        "STAFF": "Staff or another system gave it. 员工发放",
        "JOB": "A job gave it to many. 批量发放",
        "GIFT": "From a friend. 好友转赠",
        "BENEFIT": "A benefit of the tier. 会员权益",
        "MALL": "Bought with points. 积分商城",
        "CAMPAIGN": "From a campaign. 营销活动",
        "IMPORT": "By an import. 导入",
    },
)
describe_enum(
    LockKind,
    name="CouponLockKind",
    description="What a coupon is held for. 锁定用途",
    values={
        "ORDER": "An order that is being paid. 下单中",
        "GIFT": "A friend who may take it. 转赠中",
    },
)


def visible_coupon(viewer: Viewer, coupon: models.Coupon) -> models.Coupon | None:
    """The row rule of coupons."""
    return coupon if rules.sees_coupon(viewer, coupon) else None


def _state(root: strawberry.Parent[models.Coupon], info: Info) -> CouponState:
    clock = info.context.clock
    return rules.state_at(root, clock.now(), clock.today())


def _usable(root: strawberry.Parent[models.Coupon], info: Info) -> bool:
    clock = info.context.clock
    if rules.state_at(root, clock.now(), clock.today()) is not CouponState.ISSUED:
        return False
    return rules.in_days(root.days, clock.today()) is None


def _token(root: strawberry.Parent[models.Coupon], info: Info) -> str:
    return tokens.of_coupon(root.coupon_id, at=info.context.clock.wall())


@strawberry.type(description="A coupon of a member. 优惠券")
class Coupon(Node):
    """Shows models.Coupon."""

    id: strawberry.ID = field(
        rule=INHERITED,
        description="Opaque, stable and URL-safe. 不透明的全局 ID",
        resolver=lambda root: root.coupon_id,
    )
    code: str = field(
        rule=COUPON_FIELD, description="What is typed at the till, with a check character. 券码"
    )
    token: str = field(
        rule=COUPON_OWN,
        description="What the QR code says at the till, good for five minutes. 动态二维码内容",
        resolver=_token,
    )
    template: CouponTemplate | None = relation(
        key="template_id",
        load=repository.get_templates,
        rule=COUPON_FIELD,
        description="What it gives. 券模板",
    )
    member: Annotated["Member", strawberry.lazy("graphql_api.members.types")] | None = relation(
        key="member_id",
        load=members.get_many,
        visible=visible_member,
        rule=COUPON_FIELD,
        description="Whose it is; null where you may not see the member. 会员",
    )
    state: CouponState = field(
        rule=COUPON_FIELD, description="Where it stands by now. 状态", resolver=_state
    )
    usable: bool = field(
        rule=COUPON_FIELD,
        description="Whether it is free and holds today; the terms may ask for more. 今日可用",
        resolver=_usable,
    )
    valid_from: date = field(rule=COUPON_FIELD, description="Its first day. 生效日期")
    valid_until: date = field(rule=COUPON_FIELD, description="Its last day. 有效期至")
    source: CouponSource = field(rule=COUPON_FIELD, description="How the member came to it. 来源")
    source_ref: str | None = field(
        rule=COUPON_STAFF, description="The job, or the coupon that a friend gave. 来源单号"
    )
    store: Store | None = relation(
        key="store_id",
        load=stores.get_many,
        rule=COUPON_FIELD,
        description="The store through which it was given. 发放门店",
    )
    by_role: Role = field(rule=COUPON_STAFF, description="Role of who gave it. 发放人角色")
    by_id: strawberry.ID = field(rule=COUPON_STAFF, description="Id of who gave it. 发放人 ID")
    issued_at: datetime = field(rule=COUPON_FIELD, description="When it was given. 发放时间")
    locked_for: LockKind | None = field(
        rule=COUPON_FIELD,
        description="What it is held for. 锁定用途",
        resolver=lambda root: root.lock_kind,
    )
    locked_until: datetime | None = field(
        rule=COUPON_FIELD, description="Until when it is held. 锁定至"
    )
    redeemed_at: datetime | None = field(
        rule=COUPON_FIELD, description="When it was used. 核销时间"
    )
    redeemed_store: Store | None = relation(
        key="redeemed_store_id",
        load=stores.get_many,
        rule=COUPON_FIELD,
        description="Where it was used. 核销门店",
    )
    redeemed_by_role: Role | None = field(
        rule=COUPON_STAFF, description="Role of who redeemed it. 核销人角色"
    )
    redeemed_by_id: strawberry.ID | None = field(
        rule=COUPON_STAFF, description="Id of who redeemed it. 核销人 ID"
    )
    order: Annotated["Order", strawberry.lazy("graphql_api.orders.types")] | None = relation(
        key="order_id",
        load=orders.get_many,
        visible=visible_order,
        rule=COUPON_FIELD,
        description="The order that used it. 使用订单",
    )
    reference: str | None = field(
        rule=COUPON_STAFF, description="What it was redeemed for, in words of the till. 核销单号"
    )
    returned_at: datetime | None = field(
        rule=COUPON_FIELD, description="When it last came back. 返还时间"
    )
    ended_at: datetime | None = field(
        rule=COUPON_FIELD, description="When it ran out, or was taken back or given away. 结束时间"
    )
    reason: str | None = field(
        rule=COUPON_STAFF, description="Why staff took it or brought it back. 操作原因"
    )
    version: int = field(rule=COUPON_STAFF, description="Rises with every change. 版本")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Coupon)


registry.add("cpn", repository.get_many, visible_coupon)
