"""Members over GraphQL: found, listed, masked, changed, and refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLObjectType, is_leaf_type, is_required_argument
from graphql.type import get_nullable_type

from graphql_api import auth
from graphql_api.kit import ids
from graphql_api.kit.graphql.access import rule_of
from graphql_api.members import repository
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import NewIdentity
from graphql_api.schema import schema
from graphql_api.stores import repository as stores
from graphql_api.stores.models import HEADQUARTERS_ID, Store
from graphql_api.viewer import READ_MEMBERS, SCOPES, SEE_PERSONAL_DATA, Role
from tests.conftest import Client
from tests.factories import make_member
from tests.orders.storage import everything, member_now
from tests.seeded import EXTERNAL_USER_ID, NAME, NICKNAME, PHONE, UNION_ID

Seeded = dict[str, str]

FIND = "query ($by: MemberSelector!) { member(by: $by) { id } }"
PERSONAL = "name nickname phone birthYear"
FULL = {"name": NAME, "nickname": NICKNAME, "phone": PHONE, "birthYear": 1988}
MASKED = {"name": "王**", "nickname": "明**", "phone": "+86*******8000", "birthYear": None}
NOBODY = ids.derived_id("mbr", "nobody")

ENROL = """mutation ($input: MemberEnrolInput!) {
  memberEnrol(input: $input) { member { id memberNo } userErrors { code field } }
}"""
UPDATE = """mutation ($input: MemberUpdateInput!) {
  memberUpdate(input: $input) {
    member { name nickname gender birthday birthYear city store { id } version }
    userErrors { code field }
  }
}"""
CONSENT = """mutation ($input: MemberConsentSetInput!) {
  memberConsentSet(input: $input) {
    member { consents { purpose channel granted textVersion at withdrawnAt } }
    userErrors { code field }
  }
}"""
IDENTITY_ADD = """mutation ($input: MemberIdentityInput!) {
  memberIdentityAdd(input: $input) {
    member { phone identities { kind value } } userErrors { code field }
  }
}"""
IDENTITY_REMOVE = IDENTITY_ADD.replace("IdentityAdd(", "IdentityRemove(")
ARCHIVE = """mutation ($id: ID!) {
  memberArchive(id: $id) { member { archivedAt version } userErrors { code field } }
}"""
RESTORE = ARCHIVE.replace("memberArchive", "memberRestore")
LIST = """query ($first: Int, $after: String, $reverse: Boolean, $storeId: ID, $guideId: ID) {
  members(
    first: $first, after: $after, reverse: $reverse, storeId: $storeId, guideId: $guideId
  ) {
    nodes { id } pageInfo { hasNextPage endCursor }
  }
}"""


def of_member(seeded: Seeded) -> str:
    return auth.issue(Role.MEMBER, seeded["member"])


def of_guide(seeded: Seeded) -> str:
    return auth.issue(Role.GUIDE, seeded["guide"], unit_id=seeded["store"])


def of_manager(seeded: Seeded) -> str:
    return auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=seeded["store"])


def of_operator(_seeded: Seeded) -> str:
    return auth.issue(Role.OPERATOR, "opr_1")


def of_region(seeded: Seeded) -> str:
    return auth.issue(Role.OPERATOR, "opr_2", unit_id=seeded["region"])


def of_key(_seeded: Seeded) -> str:
    return auth.issue(Role.INTEGRATION, "key_1", scopes=SCOPES - {SEE_PERSONAL_DATA})


STAFF_AND_KEYS = [of_guide, of_manager, of_operator, of_region, of_key]


def shown(answer: dict[str, Any]) -> dict[str, Any]:
    """The only root field of an answer."""
    [value] = answer.values()
    assert value is None or isinstance(value, dict)
    return value or {}


def coded(answer: dict[str, Any]) -> tuple[str, list[str] | None]:
    """Code and field of the one error of an answer, on top or in the payload."""
    if "errors" in answer:
        [error] = answer["errors"]
        return error["extensions"]["code"], error["extensions"].get("field")
    [error] = shown(answer["data"])["userErrors"]
    assert [v for k, v in shown(answer["data"]).items() if k != "userErrors"] == [None]
    return error["code"], error["field"]


# --- found -----------------------------------------------------------------------------------


def test_member_is_found_by_every_selector(send: Client, seeded: Seeded, operator: str) -> None:
    selectors: list[dict[str, Any]] = [
        {"id": seeded["member"]},
        {"memberNo": seeded["member_no"]},
        {"phone": PHONE},
        {"phone": "138 0013 8000"},
        {"unionId": UNION_ID},
        {"identity": {"kind": "PHONE", "value": "138-0013-8000"}},
        {"identity": {"kind": "UNIONID", "value": UNION_ID}},
        {"identity": {"kind": "OPENID", "value": "openid-1"}},
    ]
    found = [send(FIND, token=operator, by=by)["member"] for by in selectors]
    assert found == [{"id": seeded["member"]}] * len(selectors)


def test_whom_a_selector_does_not_name_is_null(send: Client, seeded: Seeded, operator: str) -> None:
    wrong_digit = seeded["member_no"][:-1] + str((int(seeded["member_no"][-1]) + 1) % 10)
    selectors: list[dict[str, Any]] = [
        {"id": ""},
        {"id": "mbr_1"},
        {"id": "x" * 5_000},
        {"id": NOBODY},
        {"id": seeded["store"]},
        {"id": "counter"},
        {"id": "claim#OPENID#openid-1"},
        {"memberNo": wrong_digit},
        {"memberNo": seeded["member_no"][1:]},
        {"memberNo": "０" * 9},
        {"memberNo": ""},
        {"phone": "13900139000"},
        {"unionId": "openid-1"},
        {"identity": {"kind": "POS_CARD", "value": "openid-1"}},
    ]
    found = [send(FIND, token=operator, by=by)["member"] for by in selectors]
    assert found == [None] * len(selectors)


def test_selector_that_cannot_be_right_is_refused_with_its_field(
    send: Client, seeded: Seeded, operator: str
) -> None:
    refused: list[tuple[dict[str, Any], list[str]]] = [
        ({"unionId": ""}, ["by", "unionId"]),
        ({"unionId": "王"}, ["by", "unionId"]),
        ({"identity": {"kind": "OPENID", "value": "a b"}}, ["by", "identity", "value"]),
        ({"identity": {"kind": "PHONE", "value": "13"}}, ["by", "identity", "value"]),
    ]
    answers = [send.post(FIND, token=operator, by=by) for by, _ in refused]
    assert [coded(answer) for answer in answers] == [
        ("BAD_USER_INPUT", field) for _, field in refused
    ]


@pytest.mark.parametrize(
    ("by", "code"),
    [
        ({}, "GRAPHQL_VALIDATION_FAILED"),
        ({"memberNo": None}, "GRAPHQL_VALIDATION_FAILED"),
        ({"memberNo": "1", "phone": PHONE}, "GRAPHQL_VALIDATION_FAILED"),
        ({"phone": "１３８００１３８０００"}, "BAD_USER_INPUT"),
        ({"phone": 13800138000}, "BAD_USER_INPUT"),
    ],
)
def test_selector_is_exactly_one_well_formed_value(
    send: Client, operator: str, chain: str, by: dict[str, Any], code: str
) -> None:
    answer = send.post(FIND, token=operator, by=by)
    assert coded(answer) == (code, None)
    assert "data" not in answer


# --- masked ----------------------------------------------------------------------------------


WHO_LOOK = {Role.OPERATOR, Role.INTEGRATION}


def leaves(type_: GraphQLObjectType, depth: int = 2) -> str:
    """Fields of a type that staff and keys see and that need no argument, two objects deep."""
    chosen = []
    for name, field in type_.fields.items():
        rule = rule_of(field)
        hidden = rule is not None and not rule.allowed | rule.masked >= WHO_LOOK
        if hidden or any(is_required_argument(argument) for argument in field.args.values()):
            continue
        inner = get_nullable_type(field.type)
        while hasattr(inner, "of_type"):
            inner = get_nullable_type(inner.of_type)
        if is_leaf_type(inner):
            chosen.append(name)
        elif depth and isinstance(inner, GraphQLObjectType):
            chosen.append(f"{name} {{ {leaves(inner, depth - 1)} }}")
    return " ".join(chosen) or "__typename"


def test_holder_of_the_scope_sees_a_member_in_full(
    send: Client, seeded: Seeded, operator: str
) -> None:
    document = f"query ($by: MemberSelector!) {{ member(by: $by) {{ {PERSONAL} }} }}"
    by = {"id": seeded["member"]}
    scopes = frozenset({READ_MEMBERS, SEE_PERSONAL_DATA})
    tokens = [
        operator,
        of_member(seeded),
        auth.issue(Role.INTEGRATION, "key_1", scopes=scopes),
        auth.issue(Role.GUIDE, seeded["guide"], unit_id=seeded["store"], scopes=scopes),
        auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=seeded["store"], scopes=scopes),
    ]
    assert [send(document, token=token, by=by)["member"] for token in tokens] == [FULL] * 5


@pytest.mark.parametrize("viewer", STAFF_AND_KEYS)
def test_member_is_masked_by_whatever_way_it_is_reached(
    send: Client, seeded: Seeded, viewer: Callable[[Seeded], str]
) -> None:
    by_id = f'(by: {{ id: "{seeded["member"]}" }})'
    document = f"""{{
      member{by_id} {{ ...Personal }}
      alias: member(by: {{ phone: "{PHONE}" }}) {{ phone: name name: phone birthYear nickname }}
      node(id: "{seeded["member"]}") {{ ... on Member {{ ...Personal }} }}
      nodes(ids: ["{seeded["member"]}"]) {{ ... on Member {{ ...Personal }} }}
      members(first: 1) {{ nodes {{ ...Personal }} edges {{ node {{ ...Personal }} }} }}
      order(by: {{ id: "{seeded["order"]}" }}) {{ member {{ ...Personal }} }}
    }}
    fragment Personal on Member {{ {PERSONAL} }}"""
    data = send(document, token=viewer(seeded))
    alias = {**MASKED, "phone": MASKED["name"], "name": MASKED["phone"]}
    assert data == {
        "member": MASKED,
        "alias": alias,
        "node": MASKED,
        "nodes": [MASKED],
        "members": {"nodes": [MASKED], "edges": [{"node": MASKED}]},
        "order": {"member": MASKED},
    }


@pytest.mark.parametrize("viewer", [of_operator, of_key])
def test_no_field_of_a_masked_member_tells_what_is_hidden(
    send: Client, seeded: Seeded, viewer: Callable[[Seeded], str]
) -> None:
    type_ = schema._schema.type_map["Member"]
    assert isinstance(type_, GraphQLObjectType)
    document = f"query ($by: MemberSelector!) {{ member(by: $by) {{ {leaves(type_)} }} }}"
    answer = send(document, token=viewer(seeded), by={"id": seeded["member"]})
    text = json.dumps(answer, ensure_ascii=False)
    hidden = ["1380013", "0013800", NAME, NAME[1:], NICKNAME, NICKNAME[1:], "1988"]
    assert [secret for secret in hidden if secret in text] == []
    assert answer["member"]["purchases"]["months"][0]["month"] == "2018-01"


@pytest.mark.parametrize("viewer", [of_guide, of_manager, of_operator, of_key])
def test_payload_of_a_command_masks_as_a_query_does(
    send: Client, seeded: Seeded, viewer: Callable[[Seeded], str]
) -> None:
    document = UPDATE.replace("name nickname gender birthday birthYear", PERSONAL)
    data = send(document, token=viewer(seeded), input={"id": seeded["member"], "city": "苏州"})
    member = data["memberUpdate"]["member"]
    assert {name: member[name] for name in MASKED} == MASKED
    assert member["city"] == "苏州"


def test_identities_of_a_masked_member_have_no_value(send: Client, seeded: Seeded) -> None:
    document = "query ($by: MemberSelector!) { member(by: $by) { identities { kind value } } }"
    by = {"id": seeded["member"]}
    full = send(document, token=of_member(seeded), by=by)["member"]["identities"]
    masked = send(document, token=of_operator(seeded), by=by)["member"]["identities"]
    assert [i["kind"] for i in masked] == [i["kind"] for i in full] != []
    assert [i["value"] for i in masked] == [f"{i['value'][0]}**" for i in full]


def test_masked_phone_keeps_the_country_and_no_more_than_four_digits(
    send: Client, seeded: Seeded
) -> None:
    store = stores.get(seeded["store"])
    assert store is not None
    abroad = make_member(store, NewIdentity(kind=IdentityKind.PHONE, value="+85251234567"))
    document = f"query ($by: MemberSelector!) {{ member(by: $by) {{ {PERSONAL} }} }}"
    member = send(document, token=of_operator(seeded), by={"id": abroad.id})["member"]
    assert member == {
        "name": None,
        "nickname": None,
        "phone": "+8******4567",
        "birthYear": None,
    }


# --- within reach ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("viewer", "reached"),
    [
        (of_member, ["member"]),
        (of_guide, ["member"]),
        (of_manager, ["member", "member_beside"]),
        (of_region, ["member", "member_beside"]),
        (of_operator, ["member", "member_beside", "member_elsewhere"]),
        (of_key, ["member", "member_beside", "member_elsewhere"]),
    ],
)
def test_viewer_finds_whom_they_reach_and_nobody_else(
    send: Client, seeded: Seeded, viewer: Callable[[Seeded], str], reached: list[str]
) -> None:
    members = ["member", "member_beside", "member_elsewhere"]
    openids = ["openid-1", "openid-2", "openid-3"]
    by_identity = [{"identity": {"kind": "OPENID", "value": openid}} for openid in openids]
    by_id = [{"id": seeded[name]} for name in members]
    token = viewer(seeded)
    expected = [{"id": seeded[name]} if name in reached else None for name in members]
    assert [send(FIND, token=token, by=by)["member"] for by in by_id] == expected
    assert [send(FIND, token=token, by=by)["member"] for by in by_identity] == expected
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    all_ids = [seeded[name] for name in members]
    assert send(nodes, token=token, ids=all_ids)["nodes"] == expected


def test_me_shows_the_principal_behind_the_token(send: Client, seeded: Seeded) -> None:
    document = "{ me { role id scopes member { phone } store { code } } }"
    operator = auth.issue(Role.OPERATOR, "opr_1", scopes=frozenset({SEE_PERSONAL_DATA}))
    tokens = [of_member(seeded), of_guide(seeded), of_manager(seeded), operator]
    nobody: dict[str, Any] = {"member": None, "store": None, "scopes": []}
    at_store = {**nobody, "store": {"code": "S1"}}
    assert [send(document, token=token)["me"] for token in tokens] == [
        {**nobody, "role": "MEMBER", "id": seeded["member"], "member": {"phone": PHONE}},
        {**at_store, "role": "GUIDE", "id": seeded["guide"]},
        {**at_store, "role": "STORE_MANAGER", "id": "stm_1"},
        {**nobody, "role": "OPERATOR", "id": "opr_1", "scopes": ["members:pii"]},
    ]


# --- listed ----------------------------------------------------------------------------------


def listed(send: Client, token: str, **arguments: Any) -> list[str]:
    given = {"first": 20, "reverse": False, **arguments}
    return [node["id"] for node in send(LIST, token=token, **given)["members"]["nodes"]]


def test_scope_and_arguments_choose_the_list(send: Client, seeded: Seeded) -> None:
    here = [seeded["member"], seeded["member_new"], seeded["member_beside"]]
    there = [seeded["member_elsewhere"]]
    at_store, elsewhere = {"storeId": seeded["store"]}, {"storeId": seeded["other_store"]}
    with_guide, with_other = {"guideId": seeded["guide"]}, {"guideId": seeded["other_guide"]}
    expected: list[tuple[Callable[[Seeded], str], dict[str, str], list[str]]] = [
        (of_guide, {}, here[:2]),
        (of_guide, with_guide, here[:2]),
        (of_manager, {}, here),
        (of_manager, at_store, here),
        (of_manager, with_guide, here[:2]),
        (of_manager, with_other, []),
        (of_region, {}, here),
        (of_region, with_other, []),
        (of_operator, {}, here + there),
        (of_operator, elsewhere, there),
        (of_operator, with_other, there),
        (of_operator, {"storeId": ids.derived_id("sto", "nowhere")}, []),
        (of_key, {}, here + there),
    ]
    found = [listed(send, viewer(seeded), **given) for viewer, given, _ in expected]
    assert [sorted(ids_) for ids_ in found] == [sorted(ids_) for _, _, ids_ in expected]


def test_list_outside_the_viewers_scope_is_refused(send: Client, seeded: Seeded) -> None:
    both = {"storeId": seeded["store"], "guideId": seeded["guide"]}
    refused: list[tuple[Callable[[Seeded], str], dict[str, str], str, list[str] | None]] = [
        (of_member, {}, "FORBIDDEN", None),
        (of_guide, {"guideId": seeded["other_guide"]}, "FORBIDDEN", ["guideId"]),
        (of_guide, {"storeId": seeded["store"]}, "FORBIDDEN", ["storeId"]),
        (of_manager, {"storeId": seeded["other_store"]}, "FORBIDDEN", ["storeId"]),
        (of_region, {"storeId": seeded["other_store"]}, "FORBIDDEN", ["storeId"]),
        (of_operator, both, "BAD_USER_INPUT", ["guideId"]),
        (of_operator, {"storeId": ""}, "BAD_USER_INPUT", ["storeId"]),
        (of_operator, {"storeId": seeded["region"]}, "BAD_USER_INPUT", ["storeId"]),
        (of_operator, {"guideId": seeded["store"]}, "BAD_USER_INPUT", ["guideId"]),
        (of_operator, {"guideId": "x" * 5_000}, "BAD_USER_INPUT", ["guideId"]),
    ]
    outcomes = [
        coded(send.post(LIST, token=viewer(seeded), first=1, reverse=False, **given))
        for viewer, given, _, _ in refused
    ]
    assert outcomes == [(code, field) for _, _, code, field in refused]


def test_list_is_walked_page_by_page_in_both_directions(
    send: Client, seeded: Seeded, operator: str
) -> None:
    names = ("member", "member_beside", "member_elsewhere", "member_new")
    everybody = [seeded[name] for name in names]
    for reverse in (False, True):
        walked, after = [], None
        for _ in everybody:
            given = {"first": 1, "after": after, "reverse": reverse}
            page = send(LIST, token=operator, **given)["members"]
            walked += [node["id"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"] is False
        assert walked == (everybody[::-1] if reverse else everybody)


def test_cursor_of_one_list_is_refused_by_another(
    send: Client, seeded: Seeded, operator: str
) -> None:
    orders = """query ($by: MemberSelector!, $after: String) {
      member(by: $by) { orders(after: $after) { pageInfo { endCursor } } }
    }"""
    by = {"id": seeded["member"]}
    of_orders = send(orders, token=operator, by=by)["member"]["orders"]["pageInfo"]["endCursor"]
    lists: list[dict[str, Any]] = [
        {"reverse": False},
        {"reverse": True},
        {"reverse": False, "storeId": seeded["store"]},
        {"reverse": False, "storeId": seeded["other_store"]},
        {"reverse": False, "guideId": seeded["guide"]},
    ]
    cursors = [
        send(LIST, token=operator, first=1, **given)["members"]["pageInfo"]["endCursor"]
        for given in lists
    ]
    for at, given in enumerate(lists):
        foreign = [*cursors[:at], *cursors[at + 1 :], of_orders, "", "x", cursors[at][:-2]]
        answers = [
            send.post(LIST, token=operator, first=1, after=cursor, **given) for cursor in foreign
        ]
        assert {coded(answer)[0] for answer in answers} == {"BAD_USER_INPUT"}
        assert send(LIST, token=operator, first=1, after=cursors[at], **given)
    answer = send.post(orders, token=operator, by=by, after=cursors[0])
    assert coded(answer) == ("BAD_USER_INPUT", ["after"])


@pytest.mark.parametrize("first", [0, -1, 101])
def test_page_has_one_to_a_hundred_items(
    send: Client, operator: str, chain: str, first: int
) -> None:
    answer = send.post(LIST, token=operator, first=first, reverse=False)
    assert coded(answer) == ("BAD_USER_INPUT", ["first"])


# --- changed ---------------------------------------------------------------------------------


def test_member_is_enrolled_by_a_guide_and_shown_masked(send: Client, seeded: Seeded) -> None:
    document = ENROL.replace("id memberNo", f"id memberNo {PERSONAL} guide {{ id }} store {{ id }}")
    given = {
        "identities": [{"kind": "PHONE", "value": "139 0013 9000"}],
        "name": "孙小红",
        "birthday": "02-29",
        "birthYear": 2000,
        "consents": [{"purpose": "SERVICE", "textVersion": "v1"}],
    }
    payload = send(document, token=of_guide(seeded), input=given)["memberEnrol"]
    member_id = payload["member"].pop("id")
    assert payload == {
        "member": {
            "memberNo": "000000068",
            "name": "孙**",
            "nickname": None,
            "phone": "+86*******9000",
            "birthYear": None,
            "guide": {"id": seeded["guide"]},
            "store": {"id": seeded["store"]},
        },
        "userErrors": [],
    }
    member = member_now(member_id)
    assert (member.phone, member.name, member.birth_year) == ("+8613900139000", "孙小红", 2000)


def test_update_tells_null_from_left_out(send: Client, seeded: Seeded, operator: str) -> None:
    given = {"id": seeded["member"], "nickname": None, "gender": None, "city": "苏州"}
    payload = send(UPDATE, token=operator, input=given)["memberUpdate"]
    version = payload["member"].pop("version")
    assert payload == {
        "member": {
            "name": NAME,
            "nickname": None,
            "gender": "UNKNOWN",
            "birthday": "02-29",
            "birthYear": 1988,
            "city": "苏州",
            "store": {"id": seeded["store"]},
        },
        "userErrors": [],
    }
    stale = {"id": seeded["member"], "city": "杭州", "expectedVersion": version - 1}
    before = everything()
    answer = send.post(UPDATE, token=operator, input=stale)
    assert coded(answer) == ("CONFLICT", ["input", "expectedVersion"])
    assert everything() == before
    current = {**stale, "expectedVersion": version}
    member = send(UPDATE, token=operator, input=current)["memberUpdate"]["member"]
    assert (member["city"], member["version"]) == ("杭州", version + 1)


def test_member_changes_their_own_profile_and_no_others(send: Client, seeded: Seeded) -> None:
    own, other = {"id": seeded["member"]}, {"id": seeded["member_beside"]}
    token = of_member(seeded)
    member = send(UPDATE, token=token, input={**own, "name": "王大明"})["memberUpdate"]["member"]
    assert member["name"] == "王大明"
    before = everything()
    refused = send.post(UPDATE, token=token, input={**other, "name": "王大明"})
    assert coded(refused) == ("NOT_FOUND", ["input", "id"])
    move = {**own, "storeId": seeded["other_store"]}
    assert coded(send.post(UPDATE, token=token, input=move)) == ("FORBIDDEN", ["input", "storeId"])
    assert everything() == before


def test_agreement_is_given_and_withdrawn(send: Client, seeded: Seeded) -> None:
    given = {
        "memberId": seeded["member"],
        "purpose": "MARKETING",
        "channel": "WECOM",
        "granted": True,
        "textVersion": "2018-01",
    }
    token = of_member(seeded)
    send(CONSENT, token=token, input=given)
    answer = send(CONSENT, token=token, input={**given, "granted": False})
    consent = answer["memberConsentSet"]["member"]["consents"][1]
    assert consent.pop("at") <= consent.pop("withdrawnAt")
    assert consent == {
        "purpose": "MARKETING",
        "channel": "WECOM",
        "granted": False,
        "textVersion": "2018-01",
    }


def test_identities_are_added_and_removed(send: Client, seeded: Seeded, operator: str) -> None:
    def change(document: str, kind: str, value: str) -> dict[str, Any]:
        given = {"memberId": seeded["member"], "identity": {"kind": kind, "value": value}}
        member = shown(send(document, token=operator, input=given))["member"]
        assert isinstance(member, dict)
        return member

    own = {"UNIONID": UNION_ID, "OPENID": "openid-1", "YOUZAN": "yz-1"}
    own["WECOM_EXTERNAL"] = EXTERNAL_USER_ID
    known = [{"kind": kind, "value": value} for kind, value in own.items()]
    card = {"kind": "POS_CARD", "value": "880001"}
    assert change(IDENTITY_ADD, "POS_CARD", "880001") == {
        "phone": PHONE,
        "identities": [*known, card],
    }
    assert change(IDENTITY_ADD, "PHONE", "13900139000") == {
        "phone": "+8613900139000",
        "identities": [*known, card],
    }
    assert change(IDENTITY_REMOVE, "PHONE", "13900139000")["phone"] is None
    assert change(IDENTITY_REMOVE, "POS_CARD", "880001")["identities"] == known


def test_membership_ends_and_resumes(send: Client, seeded: Seeded, operator: str) -> None:
    here = {"storeId": seeded["store"]}
    ended = send(ARCHIVE, token=operator, id=seeded["member"])["memberArchive"]["member"]
    assert ended["archivedAt"].endswith("Z")
    others = [seeded["member_beside"], seeded["member_new"]]
    assert sorted(listed(send, operator, **here)) == sorted(others)
    assert send(FIND, token=operator, by={"phone": PHONE})["member"] == {"id": seeded["member"]}
    resumed = send(RESTORE, token=operator, id=seeded["member"])["memberRestore"]["member"]
    assert resumed == {"archivedAt": None, "version": ended["version"] + 1}
    assert len(listed(send, operator, **here)) == 3


# --- refused ---------------------------------------------------------------------------------


def test_bad_input_is_coded_names_its_field_and_writes_nothing(
    send: Client, seeded: Seeded, operator: str
) -> None:
    openid = [{"kind": "OPENID", "value": "openid-9"}]
    enrol = {"identities": openid, "storeId": seeded["store"]}
    update = {"id": seeded["member"]}
    consent = {"memberId": seeded["member"], "purpose": "SERVICE", "granted": True}
    other = {"memberId": seeded["member_elsewhere"]}
    taken = {"identity": {"kind": "PHONE", "value": PHONE}}
    unknown_store, unknown_guide = ids.derived_id("sto", "x"), ids.derived_id("gde", "x")
    first_value = ["identities", "0", "value"]
    refused: list[tuple[str, dict[str, Any], str, list[str]]] = [
        (ENROL, {**enrol, "identities": []}, "INVALID", ["identities"]),
        (ENROL, {**enrol, **of_kind("PHONE", "13")}, "INVALID", first_value),
        (ENROL, {**enrol, **of_kind("PHONE", "１３８００１３８０００")}, "INVALID", first_value),
        (ENROL, {**enrol, **of_kind("PHONE", PHONE)}, "TAKEN", first_value),
        (ENROL, {**enrol, **of_kind("UNIONID", "")}, "INVALID", first_value),
        (ENROL, {**enrol, **of_kind("OPENID", "o" * 129)}, "INVALID", first_value),
        (ENROL, {**enrol, "identities": openid * 21}, "INVALID", ["identities"]),
        (ENROL, {"identities": openid}, "REQUIRED", ["storeId"]),
        (ENROL, {**enrol, "storeId": "store"}, "NOT_FOUND", ["storeId"]),
        (ENROL, {**enrol, "storeId": unknown_store}, "NOT_FOUND", ["storeId"]),
        (ENROL, {**enrol, "storeId": HEADQUARTERS_ID}, "NOT_FOUND", ["storeId"]),
        (ENROL, {**enrol, "homeStoreId": unknown_store}, "NOT_FOUND", ["homeStoreId"]),
        (ENROL, {**enrol, "guideId": unknown_guide}, "NOT_FOUND", ["guideId"]),
        (ENROL, {**enrol, "guideId": seeded["other_guide"]}, "NOT_FOUND", ["guideId"]),
        (ENROL, {**enrol, "name": "王" * 61}, "INVALID", ["name"]),
        (ENROL, {**enrol, "nickname": " "}, "INVALID", ["nickname"]),
        (ENROL, {**enrol, "birthYear": 1899}, "INVALID", ["birthYear"]),
        (ENROL, {**enrol, "birthYear": 2001, "birthday": "02-29"}, "INVALID", ["birthYear"]),
        (ENROL, {**enrol, "joinedAt": "2999-01-01T00:00:00Z"}, "INVALID", ["joinedAt"]),
        (ENROL, {**enrol, **agreed(textVersion="")}, "INVALID", ["consents", "0", "textVersion"]),
        (ENROL, {**enrol, **agreed(at="2999-01-01T00:00:00Z")}, "INVALID", ["consents", "0", "at"]),
        (UPDATE, {"id": "", "name": "王"}, "NOT_FOUND", ["id"]),
        (UPDATE, {"id": "member", "name": "王"}, "NOT_FOUND", ["id"]),
        (UPDATE, {"id": NOBODY, "name": "王"}, "NOT_FOUND", ["id"]),
        (UPDATE, {"id": seeded["store"], "name": "王"}, "NOT_FOUND", ["id"]),
        (UPDATE, {**update, "name": ""}, "INVALID", ["name"]),
        (UPDATE, {**update, "city": "城" * 61}, "INVALID", ["city"]),
        (UPDATE, {**update, "birthYear": 2001}, "INVALID", ["birthYear"]),
        (UPDATE, {**update, "storeId": "store"}, "NOT_FOUND", ["storeId"]),
        (UPDATE, {**update, "storeId": seeded["region"]}, "NOT_FOUND", ["storeId"]),
        (UPDATE, {**update, "name": "王", "expectedVersion": 99}, "CONFLICT", ["expectedVersion"]),
        (CONSENT, {**consent, "textVersion": "v" * 21}, "INVALID", ["textVersion"]),
        (CONSENT, {**consent, "textVersion": "v1", "memberId": "x"}, "NOT_FOUND", ["memberId"]),
        (IDENTITY_ADD, {**other, **taken}, "TAKEN", ["identity", "value"]),
        (IDENTITY_ADD, {**taken, "memberId": NOBODY}, "NOT_FOUND", ["memberId"]),
        (
            IDENTITY_REMOVE,
            {**other, "identity": {"kind": "OPENID", "value": "openid-3"}},
            "FORBIDDEN_TRANSITION",
            ["identity"],
        ),
    ]
    before = everything()
    outcomes = [
        coded(send.post(document, token=operator, input=given)) for document, given, _, _ in refused
    ]
    assert outcomes == [(code, ["input", *field]) for _, _, code, field in refused]
    for document in (ARCHIVE, RESTORE):
        for id_ in ("", "member", NOBODY, seeded["guide"]):
            answer = send.post(document, token=operator, id=id_)
            assert coded(answer) == ("NOT_FOUND", ["id"])
    assert everything() == before


def of_kind(kind: str, value: str) -> dict[str, Any]:
    return {"identities": [{"kind": kind, "value": value}]}


def agreed(**more: str) -> dict[str, Any]:
    return {"consents": [{"purpose": "SERVICE", "textVersion": "v1", **more}]}


def test_value_that_no_scalar_takes_is_refused_before_anything_runs(
    send: Client, seeded: Seeded, operator: str
) -> None:
    enrol = {"identities": [{"kind": "OPENID", "value": "openid-9"}], "storeId": seeded["store"]}
    update = {"id": seeded["member"]}
    refused: list[tuple[str, dict[str, Any], str]] = [
        (ENROL, {**enrol, "birthday": "2-29"}, "birthday"),
        (ENROL, {**enrol, "birthday": "13-01"}, "birthday"),
        (ENROL, {**enrol, "birthday": "０２-２８"}, "birthday"),
        (ENROL, {**enrol, "joinedAt": "2018-01-01"}, "joinedAt"),
        (ENROL, {**enrol, "joinedAt": "2018-01-01T00:00:00"}, "joinedAt"),
        (ENROL, {**enrol, "joinedAt": "２018-01-01T00:00:00Z"}, "joinedAt"),
        (ENROL, {**enrol, "gender": "OTHER"}, "gender"),
        (ENROL, {**enrol, "birthYear": "1988"}, "birthYear"),
        (ENROL, {**enrol, "tier": "V6"}, "tier"),
        (ENROL, {"storeId": seeded["store"]}, "identities"),
        (UPDATE, {**update, "birthday": "02-30"}, "birthday"),
        (UPDATE, {"name": "王"}, "id"),
    ]
    before = everything()
    for document, given, field in refused:
        answer = send.post(document, token=operator, input=given)
        [error] = answer["errors"]
        assert (error["extensions"]["code"], send.status) == ("BAD_USER_INPUT", 400), error
        assert field in error["message"]
        assert "data" not in answer
    assert everything() == before


def test_denied_command_writes_nothing(send: Client, seeded: Seeded) -> None:
    enrol = {"identities": [{"kind": "OPENID", "value": "openid-9"}], "storeId": seeded["store"]}
    identity = {"memberId": seeded["member"], "identity": {"kind": "PHONE", "value": PHONE}}
    readers = frozenset({READ_MEMBERS, SEE_PERSONAL_DATA})
    reader = auth.issue(Role.INTEGRATION, "key_1", scopes=readers)
    denied: list[tuple[str | None, str, dict[str, Any], str]] = [
        (None, ENROL, {"input": enrol}, "UNAUTHENTICATED"),
        (of_member(seeded), ENROL, {"input": enrol}, "FORBIDDEN"),
        (of_member(seeded), IDENTITY_ADD, {"input": identity}, "FORBIDDEN"),
        (of_member(seeded), IDENTITY_REMOVE, {"input": identity}, "FORBIDDEN"),
        (of_member(seeded), ARCHIVE, {"id": seeded["member"]}, "FORBIDDEN"),
        (of_guide(seeded), ARCHIVE, {"id": seeded["member"]}, "FORBIDDEN"),
        (of_manager(seeded), RESTORE, {"id": seeded["member"]}, "FORBIDDEN"),
        (reader, ENROL, {"input": enrol}, "FORBIDDEN"),
        (reader, UPDATE, {"input": {"id": seeded["member"], "name": "王"}}, "FORBIDDEN"),
    ]
    before = everything()
    for token, document, variables, code in denied:
        answer = send.post(document, token=token, **variables)
        assert answer["errors"][0]["extensions"]["code"] == code
        assert "data" not in answer
    assert everything() == before


def test_key_that_may_only_write_enrols_without_seeing(send: Client, store: Store) -> None:
    writer = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({"members:write"}))
    given = {"identities": [{"kind": "OPENID", "value": "openid-9"}], "storeId": store.id}
    document = ENROL.replace("id memberNo", "id")
    payload = send(document, token=writer, input=given)["memberEnrol"]
    assert payload == {"member": None, "userErrors": []}
    assert repository.id_by_claims(["OPENID#openid-9"]) is not None
    again = send.post(document, token=writer, input=given)
    assert coded(again) == ("TAKEN", ["input", "identities", "0", "value"])


def test_refusal_never_repeats_a_phone(send: Client, seeded: Seeded) -> None:
    for value in ("13800138000", "138001380001"):
        given = {**of_kind("PHONE", value), "storeId": seeded["store"]}
        enrolled = send.post(ENROL, token=of_operator(seeded), input=given)
        found = send.post(FIND, token=of_operator(seeded), by={"phone": value})
        assert "1380013" not in json.dumps([enrolled, found])
