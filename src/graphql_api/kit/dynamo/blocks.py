"""Lists of everything, by number, in blocks of 256: immutable keys, no key under a whole chain."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from typing import Protocol, TypeVar

from graphql_api.kit.dynamo.item import Item
from graphql_api.kit.dynamo.reads import Page

Stored = TypeVar("Stored", bound=Item)
Stored_co = TypeVar("Stored_co", bound=Item, covariant=True)

SIZE = 256
MAX_READS = 16


class QueryBlock(Protocol[Stored_co]):
    """One Query of one block."""

    def __call__(
        self, block: str, /, *, first: int, after: str | None, reverse: bool
    ) -> Page[Stored_co]:
        """A page of the block."""


class _Read(Protocol[Stored_co]):
    def __call__(self, *, first: int) -> Page[Stored_co]: ...


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

    `newest` gives the last number taken; it is read only when the walk needs to know the end. A
    page may be short although more follow: it reads at most 16 blocks.
    """
    return _filled(
        (
            (partial(query, block, after=after, reverse=reverse), _end_of(block, reverse))
            for block in _blocks(newest, after, reverse)
        ),
        first,
    )


def key_walk(
    query: QueryBlock[Stored],
    keys: Sequence[str],
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Stored]:
    """`first` items along several keys, one key after the other; a place names its key.

    Only the keys that the page touches are read. A page may be short although more follow: it
    reads at most 16 keys.
    """
    at, _, within = (after or "").partition("|")

    def read(key: str, first: int) -> Page[Stored]:
        behind = within if key == at and within else None
        found = query(key, first=first, after=behind, reverse=reverse)
        return Page(found.items, [f"{key}|{place}" for place in found.places], found.more)

    left = sorted((k for k in keys if not at or (k <= at if reverse else k >= at)), reverse=reverse)
    ends = [f"{key}|" for key in left[1:]]
    return _filled(((partial(read, key), end) for key, end in zip_longest(left, ends)), first)


def one_after_another(
    query: QueryBlock[Stored],
    keys: Sequence[str],
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Stored]:
    """As `key_walk`, in the sequence in which the keys are given; one key is one Query."""
    if len(keys) == 1:
        return query(keys[0], first=first, after=after, reverse=reverse)

    def numbered(key: str, /, *, first: int, after: str | None, reverse: bool) -> Page[Stored]:
        return query(key.partition("#")[2], first=first, after=after, reverse=reverse)

    ordered = [f"{n:03d}#{key}" for n, key in enumerate(keys)]
    return key_walk(numbered, ordered, first=first, after=after, reverse=reverse)


def _filled(stretches: Iterable[tuple[_Read[Stored], str | None]], first: int) -> Page[Stored]:
    """A page from stretches of a list, each with the place from which the next one is read."""
    items: list[Stored] = []
    places: list[str] = []
    end: str | None = None
    for n, (read, its_end) in enumerate(stretches):
        if n == MAX_READS:
            return Page(items, places, more=True, end=end)
        left = first - len(items)
        found = read(first=max(left, 1))
        if left:
            items += found.items
            places += found.places
        if found.more or (found.items and not left):
            return Page(items, places, more=True)
        end = its_end
    return Page(items, places)


def _blocks(newest: Callable[[], int], after: str | None, reverse: bool) -> Iterator[str]:
    if reverse:
        start = newest() if after is None else int(after) - 1
        yield from (block_of(n * SIZE) for n in range(start // SIZE, -1, -1))
        return
    start = 0 if after is None else (int(after) + 1) // SIZE
    yield block_of(start * SIZE)
    yield from (block_of(n * SIZE) for n in range(start + 1, newest() // SIZE + 1))


def _end_of(block: str, reverse: bool) -> str:
    lowest = int(block) * SIZE
    return place_of(lowest if reverse else lowest + SIZE - 1)
