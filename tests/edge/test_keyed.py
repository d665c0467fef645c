"""A mutation under a key: done once, answered alike, whoever dies in between."""

import json
from datetime import timedelta
from typing import Any

import pytest
from graphql import parse

from graphql_api import auth
from graphql_api.edge import documents, keyed
from graphql_api.errors import Conflict
from graphql_api.kit.dynamo.transactions import Transaction
from graphql_api.kit.time import real_now
from graphql_api.requests import repository, rules
from graphql_api.requests.models import Request, RequestsItem
from graphql_api.requests.rules import State
from graphql_api.schema import schema
from graphql_api.stores.models import HEADQUARTERS_ID, OrgUnit
from graphql_api.viewer import SCOPES, SEE_PERSONAL_DATA, Role
from tests.audit.storage import forget, said
from tests.calls import counted
from tests.conftest import Client
from tests.factories import make_member, make_store
from tests.threads import at_once

KEY = "4f5b6ebf-143c-4da5"
FIELDS = "unit { id name } userErrors { code field }"
CREATE = f"""
mutation ($name: String!, $parent: ID!, $key: String!) {{
  orgUnitCreate(input: {{kind: REGION, name: $name, parentId: $parent}}) @idempotent(key: $key) {{
    {FIELDS}
  }}
}}"""
PLAIN = CREATE.replace(", $key: String!", "").replace("@idempotent(key: $key)", "")
TOKEN = auth.issue(Role.OPERATOR, "opr_1", scopes=SCOPES)


def create(name: str = "华北", *, key: str = KEY, token: str = TOKEN) -> dict[str, Any]:
    data = Client()(CREATE, token=token, name=name, parent=HEADQUARTERS_ID, key=key)
    payload: dict[str, Any] = data["orgUnitCreate"]
    return payload


def by_header(document: str, header: str, **variables: Any) -> dict[str, Any]:
    """The answer to a document that is sent with `Idempotency-Key`."""
    raw = Client().request(
        "POST",
        "/graphql",
        body=json.dumps({"query": document, "variables": variables}).encode(),
        authorization=f"Bearer {TOKEN}",
        **{"content-type": "application/json", "idempotency-key": header},
    )
    answer: dict[str, Any] = json.loads(raw)
    return answer


def units() -> list[str]:
    """The names of the units below headquarters."""
    return sorted(u.name for u in OrgUnit.scan() if isinstance(u, OrgUnit) and u.parent_id)


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def known() -> Request:
    """The only request that is stored."""
    [request] = RequestsItem.scan()
    return Request.get(request.id, "@")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the clock by which leases end."""

    def move(by: timedelta) -> None:
        monkeypatch.setattr(keyed, "real_now", lambda: real_now() + by)

    return move


def test_twice_is_one_write_and_the_same_answer(chain: str) -> None:
    first = create()
    with counted() as calls:
        assert create() == first
    assert calls == {"BatchGetItem": 2, "PutItem": 1}  # who asks; the key is taken; its answer
    assert units() == ["华北"]


def test_the_answer_is_the_first_one_and_kept_sealed(chain: str) -> None:
    first = create()
    kept = json.dumps(known().to_simple_dict(), default=str, ensure_ascii=False)
    assert known().state is State.ANSWERED
    assert "华北" not in kept
    assert known().forget_at - real_now() > timedelta(hours=47)
    rename = """mutation ($id: ID!) {
      orgUnitUpdate(input: {id: $id, name: "华东"}) { userErrors { code } } }"""
    Client()(rename, token=TOKEN, id=first["unit"]["id"])
    assert create() == first
    assert units() == ["华东"]


def test_another_request_under_the_key_is_refused(chain: str) -> None:
    create()
    refused = create("华南")
    assert refused == {
        "unit": None,
        "userErrors": [{"code": "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "field": None}],
    }
    other = CREATE.replace("id name", "id")
    data = Client()(other, token=TOKEN, name="华北", parent=HEADQUARTERS_ID, key=KEY)
    assert codes(data["orgUnitCreate"]) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    assert units() == ["华北"]


def test_clients_do_not_share_keys(chain: str) -> None:
    first = create()
    second = create(token=auth.issue(Role.OPERATOR, "opr_2", scopes=SCOPES))
    assert second["unit"]["id"] != first["unit"]["id"]
    assert units() == ["华北", "华北"]


def test_eight_at_once_are_one_write(chain: str) -> None:
    payloads = at_once([create] * 8)
    done = [payload for payload in payloads if payload["unit"]]
    waiting = [payload for payload in payloads if not payload["unit"]]
    assert len({payload["unit"]["id"] for payload in done}) == 1
    assert {code for p in waiting for code in codes(p)} <= {"IDEMPOTENCY_CONCURRENT_REQUEST"}
    assert units() == ["华北"]
    assert create() == done[0]


def test_header_and_directive_are_equal(chain: str) -> None:
    variables = {"name": "华北", "parent": HEADQUARTERS_ID}
    first = by_header(PLAIN, KEY, **variables)["data"]["orgUnitCreate"]
    assert create() == first
    assert by_header(PLAIN, f'"{KEY}"', **variables)["data"]["orgUnitCreate"] == first
    assert by_header(CREATE, KEY, **variables, key=KEY)["data"]["orgUnitCreate"] == first
    differ = by_header(CREATE, KEY, **variables, key="another-key")["data"]["orgUnitCreate"]
    assert codes(differ) == ["INVALID"]
    assert units() == ["华北"]


TWO = f"""
mutation ($parent: ID!) {{
  north: orgUnitCreate(input: {{kind: REGION, name: "华北", parentId: $parent}}) KEY1 {{ {FIELDS} }}
  south: orgUnitCreate(input: {{kind: REGION, name: "华南", parentId: $parent}}) KEY2 {{ {FIELDS} }}
  east: orgUnitCreate(input: {{kind: REGION, name: "华东", parentId: $parent}}) {{ {FIELDS} }}
}}"""


def test_each_of_several_mutations_has_its_own_key(chain: str) -> None:
    text = TWO.replace("KEY1", '@idempotent(key: "north-00")')
    text = text.replace("KEY2", '@idempotent(key: "south-00")')
    first = Client()(text, token=TOKEN, parent=HEADQUARTERS_ID)
    second = Client()(text, token=TOKEN, parent=HEADQUARTERS_ID)
    assert list(second) == ["north", "south", "east"]
    assert (second["north"], second["south"]) == (first["north"], first["south"])
    assert second["east"]["unit"]["id"] != first["east"]["unit"]["id"]
    assert units() == ["华东", "华东", "华北", "华南"]


def test_the_header_does_not_stand_for_several(chain: str) -> None:
    text = TWO.replace("KEY1", '@idempotent(key: "north-00")').replace("KEY2", "")
    data = by_header(text, KEY, parent=HEADQUARTERS_ID)["data"]
    assert [codes(data[name]) for name in ("north", "south", "east")] == [
        [],
        ["INVALID"],
        ["INVALID"],
    ]
    assert units() == ["华北"]


def test_a_refusal_gives_the_key_back(chain: str) -> None:
    data = Client()(CREATE, token=TOKEN, name="华北", parent="org_none", key=KEY)
    assert codes(data["orgUnitCreate"]) == ["NOT_FOUND"]
    assert list(RequestsItem.scan()) == []
    assert codes(create()) == []


def test_what_is_no_key_is_refused(chain: str) -> None:
    for key in ("", "short", "x" * 256, "with a tab\t", "全角的钥匙全角的钥匙"):
        assert codes(create(key=key)) == ["INVALID"]
    assert units() == []


def test_a_key_needs_a_client(chain: str) -> None:
    text = """mutation { tokenRefresh(input: {refreshToken: "x"})
      @idempotent(key: "12345678") { userErrors { code } } }"""
    assert codes(Client()(text, token=None)["tokenRefresh"]) == ["INVALID"]


@pytest.mark.parametrize(
    "text",
    [
        '{ me @idempotent(key: "12345678") { role } }',
        f'mutation {{ orgUnitArchive(id: "org_1") {{ unit {{ id @idempotent(key: "{KEY}") }} }} }}',
        'mutation { orgUnitArchive(id: "org_1") @idempotent { userErrors { code } } }',
    ],
)
def test_the_directive_stands_on_mutations_with_a_key(text: str) -> None:
    assert len(documents.read_document(schema._schema, parse(text)).errors) == 1


def _die(*_: Any, **__: Any) -> None:
    raise RuntimeError("the process dies here")


def test_a_crash_before_the_write_frees_the_key_after_its_lease(
    chain: str, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Transaction, "_send", _die)
        broken.setattr(repository, "release", lambda _request: False)
        assert "errors" in Client().post(
            CREATE, token=TOKEN, name="华北", parent=HEADQUARTERS_ID, key=KEY
        )
    assert codes(create()) == ["IDEMPOTENCY_CONCURRENT_REQUEST"]
    later(rules.LEASE)
    assert codes(create()) == []
    assert units() == ["华北"]


def test_a_crash_between_write_and_answer_is_never_a_second_write(
    chain: str, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(repository, "keep_answer", _die)
        Client().post(CREATE, token=TOKEN, name="华北", parent=HEADQUARTERS_ID, key=KEY)
    assert known().state is State.WRITTEN
    assert codes(create()) == ["IDEMPOTENCY_CONCURRENT_REQUEST"]
    later(rules.LEASE)
    assert codes(create()) == ["IDEMPOTENCY_ANSWER_LOST"]
    assert units() == ["华北"]


def test_a_slow_attempt_whose_key_was_taken_over_writes_nothing(
    chain: str, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Transaction._send
    others: list[dict[str, Any]] = []

    def slow(self: Transaction, groups: Any) -> None:
        monkeypatch.setattr(Transaction, "_send", send)
        later(rules.LEASE)
        others.append(create())
        send(self, groups)

    monkeypatch.setattr(Transaction, "_send", slow)
    assert codes(create()) == ["IDEMPOTENCY_CONCURRENT_REQUEST"]
    assert others[0]["unit"]["name"] == "华北"
    assert units() == ["华北"]
    assert create() == others[0]


def test_an_unexpected_failure_gives_the_key_back(
    chain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Transaction, "_send", _die)
        Client().post(CREATE, token=TOKEN, name="华北", parent=HEADQUARTERS_ID, key=KEY)
    assert list(RequestsItem.scan()) == []
    assert codes(create()) == []


def test_a_conflict_gives_the_key_back(chain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*_: Any) -> None:
        raise Conflict("Others keep changing this")

    with monkeypatch.context() as busy:
        busy.setattr(Transaction, "_send", lose)
        assert codes(create()) == ["CONFLICT"]
    assert codes(create()) == []


def test_a_secret_is_answered_once(chain: str) -> None:
    text = """mutation { apiKeyCreate(input: {name: "till", scopes: ["orders:write"]})
      @idempotent(key: "till-2026") { key userErrors { code } } }"""
    assert Client()(text, token=TOKEN)["apiKeyCreate"]["key"].startswith("key_")
    assert known().answer is None
    again = Client()(text, token=TOKEN)["apiKeyCreate"]
    assert (again["key"], codes(again)) == (None, ["IDEMPOTENCY_ANSWER_LOST"])


RENAME = f"""mutation ($id: ID!) {{
  memberUpdate(input: {{id: $id, nickname: "小明"}}) @idempotent(key: "{KEY}") {{
    member {{ name nickname }} userErrors {{ code }} }} }}"""


def test_an_answer_that_is_given_again_is_recorded_again(chain: str) -> None:
    member = make_member(make_store("S1"), name="王小明")
    forget()
    first = Client()(RENAME, token=TOKEN, id=member.id)
    assert first["memberUpdate"]["member"] == {"name": "王小明", "nickname": "小明"}
    reads = [entry for entry in said(member.id) if entry[2] == "READ"]
    assert reads == [("OPERATOR", "opr_1", "READ", ["name", "nickname"])]
    assert Client()(RENAME, token=TOKEN, id=member.id) == first
    assert [entry for entry in said(member.id) if entry[2] == "READ"] == reads * 2


def test_who_lost_a_right_does_not_get_what_it_showed(chain: str) -> None:
    member = make_member(make_store("S1"), name="王小明")
    Client()(RENAME, token=TOKEN, id=member.id)
    less = auth.issue(Role.OPERATOR, "opr_1", scopes=SCOPES - {SEE_PERSONAL_DATA})
    again = Client()(RENAME, token=less, id=member.id)["memberUpdate"]
    assert (again["member"], codes(again)) == (None, ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"])
