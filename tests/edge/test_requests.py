"""Requests by GET, the headers of answers, and the map of statuses."""

import json
from urllib.parse import quote

import pytest

from graphql_api.edge.answers import status_of
from graphql_api.edge.negotiation import GRAPHQL, JSON
from tests.conftest import Client

POSTED = {"content-type": JSON}
TYPENAME = "/graphql?query=" + quote("{ __typename }")
ANSWER = {"data": {"__typename": "Query"}}


def code_of(raw: bytes) -> str:
    """The code of the only error, of an answer that has nothing else."""
    answer = json.loads(raw)
    assert list(answer) == ["errors"]
    [error] = answer["errors"]
    return str(error["extensions"]["code"])


@pytest.mark.parametrize("accept", [JSON, GRAPHQL, f"{GRAPHQL}, {JSON};q=0.9"])
def test_query_runs_by_get(send: Client, database: str, accept: str) -> None:
    assert json.loads(send.request("GET", TYPENAME, accept=accept)) == ANSWER
    assert send.status == 200
    assert send.headers["content-type"].split(";")[0] == accept.split(",")[0]


def test_get_takes_variables_and_the_name_of_an_operation(
    send: Client, chain: str, operator: str
) -> None:
    text = "query A { __typename } query B($n: Int!) { stores(first: $n) { nodes { id } } }"
    variables = quote('{"n": 1}')
    path = f"/graphql?query={quote(text)}&operationName=B&variables={variables}&extensions="
    raw = send.request("GET", path, accept=JSON, authorization=f"Bearer {operator}")
    assert (send.status, json.loads(raw)) == (200, {"data": {"stores": {"nodes": []}}})


def test_mutation_never_runs_by_get(send: Client, database: str, operator: str) -> None:
    path = "/graphql?query=" + quote("mutation { logout { userErrors { code } } }")
    for accept in (JSON, GRAPHQL):
        raw = send.request("GET", path, accept=accept, authorization=f"Bearer {operator}")
        assert (send.status, code_of(raw)) == (405, "BAD_REQUEST")
        assert send.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "headers", [{}, {"accept": "*/*"}, {"accept": "image/avif, */*", "sec-fetch-mode": "no-cors"}]
)
def test_get_that_a_link_can_make_is_refused(send: Client, headers: dict[str, str]) -> None:
    raw = send.request("GET", TYPENAME, body=b"", **headers)
    assert (send.status, code_of(raw)) == (400, "BAD_REQUEST")


def test_get_by_id_alone_is_looked_up_whatever_it_accepts(send: Client, database: str) -> None:
    path = f"/graphql?documentId=sha256:{'0' * 64}"
    raw = send.request("GET", path, body=b"", **{"accept": "*/*", "sec-fetch-site": "cross-site"})
    assert code_of(raw) == "PERSISTED_QUERY_NOT_FOUND"


def test_get_of_a_script_runs(send: Client, database: str) -> None:
    headers = {"accept": "*/*", "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin"}
    assert json.loads(send.request("GET", TYPENAME, body=b"", **headers)) == ANSWER


def test_get_from_another_site_is_refused(send: Client, database: str) -> None:
    headers = {"accept": JSON, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}
    assert code_of(send.request("GET", TYPENAME, body=b"", **headers)) == "BAD_REQUEST"
    asked_first = {**headers, "graphql-require-preflight": "1"}
    assert json.loads(send.request("GET", TYPENAME, body=b"", **asked_first)) == ANSWER


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "query=",
        "query=%FF",
        "query=\xff",
        "query={a}&query={b}",
        "query={a}&variables=1",
        "query={a}&variables=[]",
        "query={a}&variables={",
        "query={a}&extensions=%22x%22",
        "query={a}&variables=" + "[" * 10_000,
        "&".join(f"p{n}=1" for n in range(21)),
    ],
)
def test_parameters_that_are_no_request_are_refused(send: Client, parameters: str) -> None:
    raw = send.request("GET", f"/graphql?{parameters}", accept=JSON)
    assert (send.status, code_of(raw)) == (400, "BAD_REQUEST")


def test_body_in_another_charset_or_encoding_is_refused(send: Client) -> None:
    for headers in (
        {"content-type": f"{JSON}; charset=utf-16"},
        {"content-type": JSON, "content-encoding": "gzip"},
    ):
        raw = send.request("POST", "/graphql", body=b'{"query": "{ __typename }"}', **headers)
        assert (send.status, code_of(raw)) == (415, "BAD_REQUEST")


def test_variables_of_too_many_values_are_refused(send: Client) -> None:
    for filler in ([0] * 20_001, [[[0] * 100 for _ in range(100)] for _ in range(2)]):
        body = json.dumps({"query": "{ __typename }", "variables": {"a": filler}}).encode()
        raw = send.request("POST", "/graphql", body=body, **POSTED)
        assert (send.status, code_of(raw)) == (400, "BAD_REQUEST")


def test_client_that_takes_nothing_of_ours_is_told_what_there_is(send: Client) -> None:
    body = b'{"query": "{ __typename }"}'
    raw = send.request("POST", "/graphql", body=body, accept="text/csv", **POSTED)
    assert (send.status, code_of(raw)) == (406, "BAD_REQUEST")


def test_every_answer_has_a_request_id_and_is_not_kept(send: Client, database: str) -> None:
    whole = b'{"query": "{ __typename }"}'
    ids = set()
    for method, path, body in (
        ("POST", "/graphql", whole),
        ("POST", "/graphql", b"1"),
        ("PUT", "/graphql", whole),
        ("GET", "/nowhere", b""),
    ):
        send.request(method, path, body=body, **POSTED)
        ids.add(send.headers["x-request-id"])
        assert send.headers["cache-control"] == "no-store"
        assert send.headers["content-type"] == "application/json; charset=utf-8"
    assert len(ids) == 4


def test_401_says_how_to_come_in(send: Client, database: str) -> None:
    send.post("{ me { role } }", token="x")
    assert (send.status, send.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("code", "modern", "legacy"),
    [
        (None, 200, 200),
        ("GRAPHQL_PARSE_FAILED", 400, 200),
        ("GRAPHQL_VALIDATION_FAILED", 400, 200),
        ("OPERATION_RESOLUTION_FAILURE", 400, 200),
        ("BAD_USER_INPUT", 400, 200),
        ("PERSISTED_QUERY_NOT_FOUND", 400, 200),
        ("QUERY_TOO_COMPLEX", 400, 200),
        ("BAD_REQUEST", 400, 400),
        ("UNAUTHENTICATED", 401, 401),
        ("FORBIDDEN", 403, 403),
        ("THROTTLED", 429, 429),
        ("INTERNAL_SERVER_ERROR", 500, 500),
    ],
)
def test_status_follows_the_code_and_the_media_type(
    code: str | None, modern: int, legacy: int
) -> None:
    assert (status_of(code, GRAPHQL), status_of(code, JSON)) == (modern, legacy)


def test_older_clients_read_faults_of_a_document_on_200(send: Client, database: str) -> None:
    for text in ("{", "{ nope }", "query A { __typename } query B { __typename }"):
        body = json.dumps({"query": text}).encode()
        first = send.request("POST", "/graphql", body=body, accept=JSON, **POSTED)
        assert send.status == 200
        assert send.request("POST", "/graphql", body=body, accept=GRAPHQL, **POSTED) == first
        assert send.status == 400
