"""Relations are declared, not coded: a key on the parent and a function that loads many keys."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from strawberry.types import Info

from graphql_api.kit.graphql.access import Rule, field
from graphql_api.viewer import Viewer

Load = Callable[[Sequence[Any]], Sequence[Any]]
Visible = Callable[[Viewer, Any], Any]


class Loads(Protocol):
    """What a relation needs of the context."""

    @property
    def viewer(self) -> Viewer: ...

    def load(self, load: Load, key: Any) -> Awaitable[Any]:
        """The item of this key, read together with the keys asked at the same time."""


@dataclass(frozen=True, slots=True)
class Relation:
    """The declaration itself, kept on the field for whoever executes whole levels at once."""

    key: str
    load: Load
    visible: Visible | None


def everything(_viewer: Viewer, item: Any) -> Any:
    """The row rule of things that every viewer who reaches them may see."""
    return item


def relation(
    *, key: str, load: Load, rule: Rule, description: str, visible: Visible = everything
) -> Any:
    """A to-one field: the parent holds `key`, `load` answers many keys in key order.

    One batch per level of the answer, whatever the number of parents. `visible` is the row rule:
    it gives the item, a masked view of it, or None.
    """

    async def resolve(root: Any, info: Info[Loads, None]) -> Any:
        value = getattr(root, key)
        if value is None:
            return None
        item = await info.context.load(load, value)
        return None if item is None else visible(info.context.viewer, item)

    del resolve.__annotations__["return"]
    made = field(rule=rule, description=description, resolver=resolve)
    made.metadata = {**made.metadata, "relation": Relation(key, load, visible)}
    return made
