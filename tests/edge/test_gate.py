"""The gate: what a viewer may select is decided on the document, before anything runs."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLSyntaxError, Source, parse

from graphql_api import auth
from graphql_api.edge import documents
from graphql_api.edge.documents import read_document
from graphql_api.edge.faults import shown_errors
from graphql_api.edge.gate import refusals
from graphql_api.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from graphql_api.kit import ids
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.schema import schema
from graphql_api.viewer import ANONYMOUS, Role, Viewer
from tests.conftest import Client
from tests.stores.factories import make_store

MEMBER = Viewer(Role.MEMBER, id="mbr_1")
MEMBER_TOKEN = auth.issue(Role.MEMBER, ids.derived_id("mbr", "1"))
OPERATOR = Viewer(Role.OPERATOR, id="opr_1")
SECRET = "call 13800138000 with token abc"
SELECT = 'store(by: {code: "S1"})'


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.records.append(record)


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    """What our logger says."""
    handler = Kept()
    ours = logging.getLogger("member-operations")
    ours.addHandler(handler)
    yield handler.records
    ours.removeHandler(handler)


def denied(text: str, viewer: Viewer, operation: str | None = None) -> list[str]:
    """What the gate says of a valid document."""
    document = read_document(schema._schema, parse(text))
    assert document.errors == ()
    return [error.message for error in refusals(document.operations[operation].uses, viewer)]


def test_every_denied_field_is_named_once_and_not_by_its_alias() -> None:
    text = f"{{ a: {SELECT} {{ name x: version }} b: {SELECT} {{ version createdAt }} }}"
    assert denied(text, MEMBER) == [
        "Store.version is not for MEMBER",
        "Store.createdAt is not for MEMBER",
    ]
    assert denied(text, OPERATOR) == []


def test_field_inside_fragments_is_denied_too() -> None:
    text = f"""query {{ node(id: "x") {{ ... on Store {{ ...A }} }} {SELECT} {{ ...B }} }}
      fragment A on Store {{ ... {{ ... @include(if: false) {{ version }} }} }}
      fragment B on Store {{ unit {{ ...C }} }}
      fragment C on OrgUnit {{ stores {{ edges {{ node {{ createdAt }} }} }} }}"""
    assert set(denied(text, MEMBER)) == {
        "Store.version is not for MEMBER",
        "OrgUnit.stores is not for MEMBER",
        "Store.createdAt is not for MEMBER",
    }


def test_nobody_may_ask_what_the_schema_is_and_no_more() -> None:
    assert denied("{ __typename __schema { types { name } } }", ANONYMOUS) == []
    assert denied('{ node(id: "x") { id } }', ANONYMOUS) == ["Query.node is not for ANONYMOUS"]


def test_key_needs_the_scope_of_the_field() -> None:
    text = f"{{ {SELECT} {{ name }} }}"
    assert denied(text, Viewer(Role.INTEGRATION, scopes=frozenset({"stores:read"}))) == []
    assert denied(text, Viewer(Role.INTEGRATION, scopes=frozenset({"orders:read"}))) == [
        "Query.store is not for INTEGRATION",
        "Store.name is not for INTEGRATION",
    ]


TWO = f"""
  query Open {{ {SELECT} {{ ...Shared }} }}
  query Closed {{ {SELECT} {{ ...Shared ...Books }} }}
  fragment Shared on Store {{ name }}
  fragment Books on Store {{ version }}"""


def test_operation_is_checked_alone() -> None:
    assert denied(TWO, MEMBER, "Open") == []
    assert denied(TWO, MEMBER, "Closed") == ["Store.version is not for MEMBER"]


def test_only_the_operation_that_was_named_runs(send: Client, chain: str) -> None:
    make_store("S1")
    headers = {"content-type": "application/json", "authorization": f"Bearer {MEMBER_TOKEN}"}

    def run(name: str) -> dict[str, Any]:
        body = json.dumps({"query": TWO, "operationName": name}).encode()
        answer: dict[str, Any] = json.loads(send.request("POST", "/graphql", body=body, **headers))
        return answer

    assert run("Open") == {"data": {"store": {"name": "S1 店"}}}
    assert run("Closed")["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert send.status == 403
    assert run("Open") == {"data": {"store": {"name": "S1 店"}}}


def test_known_document_is_checked_for_every_viewer(
    send: Client, chain: str, operator: str
) -> None:
    make_store("S1")
    text = f"{{ {SELECT} {{ version }} }}"
    for _ in range(2):
        assert send(text, token=operator) == {"store": {"version": 1}}
        assert send.post(text, token=MEMBER_TOKEN)["errors"][0]["extensions"] == {
            "code": "FORBIDDEN"
        }
        assert send.post(text, token=None)["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


def test_known_invalid_document_stays_invalid(send: Client, database: str, operator: str) -> None:
    first, second = (send.post("{ nope }", token=operator) for _ in range(2))
    assert first == second
    assert first["errors"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


def test_fragment_is_counted_once_however_often_it_is_spread() -> None:
    text = f"{{ {'...F ' * 500} }} fragment F on Query {{ {SELECT} {{ version }} }}"
    document = read_document(schema._schema, parse(text))
    assert [use.coordinate for use in document.operations[None].uses] == [
        "Query.store",
        "Store.version",
    ]
    assert [error.message for error in refusals(document.operations[None].uses, MEMBER)] == [
        "Store.version is not for MEMBER"
    ]


def located(original: Exception) -> GraphQLError:
    return GraphQLError(str(original), path=["store", "name"], original_error=original)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (located(Invalid("no", field=("first",))), "BAD_USER_INPUT"),
        (located(NotFound("no", field=("first",))), "NOT_FOUND"),
        (located(Forbidden("no", field=("first",))), "FORBIDDEN"),
        (located(Conflict("no", field=("first",))), "CONFLICT"),
    ],
)
def test_refusal_is_shown_with_its_code_and_field(error: GraphQLError, code: str) -> None:
    assert shown_errors([error], "r1") == [
        {
            "message": "no",
            "extensions": {"code": code, "field": ["first"]},
            "path": ["store", "name"],
        }
    ]


def test_several_refusals_are_shown_under_the_code_of_the_first() -> None:
    error = located(Refused([NotFound("a"), Invalid("b")]))
    assert shown_errors([error], "r1") == [
        {"message": "a; b", "extensions": {"code": "NOT_FOUND"}, "path": ["store", "name"]}
    ]


def test_syntax_error_says_where() -> None:
    error = GraphQLSyntaxError(Source("{"), 1, "Expected Name.")
    assert shown_errors([error], "r1") == [
        {
            "message": "Syntax Error: Expected Name.",
            "extensions": {"code": "GRAPHQL_PARSE_FAILED"},
            "locations": [{"line": 1, "column": 2}],
        }
    ]


def test_at_most_five_errors_are_shown() -> None:
    errors = [GraphQLError(str(n)) for n in range(7)]
    assert [e["message"] for e in shown_errors(errors, "r1")] == ["0", "1", "2", "3", "4"]


def test_unexpected_error_shows_only_the_request_id(logged: list[logging.LogRecord]) -> None:
    shown = shown_errors([located(ValueError(SECRET))], "r1")
    assert shown == [
        {
            "message": "Something went wrong on our side",
            "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "r1"},
            "path": ["store", "name"],
        }
    ]
    [record] = logged
    assert (record.levelname, record.__dict__["request_id"]) == ("ERROR", "r1")
    assert record.__dict__["kind"] == "ValueError"


def test_failed_branch_leaves_the_rest_of_the_answer(
    send: Client,
    chain: str,
    operator: str,
    monkeypatch: pytest.MonkeyPatch,
    logged: list[logging.LogRecord],
) -> None:
    make_store("S1")
    client: Any = shared_client()
    call: Callable[..., Any] = client._make_api_call

    def failing_queries(name: str, given: Any) -> Any:
        if name == "Query":
            raise RuntimeError(SECRET)
        return call(name, given)

    monkeypatch.setattr(client, "_make_api_call", failing_queries)
    text = f"{{ {SELECT} {{ code guides {{ nodes {{ name }} }} }} organisation {{ name }} }}"
    answer = send.post(text, token=operator)
    assert send.status == 200
    assert answer["data"] == {"store": None, "organisation": {"name": "测试连锁"}}
    [error] = answer["errors"]
    assert error["message"] == "Something went wrong on our side"
    assert error["path"] == ["store", "guides"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert len(error["extensions"]["requestId"]) == 32
    assert SECRET not in json.dumps(answer)
    assert [r.__dict__["request_id"] for r in logged] == [error["extensions"]["requestId"]]


def test_faults_of_clients_are_not_logged(
    send: Client, database: str, operator: str, logged: list[logging.LogRecord]
) -> None:
    for text in ("{", "{ nope }", "{ stores(first: 0) { nodes { id } } }", "query A { a } {"):
        assert "errors" in send.post(text, token=operator)
    assert logged == []


def test_oldest_documents_are_forgotten() -> None:
    memo = documents._Memo()
    document = read_document(schema._schema, parse("{ __typename }"))
    for n in range(documents.MAX_DOCUMENTS):
        memo.keep(str(n), document)
    assert memo.get("0") is document
    memo.keep("one more", document)
    assert (memo.get("0"), memo.get("1")) == (document, None)


ENROL = "mutation ($i: MemberEnrolInput!) { memberEnrol(input: $i) { userErrors { code } } }"
IDENTITIES: list[dict[str, Any]] = [{"kind": "OPENID", "value": SECRET}]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"name": SECRET}, "required field 'identities'"),
        ({"identities": [{"kind": "PHONE", "val": SECRET}]}, ".identities[0]"),
        ({"identities": IDENTITIES, SECRET[:3]: SECRET}, "unknown field"),
        ({"identities": IDENTITIES, "birthday": SECRET}, ".birthday"),
        ({"identities": IDENTITIES, "name": [SECRET]}, ".name: String cannot represent a non"),
        (SECRET, "to be an object"),
    ],
)
def test_wrong_variable_is_named_but_its_value_is_not_repeated(
    send: Client, database: str, operator: str, given: Any, named: str
) -> None:
    errors = send.post(ENROL, token=operator, i=given)["errors"]
    assert {error["extensions"]["code"] for error in errors} == {"BAD_USER_INPUT"}
    assert named in errors[0]["message"]
    assert SECRET not in json.dumps(errors, ensure_ascii=False)


def test_document_of_too_many_tokens_is_refused_before_it_is_validated(
    send: Client, database: str, operator: str
) -> None:
    answer = send.post(f"{{ organisation {{ {'name ' * 2_500} }} }}", token=operator)
    assert send.status == 400
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


def test_long_documents_are_not_kept() -> None:
    memo = documents._Memo()
    document = read_document(schema._schema, parse("{ __typename }"))
    memo.keep("x" * documents.MAX_KEPT_LENGTH + "x", document)
    assert len(memo._known) == 0
