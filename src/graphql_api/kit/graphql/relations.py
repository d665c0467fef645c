"""Relations are declared, not coded: a key on the parent and a function that loads many keys."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from strawberry.types import Info

from graphql_api.kit.graphql.access import Rule, field
from graphql_api.viewer import Viewer

Load = Callable[[Sequence[Any]], Sequence[Any]]
Visible = Callable[[Viewer, Any], Any]
Key = str | Callable[[Any, Any], Any]
"""The name of the parent's attribute, or a function of parent and context."""


class Loads(Protocol):
    """What a relation needs of the context."""

    @property
    def viewer(self) -> Viewer: ...

    def load(self, load: Load, key: Any) -> Awaitable[Any]:
        """The item of this key, read together with the keys asked at the same time."""


@dataclass(frozen=True, slots=True)
class Relation:
    """The declaration itself, kept on the field for whoever executes whole levels at once."""

    key: Key
    load: Load
    visible: Visible | None


Keys = Callable[[Any, Any], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Relations:
    """The declaration of a list by ids; `keys` takes the parent and the context."""

    keys: Keys
    load: Load
    visible: Visible | None


def everything(_viewer: Viewer, item: Any) -> Any:
    """The row rule of things that every viewer who reaches them may see."""
    return item


def relation(
    *, key: Key, load: Load, rule: Rule, description: str, visible: Visible = everything
) -> Any:
    """A to-one field: the parent holds `key`, `load` answers many keys in key order.

    One batch per level of the answer, whatever the number of parents. `visible` is the row rule:
    it gives the item, a masked view of it, or None.
    """

    async def resolve(root: Any, info: Info[Loads, None]) -> Any:
        value = getattr(root, key) if isinstance(key, str) else key(root, info.context)
        if value is None:
            return None
        item = await info.context.load(load, value)
        return None if item is None else visible(info.context.viewer, item)

    del resolve.__annotations__["return"]
    made = field(rule=rule, description=description, resolver=resolve)
    made.metadata = {**made.metadata, "relation": Relation(key, load, visible)}
    return made


def relations(
    *, keys: Keys, load: Load, rule: Rule, description: str, visible: Visible = everything
) -> Any:
    """A short list by ids: `keys(parent, context)` names them, one batch per level loads them.

    In the order of the keys; what is not there, or not visible, is left out.
    """

    async def resolve(root: Any, info: Info[Loads, None]) -> Any:
        context = info.context
        found = await asyncio.gather(*(context.load(load, key) for key in keys(root, context)))
        shown = (visible(context.viewer, item) for item in found if item is not None)
        return [item for item in shown if item is not None]

    del resolve.__annotations__["return"]
    made = field(rule=rule, description=description, resolver=resolve)
    made.metadata = {**made.metadata, "relation": Relations(keys, load, visible)}
    return made
