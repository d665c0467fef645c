"""Who asks the audit log, and what it answers."""

from typing import Any

import pytest

from graphql_api import auth
from graphql_api.members import service
from graphql_api.members.models import Member
from graphql_api.members.service import Update
from graphql_api.stores.models import Store
from graphql_api.viewer import READ_AUDIT, Role, Viewer
from tests.conftest import Client
from tests.factories import make_member, make_store, make_unit

SCOPE = frozenset({READ_AUDIT})
AUDITOR = auth.issue(Role.OPERATOR, "opr_9", scopes=SCOPE)
READER = auth.issue(Role.OPERATOR, "opr_1", scopes=frozenset({"members:pii"}))
ENTRIES = """query ($by: AuditSelector!, $first: Int = 20, $after: String) {
  auditEntries(by: $by, first: $first, after: $after) {
    nodes { at action actorId actorRole memberId member { memberNo } fields operation }
    pageInfo { hasNextPage endCursor }
  }
}"""


@pytest.fixture
def store(chain: str) -> Store:
    """A store of a region."""
    return make_store("S1", under=make_unit("华东").id)


@pytest.fixture
def member(store: Store) -> Member:
    """A member whom an operator renamed, and then looked at."""
    made = make_member(store, name="王小明")
    renamed = Update(id=made.id, name="王大明", birth_year=1990)
    service.update(renamed, viewer=Viewer(Role.OPERATOR, id="opr_1"))
    return made


def ask(send: Client, token: str, **variables: Any) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = send(ENTRIES, token=token, **variables)["auditEntries"]["nodes"]
    return nodes


def test_operator_is_told_who_looked_at_a_member(send: Client, member: Member) -> None:
    look = "query Look($id: ID!) { member(by: {id: $id}) { birthYear } }"
    send(look, token=READER, id=member.id)
    nodes = ask(send, AUDITOR, by={"memberId": member.id})
    assert [(n["action"], n["actorId"], n["fields"], n["operation"]) for n in nodes] == [
        ("ENROLLED", "system", ["OPENID", "name"], None),
        ("CHANGED", "opr_1", ["birthYear", "name"], None),
        ("READ", "opr_1", ["birthYear"], "Look"),
    ]
    assert {n["member"]["memberNo"] for n in nodes} == {member.member_no}


def test_operator_is_told_what_somebody_did_on_a_day_page_by_page(
    send: Client, member: Member, store: Store
) -> None:
    other = make_member(store, name="孙丽")
    look = "query Look { members { nodes { name } } }"
    send(look, token=READER)
    by = {"actor": {"id": "opr_1"}}
    page = send(ENTRIES, token=AUDITOR, by=by, first=2)["auditEntries"]
    after = page["pageInfo"]["endCursor"]
    assert page["pageInfo"]["hasNextPage"]
    rest = ask(send, AUDITOR, by=by, after=after)
    nodes = [*page["nodes"], *rest]
    assert [n["action"] for n in nodes] == ["CHANGED", "READ", "READ"]
    assert {n["memberId"] for n in nodes[1:]} == {member.id, other.id}
    assert ask(send, AUDITOR, by={"actor": {"id": "opr_1", "day": "2001-01-01"}}) == []


def test_region_asks_about_members_of_its_own_only(
    send: Client, store: Store, member: Member
) -> None:
    elsewhere = make_unit("华北").id
    near = auth.issue(Role.OPERATOR, "opr_2", unit_id=store.parent_id, scopes=SCOPE)
    far = auth.issue(Role.OPERATOR, "opr_3", unit_id=elsewhere, scopes=SCOPE)
    by = {"memberId": member.id}
    assert len(ask(send, near, by=by)) == 2
    for token, asked, code in ((far, by, "NOT_FOUND"), (near, {"actor": {"id": "x"}}, "FORBIDDEN")):
        answer = send.post(ENTRIES, token=token, by=asked)
        assert [error["extensions"]["code"] for error in answer["errors"]] == [code]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.INTEGRATION, Role.MEMBER])
def test_nobody_asks_without_the_scope(send: Client, member: Member, role: Role) -> None:
    scopes = SCOPE if role is Role.INTEGRATION else frozenset()
    token = auth.issue(role, "x_1", scopes=scopes)
    answer = send.post(ENTRIES, token=token, by={"memberId": member.id})
    assert send.status == 403
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}
