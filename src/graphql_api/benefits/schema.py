"""Queries of benefits."""

import strawberry

from graphql_api.benefits import repository, rules
from graphql_api.benefits.types import TierBenefits
from graphql_api.context import Info
from graphql_api.permissions import BENEFIT_FIELD
from graphql_api.standing import repository as standing


@strawberry.type
class BenefitQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="What each tier brings today, from the lowest tier up. 各等级权益",
        graphql_type=list[TierBenefits],
        metadata={"rule": BENEFIT_FIELD},
    )
    async def tier_benefits(self, info: Info) -> list[object]:
        """By the ladder in force."""
        today = info.context.clock.today()
        policies = await info.context.run(standing.in_force)
        _, policy = await info.context.run(repository.in_force)
        return [rules.holding(policy.of_tier(name), today) for name in policies.ladder.names]
