"""A client's query becomes documents that fetch it page by page, or is refused with the reason."""

import pytest
from graphql import parse, validate

from graphql_api.bulk import documents
from graphql_api.bulk.rules import Page
from graphql_api.errors import AppError, ErrorCode, Refused
from graphql_api.schema import schema
from graphql_api.viewer import READ_MEMBERS, SYSTEM, Role, Viewer

GRAPH = schema._schema
SIX = " ".join(f"{name}: orders {{ nodes {{ id }} }}" for name in "abcdef")


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_list_without_lists_in_it_is_asked_for_by_the_hundred() -> None:
    plan = documents.read(GRAPH, "{ stores { nodes { id name } } }", SYSTEM)
    [text] = plan.texts
    assert squeezed(text) == (
        "query BulkOperation($after: String) { stores(first: 100, after: $after) "
        "{ nodes { id name } pageInfo { hasNextPage endCursor } } }"
    )
    assert plan.asked(Page(0, after="c")) == (text, {"after": "c"})


def test_inner_lists_come_with_their_parents_and_have_documents_of_their_own() -> None:
    query = """
    query Export {
      mine: members(storeId: "sto_1", first: 3, after: "x") {
        edges { cursor node { id ...Name bought: orders(reverse: true) { nodes { id total } } } }
        pageInfo { hasNextPage }
      }
    }
    fragment Name on Member { name store { name } }
    """
    plan = documents.read(GRAPH, query, SYSTEM)
    root, inner = (squeezed(text) for text in plan.texts)
    assert root == (
        'query BulkOperation($after: String) { mine: members(storeId: "sto_1", first: 20,'
        " after: $after) { edges { node { id ...Name bought: orders(reverse: true, first: 50)"
        " { nodes { id total } pageInfo { hasNextPage endCursor } } } }"
        " pageInfo { hasNextPage endCursor } } }"
        " fragment Name on Member { name store { name } }"
    )
    assert inner == (
        "query BulkOperation($id: ID!, $after: String) { node(id: $id) { ... on Member {"
        " bought: orders(reverse: true, first: 50, after: $after)"
        " { nodes { id total } pageInfo { hasNextPage endCursor } } } } }"
    )
    assert [(s.key, s.by_edges, s.inner) for s in plan.shapes] == [
        ("mine", True, (1,)),
        ("bought", False, ()),
    ]
    asked = plan.asked(Page(1, "mbr_1", "c"))[1]
    assert asked == {"id": "mbr_1", "after": "c"}
    assert plan.found(Page(1, "mbr_1"), {"node": None}) is None
    assert plan.found(Page(1, "mbr_1"), {"node": {"bought": {"nodes": []}}}) == {"nodes": []}


def test_every_document_of_a_plan_is_valid() -> None:
    query = """{ stores { nodes { id guides { nodes { id members { nodes { id memberNo } } } }
      } } }"""
    plan = documents.read(GRAPH, query, SYSTEM)
    assert len(plan.texts) == 3
    for text in plan.texts:
        assert validate(GRAPH, parse(text)) == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("{ stores { nodes { id ", "Syntax Error"),
        ("{ stores { nodes { nothing } } }", "Cannot query field"),
        ("{ stores { nodes { id } } members { nodes { id } } }", "one field of the root"),
        ("{ ...Q } fragment Q on Query { stores { nodes { id } } }", "one field of the root"),
        ("query ($n: Int) { stores(first: $n) { nodes { id } } }", "without variables"),
        ('mutation { storeArchive(id: "x") { userErrors { code } } }', "without variables"),
        ("{ me { role } }", "list with pages"),
        ("{ organisation { units { nodes { id } } } }", "list with pages"),
        ("{ stores { pageInfo { hasNextPage } } }", "once"),
        ("{ stores { nodes { id } edges { node { id } } } }", "once"),
        ("{ stores { all: nodes { id } } }", "as they are"),
        ("{ stores { nodes { name guides { nodes { id } } } } }", "Select `id`"),
        ("{ stores { nodes { its: id guides { nodes { id } } } } }", "Select `id`"),
        ("{ members { nodes { id store { guides { nodes { id } } } } } }", "directly"),
        (
            "{ stores { nodes { id ...G } } } fragment G on Store { guides { nodes { id } } }",
            "directly",
        ),
        ("{ stores { nodes { id ... { guides { nodes { id } } } } } }", "directly"),
        ("{ stores @skip(if: false) { nodes { id } } }", "no directives"),
        (
            f"{{ members {{ nodes {{ id {SIX} }} }} }}",
            "at most 5",
        ),
        ("{ stores { nodes { id } } }" + " " * 10_000, "at most 10000"),
    ],
)
def test_query_of_another_shape_is_refused(query: str, reason: str) -> None:
    with pytest.raises(AppError, match=reason) as refused:
        documents.read(GRAPH, query, SYSTEM)
    problems = refused.value.problems if isinstance(refused.value, Refused) else [refused.value]
    assert {problem.field for problem in problems} == {("input", "query")}


def test_what_the_viewer_may_not_ask_is_refused() -> None:
    viewer = Viewer(Role.INTEGRATION, "key_1", scopes=frozenset({READ_MEMBERS}))
    query = "{ members { nodes { id orders { nodes { id } } } } }"
    with pytest.raises(Refused) as refused:
        documents.read(GRAPH, query, viewer)
    assert {problem.code for problem in refused.value.problems} == {ErrorCode.FORBIDDEN}
    assert "Member.orders" in str(refused.value)
