"""What is seen in full is recorded once a request, or is not seen."""

import re
from typing import Any

import pytest
from graphql import GraphQLObjectType

from graphql_api import auth
from graphql_api.audit import repository
from graphql_api.kit.graphql import rule_of
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind
from graphql_api.members.types import PERSONAL
from graphql_api.schema import schema
from graphql_api.stores.models import Store
from graphql_api.viewer import SCOPES, Role
from tests.audit.storage import entries, forget, said
from tests.calls import counted
from tests.conftest import Client
from tests.factories import make_guide, make_identity, make_member, make_store

PHONE = "+8613800138000"
PII = frozenset({"members:pii"})
OPERATOR = auth.issue(Role.OPERATOR, "opr_1", scopes=PII)
ONE = "query Look($id: ID!) { member(by: {id: $id}) { name phone } }"


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


@pytest.fixture
def member(store: Store) -> Member:
    """A member about whom nothing is recorded yet."""
    guide = make_guide(store, "李芳")
    phone = make_identity(PHONE, IdentityKind.PHONE)
    made = make_member(store, phone, make_identity(), name="王小明", guide_id=guide.id)
    forget()
    return made


def test_operator_who_sees_a_member_in_full_is_recorded(send: Client, member: Member) -> None:
    send(ONE, token=OPERATOR, id=member.id)
    [entry] = entries()
    assert said(member.id) == [("OPERATOR", "opr_1", "READ", ["name", "phone"])]
    assert entry.operation == "Look"
    assert re.fullmatch("[0-9a-f]{32}", entry.request_id)
    assert (entry.forget_at - entry.at).days >= 3 * 365


def test_key_that_sees_a_page_is_recorded_once_for_each_member_in_one_call(
    send: Client, member: Member, store: Store
) -> None:
    beside = make_member(store, name="孙丽", birthday="02-29")
    forget()
    document = """{
      a: members { nodes { name birthday } }
      b: members { nodes { name identities { value } birthYear } }
    }"""
    with counted() as calls:
        send(document, token=auth.issue(Role.INTEGRATION, "key_1", scopes=SCOPES))
    fields = ["birth_year", "birthday", "identities", "name"]
    assert calls["BatchWriteItem"] == 1
    for seen in (member, beside):
        assert said(seen.id) == [("INTEGRATION", "key_1", "READ", fields)]


def test_only_what_was_read_is_recorded(send: Client, member: Member) -> None:
    document = """query ($id: ID!, $no: Boolean!) {
      member(by: {id: $id}) { memberNo nickname name @skip(if: $no) city }
    }"""
    send(document, token=OPERATOR, id=member.id, no=True)
    assert said() == [("OPERATOR", "opr_1", "READ", ["nickname"])]


@pytest.mark.parametrize("field", ["memberNo", "city", "store { name }", "tags { name }"])
def test_what_is_no_personal_data_is_not_recorded(send: Client, member: Member, field: str) -> None:
    send(f'{{ member(by: {{id: "{member.id}"}}) {{ {field} }} }}', token=OPERATOR)
    assert said() == []


def test_who_sees_masks_or_themselves_is_not_recorded(send: Client, member: Member) -> None:
    guide, store = str(member.guide_id), member.store_id
    for token in (
        auth.issue(Role.MEMBER, member.id),
        auth.issue(Role.GUIDE, guide, unit_id=store),
        auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=store),
        auth.issue(Role.OPERATOR, "opr_2"),
    ):
        shown = send(ONE, token=token, id=member.id)
        assert shown["member"]["name"] in {"王小明", "王**"}
    assert said() == []


def test_member_reached_through_an_order_or_a_payload_is_recorded_too(
    send: Client, member: Member
) -> None:
    change = """mutation Rename($input: MemberUpdateInput!) {
      memberUpdate(input: $input) { member { phone } userErrors { code } }
    }"""
    send(change, token=OPERATOR, input={"id": member.id, "nickname": "明明"})
    assert said() == [
        ("OPERATOR", "opr_1", "CHANGED", ["nickname"]),
        ("OPERATOR", "opr_1", "READ", ["phone"]),
    ]
    written, read = entries()
    assert written.request_id == read.request_id
    assert (written.operation, read.operation) == ("Rename", "Rename")


def test_read_that_cannot_be_recorded_shows_nothing(
    send: Client, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_entries: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(repository, "add_all", fail)
    answer = send.post(ONE, token=OPERATOR, id=member.id)
    assert answer["data"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL_SERVER_ERROR"]
    assert "王小明" not in str(answer)
    seen = send("{ members { nodes { memberNo } } }", token=OPERATOR)
    assert seen["members"]["nodes"] == [{"memberNo": member.member_no}]


def test_every_field_that_can_be_masked_is_recorded() -> None:
    """And identities, which whole roles do not get, and the birthday."""
    shown = schema._schema.type_map["Member"]
    assert isinstance(shown, GraphQLObjectType)
    fields = shown.fields
    masked = {name for name, f in fields.items() if (rule := rule_of(f)) and rule.masked}
    names = {re.sub("_(.)", lambda found: found[1].upper(), name) for name in PERSONAL}
    assert masked | {"identities", "birthday"} == names
