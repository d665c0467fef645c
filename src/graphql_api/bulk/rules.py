"""Rules of bulk operations: their states, how long they are kept, and what is left to ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from graphql_api.viewer import Role, Viewer

KEPT = timedelta(days=7)
ABANDONED_AFTER = timedelta(hours=1)
MAX_PARTS = 2_000


class BulkState(StrEnum):
    """Where a bulk operation stands."""

    WAITING = "WAITING"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


OVER = frozenset({BulkState.DONE, BulkState.FAILED, BulkState.CANCELLED})


class BulkProblem(StrEnum):
    """Why a bulk operation failed."""

    REFUSED = "REFUSED"
    ACCESS_ENDED = "ACCESS_ENDED"
    TOO_LARGE = "TOO_LARGE"
    ABANDONED = "ABANDONED"


@dataclass(frozen=True, slots=True)
class Page:
    """A page to ask for: of which connection of the plan, below which object, after what."""

    connection: int
    parent_id: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A connection as rules see it: its key in an answer, and the connections in its nodes."""

    key: str
    by_edges: bool
    inner: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What an answer gives: lines for the file, pages that are left, how many roots there were."""

    lines: list[dict[str, Any]]
    left: list[Page]
    roots: int


def take(shapes: Sequence[Shape], page: Page, found: Mapping[str, Any] | None) -> Taken:
    """The lines of a page of a connection; the inner ones below their parents, by `__parentId`.

    `found` is the connection as it was answered; None where its parent is gone meanwhile. What is
    left is to be asked in the order given, before anything that was left earlier.
    """
    if found is None:
        return Taken([], [], 0)
    lines: list[dict[str, Any]] = []
    left: list[Page] = []
    _take(shapes, page, found, lines, left)
    info = found["pageInfo"]
    if info["hasNextPage"]:
        left.append(Page(page.connection, page.parent_id, info["endCursor"]))
    roots = len(_nodes(shapes[page.connection], found)) if page.parent_id is None else 0
    return Taken(lines, left, roots)


def _take(
    shapes: Sequence[Shape],
    page: Page,
    found: Mapping[str, Any],
    lines: list[dict[str, Any]],
    left: list[Page],
) -> None:
    shape = shapes[page.connection]
    inner = {n: shapes[n].key for n in shape.inner}
    for node in _nodes(shape, found):
        line = {key: value for key, value in node.items() if key not in inner.values()}
        lines.append(line if page.parent_id is None else {**line, "__parentId": page.parent_id})
        for n, key in inner.items():
            below = Page(n, node["id"])
            _take(shapes, below, node[key], lines, left)
            info = node[key]["pageInfo"]
            if info["hasNextPage"]:
                left.append(Page(n, node["id"], info["endCursor"]))


def _nodes(shape: Shape, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    if shape.by_edges:
        return [edge["node"] for edge in found["edges"]]
    nodes: list[dict[str, Any]] = found["nodes"]
    return nodes


def sees(viewer: Viewer, by_id: str) -> bool:
    """The row rule of an operation: one's own."""
    return viewer.role is Role.SYSTEM or viewer.id == by_id


def is_abandoned(noted_at: datetime, at: datetime) -> bool:
    """Whether nobody carries an operation on any more: nothing was noted for an hour."""
    return at - noted_at >= ABANDONED_AFTER
