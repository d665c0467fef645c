"""Policies over GraphQL."""

from typing import Any

import pytest

from graphql_api import auth
from graphql_api.policies.models import PoliciesItem
from graphql_api.policies.rules import PolicyKind
from graphql_api.viewer import Role
from tests.calls import counted
from tests.conftest import Client
from tests.policies.factories import make_draft, publish

pytestmark = pytest.mark.usefixtures("chain")

SHOWN = "kind version state document draftedBy publishedBy supersededAt"
DRAFT = f"""mutation ($input: PolicyDraftInput!) {{
  policyDraft(input: $input) {{ policy {{ {SHOWN} }} userErrors {{ code field message }} }}
}}"""
PUBLISH = """mutation ($input: PolicyPublishInput!) {
  policyPublish(input: $input) { policy { version state } userErrors { code field } }
}"""
DISCARD = """mutation ($input: PolicyDraftDiscardInput!) {
  policyDraftDiscard(input: $input) { policy { version state } userErrors { code field } }
}"""
VALIDATE = """query ($kind: PolicyKind!, $numbers: JSON!) {
  policyValidate(kind: $kind, document: $numbers) { code field message }
}"""
VERSIONS = """query ($kind: PolicyKind!, $first: Int! = 20, $after: String) {
  policyVersions(kind: $kind, first: $first, after: $after) {
    nodes { version state } pageInfo { hasNextPage endCursor }
  }
}"""
MANAGER = auth.issue(Role.STORE_MANAGER, "stm_1", unit_id="sto_1")
MEMBER = auth.issue(Role.MEMBER, "mbr_1")
KEY = auth.issue(Role.INTEGRATION, "key_2", scopes=frozenset({"members:read"}))


def stored() -> list[dict[str, Any]]:
    return sorted((item.serialize() for item in PoliciesItem.scan()), key=str)


def test_policies_in_force_are_shown_with_their_documents(send: Client, operator: str) -> None:
    publish(make_draft())
    with counted() as calls:
        data = send(
            f"{{ policies {{ {SHOWN} }} policy(kind: GROWTH) {{ id version }} }}", token=operator
        )
    shown = {policy["kind"]: policy for policy in data["policies"]}
    assert list(shown) == [kind.value for kind in PolicyKind]
    assert shown["GROWTH"] == {
        "kind": "GROWTH",
        "version": 1,
        "state": "PUBLISHED",
        "document": {"fenPerPoint": 200},
        "draftedBy": "opr_1",
        "publishedBy": "opr_1",
        "supersededAt": None,
    }
    assert (shown["LIFECYCLE"]["version"], shown["LIFECYCLE"]["state"]) == (0, "SHIPPED")
    assert shown["LIFECYCLE"]["document"]["winBackMonths"] == 9
    # The viewer, the clock, the heads, the one that is not shipped.
    assert calls == {"BatchGetItem": 4}
    node = "query ($id: ID!) { node(id: $id) { ... on Policy { kind version } } }"
    found = send(node, token=operator, id=data["policy"]["id"])["node"]
    assert found == {"kind": "GROWTH", "version": 1}


def test_policy_is_drafted_and_published(send: Client, operator: str) -> None:
    given = {"kind": "LIFECYCLE", "document": {"dormantMonths": 18}, "expectedVersion": 0}
    payload = send(DRAFT, token=operator, input=given)["policyDraft"]
    document = {"onboardingMonths": 3, "awakeningMonths": 6, "winBackMonths": 9}
    assert payload == {
        "policy": {
            "kind": "LIFECYCLE",
            "version": 1,
            "state": "DRAFT",
            "document": document | {"dormantMonths": 18},
            "draftedBy": "opr_1",
            "publishedBy": None,
            "supersededAt": None,
        },
        "userErrors": [],
    }
    given = {"kind": "LIFECYCLE", "draftVersion": 1}
    payload = send(PUBLISH, token=operator, input=given)["policyPublish"]
    assert payload == {"policy": {"version": 1, "state": "PUBLISHED"}, "userErrors": []}


def test_document_may_stand_in_the_query_itself(send: Client, operator: str) -> None:
    document = """mutation {
      policyDraft(input: {kind: TIER_LADDER, document: {
        metric: ORDERS, tiers: [{name: "新", threshold: 0}, {name: "老", threshold: 5}]
      }}) { policy { document } userErrors { message } }
    }"""
    payload = send(document, token=operator)["policyDraft"]
    assert payload["userErrors"] == []
    assert payload["policy"]["document"]["tiers"][1] == {"name": "老", "threshold": 5}
    assert payload["policy"]["document"]["metric"] == "ORDERS"


def test_wrong_document_is_told_field_by_field_before_and_at_the_draft(
    send: Client, operator: str
) -> None:
    wrong = {"kind": "TIER_LADDER", "document": {"windowMonths": 40, "tiers": [{"threshold": 1}]}}
    given = {"kind": wrong["kind"], "numbers": wrong["document"]}
    told = send(VALIDATE, token=operator, **given)["policyValidate"]
    assert [(e["code"], e["field"]) for e in told] == [
        ("INVALID", ["document", "windowMonths"]),
        ("INVALID", ["document", "tiers", "0", "name"]),
    ]
    payload = send(DRAFT, token=operator, input=wrong)["policyDraft"]
    assert payload["policy"] is None
    assert payload["userErrors"] == [e | {"field": ["input", *e["field"]]} for e in told]
    right = {"kind": "TIER_LADDER", "numbers": {}}
    assert send(VALIDATE, token=operator, **right)["policyValidate"] == []
    assert stored() == []


def test_what_is_no_document_is_bad_input(send: Client, operator: str) -> None:
    deep: dict[str, Any] = {}
    for _ in range(20):
        deep = {"x": deep}
    no_documents: list[Any] = [[], "x", 1, None, deep, {"x": [0] * 2_000}, {"x": 2**54}]
    for numbers in no_documents:
        answer = send.post(VALIDATE, token=operator, kind="GROWTH", numbers=numbers)
        [error] = answer["errors"]
        assert error["extensions"]["code"] in {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}
    literal = "{ policyValidate(kind: GROWTH, document: {x: 1e999}) { code } }"
    [error] = send.post(literal, token=operator)["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_versions_are_listed_page_by_page(send: Client, operator: str) -> None:
    publish(make_draft())
    make_draft(document={"fenPerPoint": 300})
    seen: list[tuple[int, str]] = []
    after = None
    while True:
        data = send(VERSIONS, token=operator, kind="GROWTH", first=2, after=after)
        listed = data["policyVersions"]
        seen += [(one["version"], one["state"]) for one in listed["nodes"]]
        if not listed["pageInfo"]["hasNextPage"]:
            break
        after = listed["pageInfo"]["endCursor"]
    assert seen == [(0, "SHIPPED"), (1, "PUBLISHED"), (2, "DRAFT")]


def test_draft_is_discarded(send: Client, operator: str) -> None:
    make_draft()
    given = {"kind": "GROWTH", "expectedVersion": 2}
    payload = send(DISCARD, token=operator, input=given)["policyDraftDiscard"]
    assert payload["userErrors"] == [{"code": "CONFLICT", "field": ["input", "expectedVersion"]}]
    payload = send(DISCARD, token=operator, input={"kind": "GROWTH"})["policyDraftDiscard"]
    assert payload == {"policy": {"version": 0, "state": "SHIPPED"}, "userErrors": []}


def test_staff_read_what_is_in_force_and_nothing_else(send: Client, operator: str) -> None:
    draft = make_draft()
    assert send("{ policy(kind: RFM) { document } }", token=MANAGER)["policy"]["document"]
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert send(node, token=MANAGER, id=draft.id)["node"] is None
    assert send(node, token=operator, id=draft.id)["node"] == {"id": draft.id}
    assert send(node, token=MEMBER, id=publish(draft).id)["node"] is None
    for token in (MEMBER, KEY):
        assert "data" not in send.post("{ policies { kind } }", token=token)
        assert send.status == 403


def test_those_who_may_not_manage_write_nothing(send: Client) -> None:
    make_draft()
    before = stored()
    commands: list[tuple[str, dict[str, Any]]] = [
        (DRAFT, {"input": {"kind": "GROWTH", "document": {}}}),
        (PUBLISH, {"input": {"kind": "GROWTH", "draftVersion": 1}}),
        (DISCARD, {"input": {"kind": "GROWTH"}}),
        (VERSIONS, {"kind": "GROWTH"}),
        (VALIDATE, {"kind": "GROWTH", "numbers": {}}),
    ]
    for token, status in ((MANAGER, 403), (MEMBER, 403), (KEY, 403), (None, 401)):
        for document, variables in commands:
            assert "data" not in send.post(document, token=token, **variables)
            assert send.status == status
    assert stored() == before
