"""Merging over the API: the answer, what leads to the survivor, who may look, what it reads."""

from typing import Any

import pytest

from graphql_api import auth
from graphql_api.merges.models import merge_id
from graphql_api.stores.models import Store
from graphql_api.viewer import READ_AUDIT, Role
from tests.calls import counted
from tests.conftest import Client
from tests.factories import make_member
from tests.merges.storage import Scene, everything
from tests.stores.factories import make_store, make_unit

MERGE = """
mutation ($survivor: ID!, $loser: ID!) {
  memberMerge(input: {survivorId: $survivor, loserId: $loser, reason: "同一手机"}) {
    merge {
      id state problem reason source sourceRef byRole byId loserId loserMemberNo
      createdAt endedAt moved { part count } survivor { id memberNo }
    }
    userErrors { code field message }
  }
}
"""


def merge(send: Client, token: str, survivor: str, loser: str) -> dict[str, Any]:
    answer: dict[str, Any] = send(MERGE, token=token, survivor=survivor, loser=loser)["memberMerge"]
    return answer


def test_merge_answers_with_what_became_of_it(send: Client, operator: str, scene: Scene) -> None:
    answer = merge(send, operator, scene.survivor.id, scene.loser.id)
    assert answer["userErrors"] == []
    moved = {one["part"]: one["count"] for one in answer["merge"].pop("moved")}
    created, ended = answer["merge"].pop("createdAt"), answer["merge"].pop("endedAt")
    assert created <= ended
    assert (moved["ORDERS"], moved["TAGS"], moved["PARTICIPATIONS"]) == (4, 7, 3)
    assert answer["merge"] == {
        "id": merge_id(scene.loser.id),
        "state": "DONE",
        "problem": None,
        "reason": "同一手机",
        "source": "BY_HAND",
        "sourceRef": None,
        "byRole": "OPERATOR",
        "byId": "opr_1",
        "loserId": scene.loser.id,
        "loserMemberNo": scene.loser.member_no,
        "survivor": {"id": scene.survivor.id, "memberNo": scene.survivor.member_no},
    }


def test_member_shows_who_was_merged_and_everything_of_both(
    send: Client, operator: str, scene: Scene
) -> None:
    merge(send, operator, scene.survivor.id, scene.loser.id)
    document = """query ($id: ID!, $merge: ID!) {
      node(id: $merge) { ... on MemberMerge { state } }
      memberMerge(id: $merge) { survivor { id } }
      member(by: {id: $id}) {
        id
        merges { loserId state survivor { id } }
        tags { name }
        orders(first: 9) { nodes { externalId } }
        participations(first: 9) { nodes { state member { id } } }
        consentHistory(first: 9) { nodes { channel granted } }
        tagHistory(first: 50) { nodes { action } }
        ownershipHistory(first: 9) { nodes { guide { name } endReason } }
      }
    }"""
    answer = send(document, token=operator, id=scene.loser.id, merge=merge_id(scene.loser.id))
    survivor = {"id": scene.survivor.id}
    assert answer["node"] == {"state": "DONE"}
    assert answer["memberMerge"] == {"survivor": survivor}
    member = answer["member"]
    assert member["id"] == scene.survivor.id
    assert member["merges"] == [{"loserId": scene.loser.id, "state": "DONE", "survivor": survivor}]
    assert len(member["tags"]) == 7  # one of eight has run out by the API's clock
    assert len(member["orders"]["nodes"]) == 5
    assert sorted(part["state"] for part in member["participations"]["nodes"]) == [
        "CONVERTED",
        "JOINED",
        "JOINED",
    ]
    assert [part["member"] for part in member["participations"]["nodes"]] == [survivor] * 3
    assert member["ownershipHistory"]["nodes"] == [
        {"guide": {"name": "波"}, "endReason": "MERGED"},
        {"guide": {"name": "安"}, "endReason": "MERGED"},
        {"guide": {"name": "波"}, "endReason": None},
    ]
    told = [(one["channel"], one["granted"]) for one in member["consentHistory"]["nodes"]]
    assert sorted(told[:2]) == [("PHONE", True), ("SMS", True)]
    assert told[2] == ("SMS", False)
    assert sorted(told[3:]) == [("SMS", True), ("WECOM", True)]
    assert [entry["action"] for entry in member["tagHistory"]["nodes"]][:2] == ["ADDED", "ADDED"]
    assert len(member["tagHistory"]["nodes"]) == 7 + 3 + 6  # of the loser, the survivor, and both


def test_log_of_the_survivor_has_what_was_done_with_either(send: Client, scene: Scene) -> None:
    auditor = auth.issue(Role.OPERATOR, "opr_1", scopes=frozenset({READ_AUDIT}))
    merge(send, auditor, scene.survivor.id, scene.loser.id)
    log = """query ($id: ID!) { auditEntries(by: {memberId: $id}, first: 50) {
      nodes { action actorId memberId fields member { id } } } }"""
    for id_ in (scene.survivor.id, scene.loser.id):
        entries = send(log, token=auditor, id=id_)["auditEntries"]["nodes"]
        assert {entry["member"]["id"] for entry in entries} == {scene.survivor.id}
        merged = [entry for entry in entries if entry["action"] == "MERGED"]
        assert [entry["memberId"] for entry in merged] == [scene.loser.id, scene.survivor.id]
        assert {entry["actorId"] for entry in merged} == {"opr_1"}
        assert "identities" in merged[0]["fields"]
        assert [entry["action"] for entry in entries].count("ENROLLED") == 2


def test_merge_under_a_key_that_comes_again_gives_the_same_answer(
    send: Client, operator: str, scene: Scene
) -> None:
    document = MERGE.replace("$loser: ID!)", "$loser: ID!, $key: String!)").replace(
        'memberMerge(input: {survivorId: $survivor, loserId: $loser, reason: "同一手机"})',
        "memberMerge(input: {survivorId: $survivor, loserId: $loser}) @idempotent(key: $key)",
    )
    two = {"survivor": scene.survivor.id, "loser": scene.loser.id}
    key = "0b9a7a52-6b3c-4f7e-9f1d-3f7a2c9d1e00"
    first = send(document, token=operator, key=key, **two)
    assert first["memberMerge"]["merge"]["state"] == "DONE"
    with counted() as calls:
        assert send(document, token=operator, key=key, **two) == first
    assert "TransactWriteItems" not in calls


@pytest.mark.parametrize(
    ("survivor", "loser", "code", "field"),
    [
        ("survivor", "survivor", "INVALID", "loserId"),
        ("survivor", "nobody", "NOT_FOUND", "loserId"),
        ("nobody", "loser", "NOT_FOUND", "survivorId"),
    ],
)
def test_refusal_names_the_field_and_writes_nothing(
    send: Client, operator: str, scene: Scene, survivor: str, loser: str, code: str, field: str
) -> None:
    known = {"survivor": scene.survivor.id, "loser": scene.loser.id, "nobody": "nobody"}
    before = everything()
    answer = merge(send, operator, known[survivor], known[loser])
    [error] = answer["userErrors"]
    assert answer["merge"] is None
    assert (error["code"], error["field"]) == (code, ["input", field])
    assert everything() == before


def test_operator_of_a_region_sees_merges_of_members_of_their_stores(
    send: Client, operator: str, chain: str
) -> None:
    here, there = make_unit("华东"), make_unit("华北")
    store = make_store("S1", under=here.id)
    survivor, loser = make_member(store), make_member(store)
    merge(send, operator, survivor.id, loser.id)
    seen = "query ($id: ID!) { memberMerge(id: $id) { loserId } node(id: $id) { id } }"
    for unit, sees in ((here, True), (there, False)):
        token = auth.issue(Role.OPERATOR, "opr_2", unit_id=unit.id)
        answer = send(seen, token=token, id=merge_id(loser.id))
        assert [answer["memberMerge"] is not None, answer["node"] is not None] == [sees, sees]


def test_reads_of_a_merge_and_of_a_members_merges_are_few(
    send: Client, operator: str, store: Store
) -> None:
    survivor, *losers = (make_member(store) for _ in range(3))
    send("{ me { role } }", token=operator)
    with counted() as calls:
        merge(send, operator, survivor.id, losers[0].id)
    assert calls["TransactWriteItems"] == 2
    merge(send, operator, survivor.id, losers[1].id)
    document = "query ($id: ID!) { member(by: {id: $id}) { merges { loserId survivor { id } } } }"
    with counted() as calls:
        answer = send(document, token=operator, id=survivor.id)
    assert [one["loserId"] for one in answer["member"]["merges"]] == [one.id for one in losers]
    assert calls == {"BatchGetItem": 2 + 1}  # the member, the merges; and whose token it is
