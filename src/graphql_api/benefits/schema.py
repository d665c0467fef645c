"""Queries and mutations of benefits."""

from typing import Annotated

import strawberry

from graphql_api.benefits import models, repository, rules, service
from graphql_api.benefits.rules import GiftKind
from graphql_api.benefits.types.gifts import Gift
from graphql_api.benefits.types.tiers import TierBenefits
from graphql_api.context import Info
from graphql_api.errors import Invalid
from graphql_api.kit.graphql import (
    Connection,
    UserError,
    changed_field,
    command,
    errors_field,
    mutation,
    paged,
)
from graphql_api.kit.graphql.arguments import INPUT, After, First, Reverse
from graphql_api.kit.graphql.keys import KeyUse
from graphql_api.permissions import BENEFIT_FIELD, GIFT_BOOKS, GIFT_WRITE
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

    @strawberry.field(
        description="Gifts that could not be given, for somebody to try again. 发放失败的礼品",
        graphql_type=Connection[Gift],
        metadata={"rule": GIFT_BOOKS},
    )
    async def gifts_failed(
        self, info: Info, first: First = 20, after: After = None, reverse: Reverse = False
    ) -> object:
        """In stretches of members, each by time; of the whole chain, or not at all."""
        if info.context.viewer.store_ids is not None:
            raise Invalid("Only headquarters see what failed in the chain")
        page = repository.page_of_failed
        return await paged(info.context, page, first=first, after=after, reverse=reverse)


@strawberry.input(description="A gift that could not be given. 重发礼品")
class MemberGiftRetryInput:
    """See service.GiftRetry."""

    member_id: strawberry.ID = strawberry.field(description="Whose it is. 会员 ID")
    kind: GiftKind = strawberry.field(description="On which occasion. 场景")
    level: str = strawberry.field(
        default="-", description="The tier, or the year of the birthday. 等级或年份"
    )


@strawberry.type(description="What became of a gift. 礼品操作结果")
class GiftPayload:
    """The gift, or why not."""

    gift: Gift | None = changed_field("The gift as it is now; null when refused. 礼品")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class BenefitMutations:
    """Commands of this slice."""

    @mutation(
        GiftPayload,
        rule=GIFT_WRITE,
        key=KeyUse.REQUIRED,
        description=(
            "Try a gift again that could not be given: what the policy says now is given. 重发礼品"
        ),
    )
    def member_gift_retry(
        self, info: Info, input: Annotated[MemberGiftRetryInput, INPUT]
    ) -> models.Gift:
        """See service.retry."""
        given = command(service.GiftRetry, input)
        return service.retry(given, viewer=info.context.viewer, clock=info.context.clock)
