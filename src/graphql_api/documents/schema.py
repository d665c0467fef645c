"""Queries and mutations of documents."""

from typing import Annotated

import strawberry
from graphql import GraphQLSchema

from graphql_api.context import Info
from graphql_api.documents import models, repository, rules, service
from graphql_api.documents.types import ClientManifest, visible
from graphql_api.edge.persisted import problem_of
from graphql_api.errors import Forbidden, Invalid, Refused
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
from graphql_api.permissions import MANIFEST_MANAGE


@strawberry.type
class DocumentQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="Manifests by client and version, retired ones too. 客户端查询清单列表",
        graphql_type=Connection[ClientManifest],
        metadata={"rule": MANIFEST_MANAGE},
    )
    async def client_manifests(
        self, info: Info, first: First = 20, after: After = None, reverse: Reverse = False
    ) -> object:
        """All of them."""
        if not rules.manages(info.context.viewer):
            raise Forbidden("Headquarters, or a key with the scope, see manifests")
        return await paged(
            info.context,
            repository.page_of_manifests,
            first=first,
            after=after,
            reverse=reverse,
            visible=visible,
        )


@strawberry.input(description="A document, and what its client calls it by. 清单中的查询")
class ManifestDocumentInput:
    """See service.ManifestDocument."""

    hash: str = strawberry.field(description="SHA-256 of the text, in lower-case hex. 哈希")
    text: str = strawberry.field(description="The document, with one named operation. 查询文本")


@strawberry.input(description="The documents of one version of a client. 发布客户端清单")
class ClientManifestPublishInput:
    """See service.ManifestPublish."""

    client: str = strawberry.field(description="Which client, such as mini_program. 客户端")
    version: str = strawberry.field(description="Which version of it, such as 1.0.0. 版本号")
    documents: list[ManifestDocumentInput] = strawberry.field(
        description="All that this version sends, at most 1,000. 查询列表"
    )


@strawberry.input(description="A version that nobody runs any more. 停用客户端清单")
class ClientManifestRetireInput:
    """See service.ManifestRetire."""

    client: str = strawberry.field(description="Which client. 客户端")
    version: str = strawberry.field(description="Which version of it. 版本号")


@strawberry.type(description="What became of a command on a manifest. 清单操作结果")
class ClientManifestPayload:
    """The manifest, or why not."""

    client_manifest: ClientManifest | None = changed_field(
        "The manifest as it is now; null when refused. 客户端查询清单"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class DocumentMutations:
    """Commands of this slice."""

    @mutation(
        ClientManifestPayload,
        rule=MANIFEST_MANAGE,
        description="Let clients of a version send its documents. 发布客户端清单",
    )
    def client_manifest_publish(
        self, info: Info, input: Annotated[ClientManifestPublishInput, INPUT]
    ) -> models.Manifest:
        """See service.publish."""
        given = command(service.ManifestPublish, input)
        _require_valid(info.schema._schema, given)  # noqa: SLF001 - no public way in
        return service.publish(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        ClientManifestPayload,
        rule=MANIFEST_MANAGE,
        description="Take back the documents that only this version has. 停用客户端清单",
    )
    def client_manifest_retire(
        self, info: Info, input: Annotated[ClientManifestRetireInput, INPUT]
    ) -> models.Manifest:
        """See service.retire."""
        given = command(service.ManifestRetire, input)
        return service.retire(given, viewer=info.context.viewer, clock=info.context.clock)


def _require_valid(graph: GraphQLSchema, given: service.ManifestPublish) -> None:
    """Refused with what is wrong with each document, by the name of its operation."""
    problems = [
        Invalid(problem, field=("input", "documents", str(n), "text"))
        for n, document in enumerate(given.documents)
        if (problem := problem_of(graph, document.text))
    ]
    if problems:
        raise Refused(problems)
