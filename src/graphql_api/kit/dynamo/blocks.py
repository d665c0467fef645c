"""Lists of everything, by number, in blocks of 256: immutable keys, no key under a whole chain."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from graphql_api.kit.dynamo.item import Item
from graphql_api.kit.dynamo.reads import Page

Stored = TypeVar("Stored", bound=Item)
Stored_co = TypeVar("Stored_co", bound=Item, covariant=True)

SIZE = 256


class QueryBlock(Protocol[Stored_co]):
    """One Query of one block."""

    def __call__(
        self, block: str, /, *, first: int, after: str | None, reverse: bool
    ) -> Page[Stored_co]:
        """A page of the block."""


def block_of(number: int) -> str:
    """The key of the block that holds a number."""
    return f"{number // SIZE:07d}"


def place_of(number: int) -> str:
    """The place of a number in its block; sorts as the number does."""
    return f"{number:010d}"


def block_page(
    query: QueryBlock[Stored],
    newest: Callable[[], int],
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Stored]:
    """`first` items after a place, walking blocks; one block is read where the page lies inside it.

    `newest` gives the last number taken; it is read only when the walk needs to know the end.
    """
    items: list[Stored] = []
    places: list[str] = []
    for block in _blocks(newest, after, reverse):
        found = query(block, first=first - len(items), after=after, reverse=reverse)
        items += found.items
        places += found.places
        if found.more:
            return Page(items, places, more=True)
        if len(items) == first:
            more = _any_further(query, newest, places[-1], reverse)
            return Page(items, places, more=more)
        after = None
    return Page(items, places, more=False)


def _blocks(newest: Callable[[], int], after: str | None, reverse: bool) -> Iterator[str]:
    if reverse:
        start = newest() if after is None else int(after)
        yield from (block_of(n * SIZE) for n in range(start // SIZE, -1, -1))
        return
    start = 0 if after is None else int(after) // SIZE
    yield block_of(start * SIZE)
    yield from (block_of(n * SIZE) for n in range(start + 1, newest() // SIZE + 1))


def _any_further(
    query: QueryBlock[Stored], newest: Callable[[], int], place: str, reverse: bool
) -> bool:
    others = list(_blocks(newest, place, reverse))[1:]
    return any(query(b, first=1, after=None, reverse=reverse).items for b in others)


def key_walk(
    query: QueryBlock[Stored],
    keys: Sequence[str],
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Stored]:
    """`first` items along several keys, one key after the other; a place names its key.

    Only the keys that the page touches are read.
    """
    ordered = sorted(keys, reverse=reverse)
    at, _, within = (after or "").partition("|")
    start = ordered.index(at) if at in ordered else 0
    items: list[Stored] = []
    places: list[str] = []
    for key in ordered[start:]:
        left = first - len(items)
        found = query(key, first=max(left, 1), after=within or None, reverse=reverse)
        if not left:
            if found.items:
                return Page(items, places, more=True)
            continue
        items += found.items
        places += [f"{key}|{place}" for place in found.places]
        if found.more:
            return Page(items, places, more=True)
        within = ""
    return Page(items, places, more=False)
