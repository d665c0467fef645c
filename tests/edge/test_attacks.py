"""Each class of attack on a GraphQL endpoint: refused, and before it costs anything."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import graphql
import pytest
from graphql import get_introspection_query, parse

from graphql_api import auth
from graphql_api.config import settings
from graphql_api.edge import documents, survey
from graphql_api.edge.limits import LIMITS, MAX_TOKENS
from graphql_api.kit import ids
from graphql_api.schema import schema
from graphql_api.viewer import Role
from tests.calls import counted
from tests.conftest import Client

POSTED = {"content-type": "application/json"}
MEMBER = auth.issue(Role.MEMBER, ids.derived_id("mbr", "1"))


class Work:
    """What was done for documents: fields visited by the survey, documents validated."""

    def __init__(self) -> None:
        self.visited = 0
        self.validated = 0


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Counts from here on."""
    done = Work()
    field, validate = survey._Walk._field, graphql.validate

    def visiting(*given: Any) -> Any:
        done.visited += 1
        return field(*given)

    def validating(*given: Any, **named: Any) -> Any:
        done.validated += 1
        return validate(*given, **named)

    monkeypatch.setattr(survey._Walk, "_field", visiting)
    monkeypatch.setattr(documents, "validate", validating)
    return done


def chained(number: int, body: str) -> str:
    """So many fragments on an org unit, each with `body`, where $ stands for the next one."""
    fragments = (
        f"fragment F{n} on OrgUnit {{ {body.replace('$', f'...F{n + 1}')} }}" for n in range(number)
    )
    return f"{' '.join(fragments)} fragment F{number} on OrgUnit {{ name }}"


def below(levels: int, *, field: str = "parent") -> str:
    """An organisation, so many levels deep."""
    return "{ organisation " + f"{{ {field} " * levels + "{ name }" + " }" * levels + " }"


TOO_MUCH = {
    "aliases": ("aliases", "{ " + " ".join(f"a{n}: __typename" for n in range(51)) + " }", 51),
    "aliases by fragments": (
        "aliases",
        "{ organisation { ...F0 } } " + chained(6, "a: parent { $ } b: parent { $ }"),
        126,
    ),
    "directives": ("directives", "{ __typename " + "@include(if: true) " * 51 + "}", 51),
    "unknown directives": ("directives", "{ __typename " + "@aa " * 1_000 + "}", 1_000),
    "the same field": ("repeats", "{ organisation { " + "name " * 400 + "} }", 400),
    "the same object": ("repeats", "{ " + "organisation { name } " * 300 + "}", 300),
    "deep recursion": ("depth", below(15), 17),
    "deep recursion by fragments": (
        "depth",
        "{ organisation { ...F0 } } " + chained(50, "parent { $ }"),
        52,
    ),
    "fields by fragments": (
        "fields",
        "{ organisation { ...F0 } } " + chained(9, "parent { $ } unit: parent { $ }"),
        1 + 2 * (2**9 - 1) + 2**9,
    ),
    "nested inline fragments": ("nesting", "{" + "...{" * 60 + "__typename" + "}" * 61, 61),
    "fragments in a chain": (
        "nesting",
        "{ organisation { ...F0 } } " + chained(200, "$"),
        203,
    ),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_document_that_is_too_large_is_refused_before_it_is_validated(
    send: Client, database: str, operator: str, work: Work, name: str
) -> None:
    measure, text, asked = TOO_MUCH[name]
    with counted() as calls:
        answer = send.post(text, token=operator)
    assert send.status == 400
    told = {e["extensions"]["measure"]: e["extensions"] for e in answer["errors"]}
    assert told[measure] == {
        "code": "QUERY_TOO_COMPLEX",
        "measure": measure,
        "asked": asked,
        "allowed": getattr(LIMITS, measure),
    }
    assert work.validated == 0
    assert work.visited <= len(text.split())
    assert calls.keys() <= {"BatchGetItem"}  # who holds the token


def test_fragments_that_fan_out_are_walked_once(send: Client, database: str, work: Work) -> None:
    levels = 50
    text = "{ organisation { ...F0 } } " + chained(levels, "a: parent { $ } b: parent { $ }")
    answer = send.post(text, token=MEMBER)
    told = {e["extensions"]["measure"]: e["extensions"]["asked"] for e in answer["errors"]}
    assert told == {"depth": 52, "nesting": 103, "fields": 10**9, "aliases": 10**9}
    assert (work.visited, work.validated) == (1 + 2 * levels + 1, 0)


def test_fragments_in_a_circle_are_walked_once(send: Client, database: str, work: Work) -> None:
    circle = (
        "{ organisation { ...A } } fragment A on OrgUnit { parent { ...B ...A } }"
        " fragment B on OrgUnit { parent { ...A } }"
    )
    answer = send.post(circle, token=MEMBER)
    assert {e["extensions"]["code"] for e in answer["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}
    assert (work.visited, work.validated) == (3, 1)


def test_lists_within_lists_are_refused_by_their_cost(
    send: Client, database: str, operator: str
) -> None:
    text = """query ($n: Int!) { stores(first: $n) { nodes { guides(first: $n) { nodes {
      members(first: $n) { nodes { orders(first: $n) { nodes { id } } } } } } } } }"""
    with counted() as calls:
        answer = send.post(text, token=operator, n=100)
    assert send.status == 400
    [error] = answer["errors"]
    assert error["extensions"] == {
        "code": "QUERY_TOO_COMPLEX",
        "measure": "cost",
        "asked": 102_020_201,
        "allowed": 10_000,
    }
    assert calls.keys() <= {"BatchGetItem"}


def test_many_mutations_in_one_document_are_refused_by_their_cost(
    send: Client, database: str
) -> None:
    logins = " ".join(f"a{n}: logout {{ userErrors {{ code }} }}" for n in range(50))
    answer = send.post(f"mutation {{ {logins} }}", token=None)
    assert [e["extensions"]["code"] for e in answer["errors"]] == ["UNAUTHENTICATED"]
    login = 'loginWithWeChat(input: {code: "x"}) { userErrors { code } }'
    guesses = " ".join(f"a{n}: {login}" for n in range(21))
    [error] = send.post(f"mutation {{ {guesses} }}", token=None)["errors"]
    assert error["extensions"]["measure"] == "cost"
    assert (error["extensions"]["asked"], error["extensions"]["allowed"]) == (210, 200)


@pytest.mark.parametrize("size", [101, 400])
def test_oversized_list_of_ids_reads_nothing(
    send: Client, database: str, operator: str, size: int
) -> None:
    with counted() as calls:
        answer = send.post(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            token=operator,
            ids=[ids.derived_id("sto", str(n)) for n in range(size)],
        )
    assert [e["extensions"]["code"] for e in answer["errors"]] == ["BAD_USER_INPUT"]
    assert calls.keys() <= {"BatchGetItem", "GetItem"}
    assert sum(calls.values()) <= 2  # who holds the token, and the clock


def test_requests_in_an_array_are_not_executed(send: Client, database: str, work: Work) -> None:
    one = {"query": "{ __typename }"}
    raw = send.request("POST", "/graphql", body=json.dumps([one] * 10).encode(), **POSTED)
    assert (send.status, json.loads(raw)["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert work.visited == 0


def test_document_of_many_operations_runs_one_that_is_named(
    send: Client, database: str, work: Work
) -> None:
    text = " ".join(f"query Q{n} {{ __typename }}" for n in range(100))
    answer = send.post(text, token=None)
    assert [e["extensions"]["code"] for e in answer["errors"]] == ["OPERATION_RESOLUTION_FAILURE"]
    assert (work.visited, work.validated) == (100, 1)


def test_nothing_is_suggested_to_who_guesses(send: Client, database: str, operator: str) -> None:
    guesses = [
        "{ organisatio { name } }",
        "{ organisation { nam } }",
        "{ organisation(idd: 1) { name } }",
        "{ organisation { ...on OrgUnt { name } } }",
        "{ stores(frst: 1) { nodes { id } } }",
        "{ stores { nodes { ...on Stor { id } } } }",
        "{ organisation { kind @includ(if: true) } }",
    ]
    for text in guesses:
        said = json.dumps(send.post(text, token=operator))
        assert "GRAPHQL_VALIDATION_FAILED" in said
        assert "Did you mean" not in said


def test_errors_of_a_document_are_few(send: Client, database: str, work: Work) -> None:
    text = "{ " + " ".join(f"nope{n}" for n in range(900)) + " }"
    answer = send.post(text, token=None)
    assert len(answer["errors"]) == 5
    assert len(json.dumps(answer)) < 1_000


def test_deep_introspection_is_refused(send: Client, database: str) -> None:
    text = "{ __schema { types { " + "fields { type { " * 4 + "name" + " } }" * 4 + " } } }"
    answer = send.post(text, token=None)
    assert [e["extensions"]["code"] for e in answer["errors"]] == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """The schema is shown to whom the setting says."""
    monkeypatch.setenv("APP_INTROSPECTION", request.param)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(
    ("closed", "allowed"),
    [("insiders", [401, 403, 200]), ("nobody", [401, 403, 403])],
    indirect=["closed"],
)
def test_schema_is_shown_to_whom_the_setting_says(
    send: Client, database: str, operator: str, closed: None, allowed: list[int]
) -> None:
    for text in (get_introspection_query(), '{ __type(name: "Member") { name } }'):
        seen = []
        for token in (None, MEMBER, operator):
            send.post(text, token=token)
            seen.append(send.status)
        assert seen == allowed


@pytest.mark.parametrize("closed", ["nobody"], indirect=True)
def test_names_of_types_stay_visible_in_answers(send: Client, database: str, closed: None) -> None:
    assert send("{ __typename }", token=None) == {"__typename": "Query"}


def test_schema_may_be_asked_in_full_as_graphiql_does(send: Client, database: str) -> None:
    options: Any = {
        "descriptions": True,
        "specified_by_url": True,
        "directive_is_repeatable": True,
        "schema_description": True,
        "input_value_deprecation": True,
    }
    data = send(get_introspection_query(**options), token=None)
    assert data["__schema"]["queryType"]["name"] == "Query"


def test_document_within_all_limits_may_be_large() -> None:
    fields = " ".join(f's{n}: store(by: {{code: "S{n}"}}) {{ name code city }}' for n in range(50))
    document = documents.read_document(schema._schema, parse(f"{{ {fields} }}"))
    assert document.errors == ()
    assert document.operations[None].size == survey.Size(
        depth=2, nesting=2, fields=200, aliases=50, directives=0, repeats=1
    )


def test_tokens_bound_what_the_survey_can_be_given(work: Work) -> None:
    text = "{ " + "organisation { name } " * ((MAX_TOKENS - 3) // 4) + "}"
    document = documents.read(schema._schema, text)
    kinds = Counter(error.extensions["measure"] for error in document.errors if error.extensions)
    assert kinds == {"fields": 1, "repeats": 1}
    assert work.visited <= MAX_TOKENS
