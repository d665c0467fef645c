"""What can be asked of campaigns: one, all, and their calendar."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Annotated

import strawberry

from graphql_api.campaigns import models, repository, rules
from graphql_api.campaigns.rules import Overlap, Schedule
from graphql_api.campaigns.types import Campaign, look
from graphql_api.context import Context, Info
from graphql_api.errors import Invalid
from graphql_api.kit.graphql import Connection, field, paged
from graphql_api.kit.graphql.access import INHERITED, Verdict
from graphql_api.kit.graphql.arguments import After, First, Reverse
from graphql_api.kit.time import start_of
from graphql_api.permissions import CAMPAIGN_FIELD, CAMPAIGN_STAFF
from graphql_api.stores import repository as stores

MAX_CALENDAR_DAYS = 366
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2199, 12, 30)


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
