"""Bulk operations over GraphQL: one at a time, one's own, and a link to the file."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from graphql_api import auth
from graphql_api.bulk import repository, running, service
from graphql_api.bulk.models import BulkItem
from graphql_api.kit.time import real_now
from graphql_api.members.models import Member
from graphql_api.viewer import READ_STORES, Role, Viewer
from tests.conftest import Client

RUN = """
mutation ($query: String!) { bulkOperationRunQuery(input: {query: $query}) {
  operation { id query state objectCount url fileSize finishedAt }
  userErrors { code field message } } }
"""
CANCEL = """
mutation ($id: ID!) { bulkOperationCancel(id: $id) {
  operation { state finishedAt url } userErrors { code field } } }
"""
LOOK = """
query ($id: ID) { bulkOperation(id: $id) {
  id state objectCount rootObjectCount fileSize url urlUntil problem problemText } }
"""
STORES = "{ stores { nodes { id } } }"


def run(send: Client, token: str, query: str = STORES) -> dict[str, Any]:
    payload: dict[str, Any] = send(RUN, token=token, query=query)["bulkOperationRunQuery"]
    return payload


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


def test_operation_begins_and_is_found_by_its_id_and_as_the_last(
    send: Client, chain: str, operator: str
) -> None:
    assert send(LOOK, token=operator) == {"bulkOperation": None}
    made = run(send, operator)
    operation = made["operation"]
    assert made["userErrors"] == []
    assert operation == {
        "id": operation["id"],
        "query": STORES,
        "state": "WAITING",
        "objectCount": 0,
        "url": None,
        "fileSize": None,
        "finishedAt": None,
    }
    by_id = send(LOOK, token=operator, id=operation["id"])
    assert by_id["bulkOperation"]["state"] == "WAITING"
    assert send(LOOK, token=operator) == by_id


def test_second_one_waits_for_the_first_and_an_abandoned_one_gives_way(
    send: Client, chain: str, operator: str
) -> None:
    first = run(send, operator)["operation"]["id"]
    before = [item.serialize() for item in BulkItem.scan()]
    assert codes(run(send, operator)) == [("LIMIT_EXCEEDED", None)]
    assert [item.serialize() for item in BulkItem.scan()] == before
    other = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({READ_STORES}))
    assert codes(run(send, other)) == []

    viewer = Viewer(Role.OPERATOR, "opr_1")
    later = service.run(STORES, viewer=viewer, at=real_now() + timedelta(hours=1))
    abandoned = repository.get(first)
    assert abandoned is not None
    assert (abandoned.state, abandoned.problem) == ("FAILED", "ABANDONED")
    assert send(LOOK, token=operator)["bulkOperation"]["id"] == later.id


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ me { role } }", "INVALID"),
        ("{", "INVALID"),
        ("{ members { nodes { id } } }", "FORBIDDEN"),
    ],
)
def test_query_is_refused_with_the_reason_and_nothing_is_written(
    send: Client, chain: str, query: str, code: str
) -> None:
    token = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({READ_STORES}))
    refused = run(send, token, query)
    assert {found for found, _ in codes(refused)} == {code}
    assert {tuple(field) for _, field in codes(refused)} == {("input", "query")}
    assert list(BulkItem.scan()) == []


def test_operation_of_another_is_not_seen_and_not_cancelled(
    send: Client, chain: str, operator: str
) -> None:
    id_ = run(send, operator)["operation"]["id"]
    other = auth.issue(Role.OPERATOR, "opr_2")
    assert send(LOOK, token=other, id=id_) == {"bulkOperation": None}
    assert send("query ($id: ID!) { node(id: $id) { id } }", token=other, id=id_) == {"node": None}
    before = [item.serialize() for item in BulkItem.scan()]
    assert codes(send(CANCEL, token=other, id=id_)["bulkOperationCancel"]) == [
        ("NOT_FOUND", ["id"])
    ]
    assert [item.serialize() for item in BulkItem.scan()] == before


def test_cancelling_twice_changes_nothing_and_frees_the_client(
    send: Client, chain: str, operator: str
) -> None:
    id_ = run(send, operator)["operation"]["id"]
    first = send(CANCEL, token=operator, id=id_)
    assert first["bulkOperationCancel"]["operation"]["state"] == "CANCELLED"
    assert send(CANCEL, token=operator, id=id_) == first
    assert codes(run(send, operator)) == []


@pytest.mark.engine("ministack", "DynamoDB Local keeps no files")
def test_link_gives_the_file_and_a_finished_one_is_not_cancelled(
    send: Client, bucket: str, members: list[Member], operator: str
) -> None:
    id_ = run(send, operator, "{ members { nodes { memberNo } } }")["operation"]["id"]
    assert asyncio.run(running.run(id_, seconds=60))
    shown = send(LOOK, token=operator, id=id_)["bulkOperation"]
    assert (shown["state"], shown["objectCount"], shown["rootObjectCount"]) == ("DONE", 3, 3)
    got = httpx.get(shown["url"], trust_env=False)
    assert got.status_code == 200
    assert len(got.content) == shown["fileSize"]
    assert f'filename="{id_}.jsonl.gz"' in got.headers["content-disposition"]
    refused = send(CANCEL, token=operator, id=id_)["bulkOperationCancel"]
    assert codes(refused) == [("FORBIDDEN_TRANSITION", ["id"])]
