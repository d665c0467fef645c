"""Templates and their terms, as clients see them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import graphql_api.orders.types  # noqa: F401 - it describes OrderChannel
from graphql_api.context import Info
from graphql_api.coupons import models, repository, rules
from graphql_api.coupons.rules import CouponKind, CouponState, TemplateState, ValidityKind
from graphql_api.kit.graphql import Connection, Node, connection, field, relation, relations
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import Money, TimeOfDay
from graphql_api.orders.rules import OrderChannel
from graphql_api.permissions import COUPON_BOOKS, COUPON_FIELD, COUPON_STAFF
from graphql_api.stores import repository as stores
from graphql_api.stores.types import OrgUnit, Store
from graphql_api.viewer import Viewer

if TYPE_CHECKING:
    from graphql_api.coupons.types.coupons import Coupon

describe_enum(
    CouponKind,
    description="What a coupon gives. 券类型",
    values={
        "AMOUNT": "An amount off. 代金券",
        "PERCENT": "A part off, rounded down to the fen. 折扣券",
        "THRESHOLD": "An amount off from a threshold on. 满减券",
        "GIFT": "An item beside the purchase. 礼品券",
        "EXCHANGE": "An item for the coupon. 兑换券",
        "FREE_SHIPPING": "Free sending. 包邮券",
    },
)
describe_enum(
    ValidityKind,
    name="CouponValidityKind",
    description="How the days of a coupon are counted. 有效期类型",
    values={
        "FIXED": "The same days for all. 固定日期",
        "DELAYED": "So many days, from so many days after the issue. 领取后生效",
    },
)
describe_enum(
    TemplateState,
    name="CouponTemplateState",
    description="Whether coupons of a template are given out. 券模板状态",
    values={
        "DRAFT": "Not yet; its terms may change. 草稿",
        "ACTIVE": "They are. 发放中",
        "STOPPED": "No more; those given out go on. 已停发",
    },
)


def visible_template(viewer: Viewer, template: models.Template) -> models.Template | None:
    """The row rule of templates."""
    return template if rules.sees_template(viewer, template) else None


@strawberry.type(description="A stretch of a weekday in which a coupon may be used. 可用时段")
class CouponHours:
    """Shows rules.Hours."""

    weekday: int = field(rule=INHERITED, description="1 is Monday, 7 is Sunday. 星期")
    opens: TimeOfDay = field(rule=INHERITED, description="From this minute on. 开始时间")
    closes: TimeOfDay = field(
        rule=INHERITED, description="Before this minute; 24:00 ends the day. 结束时间"
    )


@strawberry.type(description="The days on which coupons hold. 有效期规则")
class CouponValidity:
    """Shows rules.Validity."""

    kind: ValidityKind = field(rule=INHERITED, description="How the days are counted. 类型")
    starts_on: date | None = field(rule=INHERITED, description="The first day, if fixed. 开始日期")
    ends_on: date | None = field(rule=INHERITED, description="The last day, if fixed. 结束日期")
    after_days: int = field(
        rule=INHERITED, description="If delayed: days from the issue to the first day. 几天后生效"
    )
    for_days: int | None = field(
        rule=INHERITED, description="If delayed: how many days it holds. 有效天数"
    )
    hours: list[CouponHours] = field(
        rule=INHERITED, description="When in a week; empty: always. 可用时段"
    )


def _channels(root: strawberry.Parent[rules.Terms]) -> list[OrderChannel]:
    return [OrderChannel(channel) for channel in root.channels]


@strawberry.type(description="What a coupon gives, on what, where, to whom and when. 使用规则")
class CouponTerms:
    """Shows rules.Terms. Empty lists do not restrict."""

    kind: CouponKind = field(rule=INHERITED, description="What it gives. 券类型")
    amount: Money | None = field(rule=INHERITED, description="The amount off. 减免金额")
    percent: int | None = field(
        rule=INHERITED, description="The part off in percent; 10 is nine tenths to pay. 减免百分比"
    )
    threshold: Money = field(
        rule=INHERITED, description="What the lines in scope must come to. 使用门槛"
    )
    at_most: Money | None = field(rule=INHERITED, description="The greatest discount. 最高减免")
    item_id: str | None = field(rule=INHERITED, description="The item that it gives. 商品 ID")
    item_name: str | None = field(rule=INHERITED, description="The name of the item. 商品名称")
    units: list[OrgUnit] = relations(
        keys=lambda terms, _: terms.unit_ids,
        load=stores.get_units,
        rule=INHERITED,
        description="Units in whose stores it may be used. 适用组织",
    )
    stores: list[Store] = relations(
        keys=lambda terms, _: terms.store_ids,
        load=stores.get_many,
        rule=INHERITED,
        description="Stores in which it may be used. 适用门店",
    )
    categories: list[str] = field(
        rule=INHERITED, description="Categories that count and get cheaper. 适用品类"
    )
    channels: list[OrderChannel] = field(
        rule=INHERITED, description="Where it may be used. 适用渠道", resolver=_channels
    )
    tiers: list[str] = field(rule=INHERITED, description="Tiers that it is for. 适用等级")
    validity: CouponValidity = field(rule=INHERITED, description="Its days and hours. 有效期")
    stackable: bool = field(
        rule=INHERITED, description="Whether it goes with others that are. 是否可叠加"
    )
    group: str | None = field(rule=INHERITED, description="Of a group an order takes one. 叠加分组")
    giftable: bool = field(
        rule=INHERITED, description="Whether it may be given to a friend. 是否可转赠"
    )
    returned_by_refund: bool = field(
        rule=INHERITED, description="Whether the refund of a whole order brings it back. 退款返还"
    )
    grace_days: int = field(
        rule=INHERITED, description="Days that it holds at least when it comes back. 返还宽限天数"
    )


class _Counts:
    """The counts of a template, for the schema."""

    def __init__(self, counts: dict[CouponState, int]) -> None:
        self.by_state = counts

    def __getattr__(self, name: str) -> int:
        return self.by_state[CouponState(name.upper())]


def _counts_of(template_ids: Sequence[str]) -> list[_Counts]:
    return [_Counts(counts) for counts in repository.counts(template_ids)]


@strawberry.type(description="How many coupons stand where, a moment ago. 券数量")
class CouponCounts:
    """Shows _Counts."""

    issued: int = field(rule=INHERITED, description="Not used yet. 未使用")
    locked: int = field(rule=INHERITED, description="Held. 锁定中")
    redeemed: int = field(rule=INHERITED, description="Used. 已核销")
    expired: int = field(rule=INHERITED, description="Ran out. 已过期")
    recycled: int = field(rule=INHERITED, description="Taken back. 已回收")
    gifted: int = field(rule=INHERITED, description="Given to a friend. 已转赠")


@strawberry.type(description="Coupons that are given out on the same terms. 优惠券模板")
class CouponTemplate(Node):
    """Shows models.Template."""

    name: str = field(rule=COUPON_FIELD, description="Its name. 名称")
    description: str | None = field(rule=COUPON_FIELD, description="What members read. 说明")
    state: TemplateState = field(rule=COUPON_FIELD, description="Whether it is given out. 状态")
    terms: CouponTerms = field(
        rule=COUPON_FIELD, description="What its coupons give; fixed once given out. 使用规则"
    )
    stock: int | None = field(
        rule=COUPON_FIELD, description="How many there are in all; null: without end. 总库存"
    )
    stock_left: int | None = relation(
        key="id",
        load=repository.left_of,
        rule=COUPON_FIELD,
        description="How many are left; null: without end, or a draft. 剩余库存",
    )
    per_member: int | None = field(
        rule=COUPON_FIELD, description="How many a member may have; null: any. 每人限领"
    )
    per_member_and_store: int | None = field(
        rule=COUPON_FIELD, description="How many of them through one store. 每人每店限领"
    )
    per_store: int | None = field(
        rule=COUPON_STAFF, description="How many a store may give out. 每店限发"
    )
    opens_at: datetime | None = field(
        rule=COUPON_FIELD, description="From when it may be claimed. 领取开始时间"
    )
    closes_at: datetime | None = field(
        rule=COUPON_FIELD, description="Until when it may be claimed. 领取结束时间"
    )
    public: bool = field(
        rule=COUPON_FIELD, description="Whether anybody may claim it by its id. 是否公开领取"
    )
    by_front_line: bool = field(
        rule=COUPON_STAFF, description="Whether guides and managers may give it. 门店可发"
    )
    claim_code: str | None = field(
        rule=COUPON_STAFF, description="The word by which it is claimed. 领券口令"
    )
    counts: CouponCounts | None = relation(
        key="id",
        load=_counts_of,
        rule=COUPON_BOOKS,
        description="How many of its coupons stand where, a moment ago. 券数量",
    )
    coupons: Connection[
        Annotated["Coupon", strawberry.lazy("graphql_api.coupons.types.coupons")]
    ] = connection(
        page=repository.page_of_template,
        rule=COUPON_BOOKS,
        description="Its coupons, in 16 stretches, each by time. 已发优惠券",
    )
    created_at: datetime = field(rule=COUPON_STAFF, description="When it was made. 创建时间")
    activated_at: datetime | None = field(
        rule=COUPON_STAFF, description="When it was first given out. 首次发放时间"
    )
    version: int = field(
        rule=COUPON_STAFF, description="Rises with every change; give it as `expectedVersion`. 版本"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Template)


registry.add("ctp", repository.get_templates, visible_template)
