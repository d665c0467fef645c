"""Lists by number in blocks, and lists along several keys."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from graphql_api.kit.dynamo import Page
from graphql_api.kit.dynamo.blocks import (
    MAX_READS,
    block_of,
    block_page,
    key_walk,
    one_after_another,
    place_of,
)

Read = Callable[[str | None], Page[Any]]

gappy_numbers = st.sets(
    st.integers(0, 1600) | st.sampled_from([0, 255, 256, 511, 512, 767, 768, 1279, 1280])
)


def page_of(places: list[str], *, first: int, after: str | None, reverse: bool) -> Page[Any]:
    """What one Query gives of one key."""
    ordered = sorted(places, reverse=reverse)
    if after is not None:
        ordered = [p for p in ordered if (p < after if reverse else p > after)]
    return Page(ordered[:first], ordered[:first], len(ordered) > first)


def walked(read: Read) -> list[str]:
    """All the pages of a list, following their last places."""
    seen: list[str] = []
    after = None
    while True:
        page = read(after)
        seen += page.items
        assert list(page.items) == [place.rpartition("|")[2] for place in page.places]
        if not page.more:
            return seen
        assert page.last != after
        after = page.last


def test_block_holds_256_numbers() -> None:
    assert [block_of(n) for n in (0, 255, 256, 1_000_000)] == [
        "0000000",
        "0000000",
        "0000001",
        "0003906",
    ]
    assert place_of(255) == "0000000255"


@given(gappy_numbers, st.integers(0, 700), st.integers(1, 100), st.booleans())
def test_pages_join_up_to_the_sorted_list(
    numbers: set[int], unused: int, first: int, reverse: bool
) -> None:
    newest = max(numbers, default=0) + unused

    def query(block: str, **page: Any) -> Page[Any]:
        return page_of([place_of(n) for n in numbers if block_of(n) == block], **page)

    def read(after: str | None) -> Page[Any]:
        page = block_page(query, lambda: newest, first=first, after=after, reverse=reverse)
        assert len(page.items) == first or not page.more
        return page

    assert walked(read) == [place_of(n) for n in sorted(numbers, reverse=reverse)]


def test_page_inside_a_block_reads_that_block_only() -> None:
    asked: list[str] = []

    def query(block: str, **page: Any) -> Page[Any]:
        asked.append(block)
        return page_of([place_of(n) for n in range(256, 512)], **page)

    def newest() -> int:
        raise AssertionError("nobody needs the end of the list")

    page = block_page(query, newest, first=100, after=place_of(300), reverse=False)
    assert (page.items[0], page.items[-1]) == (place_of(301), place_of(400))
    assert asked == ["0000001"]


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("123456789"))),
    st.integers(1, 7),
    st.booleans(),
)
def test_walk_along_keys_is_one_list(lists: dict[str, set[str]], first: int, reverse: bool) -> None:
    def query(key: str, **page: Any) -> Page[Any]:
        return page_of(list(lists[key]), **page)

    def read(after: str | None) -> Page[Any]:
        page = key_walk(query, list(lists), first=first, after=after, reverse=reverse)
        assert len(page.items) == first or not page.more
        return page

    expected = [
        place
        for key in sorted(lists, reverse=reverse)
        for place in sorted(lists[key], reverse=reverse)
    ]
    assert walked(read) == expected


@given(st.integers(1, 4), st.booleans())
def test_keys_one_after_another_keep_their_sequence(first: int, reverse: bool) -> None:
    lists = {"b": ["1", "2"], "c": [], "a": ["1", "2", "3"]}

    def query(key: str, **page: Any) -> Page[Any]:
        return page_of([f"{key}{place}" for place in lists[key]], **page)

    def read(after: str | None) -> Page[Any]:
        return one_after_another(query, list(lists), first=first, after=after, reverse=reverse)

    expected = ["b1", "b2", "a1", "a2", "a3"]
    assert walked(read) == (expected[::-1] if reverse else expected)
    alone = one_after_another(query, ["a"], first=2, after="a1", reverse=False)
    assert (alone.items, alone.places) == (["a2", "a3"], ["a2", "a3"])


@given(st.sets(st.integers(0, 99), max_size=4), st.integers(1, 3), st.booleans())
def test_page_reads_sixteen_keys_at_most_however_many_are_empty(
    held: set[int], first: int, reverse: bool
) -> None:
    keys = [f"{n:02d}" for n in range(100)]

    def read(after: str | None) -> Page[Any]:
        asked: list[str] = []

        def query(key: str, **page: Any) -> Page[Any]:
            asked.append(key)
            return page_of([key] if int(key) in held else [], **page)

        page = key_walk(query, keys, first=first, after=after, reverse=reverse)
        assert len(asked) <= MAX_READS
        return page

    assert walked(read) == [f"{n:02d}" for n in sorted(held, reverse=reverse)]


@given(st.sets(st.integers(0, 25_599), max_size=4), st.integers(1, 3), st.booleans())
def test_page_reads_sixteen_blocks_at_most_however_many_are_empty(
    numbers: set[int], first: int, reverse: bool
) -> None:
    def read(after: str | None) -> Page[Any]:
        asked: list[str] = []

        def query(block: str, **page: Any) -> Page[Any]:
            asked.append(block)
            return page_of([place_of(n) for n in numbers if block_of(n) == block], **page)

        page = block_page(query, lambda: 25_599, first=first, after=after, reverse=reverse)
        assert len(asked) <= MAX_READS
        return page

    assert walked(read) == [place_of(n) for n in sorted(numbers, reverse=reverse)]


def test_list_goes_on_where_a_key_is_gone() -> None:
    lists = {"a": ["1"], "b": ["1", "2"], "c": ["1"]}

    def query(key: str, **page: Any) -> Page[Any]:
        return page_of(lists[key], **page)

    page = key_walk(query, ["a", "c"], first=5, after="b|1", reverse=False)
    assert page.places == ["c|1"]
    page = key_walk(query, ["a", "c"], first=5, after="b|2", reverse=True)
    assert page.places == ["a|1"]


def test_end_of_an_empty_stretch_is_where_the_next_page_begins() -> None:
    def nothing(_: str, **_page: Any) -> Page[Any]:
        return Page()

    keys = [f"{n:02d}" for n in range(MAX_READS + 1)]
    page = key_walk(nothing, keys, first=1, after=None, reverse=False)
    assert page == Page([], [], more=True, end="16|")
    assert key_walk(nothing, keys, first=1, after=page.last, reverse=False) == Page([], [])
    page = block_page(nothing, lambda: 99_999, first=1, after=None, reverse=False)
    assert page == Page([], [], more=True, end=place_of(16 * 256 - 1))
