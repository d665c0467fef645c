"""Members, as clients see them: in full, or masked."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from graphql_api.audit import rules as audit_rules
from graphql_api.benefits import repository as benefit_repository
from graphql_api.benefits.types import tiers
from graphql_api.benefits.types.tiers import MemberBenefits
from graphql_api.campaigns import repository as campaigns
from graphql_api.codes import repository as codes
from graphql_api.context import Context, Info
from graphql_api.coupons.lists import claimable_by_member, coupons_of_member
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as visible_guide
from graphql_api.guides.rules import visible_unless_left
from graphql_api.guides.types import Guide
from graphql_api.kit import phone
from graphql_api.kit.graphql import (
    Connection,
    Node,
    connection,
    field,
    paged,
    relation,
    relations,
)
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.arguments import After, First, Reverse
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import Money, MonthDay, PhoneNumber
from graphql_api.mall import repository as mall
from graphql_api.members import models, repository, rules
from graphql_api.members.rules import (
    ConsentChannel,
    ConsentPurpose,
    Gender,
    IdentityKind,
    Sight,
    SourceChannel,
)
from graphql_api.merges import repository as merges
from graphql_api.merges.models import merge_id
from graphql_api.merges.rules import visible as visible_merge
from graphql_api.notices import repository as notices
from graphql_api.orders import repository as orders
from graphql_api.ownership import repository as ownership
from graphql_api.ownership.models import Term, term_of
from graphql_api.ownership.rules import ending_unnoticed
from graphql_api.permissions import (
    BENEFIT_FIELD,
    CAMPAIGN_FIELD,
    COUPON_FIELD,
    MALL_FIELD,
    MEMBER_FIELD,
    MEMBER_IDENTITY,
    MEMBER_PERSONAL,
    MEMBER_STAFF,
    MERGE_FIELD,
    NOTICE_FIELD,
    ORDER_FIELD,
    POINTS_FIELD,
    TAG_FIELD,
    TAG_STAFF,
)
from graphql_api.points import repository as points_repository
from graphql_api.points import types as points
from graphql_api.points.types import MemberPoints, PointsEntry
from graphql_api.standing import repository as standing_repository
from graphql_api.standing import types as standing
from graphql_api.standing.rules import ChangeKind, Phase, Quadrant
from graphql_api.standing.types import MemberLifecycle, MemberRfm, MemberTier, StandingChange
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store
from graphql_api.tags import repository as tags
from graphql_api.viewer import Role, Viewer

if TYPE_CHECKING:
    from graphql_api.benefits.types.gifts import Gift
    from graphql_api.campaigns.types import CampaignParticipation
    from graphql_api.codes.types import ScanCodeArrival
    from graphql_api.coupons.types import Coupon, CouponTemplate
    from graphql_api.mall.types import MallRedemption
    from graphql_api.merges.types import MemberMerge
    from graphql_api.notices.types import Notice, NoticeQuota
    from graphql_api.orders.types import Order
    from graphql_api.ownership.types import Ownership
    from graphql_api.tags.types import Tag, TagAssignment, TagHistoryEntry

describe_enum(
    IdentityKind,
    description="Where an identity comes from. 身份类型",
    values={
        "OPENID": "WeChat openid in one mini-program. 小程序 openid",
        "UNIONID": "WeChat unionid across one account's apps. 开放平台 unionid",
        "PHONE": "Mobile phone. 手机号",
        "WECOM_EXTERNAL": "External contact of WeCom. 企业微信外部联系人",
        "YOUZAN": "Youzan's yz_open_id. 有赞 yz_open_id",
        "WEIMOB": "Weimob's wid. 微盟 wid",
        "POS_CARD": "Number of a card known to the POS. 收银会员卡号",
    },
)
describe_enum(
    Gender,
    description="Gender, as the member states it. 性别",
    values={"FEMALE": "Female. 女", "MALE": "Male. 男", "UNKNOWN": "Not stated. 未知"},
)
describe_enum(
    SourceChannel,
    description="Through which door a member joined. 来源渠道",
    values={
        "STORE": "In a store. 门店",
        "MINI_PROGRAM": "In the mini-program. 小程序",
        "WECOM": "Through WeCom. 企业微信",
        "OFFICIAL_ACCOUNT": "Through the official account. 公众号",
        "YOUZAN": "From Youzan. 有赞",
        "WEIMOB": "From Weimob. 微盟",
        "POS": "At the till. 收银台",
        "REFERRAL": "Brought by a member. 老带新",
        "IMPORT": "By an import. 导入",
    },
)
describe_enum(
    ConsentPurpose,
    description="What a member agrees to. 同意的目的",
    values={
        "SERVICE": "To be served: orders, care, notices. 服务",
        "MARKETING": "To receive marketing. 营销",
        "PROFILING": "To be profiled for recommendations. 个性化画像",
        "SHARING": "To have data shared with partners. 向第三方提供",
    },
)
describe_enum(
    ConsentChannel,
    description="Through which channel a member agrees to be reached. 触达渠道",
    values={
        "ANY": "No channel of its own. 不限渠道",
        "SMS": "Text message. 短信",
        "PHONE": "Phone call. 电话",
        "AI_CALL": "Automatic call. 智能外呼",
        "WECOM": "WeCom message. 企业微信",
        "COMMUNITY_GROUP": "Community group. 社群",
        "MOMENTS": "Moments. 朋友圈",
        "OFFICIAL_ACCOUNT": "Official account. 公众号",
        "SUBSCRIPTION_MESSAGE": "Subscription message. 小程序订阅消息",
    },
)


PERSONAL = ("name", "nickname", "phone", "identities", "birthday", "birth_year")
"""What of a member is personal data whose reading is recorded, as stored."""


class _View:
    """A stored member, seen through something; what it does not say itself is the item's."""

    def __init__(self, item: models.Member) -> None:
        self._item = item

    def __getattr__(self, name: str) -> Any:
        return getattr(self._item, name)


class MaskedMember(_View):
    """A stored member with names, phone, identities and birth year hidden."""

    def __init__(self, item: models.Member) -> None:
        super().__init__(item)
        self.name = phone.masked_name(item.name) if item.name else item.name
        self.nickname = phone.masked_name(item.nickname) if item.nickname else item.nickname
        self.birth_year = None

    @property
    def phone(self) -> str | None:
        """Country and last four digits."""
        return phone.masked(self._item.phone) if self._item.phone else None

    @property
    def identities(self) -> list[models.Identity]:
        """Which there are, without their values: a card number may be a phone."""
        known = self._item.identities
        return [models.Identity(f"{i.kind}#{phone.masked_name(i.value)}") for i in known]


class NotedMember(_View):
    """A stored member in full, which notes the names of the personal data that is read of it."""

    def __init__(self, item: models.Member, noted: set[str]) -> None:
        super().__init__(item)
        self._noted = noted


def _noting(name: str) -> property:
    def read(view: NotedMember) -> Any:
        view._noted.add(name)  # noqa: SLF001 - its own
        return getattr(view._item, name)  # noqa: SLF001 - its own

    return property(read)


for _name in PERSONAL:
    setattr(NotedMember, _name, _noting(_name))

Shown = models.Member | MaskedMember | NotedMember | None


def visible(viewer: Viewer, member: models.Member) -> Shown:
    """The row rule of members: the item, a masked view of it, or None.

    What a request shows in full of somebody else is noted on it, to be recorded.
    """
    match rules.sight(viewer, member):
        case Sight.FULL:
            if viewer.request is None or not audit_rules.reads_are_noted(viewer):
                return member
            return NotedMember(member, viewer.request.shown.setdefault(member.id, set()))
        case Sight.MASKED:
            return MaskedMember(member)
        case _:
            return None


@strawberry.type(description="An identity of a member at some platform. 会员身份")
class Identity:
    """Shows models.Identity."""

    kind: IdentityKind = field(rule=INHERITED, description="Where it comes from. 类型")
    value: str = field(rule=INHERITED, description="The platform's own value. 值")


@strawberry.type(description="An agreement of a member, given or withdrawn. 授权同意")
class Consent:
    """Shows models.Consent."""

    purpose: ConsentPurpose = field(rule=INHERITED, description="What for. 目的")
    channel: ConsentChannel = field(rule=INHERITED, description="Through which channel. 渠道")
    granted: bool = field(rule=INHERITED, description="Whether it holds now. 是否有效")
    text_version: str = field(
        rule=INHERITED, description="Version of the text that was agreed to. 文本版本"
    )
    at: datetime = field(rule=INHERITED, description="When it was given. 同意时间")
    withdrawn_at: datetime | None = field(
        rule=INHERITED, description="When it was withdrawn. 撤回时间"
    )


@strawberry.type(description="A time when a member agreed, or no longer did. 授权同意记录")
class ConsentEntry:
    """Shows models.ConsentEntry."""

    purpose: ConsentPurpose = field(rule=INHERITED, description="What for. 目的")
    channel: ConsentChannel = field(rule=INHERITED, description="Through which channel. 渠道")
    granted: bool = field(rule=INHERITED, description="Given or withdrawn. 同意或撤回")
    text_version: str = field(
        rule=INHERITED, description="Version of the text that was agreed to. 文本版本"
    )
    at: datetime = field(rule=INHERITED, description="When. 时间")
    source: SourceChannel | None = field(
        rule=INHERITED, description="Through which door the member said so. 来源渠道"
    )
    by_role: Role = field(rule=INHERITED, description="Who recorded it. 记录人角色")
    by_id: strawberry.ID = field(
        rule=MEMBER_STAFF, description="Who recorded it: member, guide, account or key. 记录人 ID"
    )


@strawberry.type(description="What a member bought in one calendar month. 月度消费")
class PurchaseMonth:
    """Shows a row of `facts.months`."""

    month: str = field(rule=INHERITED, description="YYYY-MM in the chain's zone. 月份")
    orders: int = field(rule=INHERITED, description="Orders not fully refunded. 订单数")
    spend: Money = field(rule=INHERITED, description="Paid, net of refunds. 净消费额")
    growth: int = field(rule=INHERITED, description="Growth value earned. 成长值")

    def __init__(self, month: str, bucket: rules.Bucket) -> None:
        self.month = month
        self.orders = bucket.orders
        self.spend = Money(bucket.spend)
        self.growth = bucket.growth


def _months(root: strawberry.Parent[rules.Facts]) -> list[PurchaseMonth]:
    return [PurchaseMonth(m, root.months[m]) for m in sorted(root.months, reverse=True)]


@strawberry.type(description="What a member bought, folded from all orders. 消费汇总")
class PurchaseFacts:
    """Shows rules.Facts."""

    orders: int = field(rule=INHERITED, description="Orders not fully refunded. 订单数")
    paid: Money = field(rule=INHERITED, description="Paid in all, before refunds. 累计实付")
    refunded: Money = field(rule=INHERITED, description="Refunded in all. 累计退款")
    growth: int = field(rule=INHERITED, description="Growth value of all orders. 累计成长值")
    first_on: date | None = field(
        rule=INHERITED, description="Day of the first order not fully refunded. 首购日"
    )
    last_on: date | None = field(
        rule=INHERITED, description="Day of the last order not fully refunded. 最近购买日"
    )
    months: list[PurchaseMonth] = field(
        rule=INHERITED,
        description="The 36 months up to the newest order, newest first; empty ones left out. 按月",
        resolver=_months,
    )


def _tag_ids(member: models.Member | _View, context: Context) -> list[str]:
    ids: list[str] = member.tags_on(context.clock.today())
    return ids


def _merge_ids(member: models.Member | _View, _context: Context) -> list[str]:
    return [merge_id(alias_id) for alias_id in member.alias_ids]


def _guide_id(member: models.Member | _View, context: Context) -> str | None:
    owned = member.owned_on(context.clock.today())
    return owned.guide_id if owned else None


def _ownership(root: strawberry.Parent[models.Member], info: Info) -> Any:
    return term_of(root) if root.owned_on(info.context.clock.today()) else None


async def _ownership_history(
    root: strawberry.Parent[models.Member],
    info: Info,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    clock = info.context.clock
    today = clock.today()

    def as_of_today(_viewer: Viewer, term: Term) -> Term:
        if end := ending_unnoticed(term, as_of=today, zone=clock.zone):
            term.ended_at, term.end_reason = end.at, end.reason
        return term

    return await paged(
        info.context,
        ownership.page_of_lives,
        root.lives,
        first=first,
        after=after,
        reverse=reverse,
        visible=as_of_today,
    )


async def _standing_history(
    root: strawberry.Parent[models.Member],
    info: Info,
    part: Annotated[ChangeKind, strawberry.argument(description="Which part. 状态项")],
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    page = standing_repository.history_of_lives
    return await paged(
        info.context, page, root.lives, part, first=first, after=after, reverse=reverse
    )


del _ownership.__annotations__["return"], _ownership_history.__annotations__["return"]
del _standing_history.__annotations__["return"]


@strawberry.type(description="A member of the chain. 会员")
class Member(Node):
    """Shows models.Member."""

    member_no: str = field(
        rule=MEMBER_FIELD, description="Number for people, with a check digit. 会员号"
    )
    name: str | None = field(rule=MEMBER_PERSONAL, description="Name; may be masked. 姓名")
    nickname: str | None = field(rule=MEMBER_PERSONAL, description="Nickname; may be masked. 昵称")
    phone: PhoneNumber | None = field(
        rule=MEMBER_PERSONAL, description="Phone; all but four digits may be masked. 手机号"
    )
    identities: list[Identity] = field(
        rule=MEMBER_IDENTITY, description="Identities other than the phone. 其他身份"
    )
    gender: Gender = field(rule=MEMBER_FIELD, description="Gender. 性别")
    birthday: MonthDay | None = field(rule=MEMBER_FIELD, description="Birthday, MM-DD. 生日")
    birth_year: int | None = field(
        rule=MEMBER_PERSONAL, description="Year of birth; null when masked. 出生年份"
    )
    city: str | None = field(rule=MEMBER_FIELD, description="City. 城市")
    occupation: str | None = field(rule=MEMBER_FIELD, description="Occupation. 职业")
    income_band: str | None = field(rule=MEMBER_FIELD, description="Income band. 收入档")
    source: SourceChannel = field(
        rule=MEMBER_FIELD, description="Through which door the member joined. 来源渠道"
    )
    joined_at: datetime = field(rule=MEMBER_FIELD, description="When the member joined. 入会时间")
    joining_store: Store | None = relation(
        key="joining_store_id",
        load=stores.get_many,
        rule=MEMBER_FIELD,
        description="Where the member joined. 入会门店",
    )
    joining_guide: Guide | None = relation(
        key="joining_guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=MEMBER_FIELD,
        description="Who enrolled the member. 入会导购",
    )
    store: Store | None = relation(
        key="store_id",
        load=stores.get_many,
        rule=MEMBER_FIELD,
        description="The home store. 归属门店",
    )
    guide: Guide | None = relation(
        key=_guide_id,
        load=guides.get_many,
        visible=visible_unless_left,
        rule=MEMBER_FIELD,
        description="The guide who looks after the member; null where that one has left. 专属导购",
    )
    ownership: Annotated["Ownership", strawberry.lazy("graphql_api.ownership.types")] | None = (
        field(
            rule=MEMBER_FIELD,
            description="Who looks after the member today, since when and how. 当前归属",
            resolver=_ownership,
        )
    )
    ownership_history: Connection[
        Annotated["Ownership", strawberry.lazy("graphql_api.ownership.types")]
    ] = field(
        rule=MEMBER_STAFF,
        description="Who has looked after the member, oldest first. 归属历史",
        resolver=_ownership_history,
    )
    consents: list[Consent] = field(
        rule=MEMBER_FIELD, description="What the member agreed to, and withdrew. 授权同意"
    )
    consent_history: Connection[ConsentEntry] = connection(
        page=repository.consents_of_lives,
        key="lives",
        rule=MEMBER_FIELD,
        description="Every time that the member agreed or no longer did, oldest first. 同意记录",
    )
    purchases: PurchaseFacts = field(
        rule=MEMBER_FIELD,
        description="What the member bought, up to this moment. 消费汇总",
        resolver=lambda root: root.facts,
    )
    tier: MemberTier = field(
        rule=MEMBER_FIELD,
        description="Where the member stands among the tiers today, and what comes. 会员等级",
        resolver=standing.tier,
    )
    lifecycle: MemberLifecycle = field(
        rule=MEMBER_STAFF,
        description="Where the member stands since the last purchase. 生命周期",
        resolver=standing.lifecycle,
    )
    phase: Phase = field(
        rule=MEMBER_STAFF,
        description="How far the relationship has come. 会员关系期",
        resolver=standing.phase,
    )
    rfm: MemberRfm | None = field(
        rule=MEMBER_STAFF,
        description="RFM scores and class; null for who never bought. RFM 评分",
        resolver=standing.rfm,
    )
    quadrant: Quadrant | None = field(
        rule=MEMBER_STAFF,
        description="The quadrant; null until the policy knows the averages of all. 四象限",
        resolver=standing.quadrant,
    )
    standing_history: Connection[StandingChange] = field(
        rule=MEMBER_STAFF,
        description="How a part of the standing changed, oldest first. 状态变更历史",
        resolver=_standing_history,
    )
    points: MemberPoints = field(
        rule=POINTS_FIELD,
        description="What the member has in points, today. 会员积分",
        resolver=points.points,
    )
    points_ledger: Connection[PointsEntry] = connection(
        page=points_repository.entries_of_lives,
        key="lives",
        rule=POINTS_FIELD,
        description="What happened to the points, of merged ids first, oldest first. 积分流水",
    )
    benefits: MemberBenefits = field(
        rule=BENEFIT_FIELD,
        description="What the member has by their tier. 会员权益",
        resolver=tiers.benefits,
    )
    gifts: Connection[Annotated["Gift", strawberry.lazy("graphql_api.benefits.types.gifts")]] = (
        connection(
            page=benefit_repository.gifts_of_lives,
            key="lives",
            rule=BENEFIT_FIELD,
            description="What the member was given of their benefits, by occasion. 礼品",
        )
    )
    mall_redemptions: Connection[
        Annotated["MallRedemption", strawberry.lazy("graphql_api.mall.types")]
    ] = connection(
        page=mall.page_of_lives,
        key="lives",
        rule=MALL_FIELD,
        description="What the member had for points, oldest first. 兑换记录",
    )
    orders: Connection[Annotated["Order", strawberry.lazy("graphql_api.orders.types")]] = (
        connection(
            page=orders.page_of_member,
            rule=ORDER_FIELD,
            description="Orders of the member by time of payment, oldest first. 订单",
        )
    )
    participations: Connection[
        Annotated["CampaignParticipation", strawberry.lazy("graphql_api.campaigns.types")]
    ] = connection(
        page=campaigns.page_of_lives,
        key="lives",
        rule=CAMPAIGN_FIELD,
        description="The member's parts in campaigns, oldest first. 参与的活动",
    )
    notice_quotas: list[Annotated["NoticeQuota", strawberry.lazy("graphql_api.notices.types")]] = (
        relation(
            key="id",
            load=notices.quotas_of,
            rule=NOTICE_FIELD,
            description="How many subscribe messages the member still agreed to. 订阅消息额度",
        )
    )
    notices: Connection[Annotated["Notice", strawberry.lazy("graphql_api.notices.types")]] = (
        connection(
            page=notices.page_of_lives,
            key="lives",
            rule=NOTICE_FIELD,
            description="Subscribe messages that were sent, or were to be. 订阅消息",
        )
    )
    scan_codes: Connection[
        Annotated["ScanCodeArrival", strawberry.lazy("graphql_api.codes.types")]
    ] = connection(
        page=codes.page_of_lives,
        key="lives",
        rule=MEMBER_STAFF,
        description="Through which codes the member came: that of ENROLLED is their source."
        " 扫码来源",
    )
    coupons: Connection[Annotated["Coupon", strawberry.lazy("graphql_api.coupons.types")]] = field(
        rule=COUPON_FIELD,
        description="Coupons: all by time, or those in some states by last day. 优惠券",
        resolver=coupons_of_member,
    )
    claimable_coupons: Connection[
        Annotated["CouponTemplate", strawberry.lazy("graphql_api.coupons.types")]
    ] = field(
        rule=COUPON_FIELD,
        description="Coupons that the member can claim now by their id, by time. 可领优惠券",
        resolver=claimable_by_member,
    )
    tag_assignments: Connection[
        Annotated["TagAssignment", strawberry.lazy("graphql_api.tags.types")]
    ] = connection(
        page=tags.page_of_member,
        rule=TAG_STAFF,
        description="The tags with who gave them, when and why. 打标记录",
    )
    tag_history: Connection[
        Annotated["TagHistoryEntry", strawberry.lazy("graphql_api.tags.types")]
    ] = connection(
        page=tags.history_of_lives,
        key="lives",
        rule=TAG_STAFF,
        description="What became of the tags, oldest first. 标签历史",
    )
    tags: list[Annotated["Tag", strawberry.lazy("graphql_api.tags.types")]] = relations(
        keys=_tag_ids,
        load=tags.get_many,
        rule=TAG_FIELD,
        description="The tags that hold today, at most 200, oldest tag first. 标签",
    )
    merges: list[Annotated["MemberMerge", strawberry.lazy("graphql_api.merges.types")]] = relations(
        keys=_merge_ids,
        load=merges.get_many,
        visible=visible_merge,
        rule=MERGE_FIELD,
        description="Who was merged into this member, directly or before that. 合并记录",
    )
    archived_at: datetime | None = field(
        rule=MEMBER_FIELD, description="When the membership ended; null while it lasts. 退会时间"
    )
    created_at: datetime = field(rule=MEMBER_STAFF, description="When it was recorded. 创建时间")
    version: int = field(
        rule=MEMBER_FIELD, description="Rises with every change; give it as `expectedVersion`. 版本"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Member | _View)


registry.add("mbr", repository.get_many, visible)
