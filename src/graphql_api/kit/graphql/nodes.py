"""Nodes: anything with an opaque id, found again by it."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry

from graphql_api.kit import ids
from graphql_api.kit.graphql.access import INHERITED, field
from graphql_api.kit.graphql.relations import Load, Loads, Visible

Look = Callable[[Any, Any], Awaitable[Any]]

MAX_NODES = 100


@strawberry.interface(description="Anything with an opaque id of its own. 可按 ID 取得的对象")
class Node:
    """The Relay interface; types that implement it say which stored items they show."""

    id: strawberry.ID = field(
        rule=INHERITED, description="Opaque, stable and URL-safe. 不透明的全局 ID"
    )


class Registry:
    """Which function loads the ids of a prefix, and which row rule they pass."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Load, Look]] = {}

    def add(self, prefix: str, load: Load, visible: Visible) -> None:
        """Make ids with this prefix resolvable by `node` and `nodes`."""

        async def look(context: Loads, item: Any) -> Any:
            return visible(context.viewer, item)

        self.add_looked_up(prefix, load, look)

    def add_looked_up(self, prefix: str, load: Load, look: Look) -> None:
        """The same for a row rule that needs more than viewer and item: `look(context, item)`."""
        self._known[prefix] = (load, look)

    async def find(self, context: Loads, id_: str) -> Any:
        """The item or a masked view; None alike for malformed, foreign, unknown and forbidden."""
        prefix = ids.prefix_of(id_)
        if prefix is None or prefix not in self._known:
            return None
        load, look = self._known[prefix]
        item = await context.load(load, id_)
        return None if item is None else await look(context, item)


registry = Registry()
