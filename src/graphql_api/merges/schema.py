"""Queries and mutations of merges."""

from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.kit.graphql import UserError, changed_field, command, errors_field, mutation
from graphql_api.kit.graphql.arguments import INPUT, Id
from graphql_api.merges import models, repository, rules, service
from graphql_api.merges.types import MemberMerge
from graphql_api.permissions import MERGE_FIELD, MERGE_WRITE


@strawberry.type
class MergeQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="One merge; null where there is none that you may see. 会员合并",
        graphql_type=MemberMerge | None,
        metadata={"rule": MERGE_FIELD},
    )
    async def member_merge(self, info: Info, id: Id) -> models.Merge | None:
        """By id."""
        job: models.Merge | None = await info.context.load(repository.get_many, id)
        return rules.visible(info.context.viewer, job) if job else None


@strawberry.input(description="Two members who are one person. 合并会员")
class MemberMergeInput:
    """See service.MembersMerge."""

    survivor_id: strawberry.ID = strawberry.field(
        description="Who stays and has everything in the end. 主会员 ID"
    )
    loser_id: strawberry.ID = strawberry.field(
        description="Whose id and number become aliases of the other, for ever. 被合并会员 ID"
    )
    reason: str | None = strawberry.field(
        default=None, description="Why, for those who look at it later. 原因"
    )


@strawberry.type(description="What became of a command to merge. 合并会员结果")
class MemberMergePayload:
    """The merge, or why not."""

    merge: MemberMerge | None = changed_field("As it is now; null when refused. 会员合并")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class MergeMutations:
    """Commands of this slice."""

    @mutation(
        MemberMergePayload,
        rule=MERGE_WRITE,
        description=(
            "Make two members who are one person one. From this answer on every id, number and"
            " identity of the loser leads to the survivor; what little there is to move is moved,"
            " much is moved in the background, with progress. It cannot be taken back. The same"
            " again gives the same merge. 合并会员"
        ),
    )
    def member_merge(self, info: Info, input: Annotated[MemberMergeInput, INPUT]) -> models.Merge:
        """See service.merge."""
        given = command(service.MembersMerge, input)
        return service.merge(given, viewer=info.context.viewer, clock=info.context.clock)
