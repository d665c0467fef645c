"""Campaigns, as clients see them."""

import asyncio
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from graphql_api.campaigns import models, repository, rules
from graphql_api.campaigns.rules import (
    Brought,
    BudgetPeriod,
    CampaignChannel,
    CampaignGrade,
    CampaignKind,
    CampaignState,
    ControlMode,
    GoalMetric,
    ParticipationState,
    PathStep,
)
from graphql_api.context import Context, Info
from graphql_api.kit.graphql import Connection, Node, connection, field, paged, relation, relations
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.arguments import After, First, Reverse
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import Json, Money
from graphql_api.members import repository as members
from graphql_api.members.types import visible as visible_member
from graphql_api.orders import repository as orders
from graphql_api.orders.types import visible as visible_order
from graphql_api.permissions import CAMPAIGN_BOOKS, CAMPAIGN_FIELD, CAMPAIGN_STAFF
from graphql_api.stores import repository as stores
from graphql_api.stores.types import OrgUnit, Store
from graphql_api.viewer import Viewer

if TYPE_CHECKING:
    from graphql_api.members.types import Member
    from graphql_api.orders.types import Order

describe_enum(
    CampaignKind,
    description="Kind of a campaign. 活动类型",
    values={
        "PROMOTION": "A promotion. 活动营销",
        "FESTIVAL": "For a festival: Mother's Day, Double 11, an anniversary. 节日营销",
        "SERVICE": "A service to members. 服务营销",
        "BIRTHDAY": "For birthdays. 生日营销",
        "SCENE": "For a scene of members' lives. 场景营销",
    },
)
describe_enum(
    CampaignGrade,
    description="How much effort the chain puts into a campaign. 活动等级",
    values={
        "S": "The most. S 级",
        "A": "Much. A 级",
        "B": "Some. B 级",
        "C": "Little. C 级",
    },
)
describe_enum(
    CampaignState,
    description="Where a campaign stands. 活动状态",
    values={
        "DRAFT": "Being written; only headquarters see it. 草稿",
        "SCHEDULED": "Starts by itself when its time comes. 待开始",
        "RUNNING": "Running. 进行中",
        "PAUSED": "Stopped for the time being. 已暂停",
        "ENDED": "Over for good. 已结束",
    },
)
describe_enum(
    ControlMode,
    description="Whether stores carry a campaign out, or choose to. 管控模式",
    values={
        "MANDATED": "Every store in its scope carries it out. 强管控",
        "OPT_IN": "Each store takes it up or not, and may adapt it. 弱管控",
    },
)
describe_enum(
    GoalMetric,
    name="CampaignGoalMetric",
    description="What a goal counts. 目标指标",
    values={
        "PARTICIPANTS": "Members who take part. 参与人数",
        "CONVERSIONS": "Members who did what it was for. 转化人数",
        "NEW_MEMBERS": "Members who joined. 拉新人数",
        "ORDERS": "Orders. 订单数",
        "SALES": "Sales in whole yuan. 销售额（元）",
        "AVERAGE_ORDER_VALUE": "Average order value in whole yuan. 客单价（元）",
        "REDEMPTIONS": "Coupons redeemed. 核销数",
        "REPURCHASE_PERCENT": "Members in a hundred who bought again. 复购率（%）",
    },
)
describe_enum(
    PathStep,
    name="CampaignPathStep",
    description="A step of AARRR, or of the 5A path. 运营路径步骤",
    values={
        "ACQUISITION": "AARRR: win members. 获取",
        "ACTIVATION": "AARRR: have them act. 激活",
        "RETENTION": "AARRR: keep them. 留存",
        "REVENUE": "AARRR: have them buy. 收入",
        "REFERRAL": "AARRR: have them bring others. 推荐",
        "KNOW": "5A: they know of it. 了解",
        "LIKE": "5A: they like it. 吸引",
        "BELIEVE": "5A: they believe in it. 信任",
        "BUY": "5A: they buy. 购买",
        "RECOMMEND": "5A: they recommend it. 拥护",
    },
)
describe_enum(
    CampaignChannel,
    description="Through which a campaign meets members. 活动渠道",
    values={
        "STORE": "In the store. 门店",
        "MOMENTS": "Moments. 朋友圈",
        "WECOM": "WeCom message. 企业微信",
        "COMMUNITY_GROUP": "Community group. 社群",
        "OFFICIAL_ACCOUNT": "Official account. 公众号",
        "PHONE": "Phone call. 电话",
        "SMS": "Text message. 短信",
        "AI_CALL": "Automatic call. 智能外呼",
        "SUBSCRIPTION_MESSAGE": "Subscription message. 小程序订阅消息",
    },
)
describe_enum(
    BudgetPeriod,
    name="CampaignBudgetPeriod",
    description="A stretch of time that a part of a budget is for. 预算周期",
    values={"DAY": "A day. 日", "WEEK": "A week. 周", "MONTH": "A month. 月"},
)
describe_enum(
    ParticipationState,
    name="CampaignParticipationState",
    description="How far a member came in a campaign. 参与状态",
    values={
        "INVITED": "Was invited. 已邀约",
        "JOINED": "Takes part. 已参与",
        "CONVERTED": "Did what it was for. 已转化",
        "EXCLUDED": "Is kept out, such as the holdout. 已排除",
    },
)


async def look(context: Context, campaign: models.Campaign) -> models.Campaign | None:
    """The row rule of campaigns, which depends on the time and on the organisation tree."""
    viewer, now = context.viewer, context.clock.now()
    wanted = sorted(rules.looked_up(rules.reach_of(viewer), campaign.scope))
    lineages = await asyncio.gather(*(context.load(stores.lineages, id_) for id_ in wanted))
    above = dict(zip(wanted, lineages, strict=True))
    return campaign if rules.is_visible(viewer, campaign, now, above) else None


def published(viewer: Viewer, campaign: models.Campaign) -> models.Campaign | None:
    """The row rule of the campaign behind a participation or adoption that the viewer sees."""
    seen = rules.is_published(campaign) or rules.sees_plans(viewer)
    return campaign if seen else None


@strawberry.type(description="What a campaign is to reach. 活动目标")
class CampaignGoal:
    """Shows models.Goal."""

    metric: GoalMetric = field(rule=INHERITED, description="What is counted. 指标")
    target: int = field(rule=INHERITED, description="How much of it. 目标值")


@strawberry.type(description="What a campaign may cost. 活动预算")
class CampaignBudget:
    """Shows models.Budget."""

    amount: Money = field(rule=INHERITED, description="In all. 总预算")
    period: BudgetPeriod | None = field(
        rule=INHERITED, description="The stretch that `perPeriod` is for. 周期"
    )
    per_period: Money | None = field(
        rule=INHERITED, description="At most in each period. 每周期上限"
    )
    per_store: Money | None = field(rule=INHERITED, description="At most in a store. 单店上限")


@strawberry.type(description="By how much a version of an order moved it. 归因明细")
class CampaignCredit:
    """Shows models.CreditRow."""

    order: Annotated["Order", strawberry.lazy("graphql_api.orders.types")] | None = relation(
        key="order_id",
        load=orders.get_many,
        visible=visible_order,
        rule=INHERITED,
        description="The order; null when not yours to see. 订单",
    )
    orders: int = field(
        rule=INHERITED, description="1 for a new order, -1 where it is gone, else 0. 订单数变化"
    )
    amount: Money = field(
        rule=INHERITED, description="Really paid; negative where it was refunded. 净额变化"
    )
    day: date = field(rule=INHERITED, description="Business day of payment. 营业日")
    policy_version: int = field(
        rule=INHERITED, description="The version of the policy that decided. 规则版本"
    )
    recorded_at: datetime = field(rule=INHERITED, description="When it was written. 记录时间")


@strawberry.type(description="The orders that a campaign brought, net of refunds. 活动归因")
class CampaignAttribution:
    """Shows rules.Brought."""

    orders: int = field(rule=INHERITED, description="How many. 归因订单数")
    amount: Money = field(rule=INHERITED, description="What was really paid. 归因净额")
    rows: Connection[CampaignCredit] = connection(
        page=repository.page_of_credits,
        key="campaign_id",
        rule=INHERITED,
        description="What it comes from, by day within each of eight parts. 归因明细",
    )

    def __init__(self, campaign_id: str, brought: Brought) -> None:
        self.campaign_id = campaign_id
        self.orders = brought.orders
        self.amount = Money(brought.net)


async def _attributed(root: strawberry.Parent[models.Campaign], info: Info) -> CampaignAttribution:
    return CampaignAttribution(root.id, await info.context.load(repository.brought_by, root.id))


def _state(root: strawberry.Parent[models.Campaign], info: Info) -> CampaignState:
    return rules.state_at(root.state, root.schedule, info.context.clock.now())


async def _adoptions(
    root: strawberry.Parent[models.Campaign],
    info: Info,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    """Scope chooses the path: all stores, or those of the viewer."""
    store_ids = info.context.viewer.store_ids
    path: tuple[Any, ...] = (repository.page_of_adoptions, root.id)
    if store_ids is not None:
        path = (repository.page_of_adoptions_in, root.id, tuple(sorted(store_ids)))
    return await paged(info.context, *path, first=first, after=after, reverse=reverse)


del _adoptions.__annotations__["return"]


@strawberry.type(description="Something planned for a time, some stores and some members. 活动")
class Campaign(Node):
    """Shows models.Campaign."""

    external_id: strawberry.ID | None = field(
        rule=CAMPAIGN_STAFF, description="Its id in another system. 外部 ID"
    )
    kind: CampaignKind = field(rule=CAMPAIGN_FIELD, description="Kind of the campaign. 类型")
    grade: CampaignGrade | None = field(rule=CAMPAIGN_STAFF, description="How important. 等级")
    name: str = field(rule=CAMPAIGN_FIELD, description="Its name. 名称")
    state: CampaignState = field(
        rule=CAMPAIGN_FIELD, description="Where it stands at this moment. 状态", resolver=_state
    )
    starts_at: datetime = field(rule=CAMPAIGN_FIELD, description="When it starts. 开始时间")
    ends_at: datetime = field(
        rule=CAMPAIGN_FIELD, description="When it is over, this instant not included. 结束时间"
    )
    goals: list[CampaignGoal] = field(
        rule=CAMPAIGN_STAFF, description="What it is to reach. 活动目标"
    )
    path: list[PathStep] = field(
        rule=CAMPAIGN_STAFF, description="The steps that it works on. 运营路径"
    )
    control_mode: ControlMode = field(
        rule=CAMPAIGN_STAFF, description="Whether stores may choose. 管控模式"
    )
    units: list[OrgUnit] = relations(
        keys=lambda root, _context: root.unit_ids,
        load=stores.get_units,
        rule=CAMPAIGN_STAFF,
        description="Units whose stores it is for; without any and without stores all. 适用组织",
    )
    stores: list[Store] = relations(
        keys=lambda root, _context: root.store_ids,
        load=stores.get_many,
        rule=CAMPAIGN_STAFF,
        description="Single stores that it is for, beside those of `units`. 适用门店",
    )
    audience: Json | None = field(
        rule=CAMPAIGN_BOOKS, description="Whom it is for, as a rule; null for everybody. 目标人群"
    )
    budget: CampaignBudget | None = field(rule=CAMPAIGN_BOOKS, description="What it may cost. 预算")
    channels: list[CampaignChannel] = field(
        rule=CAMPAIGN_STAFF, description="Through which it meets members. 渠道"
    )
    holdout_percent: int = field(
        rule=CAMPAIGN_BOOKS,
        description="Members in a hundred who are kept out, to compare. 对照组比例",
    )
    adoptions: Connection[Annotated["CampaignAdoption", strawberry.lazy(__name__)]] = field(
        rule=CAMPAIGN_STAFF,
        description="Stores within your scope that took it up, withdrawn ones too. 门店承接",
        resolver=_adoptions,
    )
    participations: Connection[Annotated["CampaignParticipation", strawberry.lazy(__name__)]] = (
        connection(
            page=repository.page_of_participations,
            rule=CAMPAIGN_BOOKS,
            description="Members' parts in it, in no order that means something. 参与记录",
        )
    )
    attributed: CampaignAttribution = field(
        rule=CAMPAIGN_BOOKS,
        description="The orders that it brought, by the policy of attribution. 活动归因",
        resolver=_attributed,
    )
    created_at: datetime = field(rule=CAMPAIGN_STAFF, description="When it was made. 创建时间")
    archived_at: datetime | None = field(
        rule=CAMPAIGN_BOOKS, description="When the draft was put away. 归档时间"
    )
    version: int = field(
        rule=CAMPAIGN_STAFF,
        description="Rises with every change; give it as `expectedVersion`. 版本",
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Campaign)


@strawberry.type(description="A store's decision to carry a campaign out. 门店承接")
class CampaignAdoption:
    """Shows models.Adoption."""

    campaign: Campaign | None = relation(
        key="campaign_id",
        load=repository.get_many,
        visible=published,
        rule=INHERITED,
        description="The campaign. 活动",
    )
    store: Store | None = relation(
        key="store_id", load=stores.get_many, rule=INHERITED, description="The store. 门店"
    )
    taken_up_by: strawberry.ID = field(rule=INHERITED, description="Who took it up. 承接人 ID")
    taken_up_at: datetime = field(rule=INHERITED, description="When. 承接时间")
    name: str | None = field(rule=INHERITED, description="Its name in this store. 门店活动名称")
    starts_at: datetime | None = field(
        rule=INHERITED, description="When it starts in this store. 门店开始时间"
    )
    ends_at: datetime | None = field(
        rule=INHERITED, description="When it is over in this store. 门店结束时间"
    )
    note: str | None = field(rule=INHERITED, description="A note of the store. 备注")
    withdrawn_by: strawberry.ID | None = field(
        rule=INHERITED, description="Who withdrew from it. 退出人 ID"
    )
    withdrawn_at: datetime | None = field(
        rule=INHERITED, description="When; null while the store takes part. 退出时间"
    )
    version: int = field(
        rule=INHERITED, description="Rises with every change; give it as `expectedVersion`. 版本"
    )


@strawberry.type(description="A member's part in a campaign. 参与记录")
class CampaignParticipation:
    """Shows models.Participation."""

    campaign: Campaign | None = relation(
        key="campaign_id",
        load=repository.get_many,
        visible=published,
        rule=INHERITED,
        description="The campaign. 活动",
    )
    member: Annotated["Member", strawberry.lazy("graphql_api.members.types")] | None = relation(
        key="member_id",
        load=members.get_many,
        visible=visible_member,
        rule=INHERITED,
        description="The member; null when not yours to see. 会员",
    )
    state: ParticipationState = field(rule=INHERITED, description="How far. 状态")
    at: datetime = field(rule=INHERITED, description="When. 时间")
    channel: CampaignChannel | None = field(
        rule=INHERITED, description="Through which channel, where known. 渠道"
    )


@strawberry.type(description="A campaign as a store carries it out. 门店活动")
class StoreCampaign:
    """Shows models.StoreCampaign."""

    campaign: Campaign = field(rule=INHERITED, description="The campaign. 活动")
    name: str = field(rule=INHERITED, description="Its name in this store. 门店活动名称")
    starts_at: datetime = field(
        rule=INHERITED, description="When it starts in this store. 开始时间"
    )
    ends_at: datetime = field(rule=INHERITED, description="When it is over in this store. 结束时间")
    adoption: CampaignAdoption | None = field(
        rule=CAMPAIGN_STAFF, description="What the store adapted; null when mandated. 门店承接"
    )


registry.add_looked_up("cmp", repository.get_many, look)
