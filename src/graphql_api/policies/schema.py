"""Queries and mutations of policies."""

import asyncio
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.errors import Refused
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
from graphql_api.kit.graphql.mutations import user_errors
from graphql_api.kit.graphql.scalars import Json
from graphql_api.permissions import POLICY_FIELD, POLICY_MANAGE
from graphql_api.policies import models, repository, service
from graphql_api.policies.rules import PolicyKind
from graphql_api.policies.types import Policy

Kind = Annotated[PolicyKind, strawberry.argument(description="Which kind. 规则类型")]


@strawberry.type
class PolicyQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="The policies in force, one of each kind. 生效中的规则",
        graphql_type=list[Policy],
        metadata={"rule": POLICY_FIELD},
    )
    async def policies(self, info: Info) -> list[models.Policy]:
        """In the order of the kinds."""
        load, kinds = info.context.load, PolicyKind
        return list(await asyncio.gather(*(load(repository.get_in_force, k) for k in kinds)))

    @strawberry.field(
        description="The policy of a kind that is in force: published, or shipped. 生效规则",
        graphql_type=Policy | None,
        metadata={"rule": POLICY_FIELD},
    )
    async def policy(self, info: Info, kind: Kind) -> models.Policy | None:
        """There always is one."""
        policy: models.Policy | None = await info.context.load(repository.get_in_force, kind)
        return policy

    @strawberry.field(
        description="Every version of a kind, the shipped one first, an open draft last. 规则版本",
        graphql_type=Connection[Policy],
        metadata={"rule": POLICY_MANAGE},
    )
    async def policy_versions(
        self,
        info: Info,
        kind: Kind,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
    ) -> object:
        """By number."""
        return await paged(
            info.context, repository.page_of_kind, kind, first=first, after=after, reverse=reverse
        )

    @strawberry.field(
        description="All that is wrong with a document; empty when it could be drafted. 校验规则",
        metadata={"rule": POLICY_MANAGE},
    )
    def policy_validate(
        self,
        kind: Kind,
        document: Annotated[Json, strawberry.argument(description="The numbers. 规则文档")],
    ) -> list[UserError]:
        """Writes nothing."""
        found = service.problems(kind, document)
        return user_errors(Refused(found)) if found else []


@strawberry.input(description="A document that may become a policy. 起草规则")
class PolicyDraftInput:
    """See service.PolicyDraft."""

    kind: PolicyKind = strawberry.field(description="Which kind. 规则类型")
    document: Json = strawberry.field(
        description="The numbers; what is left out is as shipped. 规则文档"
    )
    expected_version: strawberry.Maybe[int] = strawberry.field(
        description="The version it was made from, the open draft or the policy in force: refuse"
        " with CONFLICT when that is another by now. 期望版本"
    )


@strawberry.input(description="Put a draft in force. 发布规则")
class PolicyPublishInput:
    """See service.PolicyPublish."""

    kind: PolicyKind = strawberry.field(description="Which kind. 规则类型")
    draft_version: int = strawberry.field(
        description="The version of the draft that you looked at; CONFLICT when it is another by"
        " now. 草稿版本"
    )


@strawberry.input(description="Throw a draft away. 丢弃草稿")
class PolicyDraftDiscardInput:
    """See service.PolicyDraftDiscard."""

    kind: PolicyKind = strawberry.field(description="Which kind. 规则类型")
    expected_version: strawberry.Maybe[int] = strawberry.field(
        description="Refuse with CONFLICT when the open draft is another version. 期望版本"
    )


@strawberry.type(description="What became of a command on a policy. 规则操作结果")
class PolicyPayload:
    """The policy, or why not."""

    policy: Policy | None = changed_field(
        "The draft, or the policy now in force; null when refused. 规则"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class PolicyMutations:
    """Commands of this slice."""

    @mutation(
        PolicyPayload,
        rule=POLICY_MANAGE,
        description="Write the draft of a kind, in the place of an open one. 起草规则",
    )
    def policy_draft(self, info: Info, input: Annotated[PolicyDraftInput, INPUT]) -> models.Policy:
        """See service.draft."""
        given = command(service.PolicyDraft, input)
        return service.draft(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        PolicyPayload,
        rule=POLICY_MANAGE,
        description="Put the draft that you looked at in force. 发布规则",
    )
    def policy_publish(
        self, info: Info, input: Annotated[PolicyPublishInput, INPUT]
    ) -> models.Policy:
        """See service.publish."""
        given = command(service.PolicyPublish, input)
        return service.publish(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        PolicyPayload,
        rule=POLICY_MANAGE,
        description="Throw the open draft away; gives what is in force. 丢弃草稿",
    )
    def policy_draft_discard(
        self, info: Info, input: Annotated[PolicyDraftDiscardInput, INPUT]
    ) -> models.Policy:
        """See service.discard."""
        given = command(service.PolicyDraftDiscard, input)
        return service.discard(given, viewer=info.context.viewer)
