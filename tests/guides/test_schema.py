"""Guides over GraphQL."""

from typing import Any

import pytest

from graphql_api import auth
from graphql_api.guides import repository
from graphql_api.guides.models import GuidesItem
from graphql_api.kit import ids
from graphql_api.stores.models import Store
from graphql_api.viewer import Role
from tests.calls import counted
from tests.conftest import Client
from tests.guides.factories import make_guide
from tests.stores.factories import make_store, make_unit

MEMBER = auth.issue(Role.MEMBER, ids.derived_id("mbr", "1"))
CREATE = """mutation ($input: GuideCreateInput!) {
  guideCreate(input: $input) {
    guide {
      id name store { code } wecomUserId status employedOn leftAt version
    }
    userErrors { code field message }
  }
}"""
UPDATE = """mutation ($input: GuideUpdateInput!) {
  guideUpdate(input: $input) {
    guide { name wecomUserId employedOn version } userErrors { code field message }
  }
}"""
STATUS_SET = """mutation ($input: GuideStatusSetInput!) {
  guideStatusSet(input: $input) {
    guide { status leftAt version } userErrors { code field message }
  }
}"""


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


def manager_of(store: Store) -> str:
    return auth.issue(Role.STORE_MANAGER, "mgr_1", unit_id=store.id)


def everything_stored() -> list[dict[str, Any]]:
    return [item.serialize() for item in GuidesItem.scan()]


def test_guide_is_hired_by_the_manager_of_the_store(send: Client, store: Store) -> None:
    given = {
        "storeId": store.id,
        "name": "王芳",
        "wecomUserId": "WangFang",
        "employedOn": "2017-06-01",
    }
    payload = send(CREATE, token=manager_of(store), input=given)["guideCreate"]
    guide_id = payload["guide"].pop("id")
    assert payload == {
        "guide": {
            "name": "王芳",
            "store": {"code": "S1"},
            "wecomUserId": "WangFang",
            "status": "ACTIVE",
            "employedOn": "2017-06-01",
            "leftAt": None,
            "version": 1,
        },
        "userErrors": [],
    }
    assert repository.id_by_wecom_user_id("wangfang") == guide_id


def test_every_wrong_field_of_a_guide_is_named(send: Client, store: Store, operator: str) -> None:
    given = {"storeId": store.id, "name": "", "wecomUserId": "王芳"}
    payload = send(CREATE, token=operator, input=given)["guideCreate"]
    assert payload["guide"] is None
    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [
        ("INVALID", ["input", "name"]),
        ("INVALID", ["input", "wecomUserId"]),
    ]
    assert everything_stored() == []


def test_null_clears_and_absence_keeps(send: Client, store: Store, operator: str) -> None:
    guide = make_guide(store, "王芳", wecom_user_id="wf", employed_on="2017-06-01")
    payload = send(UPDATE, token=operator, input={"id": guide.id, "employedOn": None})
    assert payload["guideUpdate"] == {
        "guide": {"name": "王芳", "wecomUserId": "wf", "employedOn": None, "version": 2},
        "userErrors": [],
    }


def test_status_of_who_left_is_final(send: Client, store: Store, integration: str) -> None:
    guide = make_guide(store)
    left = send(STATUS_SET, token=integration, input={"id": guide.id, "status": "LEFT"})
    assert left["guideStatusSet"]["guide"]["status"] == "LEFT"
    assert left["guideStatusSet"]["guide"]["leftAt"].endswith("Z")
    back = send(STATUS_SET, token=integration, input={"id": guide.id, "status": "ACTIVE"})
    assert back["guideStatusSet"] == {
        "guide": None,
        "userErrors": [
            {
                "code": "FORBIDDEN_TRANSITION",
                "field": ["input", "status"],
                "message": "A guide who left does not come back",
            }
        ],
    }


def test_guide_is_found_by_id_and_by_wecom_user_id(
    send: Client, store: Store, operator: str
) -> None:
    guide = make_guide(store, "王芳", wecom_user_id="WangFang")
    document = """query ($id: ID!) {
      id: guide(by: {id: $id}) { name }
      wecom: guide(by: {wecomUserId: "wangfang"}) { id }
      unknown: guide(by: {wecomUserId: "nobody"}) { id }
      malformed: guide(by: {id: "wecom#wangfang"}) { id }
      node(id: $id) { __typename ... on Guide { name } }
    }"""
    assert send(document, token=operator, id=guide.id) == {
        "id": {"name": "王芳"},
        "wecom": {"id": guide.id},
        "unknown": None,
        "malformed": None,
        "node": {"__typename": "Guide", "name": "王芳"},
    }


def test_member_sees_name_and_store_of_a_guide(send: Client, store: Store) -> None:
    guide = make_guide(store, "王芳", wecom_user_id="wf")
    document = """query ($id: ID!) {
      guide(by: {id: $id}) { id name status store { name guides { nodes { name } } } }
    }"""
    assert send(document, token=MEMBER, id=guide.id)["guide"] == {
        "id": guide.id,
        "name": "王芳",
        "status": "ACTIVE",
        "store": {"name": "S1 店", "guides": {"nodes": [{"name": "王芳"}]}},
    }


def test_member_does_not_see_what_is_for_staff(send: Client, store: Store) -> None:
    guide = make_guide(store)
    document = """query ($id: ID!) {
      guide(by: {id: $id}) { name wecomUserId employedOn createdAt leftAt version }
    }"""
    answer = send.post(document, token=MEMBER, id=guide.id)
    assert "data" not in answer
    assert [(e["message"], e["extensions"]["code"]) for e in answer["errors"]] == [
        (f"Guide.{name} is not for MEMBER", "FORBIDDEN")
        for name in ("wecomUserId", "employedOn", "createdAt", "leftAt", "version")
    ]


def test_member_does_not_find_a_guide_by_wecom_user_id(send: Client, store: Store) -> None:
    make_guide(store, "王芳", wecom_user_id="wf")
    assert send('{ guide(by: {wecomUserId: "wf"}) { name } }', token=MEMBER) == {"guide": None}


def test_staff_see_the_guides_of_their_own_stores(send: Client, store: Store) -> None:
    there = make_store("S2")
    mine, theirs = make_guide(store, "王芳"), make_guide(there, "李雷")
    colleague = auth.issue(Role.GUIDE, mine.id, unit_id=store.id)
    document = """query ($mine: ID!, $theirs: ID!, $wecom: String!) {
      a: guide(by: {id: $mine}) { name store { guides { nodes { name } } } }
      b: guide(by: {id: $theirs}) { name }
      c: guide(by: {wecomUserId: $wecom}) { name }
      node(id: $theirs) { id }
      nodes(ids: [$theirs, $mine]) { ... on Guide { name } }
      store(by: {code: "S2"}) { guides { nodes { name } pageInfo { hasNextPage endCursor } } }
    }"""
    expected = {
        "a": {"name": "王芳", "store": {"guides": {"nodes": [{"name": "王芳"}]}}},
        "b": None,
        "c": None,
        "node": None,
        "nodes": [None, {"name": "王芳"}],
        "store": {"guides": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}},
    }
    for token in (manager_of(store), colleague):
        asked = {"mine": mine.id, "theirs": theirs.id, "wecom": theirs.wecom_user_id}
        assert send(document, token=token, **asked) == expected


def test_hidden_page_does_not_tell_that_more_follows(send: Client, store: Store) -> None:
    there = make_store("S2")
    for name in ("甲", "乙"):
        make_guide(there, name)
    document = """{ store(by: {code: "S2"}) {
      guides(first: 1) { nodes { name } pageInfo { hasNextPage endCursor } }
    } }"""
    assert send(document, token=manager_of(store))["store"]["guides"] == {
        "nodes": [],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
    }


def test_region_operator_reaches_the_guides_of_the_region(send: Client, store: Store) -> None:
    region = make_unit("华东")
    inside = make_guide(make_store("S2", under=region.id), "王芳")
    outside = make_guide(store, "李雷")
    token = auth.issue(Role.OPERATOR, "opr_2", unit_id=region.id)
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Guide { name } } }"
    shown = send(document, token=token, ids=[inside.id, outside.id])
    assert shown["nodes"] == [{"name": "王芳"}, None]
    before = everything_stored()
    payload = send(UPDATE, token=token, input={"id": outside.id, "name": "改"})["guideUpdate"]
    assert (payload["guide"], payload["userErrors"][0]["code"]) == (None, "NOT_FOUND")
    assert everything_stored() == before


def test_members_guides_readers_and_strangers_write_nothing(send: Client, store: Store) -> None:
    guide = make_guide(store)
    colleague = auth.issue(Role.GUIDE, guide.id, unit_id=store.id)
    reader = auth.issue(Role.INTEGRATION, "key_2", scopes=frozenset({"stores:read"}))
    before = everything_stored()
    new = {"storeId": store.id, "name": "李雷", "wecomUserId": "ll"}
    commands: list[tuple[str, dict[str, Any]]] = [
        (CREATE, new),
        (UPDATE, {"id": guide.id, "name": "改"}),
        (STATUS_SET, {"id": guide.id, "status": "LEFT"}),
    ]
    for token, status in ((MEMBER, 403), (colleague, 403), (reader, 403), (None, 401)):
        for document, given in commands:
            answer = send.post(document, token=token, input=given)
            assert "data" not in answer
            assert send.status == status
    assert everything_stored() == before


def test_stores_of_a_page_of_guides_are_read_in_one_batch(
    send: Client, store: Store, operator: str
) -> None:
    guides = [make_guide(store, f"导购{n}") for n in range(12)]
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Guide { store { code } } } }"
    with counted() as calls:
        data = send(document, token=operator, ids=[g.id for g in guides])
    assert data["nodes"] == [{"store": {"code": "S1"}}] * 12
    # The viewer, the chain's clock, the guides, their store.
    assert calls == {"BatchGetItem": 4}


def test_guides_of_two_stores_take_one_query_each(send: Client, chain: str, operator: str) -> None:
    for code in ("S1", "S2"):
        make_guide(make_store(code), f"{code} 导购")
    with counted() as calls:
        data = send("{ stores { nodes { guides { nodes { name } } } } }", token=operator)
    assert [s["guides"]["nodes"] for s in data["stores"]["nodes"]] == [
        [{"name": "S1 导购"}],
        [{"name": "S2 导购"}],
    ]
    # The stores' page; then the viewer, the clock, the last number, the stores, and the guides of
    # each store.
    assert calls == {"Query": 3, "BatchGetItem": 6}


def test_levels_of_guides_are_shown_with_their_band_in_one_batch(
    send: Client, operator: str, store: Store
) -> None:
    for name, level in (("A", 3), ("B", 4), ("C", 9), ("D", None)):
        make_guide(store, name, level=level)
    document = "query ($id: ID!) { store(by: {id: $id}) { guides { nodes { level band } } } }"
    send("{ me { role } }", token=operator)
    with counted() as calls:
        guides = send(document, token=operator, id=store.id)["store"]["guides"]["nodes"]
    assert [(guide["level"], guide["band"]) for guide in guides] == [
        (3, "ENTRY"),
        (4, "GROWTH"),
        (9, "PROFESSIONAL"),
        (None, None),
    ]
    # The viewer, the store, its guides, the version of the policy in force, which is shipped.
    assert calls == {"BatchGetItem": 4, "Query": 1}
    denied = send.post(document, token=MEMBER, id=store.id)
    assert denied["errors"][0]["extensions"]["code"] == "FORBIDDEN"
