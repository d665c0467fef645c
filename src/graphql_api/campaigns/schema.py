"""Queries and mutations of campaigns."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Annotated

import strawberry

from graphql_api.campaigns import models, repository, rules, service
from graphql_api.campaigns.rules import (
    BudgetPeriod,
    CampaignChannel,
    CampaignGrade,
    CampaignKind,
    CampaignState,
    ControlMode,
    GoalMetric,
    Overlap,
    ParticipationState,
    PathStep,
    Schedule,
)
from graphql_api.campaigns.types import Campaign, CampaignAdoption, CampaignParticipation, look
from graphql_api.context import Context, Info
from graphql_api.errors import Invalid
from graphql_api.kit.graphql import (
    Connection,
    UserError,
    changed_field,
    command,
    errors_field,
    field,
    mutation,
    paged,
)
from graphql_api.kit.graphql.access import INHERITED, Verdict
from graphql_api.kit.graphql.arguments import INPUT, After, First, Id, Reverse
from graphql_api.kit.graphql.mutations import user_errors
from graphql_api.kit.graphql.scalars import Json, Money
from graphql_api.kit.time import start_of
from graphql_api.permissions import (
    CAMPAIGN_ADOPT,
    CAMPAIGN_FIELD,
    CAMPAIGN_STAFF,
    CAMPAIGN_WRITE,
)
from graphql_api.stores import repository as stores

MAX_CALENDAR_DAYS = 366
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2199, 12, 30)
_VERSION = "Refuse with CONFLICT when it has changed since. 期望版本"


@strawberry.input(description="Which campaign: exactly one of these. 活动选择条件", one_of=True)
class CampaignSelector:
    """One way to name a campaign."""

    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Its id. 全局 ID")
    external_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="Its id in another system, for those who may see it. 外部 ID"
    )


@strawberry.type(description="Two campaigns at one time in one store. 活动重叠")
class CampaignOverlap:
    """Shows rules.Overlap."""

    first: Campaign = field(rule=INHERITED, description="The one that starts earlier. 先开始的活动")
    second: Campaign = field(rule=INHERITED, description="The other. 后开始的活动")
    starts_at: datetime = field(rule=INHERITED, description="From when both are on. 重叠开始")
    ends_at: datetime = field(rule=INHERITED, description="Until when both are on. 重叠结束")


@strawberry.type(
    description="The campaigns of some days, and which get in each other's way. 活动日历"
)
class CampaignCalendar:
    """Shows campaigns and their overlaps."""

    campaigns: list[Campaign] = field(
        rule=INHERITED, description="By when they start, drafts too where you see them. 活动"
    )
    overlaps: list[CampaignOverlap] = field(
        rule=INHERITED, description="Pairs that share time in the window, and stores. 重叠"
    )

    def __init__(self, campaigns: list[models.Campaign], overlaps: list[Overlap]) -> None:
        shown: list[object] = [
            CampaignOverlap(
                first=one.first,  # type: ignore[arg-type]  # a type is a view on the stored item
                second=one.second,  # type: ignore[arg-type]  # as above
                starts_at=one.schedule.starts_at,
                ends_at=one.schedule.ends_at,
            )
            for one in overlaps
        ]
        self.__dict__ |= {"campaigns": campaigns, "overlaps": shown}


@strawberry.type
class CampaignQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="One campaign; null where there is none that you may see. 活动",
        graphql_type=Campaign | None,
        metadata={"rule": CAMPAIGN_FIELD},
    )
    async def campaign(
        self,
        info: Info,
        by: Annotated[CampaignSelector, strawberry.argument(description="Which one. 选择条件")],
    ) -> models.Campaign | None:
        """By id, or by its id in another system."""
        context = info.context
        id_: str | None = by.id.value if by.id else None
        if by.external_id and CAMPAIGN_STAFF.verdict(context.viewer) is Verdict.ALLOW:
            external_id = str(by.external_id.value)
            id_ = await context.run(repository.id_by_external_id, external_id)
        found = await context.load(repository.get_many, id_) if id_ else None
        return await look(context, found) if found else None

    @strawberry.field(
        description="Campaigns within your scope that are not archived, by number. 活动列表",
        graphql_type=Connection[Campaign],
        metadata={"rule": CAMPAIGN_STAFF},
    )
    async def campaigns(
        self, info: Info, first: First = 20, after: After = None, reverse: Reverse = False
    ) -> object:
        """Scope chooses the path."""
        context = info.context
        if rules.sees_plans(context.viewer):
            return await paged(
                context, repository.page_of_all, first=first, after=after, reverse=reverse
            )
        reach = rules.reach_of(context.viewer)
        places = tuple(sorted(reach.stores)), tuple(sorted(reach.units))
        return await paged(
            context, repository.page_of_reach, *places, first=first, after=after, reverse=reverse
        )

    @strawberry.field(
        description="Campaigns that touch a stretch of days, with their overlaps. 活动日历",
        graphql_type=CampaignCalendar | None,
        metadata={"rule": CAMPAIGN_STAFF},
    )
    async def campaign_calendar(
        self,
        info: Info,
        first_day: Annotated[
            date, strawberry.argument(name="from", description="The first day. 开始日期")
        ],
        last_day: Annotated[
            date,
            strawberry.argument(
                name="to", description="The last day, within 366 days of the first. 结束日期"
            ),
        ],
    ) -> CampaignCalendar:
        """By months, so that only these days' campaigns are read."""
        context = info.context
        window = _window(first_day, last_day, context.clock.zone)
        found = await _in_window(context, window)
        places = sorted({id_ for campaign in found for id_ in campaign.scope.places})
        lineages = await asyncio.gather(*(context.load(stores.lineages, id_) for id_ in places))
        above = dict(zip(places, lineages, strict=True))
        return CampaignCalendar(found, rules.overlaps(found, window, above))


def _window(first_day: date, last_day: date, zone: str) -> Schedule:
    """The days as instants, the last day included."""
    if not _FIRST_DAY <= first_day <= last_day <= _LAST_DAY:
        raise Invalid("A window begins before it ends, from 1970 to 2199", field=("to",))
    if (last_day - first_day).days >= MAX_CALENDAR_DAYS:
        raise Invalid(f"A window has at most {MAX_CALENDAR_DAYS} days", field=("to",))
    return Schedule(start_of(first_day, zone), start_of(last_day + timedelta(days=1), zone))


async def _in_window(context: Context, window: Schedule) -> list[models.Campaign]:
    """The campaigns on in a window that the viewer sees, by when they start."""
    months = window.months(context.clock.zone)
    listed = await asyncio.gather(*(context.load(repository.in_months, month) for month in months))
    known = {campaign.id: campaign for campaigns in listed for campaign in campaigns}
    touching = [c for c in known.values() if c.schedule.shared_with(window) is not None]
    seen = await asyncio.gather(*(look(context, campaign) for campaign in touching))
    shown = [campaign for campaign in seen if campaign is not None]
    return sorted(shown, key=lambda c: (c.starts_at, c.id))


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


@strawberry.type
class CampaignMutations:
    """Commands of this slice."""

    @mutation(CampaignPayload, rule=CAMPAIGN_WRITE, description="Plan a campaign. 新建活动")
    def campaign_create(
        self, info: Info, input: Annotated[CampaignCreateInput, INPUT]
    ) -> models.Campaign:
        """See service.create."""
        new = command(service.CampaignCreate, input)
        return service.create(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(CampaignPayload, rule=CAMPAIGN_WRITE, description="Change a campaign. 修改活动")
    def campaign_update(
        self, info: Info, input: Annotated[CampaignUpdateInput, INPUT]
    ) -> models.Campaign:
        """See service.update."""
        change = command(service.CampaignUpdate, input)
        return service.update(change, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CampaignPayload,
        rule=CAMPAIGN_WRITE,
        description=(
            "Schedule, start, pause, resume or end a campaign, or take a schedule back."
            " 变更活动状态"
        ),
    )
    def campaign_state_set(
        self, info: Info, input: Annotated[CampaignStateSetInput, INPUT]
    ) -> models.Campaign:
        """See service.set_state."""
        change = command(service.CampaignStateSet, input)
        return service.set_state(change, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(CampaignPayload, rule=CAMPAIGN_WRITE, description="Put a draft away. 归档草稿")
    def campaign_archive(self, info: Info, id: Id) -> models.Campaign:
        """See service.archive."""
        return service.archive(id, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CampaignAdoptionPayload,
        rule=CAMPAIGN_ADOPT,
        description="Take up a campaign for your store, with a name and time of its own. 承接活动",
    )
    def campaign_adopt(
        self, info: Info, input: Annotated[CampaignAdoptInput, INPUT]
    ) -> models.Adoption:
        """See service.adopt."""
        given = command(service.Adopt, input)
        return service.adopt(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CampaignAdoptionPayload,
        rule=CAMPAIGN_ADOPT,
        description="Change what your store adapts of a campaign. 修改承接",
    )
    def campaign_adoption_update(
        self, info: Info, input: Annotated[CampaignAdoptionUpdateInput, INPUT]
    ) -> models.Adoption:
        """See service.update_adoption."""
        given = command(service.AdoptionUpdate, input)
        return service.update_adoption(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CampaignAdoptionPayload,
        rule=CAMPAIGN_ADOPT,
        description="Withdraw your store from a campaign; it may come back. 退出活动",
    )
    def campaign_adoption_withdraw(
        self, info: Info, input: Annotated[CampaignAdoptionWithdrawInput, INPUT]
    ) -> models.Adoption:
        """See service.withdraw."""
        given = command(service.AdoptionWithdraw, input)
        return service.withdraw(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CampaignParticipationPayload,
        rule=CAMPAIGN_WRITE,
        description=(
            "Note that members take part, at most 100; who does already stays as they are."
            " 添加参与记录"
        ),
    )
    def campaign_participation_add(
        self, info: Info, input: Annotated[CampaignParticipationAddInput, INPUT]
    ) -> list[CampaignParticipationResult]:
        """See service.add_participations."""
        context = info.context
        given = command(service.ParticipationAdd, input)
        added = service.add_participations(given, viewer=context.viewer, clock=context.clock)
        return [CampaignParticipationResult(one) for one in added]
