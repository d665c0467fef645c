"""Queries of forecasts."""

from datetime import timedelta
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.errors import Invalid
from graphql_api.forecasts import repository, rules
from graphql_api.forecasts.rules import MAX_DAYS, OVERDUE_DAYS, ForecastPart, Transition
from graphql_api.forecasts.types import ForecastTransition
from graphql_api.kit.graphql.costs import Cost, ListSize
from graphql_api.permissions import MEMBER_CHAIN


@strawberry.type
class ForecastQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description=(
            "How many members of the chain time alone will move to which state on which day, by"
            " day: lifecycle states, and tiers mostly downwards. Only the next move of each member"
            " counts, and none that a purchase brings. 状态变更预测"
        ),
        graphql_type=list[ForecastTransition],
        metadata={"rule": MEMBER_CHAIN},
        directives=[Cost(weight=2), ListSize(argument="days")],
    )
    async def transitions_forecast(
        self,
        info: Info,
        days: Annotated[
            int,
            strawberry.argument(
                description="So many days from today on, 1 to 366 (30 by default). 天数"
            ),
        ] = 30,
        part: Annotated[
            ForecastPart | None, strawberry.argument(description="Of one part only. 预测项")
        ] = None,
    ) -> list[Transition]:
        """From the counts; a day that was not run yet counts for today."""
        if not 1 <= days <= MAX_DAYS:
            raise Invalid(f"A forecast is of 1 to {MAX_DAYS} days", field=("days",))
        today = info.context.clock.today()
        window = today - timedelta(days=OVERDUE_DAYS), today + timedelta(days=days - 1)
        counts = await info.context.load(repository.counts_in, window)
        return rules.ahead(counts, today, part)
