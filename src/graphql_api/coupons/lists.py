"""Lists of coupons below a member, for the schema: what the member has, and can claim."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from graphql_api.context import Info
from graphql_api.coupons import models, repository
from graphql_api.coupons.rules import CouponState
from graphql_api.kit.dynamo import Page
from graphql_api.kit.graphql import paged
from graphql_api.kit.graphql.arguments import After, First, Reverse
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.members.models import Member
from graphql_api.standing.models import tier_and_state

describe_enum(
    CouponState,
    description="Where a coupon stands by now. 优惠券状态",
    values={
        "ISSUED": "The member's, not used yet. 未使用",
        "LOCKED": "Held for an order, or for a friend. 锁定中",
        "REDEEMED": "Used. 已核销",
        "EXPIRED": "It ran out unused. 已过期",
        "RECYCLED": "Taken back unused. 已回收",
        "GIFTED": "A friend took it over. 已转赠",
    },
)
States = Annotated[
    list[CouponState] | None,
    strawberry.argument(description="Only those that stand so by now. 状态"),
]


async def coupons_of_member(
    root: strawberry.Parent[Member],
    info: Info,
    states: States = None,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    """All by time, or those in some states by last day."""
    context = info.context
    if not states:
        page = repository.page_of_lives
        return await paged(context, page, root.lives, first=first, after=after, reverse=reverse)
    clock = context.clock
    at, today = clock.now(), clock.today()

    # The moment is no part of the list's name, so that a cursor stays good.
    def in_states(
        member_ids: Sequence[str], wanted: tuple[CouponState, ...], **page: Any
    ) -> Page[models.Coupon]:
        return repository.page_in_states(member_ids, wanted, at, today, **page)

    wanted = tuple(dict.fromkeys(states))
    return await paged(
        context, in_states, root.lives, wanted, first=first, after=after, reverse=reverse
    )


del coupons_of_member.__annotations__["return"]


async def claimable_by_member(
    root: strawberry.Parent[Member],
    info: Info,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    """What a member can claim now."""
    context = info.context
    held = tier_and_state(root)
    at = context.clock.now()

    # The moment is no part of the list's name, so that a cursor stays good.
    def claimable(member_id: str, **page: Any) -> Page[models.Template]:
        return repository.claimable_page(member_id, held[0] if held else None, at, **page)

    return await paged(context, claimable, root.id, first=first, after=after, reverse=reverse)


del claimable_by_member.__annotations__["return"]
