"""Documents by id and by hash: who may send which, and what is kept of them."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from graphql_api import auth
from graphql_api.access.service import keys
from graphql_api.config import settings
from graphql_api.documents import service as documents
from graphql_api.documents.models import DocumentsItem
from graphql_api.documents.rules import hash_of
from graphql_api.edge import persisted
from graphql_api.edge.negotiation import GRAPHQL
from graphql_api.kit.time import real_now
from graphql_api.viewer import SCOPES, SYSTEM, DocumentPolicy, Role
from tests.calls import counted
from tests.conftest import Client
from tests.factories import CLOCK

ROLE = "query MyRole { me { role } }"
OTHER = "query Other { me { id } }"
OPERATOR = auth.issue(Role.OPERATOR, "opr_1", scopes=SCOPES)
FOUND = {"me": {"role": "INTEGRATION"}}


@pytest.fixture
def key(chain: str) -> Any:
    """Makes API keys by their policy."""

    def make(policy: DocumentPolicy) -> str:
        new = keys.ApiKeyCreate(name="till", scopes=SCOPES, documents=policy)
        return keys.create(new, viewer=SYSTEM, clock=CLOCK, at=real_now()).key

    return make


def publish(*texts: str, version: str = "1.0.0") -> None:
    given = documents.ManifestPublish(
        client="till",
        version=version,
        documents=tuple(documents.ManifestDocument(hash=hash_of(t), text=t) for t in texts),
    )
    documents.publish(given, viewer=SYSTEM, clock=CLOCK)


def retire(version: str = "1.0.0") -> None:
    given = documents.ManifestRetire(client="till", version=version)
    documents.retire(given, viewer=SYSTEM, clock=CLOCK)


def post(token: str | None, accept: str = GRAPHQL, **body: Any) -> tuple[int, dict[str, Any]]:
    """The status and the answer to a body."""
    client = Client()
    headers = {"content-type": "application/json", "accept": accept}
    if token:
        headers["authorization"] = f"Bearer {token}"
    raw = client.request("POST", "/graphql", body=json.dumps(body).encode(), **headers)
    return client.status, without_bill(raw)


def without_bill(raw: bytes) -> dict[str, Any]:
    """An answer without what it cost."""
    answer: dict[str, Any] = json.loads(raw)
    answer.pop("extensions", None)
    return answer


def get(token: str, **parameters: str) -> tuple[int, dict[str, Any]]:
    client = Client()
    raw = client.request(
        "GET",
        f"/graphql?{urlencode(parameters)}",
        accept=GRAPHQL,
        authorization=f"Bearer {token}",
    )
    return client.status, without_bill(raw)


def apollo(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}


def code(answer: dict[str, Any]) -> str:
    assert "data" not in answer
    return str(answer["errors"][0]["extensions"]["code"])


def document_id(text: str) -> str:
    return f"sha256:{hash_of(text)}"


def stored() -> int:
    return sum(1 for item in DocumentsItem.scan() if item.id.startswith("sent#"))


# --- documentId ------------------------------------------------------------------------------


def test_a_published_document_is_sent_by_its_id(key: Any) -> None:
    publish(ROLE)
    for policy in DocumentPolicy:
        token = key(policy)
        assert post(token, documentId=document_id(ROLE)) == (200, {"data": FOUND})
        assert get(token, documentId=document_id(ROLE)) == (200, {"data": FOUND})


def test_an_unknown_id_is_not_found(key: Any) -> None:
    token = key(DocumentPolicy.OPEN)
    status, answer = post(token, documentId=document_id(ROLE))
    assert (status, code(answer)) == (400, "PERSISTED_QUERY_NOT_FOUND")
    status, _ = post(token, "application/json", documentId=document_id(ROLE))
    assert status == 200


def test_what_names_no_document_is_a_bad_request(key: Any) -> None:
    publish(ROLE)
    token = key(DocumentPolicy.OPEN)
    bodies: list[dict[str, Any]] = [
        {"documentId": hash_of(ROLE)},
        {"documentId": f"sha256:{hash_of(ROLE).upper()}"},
        {"documentId": "sha256:12"},
        {"documentId": ""},
        {"documentId": 1},
        {"documentId": document_id(ROLE), "query": ROLE},
        {"documentId": document_id(ROLE), "extensions": apollo(ROLE)},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": hash_of(ROLE)}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 1}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": 1}},
        {"extensions": {}},
    ]
    for body in bodies:
        status, answer = post(token, **body)
        assert (status, code(answer)) == (400, "BAD_REQUEST"), body


def test_an_id_is_read_once_a_minute(key: Any) -> None:
    publish(ROLE)
    token = key(DocumentPolicy.TRUSTED)
    post(token, documentId=document_id(ROLE))
    with counted() as calls:
        post(token, documentId=document_id(ROLE))
    assert calls == {"BatchGetItem": 1}  # who holds the key


# --- trusted ---------------------------------------------------------------------------------


def test_a_trusted_client_sends_nothing_that_is_not_published(key: Any) -> None:
    publish(ROLE)
    token = key(DocumentPolicy.TRUSTED)
    assert post(token, query=ROLE) == (200, {"data": FOUND})
    status, answer = post(token, query=OTHER)
    assert (status, code(answer)) == (403, "FORBIDDEN")
    status, answer = post(token, query=OTHER, extensions=apollo(OTHER))
    assert (status, code(answer), stored()) == (403, "FORBIDDEN", 0)


def test_a_trusted_client_does_not_find_what_others_sent(key: Any) -> None:
    open_, trusted = key(DocumentPolicy.OPEN), key(DocumentPolicy.TRUSTED)
    post(open_, query=ROLE, extensions=apollo(ROLE))
    assert post(open_, extensions=apollo(ROLE)) == (200, {"data": FOUND})
    assert code(post(trusted, extensions=apollo(ROLE))[1]) == "PERSISTED_QUERY_NOT_FOUND"
    assert code(post(trusted, query=ROLE)[1]) == "FORBIDDEN"
    publish(ROLE)
    assert post(trusted, documentId=document_id(ROLE)) == (200, {"data": FOUND})


def test_a_retired_document_is_found_by_nobody_within_a_minute(
    key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persisted, "GOOD_FOR_SECONDS", -1)  # the minute is over at once
    publish(ROLE)
    token = key(DocumentPolicy.TRUSTED)
    assert post(token, documentId=document_id(ROLE))[0] == 200
    retire()
    assert code(post(token, documentId=document_id(ROLE))[1]) == "PERSISTED_QUERY_NOT_FOUND"


def test_people_of_trusted_roles_send_published_documents_only(
    chain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(ROLE)
    member = auth.issue(Role.MEMBER, "mbr_1")
    assert post(member, query=OTHER)[0] == 200
    monkeypatch.setenv("APP_TRUSTED_ROLES", "MEMBER,ANONYMOUS")
    settings.cache_clear()
    try:
        assert code(post(member, query=OTHER)[1]) == "FORBIDDEN"
        assert code(post(None, query="{ __typename }")[1]) == "FORBIDDEN"
        found = {"data": {"me": {"role": "MEMBER"}}}
        assert post(member, documentId=document_id(ROLE)) == (200, found)
        assert post(OPERATOR, query=OTHER)[0] == 200
    finally:
        settings.cache_clear()


def test_a_trusted_client_asks_in_bulk_for_published_documents_only(key: Any) -> None:
    run = """mutation Run($query: String!) { bulkOperationRunQuery(input: {query: $query}) {
      operation { state } userErrors { code field } } }"""
    stores = "query Stores { stores { nodes { id } } }"
    publish(run)
    token = key(DocumentPolicy.TRUSTED)
    refused = post(token, query=run, variables={"query": stores})[1]["data"]
    assert refused["bulkOperationRunQuery"] == {
        "operation": None,
        "userErrors": [{"code": "FORBIDDEN", "field": ["input", "query"]}],
    }
    publish(stores, version="1.1.0")
    begun = post(token, query=run, variables={"query": stores})[1]["data"]
    assert begun["bulkOperationRunQuery"]["userErrors"] == []


# --- Apollo's automatic persisted queries ----------------------------------------------------


def test_a_hash_is_learned_with_its_text_and_then_stands_alone(key: Any) -> None:
    token = key(DocumentPolicy.OPEN)
    given = apollo(ROLE)
    _, miss = post(token, extensions=given)
    assert code(miss) == "PERSISTED_QUERY_NOT_FOUND"
    assert miss["errors"][0]["message"] == "PersistedQueryNotFound"  # Apollo looks for it
    assert post(token, query=ROLE, extensions=given) == (200, {"data": FOUND})
    persisted.known.forget()  # another process
    assert post(token, extensions=given) == (200, {"data": FOUND})
    assert get(token, extensions=json.dumps(given)) == (200, {"data": FOUND})
    assert stored() == 1


def test_a_hash_of_another_text_is_refused(key: Any) -> None:
    status, answer = post(key(DocumentPolicy.OPEN), query=OTHER, extensions=apollo(ROLE))
    assert (status, code(answer), stored()) == (400, "BAD_USER_INPUT", 0)


def test_what_is_not_valid_is_not_learned(key: Any) -> None:
    token = key(DocumentPolicy.OPEN)
    for text in ("query {", "query Q { nothing }"):
        _, answer = post(token, query=text, extensions=apollo(text))
        assert ("errors" in answer, stored()) == (True, 0)


def test_nobody_in_particular_teaches_nothing(chain: str) -> None:
    text = "{ __typename }"
    assert post(None, query=text, extensions=apollo(text))[0] == 200
    assert stored() == 0
    assert code(post(None, extensions=apollo(text))[1]) == "PERSISTED_QUERY_NOT_FOUND"


def test_what_is_known_already_is_not_written_again(key: Any) -> None:
    token = key(DocumentPolicy.OPEN)
    post(token, query=ROLE, extensions=apollo(ROLE))
    with counted() as calls:
        post(token, query=ROLE, extensions=apollo(ROLE))
        persisted.known.forget()
        post(token, query=ROLE, extensions=apollo(ROLE))
    assert calls == {"BatchGetItem": 3}  # who holds the key, twice; the hash


def test_a_mutation_that_is_known_by_its_hash_does_not_run_by_get(key: Any) -> None:
    text = 'mutation M { orgUnitArchive(id: "org_1") { userErrors { code } } }'
    token = key(DocumentPolicy.OPEN)
    assert post(token, query=text, extensions=apollo(text))[0] == 200
    status, answer = get(token, extensions=json.dumps(apollo(text)))
    assert (status, code(answer)) == (405, "BAD_REQUEST")


# --- what a process keeps --------------------------------------------------------------------


def test_a_process_keeps_so_many_texts_and_so_much_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persisted, "MAX_KNOWN", 3)
    monkeypatch.setattr(persisted, "MAX_KNOWN_LENGTH", 100)
    memo = persisted._Memo()
    for name in "abcd":
        memo.keep(name, name * 10, published=False)
    assert [name for name in "abcd" if memo.get(name)] == ["b", "c", "d"]
    memo.get("b")
    memo.keep("e", "e" * 85, published=False)
    assert [name for name in "abcde" if memo.get(name)] == ["b", "e"]
    memo.keep("e", "e" * 90, published=True)
    assert [name for name in "abcde" if memo.get(name)] == ["b", "e"]


# --- publishing ------------------------------------------------------------------------------


def test_a_manifest_with_a_bad_document_is_refused_by_its_name(chain: str) -> None:
    texts = [ROLE, "query Broken { me { nothing } }", "{ me { id } }", "query {"]
    given = [{"hash": hash_of(text), "text": text} for text in texts]
    text = """mutation ($input: ClientManifestPublishInput!) {
      clientManifestPublish(input: $input) {
        clientManifest { state } userErrors { code field message } } }"""
    variables = {"input": {"client": "till", "version": "1.0.0", "documents": given}}
    payload = post(OPERATOR, query=text, variables=variables)[1]["data"]["clientManifestPublish"]
    assert payload["clientManifest"] is None
    said = [(e["field"][2], e["message"].partition(":")[0]) for e in payload["userErrors"]]
    assert said == [
        ("1", "Broken"),
        ("2", "It holds one operation, with a name"),
        ("3", "It is no document"),
    ]
    assert list(DocumentsItem.scan()) == []


def test_internal_clients_pay_from_no_bucket(key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_THROTTLED", "true")
    settings.cache_clear()
    shown = []
    try:
        for policy in (DocumentPolicy.OPEN, DocumentPolicy.INTERNAL):
            answer = Client().post(ROLE, token=key(policy))
            assert answer["data"] == FOUND
            shown.append("extensions" in answer)
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert shown == [True, False]
