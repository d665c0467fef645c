"""Queries and mutations about what is held on a person."""

import strawberry

from graphql_api.context import Info
from graphql_api.kit.graphql import UserError, changed_field, errors_field, mutation
from graphql_api.kit.graphql.arguments import Id
from graphql_api.permissions import PRIVACY
from graphql_api.privacy import models, repository, service
from graphql_api.privacy.types import Job, MemberErasure, MemberExport, visible


@strawberry.type
class PrivacyQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="An export, to follow it and to fetch its file. 个人信息导出",
        graphql_type=MemberExport | None,
        metadata={"rule": PRIVACY},
    )
    async def member_export(self, info: Info, id: Id) -> Job | None:
        """By id."""
        job = await info.context.load(repository.get_exports, id)
        return visible(info.context.viewer, job) if job else None

    @strawberry.field(
        description="An erasure, to follow it. 个人信息删除",
        graphql_type=MemberErasure | None,
        metadata={"rule": PRIVACY},
    )
    async def member_erasure(self, info: Info, id: Id) -> Job | None:
        """By id."""
        job = await info.context.load(repository.get_erasures, id)
        return visible(info.context.viewer, job) if job else None


@strawberry.type(description="What became of a request for an export. 导出申请结果")
class MemberExportPayload:
    """The export, or why not."""

    export: MemberExport | None = changed_field("The export; null when refused. 导出任务")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a request to erase a person. 删除申请结果")
class MemberErasurePayload:
    """The erasure, or why not."""

    erasure: MemberErasure | None = changed_field("The erasure; null when refused. 删除任务")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class PrivacyMutations:
    """Commands of this slice."""

    @mutation(
        MemberExportPayload,
        rule=PRIVACY,
        description=(
            "Gather all that is held on a member into a file; once a day for whoever asks."
            " 导出个人信息"
        ),
    )
    def member_export(self, info: Info, id: Id) -> models.Export:
        """See service.export."""
        context = info.context
        return service.export(id, viewer=context.viewer, clock=context.clock)

    @mutation(
        MemberErasurePayload,
        rule=PRIVACY,
        description=(
            "Erase a person for good: profile, identities and history go, orders stay without"
            " their buyer. 删除个人信息"
        ),
    )
    def member_erase(self, info: Info, id: Id) -> models.Erasure:
        """See service.erase."""
        context = info.context
        return service.erase(id, viewer=context.viewer, clock=context.clock)
