"""Carrying a bulk operation on: page after page as its viewer, into a file that is put in parts.

Each step ends with one write: which pages are left, which parts are put, and where the rest of the
lines stands. Killed anywhere, the step is done again from the write before it, and puts the same
parts anew: no line is lost, and none is in the file twice.
"""

import asyncio
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from graphql_api.access import repository as access
from graphql_api.access import rules as access_rules
from graphql_api.bulk import documents, repository, rules, service
from graphql_api.bulk.documents import Plan
from graphql_api.bulk.models import BulkOperation
from graphql_api.bulk.rules import BulkProblem, BulkState, Page
from graphql_api.edge import execution
from graphql_api.edge.faults import NotExecuted
from graphql_api.edge.requests import Asked
from graphql_api.errors import AppError
from graphql_api.kit import files
from graphql_api.kit.time import real_now
from graphql_api.schema import schema
from graphql_api.stores import service as stores
from graphql_api.viewer import Role, Viewer

STEP_SECONDS = 20.0
RUN_SECONDS = 200.0
_GZIP = 16 + zlib.MAX_WBITS
_OURS = "INTERNAL_SERVER_ERROR"


class PageRefused(Exception):
    """A page was answered with an error that asking again does not mend."""


@dataclass(slots=True)
class Progress:
    """What a step has so far: bytes that are not a whole part yet, and what is left to ask."""

    operation: BulkOperation
    buffer: bytearray
    left: list[Page]
    tags: list[str]
    packed: Any = field(default_factory=lambda: zlib.compressobj(6, zlib.DEFLATED, _GZIP))

    def write(self, lines: list[dict[str, Any]]) -> None:
        """Add lines to the file; whole parts of it are put at once."""
        text = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        self.buffer += self.packed.compress(text)
        self.operation.objects = int(self.operation.objects) + len(lines)
        if len(self.buffer) >= files.SMALLEST_PART:
            self.put()

    def put(self) -> None:
        """Put what there is as the next part."""
        operation = self.operation
        number = len(self.tags) + 1
        body = bytes(self.buffer)
        self.tags.append(files.put_part(operation.file, str(operation.upload), number, body))
        operation.bytes = int(operation.bytes) + len(body)
        self.buffer.clear()

    def seal(self) -> None:
        """End this step's stretch of the file: a gzip file may be several, one after another."""
        self.buffer += self.packed.flush()


def follow(operation_id: str, version: int) -> None:
    """Carry an operation on after the write that made this version; an older one has a newer."""
    operation = repository.get(operation_id)
    if operation is not None and operation.version == version:
        asyncio.run(run(operation_id, seconds=RUN_SECONDS))


async def run(operation_id: str, *, seconds: float) -> bool:
    """Carry an operation on to its end, or for about so long; whether it is over."""
    until = time.monotonic() + seconds
    while True:
        operation = await asyncio.to_thread(repository.get, operation_id)
        if operation is None or operation.state in rules.OVER:
            return True
        if not await step(operation, until=min(until, time.monotonic() + STEP_SECONDS)):
            return True
        if time.monotonic() >= until:
            return False


async def step(
    operation: BulkOperation, *, until: float, now: Callable[[], datetime] = real_now
) -> bool:
    """Do the next stretch of an operation and note it; whether there is more to do."""
    if not operation.left:
        return await asyncio.to_thread(_finish, operation, now())
    viewer = await asyncio.to_thread(viewer_of, operation, now())
    if viewer is None:
        text = "Whoever began it may not ask any more"
        return await _failed(operation, BulkProblem.ACCESS_ENDED, text, now())
    try:
        plan = documents.read(schema._schema, str(operation.text), viewer)  # noqa: SLF001 - no public way in
        progress = await asyncio.to_thread(_begin, operation)
        while progress.left:
            await _page(plan, progress, viewer)
            if time.monotonic() >= until:
                break
    except (AppError, PageRefused) as refused:
        return await _failed(operation, BulkProblem.REFUSED, str(refused), now())
    if len(progress.tags) > rules.MAX_PARTS:
        return await _failed(operation, BulkProblem.TOO_LARGE, "The file is too large", now())
    return await asyncio.to_thread(_note, progress, now())


def viewer_of(operation: BulkOperation, at: datetime) -> Viewer | None:
    """Who began an operation, with the rights that they have now; None where they have none."""
    role, scopes = operation.by_role, frozenset(operation.scopes)
    unit: str | None = operation.unit_id
    if role is Role.INTEGRATION:
        if key := access.get_key(operation.by_id):
            if not access_rules.key_holds(key.revoked_at, key.ends_at, at):
                return None
            scopes &= frozenset(key.scopes)
    else:
        standing = access.standing(operation.by_id)
        if standing.rights is not None:
            if not standing.works:
                return None
            role, unit, scopes = standing.rights
    return Viewer(role, operation.by_id, unit, stores.reach(role, unit), scopes)


def _begin(operation: BulkOperation) -> Progress:
    """Where the last step stopped."""
    if operation.upload is None:
        operation.upload = files.begin(operation.file, content_type="application/gzip")
        operation.state = BulkState.IN_PROGRESS
    tail = files.get(operation.tail(int(operation.step))) if operation.step else b""
    if tail is None:
        raise RuntimeError("the rest of the last step is gone")
    return Progress(operation, bytearray(tail), operation.left, list(operation.tags))


async def _page(plan: Plan, progress: Progress, viewer: Viewer) -> None:
    """Ask for the next page, and take its lines and what is left behind it."""
    page = progress.left.pop()
    text, variables = plan.asked(page)
    asked = Asked(text, variables, None, None)
    try:
        answer = await execution.answer_unbilled(asked, viewer, str(progress.operation.id))
    except NotExecuted as refused:
        raise PageRefused("; ".join(error.message for error in refused.errors)) from None
    errors = answer.body.get("errors")
    if errors and any(error["extensions"]["code"] == _OURS for error in errors):
        raise RuntimeError("a page could not be answered")
    if errors:
        raise PageRefused("; ".join(error["message"] for error in errors))
    taken = rules.take(plan.shapes, page, plan.found(page, answer.body["data"]))
    progress.left += reversed(taken.left)
    progress.operation.roots = int(progress.operation.roots) + taken.roots
    await asyncio.to_thread(progress.write, taken.lines)


def _note(progress: Progress, at: datetime) -> bool:
    """Write how far a step got, with what is not a whole part put aside; whether to go on."""
    operation, old_step = progress.operation, int(progress.operation.step)
    progress.seal()
    if progress.left:
        operation.step = old_step + 1
        files.put(operation.tail(old_step + 1), bytes(progress.buffer))
    elif progress.buffer or not progress.tags:
        progress.put()
    operation.left, operation.tags, operation.noted_at = progress.left, progress.tags, at
    if not service.note(operation):
        return _forget_if_cancelled(operation)
    if old_step:
        files.delete(operation.tail(old_step))
    return True


def _forget_if_cancelled(operation: BulkOperation) -> bool:
    """Nothing more to do; what a cancelled operation has put is forgotten, known to it or not."""
    now = repository.get(str(operation.id))
    if now is not None and now.state is BulkState.CANCELLED:
        files.abandon(operation.file, str(operation.upload))
    return False


def _finish(operation: BulkOperation, at: datetime) -> bool:
    """Make the file of its parts, which are all noted; done twice, it is the same file."""
    files.finish(operation.file, str(operation.upload), operation.tags)
    operation.state, operation.finished_at, operation.noted_at = BulkState.DONE, at, at
    service.note(operation)
    return False


async def _failed(operation: BulkOperation, problem: BulkProblem, text: str, at: datetime) -> bool:
    await asyncio.to_thread(service.fail, operation, problem, text, at=at)
    return False
