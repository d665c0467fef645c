"""What headquarters can do to templates."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.coupons import models, service
from graphql_api.coupons.rules import CouponKind, ValidityKind
from graphql_api.coupons.types import CouponTemplate
from graphql_api.kit.graphql import UserError, changed_field, command, errors_field, mutation
from graphql_api.kit.graphql.arguments import INPUT, Id
from graphql_api.kit.graphql.scalars import Money, TimeOfDay
from graphql_api.orders.rules import OrderChannel
from graphql_api.permissions import COUPON_WRITE

_STOCK = "How many there are in all; null: without end. 总库存"
_PER_MEMBER = "How many a member may have, 1 to 10,000. 每人限领"
_PER_MEMBER_AND_STORE = "How many of them through one store. 每人每店限领"
_PER_STORE = "How many a store may give out. 每店限发"
_OPENS = "From when it may be claimed. 领取开始时间"
_CLOSES = "Until when it may be claimed. 领取结束时间"
_PUBLIC = "Whether anybody may claim it by its id. 是否公开领取"
_FRONT_LINE = "Whether guides and managers may give it. 门店可发"
_WORD = "A word by which it is claimed, 4 to 32 letters, digits, dashes, unique. 领券口令"
_TEXT = "What members read, at most 1,000 characters. 说明"


@strawberry.input(description="A stretch of a weekday. 可用时段")
class CouponHoursInput:
    """See rules.Hours."""

    weekday: int = strawberry.field(description="1 is Monday, 7 is Sunday. 星期")
    opens: TimeOfDay = strawberry.field(
        default=TimeOfDay("00:00"), description="From this minute on. 开始时间"
    )
    closes: TimeOfDay = strawberry.field(
        default=TimeOfDay("24:00"), description="Before this minute. 结束时间"
    )


@strawberry.input(description="The days on which coupons hold. 有效期规则")
class CouponValidityInput:
    """See rules.Validity."""

    kind: ValidityKind = strawberry.field(description="How the days are counted. 类型")
    starts_on: date | None = strawberry.field(
        default=None, description="FIXED: the first day. 开始日期"
    )
    ends_on: date | None = strawberry.field(
        default=None, description="FIXED: the last day. 结束日期"
    )
    after_days: int = strawberry.field(
        default=0, description="DELAYED: days from the issue to the first day. 几天后生效"
    )
    for_days: int | None = strawberry.field(
        default=None, description="DELAYED: how many days it holds. 有效天数"
    )
    hours: list[CouponHoursInput] = strawberry.field(
        default_factory=list, description="When in a week; empty: always. 可用时段"
    )


@strawberry.input(description="What a coupon gives, on what, where, to whom and when. 使用规则")
class CouponTermsInput:
    """See rules.Terms."""

    kind: CouponKind = strawberry.field(description="What it gives. 券类型")
    amount: Money | None = strawberry.field(
        default=None, description="AMOUNT, THRESHOLD: the amount off. 减免金额"
    )
    percent: int | None = strawberry.field(
        default=None, description="PERCENT: the part off, 1 to 99. 减免百分比"
    )
    threshold: Money = strawberry.field(
        default=Money(0), description="What the lines in scope must come to. 使用门槛"
    )
    at_most: Money | None = strawberry.field(
        default=None, description="PERCENT, FREE_SHIPPING: the greatest discount. 最高减免"
    )
    item_id: str | None = strawberry.field(
        default=None, description="GIFT, EXCHANGE: the item. 商品 ID"
    )
    item_name: str | None = strawberry.field(default=None, description="Its name. 商品名称")
    unit_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Units in whose stores it may be used. 适用组织 ID"
    )
    store_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Stores in which it may be used. 适用门店 ID"
    )
    categories: list[str] = strawberry.field(
        default_factory=list, description="Categories that count and get cheaper. 适用品类"
    )
    channels: list[OrderChannel] = strawberry.field(
        default_factory=list, description="Where it may be used. 适用渠道"
    )
    tiers: list[str] = strawberry.field(
        default_factory=list, description="Tiers that it is for. 适用等级"
    )
    validity: CouponValidityInput = strawberry.field(description="Its days and hours. 有效期")
    stackable: bool = strawberry.field(
        default=False, description="Whether it goes with others that are. 是否可叠加"
    )
    group: str | None = strawberry.field(
        default=None, description="Of a group an order takes one. 叠加分组"
    )
    giftable: bool = strawberry.field(
        default=False, description="Whether it may be given to a friend. 是否可转赠"
    )
    returned_by_refund: bool = strawberry.field(
        default=True, description="Whether the refund of a whole order brings it back. 退款返还"
    )
    grace_days: int = strawberry.field(
        default=0, description="Days that it holds at least when it comes back. 返还宽限天数"
    )


@strawberry.input(description="A new template, a draft at first. 新建券模板")
class CouponTemplateCreateInput:
    """See service.TemplateCreate."""

    name: str = strawberry.field(description="1 to 60 characters. 名称")
    description: str | None = strawberry.field(default=None, description=_TEXT)
    terms: CouponTermsInput = strawberry.field(description="What its coupons give. 使用规则")
    stock: int | None = strawberry.field(default=None, description=_STOCK)
    per_member: int | None = strawberry.field(default=None, description=_PER_MEMBER)
    per_member_and_store: int | None = strawberry.field(
        default=None, description=_PER_MEMBER_AND_STORE
    )
    per_store: int | None = strawberry.field(default=None, description=_PER_STORE)
    opens_at: datetime | None = strawberry.field(default=None, description=_OPENS)
    closes_at: datetime | None = strawberry.field(default=None, description=_CLOSES)
    public: bool = strawberry.field(default=False, description=_PUBLIC)
    by_front_line: bool = strawberry.field(default=True, description=_FRONT_LINE)
    claim_code: str | None = strawberry.field(default=None, description=_WORD)


@strawberry.input(description="Changes of a template; what is left out stays. 修改券模板")
class CouponTemplateUpdateInput:
    """See service.TemplateUpdate."""

    id: strawberry.ID = strawberry.field(description="Which template. 券模板 ID")
    name: strawberry.Maybe[str] = strawberry.field(description="1 to 60 characters. 名称")
    description: strawberry.Maybe[str | None] = strawberry.field(description=_TEXT)
    terms: strawberry.Maybe[CouponTermsInput] = strawberry.field(
        description="Of a draft only, as a whole. 使用规则"
    )
    stock: strawberry.Maybe[int | None] = strawberry.field(
        description="Once given out: up, or down by what is left. 总库存"
    )
    per_member: strawberry.Maybe[int | None] = strawberry.field(description=_PER_MEMBER)
    per_member_and_store: strawberry.Maybe[int | None] = strawberry.field(
        description=_PER_MEMBER_AND_STORE
    )
    per_store: strawberry.Maybe[int | None] = strawberry.field(description=_PER_STORE)
    opens_at: strawberry.Maybe[datetime | None] = strawberry.field(description=_OPENS)
    closes_at: strawberry.Maybe[datetime | None] = strawberry.field(description=_CLOSES)
    public: strawberry.Maybe[bool] = strawberry.field(description=_PUBLIC)
    by_front_line: strawberry.Maybe[bool] = strawberry.field(description=_FRONT_LINE)
    claim_code: strawberry.Maybe[str | None] = strawberry.field(description=_WORD)
    expected_version: strawberry.Maybe[int] = strawberry.field(
        description="Refuse with CONFLICT when it has changed since. 期望版本"
    )


@strawberry.type(description="What became of a command on a template. 券模板操作结果")
class CouponTemplatePayload:
    """The template, or why not."""

    template: CouponTemplate | None = changed_field(
        "The template as it is now; null when refused. 券模板"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class CouponTemplateMutations:
    """Commands on templates."""

    @mutation(
        CouponTemplatePayload,
        rule=COUPON_WRITE,
        description="Draft a template; nothing is given out until it is activated. 新建券模板",
    )
    def coupon_template_create(
        self, info: Info, input: Annotated[CouponTemplateCreateInput, INPUT]
    ) -> models.Template:
        """See service.create_template."""
        new = command(service.TemplateCreate, input)
        return service.create_template(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponTemplatePayload,
        rule=COUPON_WRITE,
        description="Change a template; coupons that were given out mean what they did. 修改券模板",
    )
    def coupon_template_update(
        self, info: Info, input: Annotated[CouponTemplateUpdateInput, INPUT]
    ) -> models.Template:
        """See service.update_template."""
        change = command(service.TemplateUpdate, input)
        return service.update_template(change, viewer=info.context.viewer)

    @mutation(
        CouponTemplatePayload,
        rule=COUPON_WRITE,
        description="Give a template out, for the first time or again. 开始发放",
    )
    def coupon_template_activate(self, info: Info, id: Id) -> models.Template:
        """See service.activate_template."""
        return service.activate_template(id, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponTemplatePayload,
        rule=COUPON_WRITE,
        description="Give no more of a template out; coupons that were go on. 停止发放",
    )
    def coupon_template_stop(self, info: Info, id: Id) -> models.Template:
        """See service.stop_template."""
        return service.stop_template(id, viewer=info.context.viewer)
