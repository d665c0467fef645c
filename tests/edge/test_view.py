"""The HTTP side: whatever is sent, the answer is coded JSON and no server error."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest

from graphql_api import auth, graphiql
from graphql_api.config import settings
from graphql_api.edge.negotiation import GRAPHQL
from graphql_api.kit.time import real_now
from graphql_api.viewer import Role
from tests.conftest import Client

JSON = {"content-type": "application/json"}
WHOLE = b'{"query": "{ __typename }"}'


@pytest.fixture
def rotated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The key `new` signs, the key `local` still verifies."""
    local = settings().token_keys["local"].get_secret_value()
    monkeypatch.setenv("APP_TOKEN_KEYS", f"new:{'ab' * 32},local:{local}")
    settings.cache_clear()
    yield
    settings.cache_clear()


def error_of(raw: bytes) -> dict[str, Any]:
    """The only error of an answer that has nothing else."""
    answer = json.loads(raw)
    assert list(answer) == ["errors"]
    [error] = answer["errors"]
    assert isinstance(error, dict)
    return error


def code_of(raw: bytes) -> str:
    return str(error_of(raw)["extensions"]["code"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"1",
        b"null",
        b'"x"',
        b"[]",
        b"{}",
        b"true",
        WHOLE + b",",
        b"[" + WHOLE + b"]",
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": ""}',
        b'{"query": NaN}',
        b'{"query": "\\ud800"}',
        b'{"query": "\xff"}',
        b"\xff\xfe{\x00}\x00",
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "variables": 0}',
        b'{"query": "{ __typename }", "operationName": false}',
        b'{"query": "{ __typename }", "extensions": "x"}',
    ],
)
def test_body_that_is_no_request_is_refused(send: Client, body: bytes) -> None:
    raw = send.request("POST", "/graphql", body=body, **JSON)
    assert (send.status, code_of(raw)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("opening", [b"[", b'{"query":', b'{"query":"{a}","variables":{"a":['])
def test_json_of_ten_thousand_levels_is_refused(send: Client, opening: bytes) -> None:
    raw = send.request("POST", "/graphql", body=opening * 10_000, **JSON)
    assert (send.status, code_of(raw)) == (400, "BAD_REQUEST")


def test_document_of_ten_thousand_levels_is_refused(send: Client, database: str) -> None:
    for opening in ("{a", "{a(b:[", "{a(b:{c:", "{...{", "query($a:[", "{a@b(c:["):
        answer = send.post(opening * 10_000, token=None)
        assert send.status == 400
        assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED", opening


def test_body_of_more_than_a_million_bytes_is_refused(send: Client, database: str) -> None:
    filler = b" " * (1_000_000 - len(WHOLE))
    raw = send.request("POST", "/graphql", body=WHOLE + filler, **JSON)
    assert (send.status, json.loads(raw)) == (200, {"data": {"__typename": "Query"}})
    raw = send.request("POST", "/graphql", body=WHOLE + filler + b" ", **JSON)
    assert (send.status, code_of(raw)) == (413, "BAD_REQUEST")


@pytest.mark.parametrize(
    "media_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/jsonx",
        "",
    ],
)
def test_other_media_types_are_refused(send: Client, media_type: str) -> None:
    raw = send.request("POST", "/graphql", body=WHOLE, **{"content-type": media_type})
    assert (send.status, code_of(raw)) == (415, "BAD_REQUEST")


def test_body_without_a_media_type_is_refused(send: Client) -> None:
    raw = send.request("POST", "/graphql", body=WHOLE)
    assert (send.status, code_of(raw)) == (415, "BAD_REQUEST")


def test_media_type_may_name_its_charset(send: Client, database: str) -> None:
    named = {"content-type": "Application/JSON; charset=utf-8"}
    raw = send.request("POST", "/graphql", body=WHOLE, **named)
    assert (send.status, json.loads(raw)) == (200, {"data": {"__typename": "Query"}})


def test_browser_gets_graphiql_where_it_is_built(send: Client) -> None:
    raw = send.request("GET", "/graphql", accept="text/html,application/xhtml+xml")
    built = graphiql.page()
    assert (send.status, raw if built else code_of(raw)) == (
        (200, built) if built else (404, "BAD_REQUEST")
    )


def test_page_is_switched_off_by_configuration(
    send: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_GRAPHIQL", "false")
    settings.cache_clear()
    raw = send.request("GET", "/graphql", accept="text/html")
    assert (send.status, code_of(raw)) == (406, "BAD_REQUEST")
    settings.cache_clear()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(send: Client, method: str) -> None:
    raw = send.request(method, "/graphql", body=WHOLE, **JSON)
    assert (send.status, code_of(raw)) == (405, "BAD_REQUEST")
    assert set(send.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_unknown_path_is_refused(send: Client) -> None:
    raw = send.request("GET", "/nowhere")
    assert (send.status, code_of(raw)) == (404, "BAD_REQUEST")


def test_health_needs_nothing(send: Client) -> None:
    assert (send.request("GET", "/health"), send.status) == (b"ok", 200)


CANNOT_RUN = {
    "{": "GRAPHQL_PARSE_FAILED",
    " ": "GRAPHQL_PARSE_FAILED",
    '{ a(b: "\\ud800") }': "GRAPHQL_PARSE_FAILED",
    "{ nope }": "GRAPHQL_VALIDATION_FAILED",
    "{ ...F } fragment F on Query { ...F }": "GRAPHQL_VALIDATION_FAILED",
    "subscription { __typename }": "GRAPHQL_VALIDATION_FAILED",
    "type A { a: Int } query { __typename }": "GRAPHQL_VALIDATION_FAILED",
    "{ stores(first: 3000000000) { nodes { id } } }": "GRAPHQL_VALIDATION_FAILED",
    "query ($a: Int!) { stores(first: $a) { nodes { id } } }": "BAD_USER_INPUT",
    "fragment F on Query { __typename }": "GRAPHQL_VALIDATION_FAILED",
    "query A { __typename } query B { __typename }": "OPERATION_RESOLUTION_FAILURE",
}


def test_document_that_cannot_run_is_refused(send: Client, database: str, operator: str) -> None:
    for document, code in CANNOT_RUN.items():
        answer = send.post(document, token=operator)
        assert send.status == 400, document
        assert list(answer) == ["errors"]
        assert answer["errors"][0]["extensions"]["code"] == code, document


def test_unknown_operation_is_refused(send: Client, database: str) -> None:
    for name in ("B", "", "a"):
        body = json.dumps({"query": "query A { __typename }", "operationName": name}).encode()
        raw = send.request("POST", "/graphql", body=body, accept=GRAPHQL, **JSON)
        assert (send.status, code_of(raw)) == (400, "OPERATION_RESOLUTION_FAILURE"), name


def test_no_token_reaches_nothing_of_the_chain(send: Client, database: str) -> None:
    answer = send.post("{ stores { nodes { name } } }", token=None)
    assert send.status == 401
    assert {e["extensions"]["code"] for e in answer["errors"]} == {"UNAUTHENTICATED"}


def signed(*, key: str = "", kid: Any = "local", algorithm: str = "HS256", **claims: Any) -> str:
    """A token like ours, but for what is given."""
    ours = {
        "iss": settings().token_issuer,
        "aud": settings().token_issuer,
        "sub": "opr_1",
        "role": "OPERATOR",
        "iat": real_now(),
        "exp": real_now() + timedelta(hours=1),
        **claims,
    }
    own_key = settings().token_keys["local"].get_secret_value()
    return jwt.encode(
        {name: value for name, value in ours.items() if value is not None},
        bytes.fromhex(key or own_key) if algorithm != "none" else "",
        algorithm=algorithm,
        headers={"kid": kid} if kid is not None else {},
    )


def accepted(send: Client, authorization: str) -> bool:
    """Whether the header is taken; the answer to a bad one is always the same."""
    raw = send.request("POST", "/graphql", body=WHOLE, authorization=authorization, **JSON)
    if send.status == 200:
        return True
    assert (send.status, code_of(raw)) == (401, "UNAUTHENTICATED")
    assert error_of(raw)["message"] == "The token is invalid or has expired"
    return False


def test_token_of_ours_is_taken(send: Client, database: str) -> None:
    assert accepted(send, f"Bearer {signed()}")
    assert accepted(send, f"bearer  {signed()}")


@pytest.mark.parametrize(
    "changed",
    [
        {"key": "cd" * 32},
        {"kid": "unknown"},
        {"kid": ""},
        {"kid": None},
        {"algorithm": "none"},
        {"role": "SYSTEM"},
        {"role": "ANONYMOUS"},
        {"role": "EMPEROR"},
        {"role": ["OPERATOR"]},
        {"role": None},
        {"sub": None},
        {"sub": 1},
        {"iat": None},
        {"iat": real_now() + timedelta(hours=1)},
        {"exp": None},
        {"exp": real_now() - timedelta(seconds=1)},
        {"aud": "another"},
        {"aud": None},
        {"iss": "another"},
        {"iss": None},
    ],
    ids=lambda changed: next(iter(changed)) + "-" + type(next(iter(changed.values()))).__name__,
)
def test_any_other_token_is_refused(send: Client, changed: dict[str, Any]) -> None:
    assert not accepted(send, f"Bearer {signed(**changed)}")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer 令牌",
        "Basic b3ByOng=",
        "Bearer ...",
    ],
)
def test_header_without_a_token_is_refused(send: Client, authorization: str) -> None:
    assert not accepted(send, authorization)


def test_token_with_changed_claims_is_refused(send: Client) -> None:
    head, _, mac = signed().split(".")
    _, claims, _ = signed(role="MEMBER").split(".")
    assert not accepted(send, f"Bearer {head}.{claims}.{mac}")


@pytest.mark.usefixtures("rotated")
def test_token_lives_as_long_as_its_key_is_in_the_ring(
    send: Client, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = signed(), auth.issue(Role.OPERATOR, "opr_1")
    assert jwt.get_unverified_header(new)["kid"] == "new"
    assert accepted(send, f"Bearer {old}")
    assert accepted(send, f"Bearer {new}")
    monkeypatch.setenv("APP_TOKEN_KEYS", f"new:{'ab' * 32}")
    settings.cache_clear()
    assert not accepted(send, f"Bearer {old}")
    assert accepted(send, f"Bearer {new}")
