"""The organisation tree and the stores over GraphQL."""

from datetime import datetime
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.kit import ids
from graphql_api.orders import service as orders
from graphql_api.policies.rules import PolicyKind
from graphql_api.stores import repository
from graphql_api.stores.models import HEADQUARTERS_ID, StoresItem
from graphql_api.viewer import Role
from tests.calls import counted
from tests.conftest import Client
from tests.factories import CLOCK, make_snapshot, put_numbered
from tests.policies.factories import make_draft, publish
from tests.stores.factories import make_store, make_unit

pytestmark = pytest.mark.usefixtures("chain")

PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
UNIT_CREATE = """mutation ($input: OrgUnitCreateInput!) {
  orgUnitCreate(input: $input) {
    unit { id kind name parent { name } partnerLevel createdAt version }
    userErrors { code field message }
  }
}"""
STORE_CREATE = """mutation ($input: StoreCreateInput!) {
  storeCreate(input: $input) {
    store {
      id code name format city phone pickup openedOn isOpen createdAt archivedAt version
      unit { id name } position { latitude longitude } hours { weekday opens closes }
    }
    userErrors { code field message }
  }
}"""
STORE_UPDATE = """mutation ($input: StoreUpdateInput!) {
  storeUpdate(input: $input) {
    store { name city phone version }
    userErrors { code field message }
  }
}"""
MEMBER = auth.issue(Role.MEMBER, ids.derived_id("mbr", "1"))


def stored_count() -> int:
    return StoresItem.count()


def test_headquarters_are_the_root_of_the_tree(send: Client, operator: str) -> None:
    make_unit("华东")
    make_unit("华北")
    make_store("S1")
    data = send(
        """{ organisation { id kind name parent { id }
             units { nodes { name parent { name } } } stores { nodes { code } } } }""",
        token=operator,
    )
    root = {"name": "测试连锁"}
    assert data["organisation"] == {
        "id": HEADQUARTERS_ID,
        "kind": "HQ",
        "name": "测试连锁",
        "parent": None,
        "units": {"nodes": [{"name": "华东", "parent": root}, {"name": "华北", "parent": root}]},
        "stores": {"nodes": [{"code": "S1"}]},
    }


def test_unit_is_created_and_shown(send: Client, operator: str) -> None:
    given = {"kind": "AGENT", "name": "代理", "parentId": HEADQUARTERS_ID, "partnerLevel": 2}
    payload = send(UNIT_CREATE, token=operator, input=given)["orgUnitCreate"]
    unit = repository.get_unit(payload["unit"].pop("id"))
    assert unit is not None
    assert payload == {
        "unit": {
            "kind": "AGENT",
            "name": "代理",
            "parent": {"name": "测试连锁"},
            "partnerLevel": 2,
            "createdAt": unit.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "version": 1,
        },
        "userErrors": [],
    }


def test_store_is_created_and_shown(send: Client, operator: str) -> None:
    region = make_unit("华东")
    given = {
        "code": "S1",
        "name": "人民广场店",
        "parentId": region.id,
        "format": "MALL",
        "city": "上海",
        "phone": "138 0013 8000",
        "position": {"latitude": 31.23, "longitude": 121.47},
        "hours": [{"weekday": 1, "opens": "09:00", "closes": "24:00"}],
        "pickup": True,
        "openedOn": "2017-05-01",
    }
    payload = send(STORE_CREATE, token=operator, input=given)["storeCreate"]
    store = payload["store"]
    assert payload["userErrors"] == []
    assert ids.prefix_of(store.pop("id")) == "sto"
    assert store.pop("createdAt").endswith("Z")
    assert isinstance(store.pop("isOpen"), bool)
    assert store == {
        "code": "S1",
        "name": "人民广场店",
        "format": "MALL",
        "city": "上海",
        "phone": "+8613800138000",
        "position": {"latitude": 31.23, "longitude": 121.47},
        "hours": [{"weekday": 1, "opens": "09:00", "closes": "24:00"}],
        "pickup": True,
        "openedOn": "2017-05-01",
        "archivedAt": None,
        "version": 1,
        "unit": {"id": region.id, "name": "华东"},
    }


def test_every_wrong_field_of_a_store_is_named(send: Client, operator: str) -> None:
    before = stored_count()
    given = {
        "code": "a b",
        "name": " ",
        "parentId": HEADQUARTERS_ID,
        "position": {"latitude": 91.0, "longitude": 0.0},
        "hours": [{"weekday": 8, "opens": "09:00", "closes": "10:00"}],
    }
    payload = send(STORE_CREATE, token=operator, input=given)["storeCreate"]
    assert payload["store"] is None
    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [
        ("INVALID", ["input", "position", "latitude"]),
        ("INVALID", ["input", "hours", "0", "weekday"]),
        ("INVALID", ["input", "code"]),
        ("INVALID", ["input", "name"]),
    ]
    assert stored_count() == before


def test_code_in_use_is_a_user_error(send: Client, operator: str) -> None:
    make_store("S1")
    before = stored_count()
    given = {"code": "S1", "name": "店", "parentId": HEADQUARTERS_ID}
    payload = send(STORE_CREATE, token=operator, input=given)["storeCreate"]
    assert payload == {
        "store": None,
        "userErrors": [
            {"code": "TAKEN", "field": ["input", "code"], "message": "This store code is in use"}
        ],
    }
    assert stored_count() == before


def test_null_clears_and_absence_keeps(send: Client, operator: str) -> None:
    store = make_store(city="上海", phone="+862112345678")
    payload = send(STORE_UPDATE, token=operator, input={"id": store.id, "city": None})
    assert payload["storeUpdate"] == {
        "store": {"name": "S1 店", "city": None, "phone": "+862112345678", "version": 2},
        "userErrors": [],
    }


def test_null_for_a_field_that_cannot_be_empty_is_refused(send: Client, operator: str) -> None:
    store = make_store()
    answer = send.post(STORE_UPDATE, token=operator, input={"id": store.id, "name": None})
    assert send.status == 200
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    kept = repository.get(store.id)
    assert kept is not None
    assert (kept.name, kept.version) == ("S1 店", 1)


def test_passed_version_is_a_user_error_on_expected_version(send: Client, operator: str) -> None:
    store = make_store()
    given = {"id": store.id, "city": "上海", "expectedVersion": 7}
    payload = send(STORE_UPDATE, token=operator, input=given)["storeUpdate"]
    assert payload == {
        "store": None,
        "userErrors": [
            {
                "code": "CONFLICT",
                "field": ["input", "expectedVersion"],
                "message": "It is at version 1, not 7",
            }
        ],
    }


def test_store_is_archived_and_restored(send: Client, operator: str) -> None:
    store = make_store()
    document = """mutation ($id: ID!) {
      storeArchive(id: $id) { store { isOpen version } userErrors { code } }
      storeRestore(id: $id) { store { archivedAt version } userErrors { code } }
    }"""
    assert send(document, token=operator, id=store.id) == {
        "storeArchive": {"store": {"isOpen": False, "version": 2}, "userErrors": []},
        "storeRestore": {"store": {"archivedAt": None, "version": 3}, "userErrors": []},
    }


def test_store_is_open_at_the_instant_asked(send: Client, operator: str) -> None:
    make_store(hours=[{"weekday": 1, "opens": "09:00", "closes": "12:00"}])
    document = """{ store(by: {code: "S1"}) {
      nine: isOpen(at: "2018-01-08T09:00:00+08:00") noon: isOpen(at: "2018-01-08T04:00:00Z")
    } }"""
    assert send(document, token=operator)["store"] == {"nine": True, "noon": False}


def test_store_is_found_by_id_and_by_code(send: Client, operator: str) -> None:
    store = make_store("S1")
    document = """query ($id: ID!) {
      id: store(by: {id: $id}) { code }
      code: store(by: {code: "S1"}) { id }
      unknown: store(by: {code: "S9"}) { id }
      claim: store(by: {id: "code#S1"}) { id }
      unit: store(by: {id: "%s"}) { id }
      long: store(by: {code: "%s"}) { id }
      empty: store(by: {id: ""}) { id }
      none: stores(under: "") { nodes { id } }
    }"""
    document %= (HEADQUARTERS_ID, "S" * 3000)
    assert send(document, token=operator, id=store.id) == {
        "id": {"code": "S1"},
        "code": {"id": store.id},
        "unknown": None,
        "claim": None,
        "unit": None,
        "long": None,
        "empty": None,
        "none": {"nodes": []},
    }


def test_selector_with_two_keys_is_refused(send: Client, operator: str) -> None:
    document = '{ store(by: {id: "x", code: "S1"}) { id } }'
    answer = send.post(document, token=operator)
    assert send.status == 400
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_pages_of_stores_join_up_in_both_directions(send: Client, operator: str) -> None:
    codes = [make_store(f"S{n}").code for n in range(1, 6)]
    document = f"""query ($after: String, $reverse: Boolean!) {{
      stores(first: 2, after: $after, reverse: $reverse) {{
        nodes {{ code }} edges {{ cursor node {{ code }} }} {PAGE}
      }}
    }}"""
    for reverse, expected in ((False, codes), (True, codes[::-1])):
        seen: list[str] = []
        after = None
        for page_number in range(3):
            page = send(document, token=operator, after=after, reverse=reverse)["stores"]
            seen += [node["code"] for node in page["nodes"]]
            info = page["pageInfo"]
            assert info["startCursor"] == page["edges"][0]["cursor"]
            assert info["endCursor"] == page["edges"][-1]["cursor"]
            assert info["hasPreviousPage"] is (page_number > 0)
            assert info["hasNextPage"] is (page_number < 2)
            after = info["endCursor"]
        assert seen == expected


def test_cursor_of_another_list_is_refused(send: Client, operator: str) -> None:
    region = make_unit()
    make_store("S1")
    cursor = send("{ stores { pageInfo { endCursor } } }", token=operator)
    after = cursor["stores"]["pageInfo"]["endCursor"]
    document = "query ($u: ID!, $a: String!) { stores(under: $u, after: $a) { nodes { id } } }"
    answer = send.post(document, token=operator, u=region.id, a=after)
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": ["after"]}


@pytest.mark.parametrize("first", [0, -1, 101])
def test_page_size_out_of_bounds_is_refused(send: Client, operator: str, first: int) -> None:
    document = "query ($first: Int!) { stores(first: $first) { nodes { id } } }"
    answer = send.post(document, token=operator, first=first)
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": ["first"]}


def test_stores_under_a_unit_come_by_name(send: Client, operator: str) -> None:
    region = make_unit()
    make_store("S1", name="乙", under=region.id)
    make_store("S2", name="一", under=region.id)
    make_store("S3", name="丙")
    document = "query ($under: ID!) { stores(under: $under) { nodes { name } } }"
    found = send(document, token=operator, under=region.id)
    assert found["stores"]["nodes"] == [{"name": "一"}, {"name": "乙"}]


def test_units_of_a_page_of_stores_are_read_in_one_batch(send: Client, operator: str) -> None:
    regions = [make_unit(name) for name in ("东", "南", "西", "北")]
    for number in range(20):
        make_store(f"S{number}", under=regions[number % 4].id)
    with counted() as calls:
        data = send("{ stores(first: 20) { nodes { name unit { name } } } }", token=operator)
    assert [n["unit"]["name"] for n in data["stores"]["nodes"]] == ["东", "南", "西", "北"] * 5
    # The viewer, the chain's clock, the page of keys, the end of the list, its stores, their units.
    assert calls == {"BatchGetItem": 5, "Query": 1}


def test_nodes_come_in_the_order_asked_with_null_for_what_is_not_there(
    send: Client, operator: str
) -> None:
    store, unit = make_store("S1"), make_unit("华东")
    asked = [
        unit.id,
        "nonsense",
        store.id,
        ids.derived_id("sto", "unknown"),
        ids.derived_id("xyz", "foreign"),
        f"{store.id} ",
        store.id,
    ]
    document = """query ($ids: [ID!]!) {
      nodes(ids: $ids) { __typename id ... on Store { code } ... on OrgUnit { name } }
    }"""
    shown_store = {"__typename": "Store", "id": store.id, "code": "S1"}
    assert send(document, token=operator, ids=asked)["nodes"] == [
        {"__typename": "OrgUnit", "id": unit.id, "name": "华东"},
        None,
        shown_store,
        None,
        None,
        None,
        shown_store,
    ]


def test_more_than_a_hundred_nodes_are_refused(send: Client, operator: str) -> None:
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    answer = send.post(document, token=operator, ids=["x"] * 101)
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": ["ids"]}


def writes(store_id: str, unit_id: str) -> list[tuple[str, dict[str, Any]]]:
    unit = {"kind": "REGION", "name": "区", "parentId": HEADQUARTERS_ID}
    store = {"code": "S9", "name": "店", "parentId": HEADQUARTERS_ID}
    return [
        (UNIT_CREATE, {"input": unit}),
        (STORE_CREATE, {"input": store}),
        (STORE_UPDATE, {"input": {"id": store_id, "name": "改"}}),
        ("mutation ($id: ID!) { storeArchive(id: $id) { store { id } } }", {"id": store_id}),
        ("mutation ($id: ID!) { storeRestore(id: $id) { store { id } } }", {"id": store_id}),
        ("mutation ($id: ID!) { orgUnitArchive(id: $id) { unit { id } } }", {"id": unit_id}),
    ]


def test_members_guides_and_strangers_write_nothing(send: Client) -> None:
    store, unit = make_store(), make_unit()
    guide = auth.issue(Role.GUIDE, ids.derived_id("gde", "1"), unit_id=store.id)
    reader = auth.issue(Role.INTEGRATION, "key_2", scopes=frozenset({"stores:read"}))
    before = [item.serialize() for item in StoresItem.scan()]
    denials = ((MEMBER, 403), (guide, 403), (reader, 403), (None, 401))
    for token, status in denials:
        for document, variables in writes(store.id, unit.id):
            answer = send.post(document, token=token, **variables)
            assert "data" not in answer
            assert send.status == status
    assert [item.serialize() for item in StoresItem.scan()] == before


def test_member_sees_a_store_but_not_its_books(send: Client) -> None:
    make_store(city="上海")
    shown = send('{ store(by: {code: "S1"}) { name city unit { name } } }', token=MEMBER)
    assert shown["store"] == {"name": "S1 店", "city": "上海", "unit": {"name": "测试连锁"}}
    answer = send.post('{ store(by: {code: "S1"}) { name createdAt version } }', token=MEMBER)
    assert "data" not in answer
    assert [(e["message"], e["extensions"]["code"]) for e in answer["errors"]] == [
        ("Store.createdAt is not for MEMBER", "FORBIDDEN"),
        ("Store.version is not for MEMBER", "FORBIDDEN"),
    ]


def test_manager_is_told_which_field_headquarters_decide(send: Client) -> None:
    store = make_store()
    manager = auth.issue(Role.STORE_MANAGER, "mgr_1", unit_id=store.id)
    given = {"id": store.id, "openedOn": "2018-01-01"}
    payload = send(STORE_UPDATE, token=manager, input=given)["storeUpdate"]
    assert payload == {
        "store": None,
        "userErrors": [
            {
                "code": "FORBIDDEN",
                "field": ["input", "openedOn"],
                "message": "Headquarters decide this field",
            }
        ],
    }


STORE_ORDERS = """query ($by: StoreSelector!, $month: String!, $reverse: Boolean! = false) {
  store(by: $by) { orders(month: $month, reverse: $reverse) { nodes { externalId paidAt } } }
}"""


def test_orders_of_a_store_are_those_paid_in_the_month_by_time(
    send: Client, chain: str, operator: str
) -> None:
    store, other = make_store("S1"), make_store("S2")
    for number, (at, where) in enumerate(
        [
            ("2017-12-31T15:59:59Z", store),
            ("2017-12-31T16:00:00Z", store),
            ("2018-01-05T04:00:00Z", store),
            ("2018-01-05T03:00:00Z", store),
            ("2018-01-06T03:00:00Z", other),
        ]
    ):
        paid_at = datetime.fromisoformat(at)
        snapshot = make_snapshot(where, external_id=f"W{number}", paid_at=paid_at)
        orders.apply(snapshot, clock=CLOCK)
    by = {"id": store.id}

    def numbers(month: str, *, reverse: bool = False) -> list[str]:
        data = send(STORE_ORDERS, token=operator, by=by, month=month, reverse=reverse)
        return [order["externalId"] for order in data["store"]["orders"]["nodes"]]

    assert numbers("2018-01") == ["W1", "W3", "W2"]
    assert numbers("2018-01", reverse=True) == ["W2", "W3", "W1"]
    assert numbers("2017-12") == ["W0"]
    assert numbers("2018-02") == []


def test_orders_of_a_store_are_for_those_who_keep_its_books(send: Client, chain: str) -> None:
    store, other = make_store("S1"), make_store("S2")
    manager = auth.issue(Role.STORE_MANAGER, "man_1", unit_id=store.id)

    def code(token: str, store_id: str, month: str = "2018-01") -> str | None:
        answer = send.post(STORE_ORDERS, token=token, by={"id": store_id}, month=month)
        errors = answer.get("errors")
        return errors[0]["extensions"]["code"] if errors else None

    assert code(manager, store.id) is None
    assert code(manager, other.id) == "FORBIDDEN"
    assert code(manager, store.id, "2018-13") == "BAD_USER_INPUT"
    assert code(auth.issue(Role.GUIDE, "gde_1", unit_id=store.id), store.id) == "FORBIDDEN"
    assert code(auth.issue(Role.MEMBER, "mbr_1"), store.id) == "FORBIDDEN"


NEARBY = """query ($position: PositionInput!, $withinMetres: Int! = 5000, $first: Int! = 20) {
  nearbyStores(position: $position, withinMetres: $withinMetres, first: $first) {
    metres store { code isOpen pickup }
  }
}"""
CENTRE = {"latitude": 31.2397, "longitude": 121.4998}


def test_member_finds_the_stores_nearby(send: Client) -> None:
    make_store("S1", position={"latitude": 31.2304, "longitude": 121.4737}, pickup=True)
    make_store("S2", position={"latitude": 31.24, "longitude": 121.49})
    found = send(NEARBY, token=MEMBER, position=CENTRE)["nearbyStores"]
    assert found == [
        {"metres": 932, "store": {"code": "S2", "isOpen": False, "pickup": False}},
        {"metres": 2688, "store": {"code": "S1", "isOpen": False, "pickup": True}},
    ]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"withinMetres": 20_001}, ["withinMetres"]),
        ({"withinMetres": 0}, ["withinMetres"]),
        ({"first": 51}, ["first"]),
        ({"position": {"latitude": 70.1, "longitude": 0.0}}, ["position", "latitude"]),
        ({"position": {"latitude": 0.0, "longitude": 180.1}}, ["position", "longitude"]),
    ],
)
def test_search_nearby_is_bounded(send: Client, wrong: dict[str, Any], field: list[str]) -> None:
    answer = send.post(NEARBY, token=MEMBER, **{"position": CENTRE, **wrong})
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}


def test_members_of_a_store_are_for_who_reaches_it(send: Client, operator: str) -> None:
    here, there = make_store("S1"), make_store("S2")
    put_numbered([1, 2, 3], newest=3, given=lambda n: {"store_id": (here if n < 3 else there).id})
    document = """query ($id: ID!) {
      store(by: {id: $id}) { members(first: 1) { nodes { memberNo } pageInfo { hasNextPage } } }
    }"""
    manager = auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=here.id)
    for token in (operator, manager):
        page = send(document, token=token, id=here.id)["store"]["members"]
        assert page == {
            "nodes": [{"memberNo": "000000013"}],
            "pageInfo": {"hasNextPage": True},
        }
    for token, store in (
        (manager, there),
        (auth.issue(Role.GUIDE, "gde_1", unit_id=here.id), here),
    ):
        answer = send.post(document, token=token, id=store.id)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_unit_is_moved_closed_and_reopened(send: Client, operator: str) -> None:
    east, north = make_unit("华东"), make_unit("华北")
    moved = send(
        """mutation ($input: OrgUnitUpdateInput!) {
          orgUnitUpdate(input: $input) { unit { parent { name } version } userErrors { code } }
        }""",
        token=operator,
        input={"id": north.id, "parentId": east.id},
    )["orgUnitUpdate"]
    assert moved == {"unit": {"parent": {"name": "华东"}, "version": 2}, "userErrors": []}
    for name, archived in (("orgUnitArchive", True), ("orgUnitRestore", False)):
        document = f"mutation ($id: ID!) {{ {name}(id: $id) {{ unit {{ archivedAt }} }} }}"
        unit = send(document, token=operator, id=north.id)[name]["unit"]
        assert (unit["archivedAt"] is not None) is archived


def test_level_of_a_partner_has_the_name_and_benefits_of_the_policy(
    send: Client, operator: str
) -> None:
    levels = [
        {"name": "普通", "growth": 0, "benefits": []},
        {"name": "金牌", "growth": 1000, "benefits": ["优先供货", "专属顾问"]},
    ]
    publish(make_draft(PolicyKind.PARTNER_LEVELS, {"levels": levels}))
    create = """mutation ($input: OrgUnitCreateInput!) {
      orgUnitCreate(input: $input) {
        unit { partnerLevel partnerLevelName partnerBenefits partnerGrowth }
      }
    }"""
    shown = []
    for level in (None, 2, 3):
        given = {"kind": "AGENT", "name": "代理", "parentId": HEADQUARTERS_ID}
        input = {**given, "partnerLevel": level, "partnerGrowth": 1500}
        shown.append(send(create, token=operator, input=input)["orgUnitCreate"]["unit"])
    assert [(one["partnerLevelName"], one["partnerBenefits"]) for one in shown] == [
        (None, []),
        ("金牌", ["优先供货", "专属顾问"]),
        (None, []),
    ]
