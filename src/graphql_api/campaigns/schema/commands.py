"""What comes in with commands on campaigns, and what comes of them."""

from datetime import datetime

import strawberry

from graphql_api.campaigns import service
from graphql_api.campaigns.rules import (
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
from graphql_api.campaigns.types import Campaign, CampaignAdoption, CampaignParticipation
from graphql_api.kit.graphql import UserError, changed_field, errors_field, field
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.mutations import user_errors
from graphql_api.kit.graphql.scalars import Json, Money

_VERSION = "Refuse with CONFLICT when it has changed since. 期望版本"


@strawberry.input(description="What a campaign is to reach. 活动目标")
class CampaignGoalInput:
    """See service.NewGoal."""

    metric: GoalMetric = strawberry.field(description="What is counted. 指标")
    target: int = strawberry.field(description="How much of it, from 1. 目标值")


@strawberry.input(description="What a campaign may cost. 活动预算")
class CampaignBudgetInput:
    """See service.NewBudget."""

    amount: Money = strawberry.field(description="In all. 总预算")
    period: BudgetPeriod | None = strawberry.field(
        default=None, description="The stretch that `perPeriod` is for. 周期"
    )
    per_period: Money | None = strawberry.field(
        default=None, description="At most in each period. 每周期上限"
    )
    per_store: Money | None = strawberry.field(
        default=None, description="At most in a store. 单店上限"
    )


@strawberry.input(description="A new campaign, as a draft. 新建活动")
class CampaignCreateInput:
    """See service.CampaignCreate."""

    kind: CampaignKind = strawberry.field(description="Kind of the campaign. 类型")
    name: str = strawberry.field(description="Its name, 1 to 80 characters. 名称")
    starts_at: datetime = strawberry.field(description="When it starts. 开始时间")
    ends_at: datetime = strawberry.field(description="When it is over, within 366 days. 结束时间")
    external_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its id in another system, unique. 外部 ID"
    )
    grade: CampaignGrade | None = strawberry.field(default=None, description="How important. 等级")
    goals: list[CampaignGoalInput] | None = strawberry.field(
        default=None, description="What it is to reach; each metric once. 活动目标"
    )
    path: list[PathStep] | None = strawberry.field(
        default=None, description="Steps of AARRR, or of the 5A path. 运营路径"
    )
    control_mode: ControlMode | None = strawberry.field(
        default=None, description="Whether stores may choose; MANDATED by default. 管控模式"
    )
    unit_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Units whose stores it is for, at most 50. 适用组织 ID"
    )
    store_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Single stores that it is for, at most 200. 适用门店 ID"
    )
    audience: Json | None = strawberry.field(
        default=None,
        description=(
            "Whom it is for: an object with one of all, any, none (lists of such objects), tag,"
            " store, joined, gender, birthdayMonth, consent. 目标人群"
        ),
    )
    budget: CampaignBudgetInput | None = strawberry.field(
        default=None, description="What it may cost. 预算"
    )
    channels: list[CampaignChannel] | None = strawberry.field(
        default=None, description="Through which it meets members. 渠道"
    )
    holdout_percent: int | None = strawberry.field(
        default=None, description="Members in a hundred who are kept out, 0 to 50. 对照组比例"
    )


@strawberry.input(
    description="Changes of a campaign; once scheduled only name, grade, goals, path, budget and"
    " channels. 修改活动"
)
class CampaignUpdateInput:
    """See service.CampaignUpdate."""

    id: strawberry.ID = strawberry.field(description="Which campaign. 活动 ID")
    kind: strawberry.Maybe[CampaignKind] = strawberry.field(description="Kind. 类型")
    name: strawberry.Maybe[str] = strawberry.field(description="Its name. 名称")
    starts_at: strawberry.Maybe[datetime] = strawberry.field(description="When it starts. 开始时间")
    ends_at: strawberry.Maybe[datetime] = strawberry.field(description="When it is over. 结束时间")
    grade: strawberry.Maybe[CampaignGrade | None] = strawberry.field(
        description="How important. 等级"
    )
    goals: strawberry.Maybe[list[CampaignGoalInput]] = strawberry.field(
        description="What it is to reach; the whole list is replaced. 活动目标"
    )
    path: strawberry.Maybe[list[PathStep]] = strawberry.field(
        description="Steps of AARRR, or of the 5A path. 运营路径"
    )
    control_mode: strawberry.Maybe[ControlMode] = strawberry.field(
        description="Whether stores may choose. 管控模式"
    )
    unit_ids: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(
        description="Units whose stores it is for. 适用组织 ID"
    )
    store_ids: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(
        description="Single stores that it is for. 适用门店 ID"
    )
    audience: strawberry.Maybe[Json | None] = strawberry.field(
        description="Whom it is for; null for everybody. 目标人群"
    )
    budget: strawberry.Maybe[CampaignBudgetInput | None] = strawberry.field(
        description="What it may cost. 预算"
    )
    channels: strawberry.Maybe[list[CampaignChannel]] = strawberry.field(
        description="Through which it meets members. 渠道"
    )
    holdout_percent: strawberry.Maybe[int] = strawberry.field(
        description="Members in a hundred who are kept out. 对照组比例"
    )
    expected_version: strawberry.Maybe[int] = strawberry.field(description=_VERSION)


@strawberry.input(description="A change of a campaign's state. 变更活动状态")
class CampaignStateSetInput:
    """See service.CampaignStateSet."""

    id: strawberry.ID = strawberry.field(description="Which campaign. 活动 ID")
    state: CampaignState = strawberry.field(
        description="DRAFT takes a schedule back, RUNNING starts or resumes; ENDED is final. 新状态"
    )
    expected_version: strawberry.Maybe[int] = strawberry.field(description=_VERSION)


@strawberry.input(description="A store takes a campaign up. 承接活动")
class CampaignAdoptInput:
    """See service.Adopt."""

    campaign_id: strawberry.ID = strawberry.field(description="Which campaign. 活动 ID")
    store_id: strawberry.ID = strawberry.field(description="Your store. 门店 ID")
    name: str | None = strawberry.field(
        default=None, description="Its name in this store. 门店活动名称"
    )
    starts_at: datetime | None = strawberry.field(
        default=None, description="When it starts here, within the campaign. 门店开始时间"
    )
    ends_at: datetime | None = strawberry.field(
        default=None, description="When it is over here, within the campaign. 门店结束时间"
    )
    note: str | None = strawberry.field(default=None, description="A note. 备注")


@strawberry.input(description="Changes of what a store adapts; what is left out stays. 修改承接")
class CampaignAdoptionUpdateInput:
    """See service.AdoptionUpdate."""

    campaign_id: strawberry.ID = strawberry.field(description="Which campaign. 活动 ID")
    store_id: strawberry.ID = strawberry.field(description="Your store. 门店 ID")
    name: strawberry.Maybe[str | None] = strawberry.field(
        description="Its name in this store; null for the campaign's own. 门店活动名称"
    )
    starts_at: strawberry.Maybe[datetime | None] = strawberry.field(
        description="When it starts here; null for the campaign's own. 门店开始时间"
    )
    ends_at: strawberry.Maybe[datetime | None] = strawberry.field(
        description="When it is over here; null for the campaign's own. 门店结束时间"
    )
    note: strawberry.Maybe[str | None] = strawberry.field(description="A note. 备注")
    expected_version: strawberry.Maybe[int] = strawberry.field(description=_VERSION)


@strawberry.input(description="A store withdraws from a campaign. 退出活动")
class CampaignAdoptionWithdrawInput:
    """See service.AdoptionWithdraw."""

    campaign_id: strawberry.ID = strawberry.field(description="Which campaign. 活动 ID")
    store_id: strawberry.ID = strawberry.field(description="Your store. 门店 ID")


@strawberry.input(description="A member's part in a campaign. 参与记录")
class CampaignParticipationInput:
    """See service.NewParticipation."""

    member_id: strawberry.ID = strawberry.field(description="Who. 会员 ID")
    state: ParticipationState = strawberry.field(
        default=ParticipationState.JOINED, description="How far. 状态"
    )
    at: datetime | None = strawberry.field(default=None, description="When; now by default. 时间")
    channel: CampaignChannel | None = strawberry.field(
        default=None, description="Through which channel, where known. 渠道"
    )


@strawberry.input(description="Members who take part in a campaign. 添加参与记录")
class CampaignParticipationAddInput:
    """See service.ParticipationAdd."""

    campaign_id: strawberry.ID = strawberry.field(description="Which campaign. 活动 ID")
    participations: list[CampaignParticipationInput] = strawberry.field(
        description="At most 100. 参与记录"
    )


@strawberry.type(description="What became of a command on a campaign. 活动操作结果")
class CampaignPayload:
    """The campaign, or why not."""

    campaign: Campaign | None = changed_field("The campaign as it is now; null when refused. 活动")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a store's command on a campaign. 承接操作结果")
class CampaignAdoptionPayload:
    """The adoption, or why not."""

    adoption: CampaignAdoption | None = changed_field(
        "The store's decision as it is now; null when refused. 门店承接"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of one member's part. 单条结果")
class CampaignParticipationResult:
    """Shows service.Added."""

    member_id: strawberry.ID = field(rule=INHERITED, description="Who. 会员 ID")
    participation: CampaignParticipation | None = field(
        rule=INHERITED, description="The part, new or known; null when refused. 参与记录"
    )
    added: bool = field(rule=INHERITED, description="Whether it is new. 是否新增")
    error: UserError | None = field(rule=INHERITED, description="Why it was refused. 错误")

    def __init__(self, added: service.Added) -> None:
        self.member_id = strawberry.ID(added.member_id)
        self.participation = added.participation  # type: ignore[assignment]  # a view on the item
        self.added = added.is_new
        [self.error] = user_errors(added.refusal) if added.refusal else [None]


@strawberry.type(description="What became of members' parts, one by one. 参与记录操作结果")
class CampaignParticipationPayload:
    """A result for each member, or why not."""

    results: list[CampaignParticipationResult] | None = changed_field(
        "One for each, in the order given; null when all were refused. 结果"
    )
    user_errors: list[UserError] = errors_field()
