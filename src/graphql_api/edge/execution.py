"""From what is asked to an answer: the document, the viewer's rights, then the execution."""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any

from graphql import OperationType

from graphql_api.context import Context
from graphql_api.edge import audited, billing, documents, persisted
from graphql_api.edge.billing import Bill
from graphql_api.edge.documents import Document
from graphql_api.edge.faults import NotExecuted, bad_request, shown_errors
from graphql_api.edge.gate import refusals
from graphql_api.edge.requests import Asked
from graphql_api.edge.survey import Operation
from graphql_api.kit.time import Clock
from graphql_api.schema import schema
from graphql_api.stores import service as stores
from graphql_api.viewer import RequestNotes, Viewer


class _ChainClock:
    """The chain's clock, read again once a minute: its zone and offset hardly ever change."""

    SECONDS = 60.0

    def __init__(self) -> None:
        self._clock = Clock()
        self._good_until = 0.0

    async def read(self) -> Clock:
        """The clock as of the last minute."""
        if time.monotonic() > self._good_until:
            self._clock = await asyncio.to_thread(stores.clock)
            self._good_until = time.monotonic() + self.SECONDS
        return self._clock

    def forget(self) -> None:
        """Read it again at the next request."""
        self._good_until = 0.0


chain_clock = _ChainClock()


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer; `code` is that of the first error where nothing was executed."""

    body: dict[str, Any]
    code: str | None = None


async def answer(asked: Asked, viewer: Viewer, address: str | None, request_id: str) -> Answer:
    """Run what is asked, if the viewer may and can pay; raises NotExecuted where nothing runs."""
    text = await persisted.text_of(asked, viewer)
    try:
        document, operation = _let_through(text, asked, viewer)
    except NotExecuted:
        await billing.charge(viewer, address, billing.NOT_LET_THROUGH)
        raise
    bill = await billing.charge(viewer, address, operation.plan.requested(asked.variables))
    await persisted.remember(asked, document, viewer)
    body, context = await _executed(document, operation, asked, viewer, request_id)
    started = "data" in body
    paid = _actual(operation, body.get("data"), asked, bill) if started else 1
    context.extensions |= await billing.settle(bill, paid)
    if context.extensions:
        body["extensions"] = context.extensions
    return Answer(body, None if started else body["errors"][0]["extensions"]["code"])


async def answer_unbilled(asked: Asked, viewer: Viewer, request_id: str) -> Answer:
    """The same for what the product asks in a viewer's name, in the background: nobody pays."""
    document, operation = _let_through(asked.query or "", asked, viewer)
    body, _ = await _executed(document, operation, asked, viewer, request_id)
    return Answer(body, None if "data" in body else body["errors"][0]["extensions"]["code"])


def _let_through(text: str, asked: Asked, viewer: Viewer) -> tuple[Document, Operation]:
    """What is asked, read and let through the gate; raises NotExecuted where it is not."""
    document = documents.read(schema._schema, text)  # noqa: SLF001 - no public way in
    operation = documents.operation_of(document, asked.operation_name)
    if asked.by_get and operation.node.operation is not OperationType.QUERY:
        raise bad_request(405, "Only queries run by GET", allow="POST")
    if denied := refusals(operation.uses, viewer):
        raise NotExecuted(denied)
    return document, operation


async def _executed(
    document: Document, operation: Operation, asked: Asked, viewer: Viewer, request_id: str
) -> tuple[dict[str, Any], Context]:
    """The body of an answer: errors, and data where anything was executed."""
    clock = await chain_clock.read()
    viewer = replace(viewer, request=RequestNotes(request_id, clock, operation.name))
    context = Context(viewer, clock, request_id, document, asked.key)
    result = await schema.execute(
        document.text,
        variable_values=asked.variables,
        operation_name=operation.name,
        context_value=context,
    )
    await audited.record(viewer, result)
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = shown_errors(result.errors, request_id)
    if result.data is not None or any(error.path for error in result.errors or ()):
        body["data"] = result.data
    return body, context


def _actual(operation: Operation, data: dict[str, Any] | None, asked: Asked, bill: Bill) -> int:
    """By the answer; all that was requested where the answer was lost."""
    return bill.requested if data is None else operation.plan.actual(data, asked.variables)
