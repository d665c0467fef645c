"""Reads of personal data are recorded before the answer leaves, or it does not leave."""

import asyncio
from typing import Any

from graphql import GraphQLError

from graphql_api.audit import service as audit
from graphql_api.viewer import Viewer


async def record(viewer: Viewer, result: Any) -> None:
    """Write down, in one batch, what an execution showed in full.

    Where that cannot be written the result holds no data: what was read stays here, what a mutation
    changed stays changed.
    """
    shown = viewer.request.shown if viewer.request else {}
    if not any(shown.values()):
        return
    try:
        await asyncio.to_thread(audit.note_reads, viewer, shown)
    except Exception as error:  # noqa: BLE001 - whatever it was, the data stays here
        first = next(iter(result.data or {}), "")
        message = "The read could not be recorded"
        result.data = None
        result.errors = [GraphQLError(message, path=[first], original_error=error)]
