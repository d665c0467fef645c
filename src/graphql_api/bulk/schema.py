"""Queries and mutations of bulk operations."""

from typing import Annotated

import strawberry

from graphql_api.bulk import documents, models, repository, service
from graphql_api.bulk.types import BulkOperation, visible
from graphql_api.context import Info
from graphql_api.edge import persisted
from graphql_api.kit.graphql import UserError, changed_field, errors_field, mutation
from graphql_api.kit.graphql.arguments import INPUT, Id
from graphql_api.kit.time import real_now
from graphql_api.permissions import BULK

WHICH = strawberry.argument(description="Its id; your last one when left out. 批量查询 ID")


@strawberry.type
class BulkQueries:
    """What can be asked of bulk operations."""

    @strawberry.field(
        description="One of your bulk operations; null where there is none. 批量查询",
        graphql_type=BulkOperation | None,
        metadata={"rule": BULK},
    )
    async def bulk_operation(
        self, info: Info, id: Annotated[strawberry.ID | None, WHICH] = None
    ) -> object:
        """By its id, or the last."""
        viewer = info.context.viewer
        load, key = (repository.get_last, viewer.id) if id is None else (repository.get_many, id)
        found = await info.context.load(load, key)
        return found and visible(viewer, found)


@strawberry.input(description="What is to be written to a file. 发起批量查询")
class BulkOperationRunQueryInput:
    """See documents.read."""

    query: str = strawberry.field(
        description="One list of the root and what stands in it, without variables. 查询语句"
    )


@strawberry.type(description="What became of a command on a bulk operation. 批量查询操作结果")
class BulkOperationPayload:
    """The operation, or why not."""

    operation: BulkOperation | None = changed_field(
        "The operation as it is now; null when refused. 批量查询"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class BulkMutations:
    """Commands of this slice."""

    @mutation(
        BulkOperationPayload,
        rule=BULK,
        description="Have a whole list written to a file, as you may see it. 发起批量查询",
    )
    def bulk_operation_run_query(
        self, info: Info, input: Annotated[BulkOperationRunQueryInput, INPUT]
    ) -> models.BulkOperation:
        """See documents.read and service.run."""
        viewer = info.context.viewer
        persisted.require_sendable(input.query, viewer, field=("input", "query"))
        documents.read(info.schema._schema, input.query, viewer)  # noqa: SLF001 - no public way in
        return service.run(input.query, viewer=viewer, at=real_now())

    @mutation(BulkOperationPayload, rule=BULK, description="Stop a bulk operation. 取消批量查询")
    def bulk_operation_cancel(self, info: Info, id: Id) -> models.BulkOperation:
        """See service.cancel."""
        return service.cancel(id, viewer=info.context.viewer, at=real_now())
