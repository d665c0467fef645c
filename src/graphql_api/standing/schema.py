"""Mutations of where members stand: tiers that somebody sets by hand."""

from datetime import date
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.kit.graphql import command, mutation
from graphql_api.kit.graphql.arguments import INPUT
from graphql_api.members.schema import MemberPayload
from graphql_api.members.types import Shown, visible
from graphql_api.permissions import STANDING_WRITE
from graphql_api.standing import service
from graphql_api.standing.rules import LockKind


@strawberry.input(description="A tier that somebody sets. 等级锁定")
class MemberTierLockInput:
    """See service.TierLock."""

    member_id: strawberry.ID = strawberry.field(description="Which member. 会员 ID")
    tier: str = strawberry.field(description="A tier of the ladder in force. 等级")
    kind: LockKind = strawberry.field(description="Exactly this one, or at least. 锁定方式")
    until: date | None = strawberry.field(
        default=None, description="The last day; for good without one. 截止日"
    )
    note: str | None = strawberry.field(
        default=None, description="Why, for those who look at it later. 备注"
    )


@strawberry.input(description="A tier that the rule decides again. 解除等级锁定")
class MemberTierUnlockInput:
    """See service.TierUnlock."""

    member_id: strawberry.ID = strawberry.field(description="Which member. 会员 ID")
    note: str | None = strawberry.field(
        default=None, description="Why, for those who look at it later. 备注"
    )


@strawberry.input(description="A tier that a member is given. 授予等级")
class MemberTierGrantInput:
    """See service.TierGrant."""

    member_id: strawberry.ID = strawberry.field(description="Which member. 会员 ID")
    tier: str = strawberry.field(description="A tier of the ladder in force. 等级")
    note: str | None = strawberry.field(
        default=None, description="Why, for those who look at it later. 备注"
    )


@strawberry.type
class StandingMutations:
    """Commands of this slice."""

    @mutation(
        MemberPayload,
        rule=STANDING_WRITE,
        description=(
            "Set a member's tier, as a pin or as a floor, to a day or for good. The rule goes on"
            " underneath and takes over at the end; no gift comes with it. 锁定等级"
        ),
    )
    def member_tier_lock(self, info: Info, input: Annotated[MemberTierLockInput, INPUT]) -> Shown:
        """See service.lock."""
        viewer, clock = info.context.viewer, info.context.clock
        given = command(service.TierLock, input)
        return visible(viewer, service.lock(given, viewer=viewer, clock=clock))

    @mutation(
        MemberPayload,
        rule=STANDING_WRITE,
        description="Take the lock off a tier: the member has what the rule gives. 解除等级锁定",
    )
    def member_tier_unlock(
        self, info: Info, input: Annotated[MemberTierUnlockInput, INPUT]
    ) -> Shown:
        """See service.unlock."""
        viewer, clock = info.context.viewer, info.context.clock
        given = command(service.TierUnlock, input)
        return visible(viewer, service.unlock(given, viewer=viewer, clock=clock))

    @mutation(
        MemberPayload,
        rule=STANDING_WRITE,
        description=(
            "Have a member in a tier as if it had been reached today, such as who comes from"
            " another program; gifts of the tiers below are not given. 授予等级"
        ),
    )
    def member_tier_grant(self, info: Info, input: Annotated[MemberTierGrantInput, INPUT]) -> Shown:
        """See service.grant."""
        viewer, clock = info.context.viewer, info.context.clock
        given = command(service.TierGrant, input)
        return visible(viewer, service.grant(given, viewer=viewer, clock=clock))
