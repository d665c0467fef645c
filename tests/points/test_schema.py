"""Points over the API: right after midnight, once for a key, and cheap to read."""

from typing import Any

import pytest

from graphql_api import auth
from graphql_api.edge.execution import chain_clock
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.points import repository, service
from graphql_api.viewer import READ_MEMBERS, READ_POINTS, SYSTEM, Role
from tests.calls import counted
from tests.conftest import Client
from tests.points.factories import buy
from tests.points.storage import figures_of, follow, on_day
from tests.points.test_commands import everything

POINTS = """query ($id: ID!) { member(by: {id: $id}) { points {
  balance pending frozen debt nextExpiry { on points } expiring(withinDays: 366) { on points }
  lots { points source active activatesOn expiresOn } holds { key points until } } } }"""
LEDGER = """query ($id: ID!, $first: Int!, $after: String, $reverse: Boolean!) {
  member(by: {id: $id}) { pointsLedger(first: $first, after: $after, reverse: $reverse) {
  nodes { kind points pending frozen balance ref draws { points debt } }
  pageInfo { hasNextPage endCursor } } } }"""
ADJUST = """mutation ($input: MemberPointsAdjustInput!, $key: String!) {
  memberPointsAdjust(input: $input) @idempotent(key: $key) {
    member { points { balance } } userErrors { code field } } }"""


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have the API answer so many days after the others."""

    def move(days: int) -> None:
        async def read() -> Clock:
            return on_day(days)

        monkeypatch.setattr(chain_clock, "read", read)

    return move


def shown(send: Client, member: Member, token: str) -> dict[str, Any]:
    found: dict[str, Any] = send(POINTS, token=token, id=member.id)["member"]["points"]
    return found


def test_member_sees_lots_holds_and_what_runs_out(
    send: Client, member: Member, operator: str, today: Any
) -> None:
    today(0)
    follow(member.id, buy())
    cause = service.Cause(on_day(0))
    service.grant(member.id, 30, key="g", cause=cause, expires_on=on_day(40).today())
    given = service.PointsFreeze(member_id=member.id, points=10, key="cart")
    service.freeze(given, viewer=SYSTEM, clock=on_day(0))
    own = auth.issue(Role.MEMBER, member.id)
    assert shown(send, member, own) == {
        "balance": 20,
        "pending": 100,
        "frozen": 10,
        "debt": 0,
        "nextExpiry": {"on": "2018-02-19", "points": 20},
        "expiring": [{"on": "2018-02-19", "points": 20}],
        "lots": [
            {
                "points": 20,
                "source": "GRANT",
                "active": True,
                "activatesOn": "2018-01-10",
                "expiresOn": "2018-02-19",
            },
            {
                "points": 100,
                "source": "ORDER",
                "active": False,
                "activatesOn": "2018-01-17",
                "expiresOn": "2019-01-31",
            },
        ],
        "holds": [{"key": "cart", "points": 10, "until": None}],
    }
    assert shown(send, member, operator) == shown(send, member, own)


def test_answer_after_midnight_is_right_before_the_run_and_writes_nothing(
    send: Client, member: Member, operator: str, today: Any
) -> None:
    follow(member.id, buy())
    before = everything()
    for days, figures in ((6, (0, 100)), (7, (100, 0)), (400, (0, 0))):
        today(days)
        seen = shown(send, member, operator)
        assert (seen["balance"], seen["pending"]) == figures
    assert everything() == before


def test_who_has_no_points_has_none(send: Client, member: Member, operator: str) -> None:
    assert shown(send, member, operator) == {
        "balance": 0,
        "pending": 0,
        "frozen": 0,
        "debt": 0,
        "nextExpiry": None,
        "expiring": [],
        "lots": [],
        "holds": [],
    }


def test_ledger_is_paged_and_read_backwards(send: Client, member: Member, operator: str) -> None:
    for n in range(3):
        service.grant(member.id, n + 1, key=f"g{n}", cause=service.Cause(on_day(0)))
    asked: dict[str, Any] = {"id": member.id, "first": 2, "reverse": True}
    page = send(LEDGER, token=operator, **asked)["member"]["pointsLedger"]
    assert [(n["points"], n["balance"], n["ref"]) for n in page["nodes"]] == [
        (3, 6, "g2"),
        (2, 3, "g1"),
    ]
    assert page["nodes"][0]["draws"] == [{"points": 3, "debt": False}]
    after = page["pageInfo"]["endCursor"]
    rest = send(LEDGER, token=operator, after=after, **asked)["member"]["pointsLedger"]
    assert [n["points"] for n in rest["nodes"]] == [1]
    assert not rest["pageInfo"]["hasNextPage"]


def test_points_of_many_members_are_one_batch(send: Client, member: Member, operator: str) -> None:
    follow(member.id, buy())
    document = "{ members(first: 50) { nodes { points { balance lots { points } } } } }"
    send(document, token=operator)
    with counted() as calls:
        send(document, token=operator)
    assert calls == {"Query": 1, "BatchGetItem": 4}  # token, end of the list, members, accounts


def test_account_that_was_read_too_early_is_read_again(
    send: Client, member: Member, operator: str, today: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    today(0)
    service.grant(member.id, 30, key="g", cause=service.Cause(on_day(0)))
    monkeypatch.setattr(repository, "get_many", lambda ids: [None] * len(ids))
    assert shown(send, member, operator)["balance"] == 30


def test_points_by_hand_need_a_key_and_happen_once(
    send: Client, member: Member, operator: str
) -> None:
    given = {"memberId": member.id, "points": 25, "reason": "客诉补偿"}
    bare = ADJUST.replace(", $key: String!", "").replace(" @idempotent(key: $key)", "")
    refused = send(bare, token=operator, input=given)["memberPointsAdjust"]
    assert [e["code"] for e in refused["userErrors"]] == ["REQUIRED"]
    for _ in range(2):
        done = send(ADJUST, token=operator, input=given, key="adjust-0001")["memberPointsAdjust"]
        assert done == {"member": {"points": {"balance": 25}}, "userErrors": []}
    assert figures_of(member.id) == (25, 0, 0)
    short = {**given, "points": -26}
    refused = send(ADJUST, token=operator, input=short, key="adjust-0002")["memberPointsAdjust"]
    expected = {"code": "INSUFFICIENT_POINTS", "field": ["input", "points"]}
    assert refused == {"member": None, "userErrors": [expected]}


def test_key_without_the_scope_sees_no_points(send: Client, member: Member) -> None:
    blind = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({READ_MEMBERS}))
    answer = send.post(POINTS, token=blind, id=member.id)
    assert {e["extensions"]["code"] for e in answer["errors"]} == {"FORBIDDEN"}
    reader = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({READ_MEMBERS, READ_POINTS}))
    assert shown(send, member, reader)["balance"] == 0


def test_lists_are_asked_within_bounds(send: Client, member: Member, operator: str) -> None:
    for part in ("lots(first: 101) { points }", "expiring(withinDays: -1) { points }"):
        document = f'{{ member(by: {{id: "{member.id}"}}) {{ points {{ {part} }} }} }}'
        answer = send.post(document, token=operator)
        assert [e["extensions"]["code"] for e in answer["errors"]] == ["BAD_USER_INPUT"]
