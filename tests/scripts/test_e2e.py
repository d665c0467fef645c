"""Which rights the end-to-end run complains of: denied, never used, explained for nothing."""

from pathlib import Path
from typing import Any

import pytest

from scripts import emulator
from scripts.e2e import rights
from scripts.e2e.journey import Failed
from scripts.e2e.rights import Right
from scripts.e2e.unused import UNUSED, Unused

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/shop"
ROLE = "arn:aws:iam::000000000000:role/shop-role"
SESSION = "arn:aws:sts::000000000000:assumed-role/shop-role/shop-function"
READ = Right("shop-role", "dynamodb:BatchGetItem", TABLE)
STREAM = Right("shop-role", "dynamodb:ListStreams", f"{TABLE}/stream/*")


def seen(right: Right, decision: str = "Allow", **changes: str) -> dict[str, str]:
    """A look at somebody's rights, as the emulator writes it down."""
    looked = {"principal": SESSION, "action": right.action, "resource": right.resource}
    return {**looked, "decision": decision, **changes}


@pytest.fixture(autouse=True)
def nothing_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "UNUSED", ())


def test_rights_that_were_used_pass() -> None:
    used = [seen(READ), seen(STREAM, resource=f"{TABLE}/stream/2026")]
    assert rights.judge([READ, STREAM], used) == "2 of 2 used, 0 stay for a reason"
    assert rights.unused([READ], [seen(READ, principal=ROLE)]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"principal": SESSION.replace("shop-role", "other-role")},
        {"action": "dynamodb:Query"},
        {"resource": f"{TABLE}/index/kind"},
    ],
)
def test_right_is_used_by_its_role_for_its_action_on_its_resource(change: dict[str, str]) -> None:
    with pytest.raises(Failed, match=r"1 rights were granted and never used:\nshop-role dynamodb"):
        rights.judge([READ], [seen(READ, **change)])


def test_line_that_says_why_keeps_a_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "UNUSED", (Unused("shop-*", "dynamodb:*", "*", "for later"),))
    assert rights.judge([READ], []) == "0 of 1 used, 1 stay for a reason"
    other = Right("other-role", "sqs:SendMessage", "queue")
    with pytest.raises(Failed, match="nobody has these rights any more"):
        rights.judge([other], [seen(other, principal=ROLE.replace("shop", "other"))])


def test_denied_right_fails_unless_the_same_was_allowed_at_once() -> None:
    secret = Right("shop-role", "secretsmanager:GetSecretValue", "secret")
    assert rights.denied([seen(secret, "ImplicitDeny"), seen(secret)]) == []
    with pytest.raises(Failed, match="what was denied"):
        rights.judge([READ], [seen(READ), seen(secret, "ImplicitDeny")])


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "a:One", "Resource": ["r1", "r2"]},
        {"Action": ["a:One"], "Resource": ["r2", "r1"]},
    ],
)
def test_statement_grants_each_action_on_each_resource(statement: dict[str, Any]) -> None:
    found = rights._rights("role", {"Statement": [statement]})
    assert sorted(found) == [Right("role", "a:One", "r1"), Right("role", "a:One", "r2")]


def test_lines_name_their_tables() -> None:
    """So that a right too many is seen: only reads of lists, and who acts unasked, are broad."""
    broad = {
        (one.role, one.action)
        for one in UNUSED
        if one.action == "*" or (one.resource == "*" and one.action.startswith("dynamodb:"))
    }
    assert broad == {
        ("*-RebuildMachineRole-*", "*"),
        ("*-BulkStepsRole-*", "dynamodb:BatchGetItem"),
        ("*-BulkStepsRole-*", "dynamodb:Query"),
    }


def test_right_too_many_is_not_covered() -> None:
    table = "arn:aws:dynamodb:us-east-1:000000000000:table/member-ops-local"
    role = "member-ops-local-MergesRole-3F2EA6EDF42F7"
    stays, too_many = (
        Right(role, "dynamodb:DeleteItem", f"{table}-{name}") for name in ("coupons", "members")
    )
    assert any(one.covers(stays) for one in UNUSED)
    assert not any(one.covers(too_many) for one in UNUSED)


def test_rest_begins_when_functions_do_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "_QUIET_SECONDS", 1)
    (tmp_path / emulator.DECISIONS).write_text("{}\n", encoding="utf-8")
    assert rights.at_rest(tmp_path) >= 1
    monkeypatch.setattr(rights, "PATIENCE", 0)
    with pytest.raises(Failed, match="functions are busy"):
        rights.at_rest(tmp_path)
