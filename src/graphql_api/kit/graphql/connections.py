"""Connections: pages along a named access path, one Query per parent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import strawberry
from strawberry.types import Info

from graphql_api.errors import Invalid
from graphql_api.kit.dynamo import Page
from graphql_api.kit.graphql import cursors
from graphql_api.kit.graphql.access import INHERITED, Rule, field
from graphql_api.kit.graphql.arguments import After, First, Reverse
from graphql_api.kit.graphql.relations import Loads, Visible, everything

T = TypeVar("T")

MAX_FIRST = 100
_READ_ON = 5


class Runs(Loads, Protocol):
    """What a connection needs of the context."""

    async def run(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Call a synchronous function off the event loop."""


@strawberry.type(description="Where a page stands in its list. 分页信息")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool = field(
        rule=INHERITED, description="Whether more items follow this page. 是否有下一页"
    )
    has_previous_page: bool = field(
        rule=INHERITED, description="Whether the page was asked for after a cursor. 是否有上一页"
    )
    start_cursor: str | None = field(
        rule=INHERITED, description="Cursor of the first item of the page. 首个游标"
    )
    end_cursor: str | None = field(
        rule=INHERITED,
        description="Where the list goes on, behind the last item; pass it as `after`. 末尾游标",
    )


@strawberry.type(description="An item in its list, with its cursor. 列表项")
class Edge(Generic[T]):
    """Relay's edge."""

    node: T = field(rule=INHERITED, description="The item. 条目", cost=0)
    cursor: str = field(rule=INHERITED, description="The place of the item in the list. 游标")


@strawberry.type(description="A page of a list. 分页列表")
class Connection(Generic[T]):
    """Relay's connection, with `nodes` beside `edges`."""

    nodes: list[T] = field(rule=INHERITED, description="The items of the page. 条目")
    edges: list[Edge[T]] = field(
        rule=INHERITED, description="The items of the page with their cursors. 带游标的条目"
    )
    page_info: PageInfo = field(
        rule=INHERITED, description="Where the page stands in the list. 分页信息", cost=0
    )


@dataclass(frozen=True, slots=True)
class _Listing:
    """A page as shown: cursors are made only for those that a document selects."""

    page: Page[Any]
    name: str
    after: str | None

    @property
    def nodes(self) -> list[Any]:
        return list(self.page.items)

    @property
    def edges(self) -> list["_Place"]:
        pairs = zip(self.page.items, self.page.places, strict=True)
        return [_Place(item, self.name, place) for item, place in pairs]

    @property
    def page_info(self) -> "_Listing":
        return self

    @property
    def has_next_page(self) -> bool:
        return self.page.more

    @property
    def has_previous_page(self) -> bool:
        return self.after is not None

    @property
    def start_cursor(self) -> str | None:
        return cursors.encode(self.name, self.page.places[0]) if self.page.places else None

    @property
    def end_cursor(self) -> str | None:
        return cursors.encode(self.name, self.page.last) if self.page.last else None


@dataclass(frozen=True, slots=True)
class _Place:
    node: Any
    name: str
    place: str

    @property
    def cursor(self) -> str:
        return cursors.encode(self.name, self.place)


async def paged(
    context: Runs,
    page: Callable[..., Page[Any]],
    *args: Any,
    first: int,
    after: str | None,
    reverse: bool,
    visible: Visible = everything,
) -> Any:
    """A connection over `page(*args, first=, after=, reverse=)`, whose items pass the row rule.

    The list's cursors are bound to the function, its arguments and the order. What may not be
    shown is left out: behind a page of nothing else it reads on, and after five of them the list
    ends, so that nobody learns from a cursor what is hidden. Raises Invalid for a page size outside
    1 to 100 and for a cursor of another list.
    """
    if not 1 <= first <= MAX_FIRST:
        raise Invalid(f"`first` is from 1 to {MAX_FIRST}", field=("first",))
    name = f"{page.__module__}.{page.__qualname__}{args}{reverse}"
    place = None if after is None else cursors.decode(name, after)
    for _ in range(_READ_ON):
        found = await context.run(page, *args, first=first, after=place, reverse=reverse)
        seen = found.showing([visible(context.viewer, item) for item in found.items])
        hidden = bool(found.items) and not seen.items
        if not (hidden and found.more):
            break
        place = found.last
    return _Listing(Page() if hidden else seen, name, after)


def connection(
    *,
    page: Callable[..., Page[Any]],
    rule: Rule,
    description: str,
    key: str = "id",
    visible: Visible = everything,
) -> Any:
    """A to-many field: `page(parent's key, first=, after=, reverse=)`, one Query per parent."""

    async def resolve(
        root: Any,
        info: Info[Runs, None],
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
    ) -> Any:
        parent = getattr(root, key)
        return await paged(
            info.context, page, parent, first=first, after=after, reverse=reverse, visible=visible
        )

    del resolve.__annotations__["return"]
    return field(rule=rule, description=description, resolver=resolve)
