"""Costs: what is asked for before an operation runs, and what it comes to by its answer."""

import json
from collections import defaultdict
from typing import Any

import pytest
from graphql import parse
from hypothesis import given
from hypothesis import strategies as st

from graphql_api import auth
from graphql_api.edge.budgets import DEFAULTS
from graphql_api.edge.cost import AT_MOST, Count, Plan, Priced, Selection
from graphql_api.edge.documents import read_document
from graphql_api.schema import schema
from graphql_api.viewer import Role
from scripts import export_schema
from tests.conftest import Client
from tests.edge.conftest import Time
from tests.guides.factories import make_guide
from tests.stores.factories import make_store
from tests.test_operations import DOCUMENTS, filled, read_run

NODES = "nodes { name }"

BY_FRAGMENTS = """{ stores(first: 3) { ...C } }
  fragment C on StoreConnection { nodes { ...S } } fragment S on Store { unit { name } }"""

REQUESTED = [
    ("{ __typename }", {}, 1),
    ("{ organisation { name } }", {}, 1),
    ("{ organisation { parent { parent { name } } } }", {}, 3),
    ("{ a: organisation { name } b: organisation { name } }", {}, 2),
    ("{ __schema { types { name } } }", {}, 10),
    ("{ member(by: {id: 1}) { memberNo } }", {}, 1),
    ('{ member(by: {phone: "13800138000"}) { memberNo } }', {}, 21),
    ('{ member(by: {identity: {kind: OPENID, value: "x"}}) { memberNo } }', {}, 21),
    ("query ($by: MemberSelector!) { member(by: $by) { id } }", {"by": {"phone": "1"}}, 21),
    ("query ($by: MemberSelector!) { member(by: $by) { id } }", {"by": {"id": "1"}}, 1),
    ("query ($p: PhoneNumber!) { member(by: {phone: $p}) { id } }", {"p": "1"}, 21),
    # A connection is 1, its items 1 each: 20 unless `first` says otherwise.
    (f"{{ stores {{ {NODES} }} }}", {}, 21),
    ("{ stores { pageInfo { hasNextPage } } }", {}, 1),
    (f"{{ stores(first: 3) {{ {NODES} }} }}", {}, 4),
    ("{ stores(first: 3) { edges { cursor node { name } } } }", {}, 4),
    ("{ stores(first: 3) { nodes { unit { name } } } }", {}, 7),
    (BY_FRAGMENTS, {}, 7),
    (f"query ($n: Int) {{ stores(first: $n) {{ {NODES} }} }}", {"n": 5}, 6),
    (f"query ($n: Int) {{ stores(first: $n) {{ {NODES} }} }}", {}, 21),
    (f"query ($n: Int = 7) {{ stores(first: $n) {{ {NODES} }} }}", {}, 8),
    (f"query ($n: Int) {{ stores(first: $n) {{ {NODES} }} }}", {"n": 10**9}, 101),
    (f"query ($n: Int) {{ stores(first: $n) {{ {NODES} }} }}", {"n": -1}, 1),
    (f"query ($n: Int) {{ stores(first: $n) {{ {NODES} }} }}", {"n": "5"}, 21),
    ("{ nodes(ids: [1, 2, 3]) { id } }", {}, 3),
    ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["1", "2"]}, 2),
    ("query ($ids: [ID!] = [1]) { nodes(ids: $ids) { id } }", {}, 1),
    # Any other list is taken to have ten items.
    ("{ order(by: {id: 1}) { lines { name } } }", {}, 11),
    ("mutation { logout { userErrors { code } } }", {}, 10),
]  # fmt: skip


@pytest.mark.parametrize(("text", "variables", "cost"), REQUESTED)
def test_requested_cost_of_a_known_document(
    text: str, variables: dict[str, Any], cost: int
) -> None:
    document = read_document(schema._schema, parse(text))
    [operation] = document.operations.values()
    assert operation.plan.requested(variables) == cost


def test_operation_costs_what_its_own_fragments_cost() -> None:
    text = """query A { organisation { ...F } } query B { stores(first: 9) { nodes { id } } }
      fragment F on OrgUnit { parent { name } }"""
    document = read_document(schema._schema, parse(text))
    costs = {name: each.plan.requested({}) for name, each in document.operations.items()}
    assert costs == {"A": 2, "B": 10}


def test_cost_stops_growing() -> None:
    page = Priced("nodes", 1, paged=True)
    for _ in range(30):
        inner = Priced("list", 1, page=Count(100), children=Selection((page,)))
        page = Priced("nodes", 1, paged=True, children=Selection((inner,)))
    plan = Plan(
        Selection((Priced("list", 1, page=Count(100), children=Selection((page,))),)), {}, {}
    )
    assert AT_MOST <= plan.requested({}) <= AT_MOST * 200


ACTUAL = """query ($n: Int!) {
  stores(first: $n) { nodes { name unit { name } guides(first: 5) { nodes { name } } } }
  missing: store(by: {code: "S9"}) { name unit { name } }
  organisation @skip(if: true) { name }
}"""


def test_answer_costs_what_is_in_it(send: Client, chain: str, operator: str) -> None:
    first, _ = make_store("S1"), make_store("S2")
    make_guide(first)
    data = send(ACTUAL, token=operator, n=50)
    assert [len(store["guides"]["nodes"]) for store in data["stores"]["nodes"]] == [1, 0]
    document = read_document(schema._schema, parse(ACTUAL))
    plan = document.operations[None].plan
    # A page of 50 stores, each with its unit and five guides; a store with its unit; a unit.
    assert plan.requested({"n": 50}) == 1 + 50 * (1 + 1 + 1 + 5) + 2 + 1
    # Two stores with a unit, a page, and one guide; the store that is not there; nothing skipped.
    assert plan.actual(data, {"n": 50}) == 1 + 2 * (1 + 1 + 1) + 1 + 1


def test_look_up_that_finds_nobody_costs_no_less(send: Client, chain: str, operator: str) -> None:
    text = '{ member(by: {phone: "13800138000"}) { memberNo guide { name } } }'
    data = send(text, token=operator)
    plan = read_document(schema._schema, parse(text)).operations[None].plan
    assert data == {"member": None}
    assert (plan.requested({}), plan.actual(data, {})) == (22, 21)


def test_list_costs_no_more_than_was_asked_for() -> None:
    plan = Plan(Selection((Priced("lines", 1, size=Count(10, most=10)),)), {}, {})
    assert plan.actual({"lines": [{}] * 25}, {}) == plan.requested({}) == 10


@st.composite
def priced(draw: st.DrawFn, depth: int = 3) -> tuple[Priced, Any]:
    """A field, and what an answer may hold for it."""
    key, weight = draw(st.sampled_from("abcd")), draw(st.integers(0, 3))
    kind = draw(st.sampled_from(["object", "list", "page", "null"]))
    below = [] if depth == 0 else draw(st.lists(priced(depth - 1), max_size=2))
    inner = {field.key: (field, value) for field, value in below}
    children = Selection(tuple(field for field, _ in inner.values()))
    value = {name: given for name, (_, given) in inner.items()}
    most = draw(st.integers(0, 4))
    if kind == "list":
        items = [value] * draw(st.integers(0, 6))
        return Priced(key, weight, size=Count(most, most=most), children=children), items
    if kind == "page":
        nodes = Priced("nodes", weight, paged=True, children=children)
        shown = {"nodes": [value] * draw(st.integers(0, most))}
        return Priced(key, 1, page=Count(most), children=Selection((nodes,))), shown
    return Priced(key, weight, children=children), None if kind == "null" else value


@given(priced())
def test_actual_cost_is_never_above_the_requested(drawn: tuple[Priced, Any]) -> None:
    field, value = drawn
    plan = Plan(Selection((field,), ("F",)), {"F": Selection((field,))}, {})
    assert 1 <= plan.actual({field.key: value}, {}) <= plan.requested({})


def test_cost_is_written_in_the_schema() -> None:

    text = export_schema.exported(schema)
    assert "phone: PhoneNumber @cost(weight: 20)" in text
    assert '  ): [Node]! @listSize(slicingArgument: "ids")' in text
    assert "logout: SessionPayload! @cost(weight: 10)" in text
    assert "directive @cost(" in text


def test_guess_of_a_phone_is_dear() -> None:
    """A guide's whole bucket is 95 guesses, and it restores fewer than five a second."""

    budget = DEFAULTS[Role.GUIDE]
    assert budget.capacity // 21 == 95
    assert budget.restore_rate / 21 < 5


def test_operations_that_clients_send_fit_their_budgets() -> None:
    names: dict[str, str] = defaultdict(lambda: "x")
    for file in DOCUMENTS.values():
        text = file.read_text()
        run, document = read_run(text), read_document(schema._schema, parse(text))
        assert document.errors == (), file.name
        [operation] = document.operations.values()
        cost = operation.plan.requested(json.loads(filled(run.variables, names)))
        assert cost <= DEFAULTS[run.role].per_operation, file.name


def test_answer_shows_the_cost_to_those_who_pay(send: Client, chain: str, paying: Time) -> None:
    token = auth.issue(Role.OPERATOR, "opr_cost")
    answer = send.post(f"{{ stores(first: 3) {{ {NODES} }} }}", token=token)
    assert answer["extensions"]["cost"] == {
        "requestedQueryCost": 4,
        "actualQueryCost": 1,
        "throttleStatus": {
            "maximumAvailable": 10_000,
            "currentlyAvailable": 9_999,
            "restoreRate": 500,
        },
    }
    assert json.dumps(answer["data"]) == '{"stores": {"nodes": []}}'
