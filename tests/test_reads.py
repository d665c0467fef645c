"""How often DynamoDB is asked: exact counts, so that no level of an answer reads row by row."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.edge.execution import chain_clock
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.kit.dynamo.item import table_name
from graphql_api.orders import service as orders
from graphql_api.stores import service as stores
from graphql_api.viewer import Role
from tests.conftest import Client
from tests.factories import (
    CLOCK,
    make_guide,
    make_snapshot,
    make_store,
    make_unit,
    numbered,
    put_numbered,
)
from tests.lazy_tables import MAKE_A_TABLE

PAGE = """query ($first: Int!, $after: String) {
  members(first: $first, after: $after) {
    nodes {
      memberNo store { name } guide { name store { name } }
      orders(first: 2) { nodes { paidAt total } }
    }
    pageInfo { endCursor }
  }
}"""
OPERATOR = auth.issue(Role.OPERATOR, "opr_1")


@contextmanager
def asked() -> Iterator[Counter[str]]:
    """What is asked of DynamoDB until the block ends: `Query members.block`, `get 3 stores`.

    But for the one call of each request that looks the viewer up: tests/access counts it.
    """
    seen: Counter[str] = Counter()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in MAKE_A_TABLE:
            return
        if model.name != "BatchGetItem":
            path = [params["TableName"].removeprefix(table_name("")), params.get("IndexName")]
            seen[f"{model.name} {'.'.join(filter(None, path))}"] += 1
            return
        if table_name("access") in params["RequestItems"]:
            return
        for table, request in params["RequestItems"].items():
            seen[f"get {len(request['Keys'])} {table.removeprefix(table_name(''))}"] += 1

    events = shared_client().meta.events
    events.register("provide-client-params.dynamodb", note)
    try:
        yield seen
    finally:
        events.unregister("provide-client-params.dynamodb", note)


@pytest.fixture
def crowd(chain: str) -> None:
    """130 members of three stores, each with one of four guides, who work in two other stores.

    The first has three orders.
    """
    homes = [make_store(f"S{n}") for n in range(3)]
    malls = [make_store(f"M{n}") for n in range(2)]
    guides = [make_guide(malls[n % 2], f"导购{n}") for n in range(4)]
    put_numbered(
        range(1, 131),
        newest=130,
        given=lambda n: {"store_id": homes[n % 3].id, "guide_id": guides[n % 4].id},
    )
    for _ in range(3):
        orders.apply(make_snapshot(homes[1], member_id=numbered(1)), clock=CLOCK)


def warm(send: Client) -> None:
    """Have the clock of the chain read, which holds for a minute."""
    send("{ me { role } }", token=OPERATOR)


def test_page_of_members_costs_one_batch_for_each_level_and_a_query_for_each_list(
    send: Client, crowd: None
) -> None:
    warm(send)
    with asked() as seen:
        page = send(PAGE, token=OPERATOR, first=20)["members"]["nodes"]
    assert seen == {
        "Query members.block": 1,
        "get 20 members": 1,
        "get 3 stores": 1,  # of the members
        "get 4 guides": 1,
        "get 2 stores": 1,  # of the guides
        "Query orders": 20,
    }
    assert [member["memberNo"] for member in page[:2]] == ["000000013", "000000021"]
    assert [member["store"]["name"] for member in page[:4]] == ["S1 店", "S2 店", "S0 店", "S1 店"]
    assert [member["guide"]["store"]["name"] for member in page[:2]] == ["M1 店", "M0 店"]
    assert [len(member["orders"]["nodes"]) for member in page[:2]] == [2, 0]


def test_page_of_a_hundred_costs_no_more_but_for_its_lists(send: Client, crowd: None) -> None:
    warm(send)
    with asked() as seen:
        page = send(PAGE, token=OPERATOR, first=100)["members"]["nodes"]
    assert len(page) == 100
    assert seen == {
        "Query members.block": 1,
        "get 100 members": 1,
        "get 3 stores": 1,
        "get 4 guides": 1,
        "get 2 stores": 1,
        "Query orders": 100,
    }


def test_stores_that_were_read_at_one_level_are_not_read_again_below(
    send: Client, crowd: None
) -> None:
    document = """{ members(first: 20) { nodes {
      store { name } guide { store { name guides { nodes { store { name } } } } }
    } } }"""
    warm(send)
    with asked() as seen:
        send(document, token=OPERATOR)
    assert seen == {
        "Query members.block": 1,
        "get 20 members": 1,
        "get 3 stores": 1,
        "get 4 guides": 1,
        "get 2 stores": 1,
        "Query guides.by_store": 20,
        "get 2 guides": 20,
    }


def test_page_inside_the_chain_reads_one_block(send: Client, chain: str) -> None:
    put_numbered([*range(1, 11), *range(800, 831)], newest=1_000)
    document = """query ($first: Int!, $after: String) {
      members(first: $first, after: $after) { nodes { memberNo } pageInfo { endCursor } }
    }"""
    start = send(document, token=OPERATOR, first=15)["members"]["pageInfo"]["endCursor"]
    with asked() as seen:
        page = send(document, token=OPERATOR, first=20, after=start)["members"]
    assert [page["nodes"][n]["memberNo"][:8] for n in (0, -1)] == ["00000805", "00000824"]
    assert seen == {"Query members.block": 1, "get 20 members": 1}


def test_nodes_of_mixed_kinds_cost_one_batch_for_each_kind(
    send: Client, seeded: dict[str, str]
) -> None:
    """Orders cost two, as an id leads to the place of its order first."""
    names = [
        "member",
        "store",
        "guide",
        "other_store",
        "region",
        "member_beside",
        "order",
        "member",
    ]
    warm(send)
    with asked() as seen:
        found = send(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }",
            token=OPERATOR,
            ids=[seeded[name] for name in names],
        )["nodes"]
    assert [node["id"] for node in found] == [seeded[name] for name in names]
    assert [node["__typename"] for node in found] == [
        "Member",
        "Store",
        "Guide",
        "Store",
        "OrgUnit",
        "Member",
        "Order",
        "Member",
    ]
    assert seen == {
        "get 2 members": 1,
        "get 2 stores": 1,
        "get 1 stores": 1,  # the region stands in the table of stores
        "get 1 guides": 1,
        "get 1 orders": 2,
    }


def test_member_found_by_identity_costs_the_claim_and_the_member(
    send: Client, seeded: dict[str, str]
) -> None:
    warm(send)
    find = "query ($by: MemberSelector!) { member(by: $by) { name phone purchases { orders } } }"
    with asked() as seen:
        send(find, token=OPERATOR, by={"phone": seeded["phone"]})
    assert seen == {"get 1 members": 2}
    with asked() as seen:
        send(find, token=OPERATOR, by={"memberNo": seeded["member_no"]})
    assert seen == {"Query members.block": 1, "get 1 members": 1}
    with asked() as seen:
        send(find, token=OPERATOR, by={"id": seeded["member"]})
    assert seen == {"get 1 members": 1}


def test_request_itself_reads_the_clock_and_the_tree_of_a_region_once_a_minute(
    send: Client, chain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the viewer; and the tree only for who manages a part of it."""
    region = make_unit("华东")
    store = make_store("S1", under=make_unit("上海", under=region.id).id)
    member = auth.issue(Role.MEMBER, numbered(1))
    staff = [
        auth.issue(Role.GUIDE, "gde_1", unit_id=store.id),
        auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=store.id),
        auth.issue(Role.INTEGRATION, "key_1"),
        OPERATOR,
    ]
    document = "{ me { role } }"
    chain_clock.forget()
    with asked() as seen:
        send(document, token=member)
    assert seen == {"get 1 stores": 1}
    with asked() as seen:
        for token in (member, *staff):
            send(document, token=token)
    assert seen == {}
    of_region = auth.issue(Role.OPERATOR, "opr_2", unit_id=region.id)
    tree = {
        "Query stores.children": 3 + 2  # units under each of three; stores under the region's two
    }
    with asked() as seen:
        send(document, token=of_region)
        send(document, token=of_region)
    assert seen == tree
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + stores.REACH_SECONDS)
    with asked() as seen:
        send(document, token=of_region)
    assert {path: n for path, n in seen.items() if path != "get 1 stores"} == tree


def test_list_of_a_region_reads_sixteen_stores_a_page_and_goes_on(send: Client, chain: str) -> None:
    region = make_unit("华东")
    homes = sorted(make_store(f"S{n}", under=region.id).id for n in range(20))
    put_numbered([1, 2], newest=2, given=lambda _: {"store_id": homes[-1]})
    of_region = auth.issue(Role.OPERATOR, "opr_2", unit_id=region.id)
    document = """query ($after: String) {
      members(after: $after) { nodes { memberNo } pageInfo { hasNextPage endCursor } }
    }"""
    send("{ me { role } }", token=of_region)
    with asked() as seen:
        page = send(document, token=of_region)["members"]
    assert seen == {"Query members.store": 16}
    assert (page["nodes"], page["pageInfo"]["hasNextPage"]) == ([], True)
    with asked() as seen:
        rest = send(document, token=of_region, after=page["pageInfo"]["endCursor"])["members"]
    assert seen == {"Query members.store": 4, "get 2 members": 1}
    assert (len(rest["nodes"]), rest["pageInfo"]["hasNextPage"]) == (2, False)


def test_list_goes_on_behind_members_who_may_not_be_shown(send: Client, chain: str) -> None:
    region = make_unit("华东")
    here, elsewhere = make_store("S1", under=region.id), make_store("S2")
    guide, other = make_guide(here, "一"), make_guide(here, "二")

    def of(n: int) -> dict[str, str]:
        if n == 5:
            return {"guide_id": guide.id, "store_id": here.id}
        return {"guide_id": (guide if n < 5 else other).id, "store_id": elsewhere.id}

    put_numbered(range(1, 20), newest=19, given=of)
    of_region = auth.issue(Role.OPERATOR, "opr_2", unit_id=region.id)
    document = """query ($guideId: ID!) {
      members(guideId: $guideId, first: 2) {
        nodes { memberNo } pageInfo { hasNextPage endCursor }
      }
    }"""
    send("{ me { role } }", token=of_region)
    page = send(document, token=of_region, guideId=guide.id)["members"]
    assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (1, False)
    with asked() as seen:
        page = send(document, token=of_region, guideId=other.id)["members"]
    assert page == {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    assert seen["Query members.guide"] == 5
