"""What a page gives: lines, and what is left to ask; nothing is lost and nothing comes twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from graphql_api.bulk import rules
from graphql_api.bulk.rules import Page, Shape

AT = datetime(2026, 3, 1, tzinfo=UTC)
SHAPES = (
    Shape("members", by_edges=True, inner=(1, 2)),
    Shape("orders", False),
    Shape("tags", False),
)


def connection(nodes: list[dict[str, Any]], more: str | None = None) -> dict[str, Any]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": more is not None, "endCursor": more}}


def edges(nodes: list[dict[str, Any]], more: str | None = None) -> dict[str, Any]:
    found = connection(nodes, more)
    return {"edges": [{"node": node} for node in found.pop("nodes")], **found}


def test_lines_of_inner_lists_name_their_parent_and_what_is_left_comes_first() -> None:
    one = {"id": "m1", "orders": connection([{"id": "o1"}], "after o1"), "tags": connection([])}
    two = {"id": "m2", "orders": connection([]), "tags": connection([{"id": "t1"}])}
    taken = rules.take(SHAPES, Page(0), edges([one, two], "after m2"))
    assert taken.lines == [
        {"id": "m1"},
        {"id": "o1", "__parentId": "m1"},
        {"id": "m2"},
        {"id": "t1", "__parentId": "m2"},
    ]
    assert taken.left == [Page(1, "m1", "after o1"), Page(0, None, "after m2")]
    assert taken.roots == 2


def test_parent_that_is_gone_gives_nothing() -> None:
    assert rules.take(SHAPES, Page(1, "m1", "c"), None) == rules.Taken([], [], 0)


def test_empty_page_goes_on_where_more_follow() -> None:
    taken = rules.take(SHAPES, Page(0), edges([], "further"))
    assert (taken.lines, taken.left) == ([], [Page(0, None, "further")])


Tree = dict[str, list[int]]


@given(st.lists(st.lists(st.integers(0, 99), max_size=5), max_size=6), st.integers(1, 3))
def test_walking_what_is_left_gives_everything_once(tree: list[list[int]], size: int) -> None:
    """A server with these parents and children, whose pages hold `size`."""
    shapes = (Shape("parents", False, (1,)), Shape("children", False))

    def children(parent: int, start: int) -> dict[str, Any]:
        all_of_it = [{"id": f"c{parent}.{n}"} for n in range(len(tree[parent]))]
        end = start + size
        return connection(all_of_it[start:end], str(end) if end < len(all_of_it) else None)

    def parents(start: int) -> dict[str, Any]:
        end = min(start + size, len(tree))
        nodes = [{"id": f"p{n}", "children": children(n, 0)} for n in range(start, end)]
        return connection(nodes, str(end) if end < len(tree) else None)

    left, lines = [Page(0)], []
    while left:
        page = left.pop()
        start = int(page.after or 0)
        found = (
            parents(start) if page.parent_id is None else children(int(page.parent_id[1:]), start)
        )
        taken = rules.take(shapes, page, found)
        lines += taken.lines
        left += reversed(taken.left)
    expected = [{"id": f"p{p}"} for p in range(len(tree))] + [
        {"id": f"c{p}.{n}", "__parentId": f"p{p}"}
        for p in range(len(tree))
        for n in range(len(tree[p]))
    ]
    assert sorted(map(str, lines)) == sorted(map(str, expected))


def test_operation_is_abandoned_after_an_hour() -> None:
    assert not rules.is_abandoned(AT, AT + timedelta(minutes=59))
    assert rules.is_abandoned(AT, AT + timedelta(hours=1))
