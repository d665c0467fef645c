"""What a function says: one line of counts, an id on every line, nobody's data."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from logging import StreamHandler
from pathlib import Path
from typing import Any

import boto3
import pytest

from graphql_api.handlers import webhook_events
from graphql_api.members.models import MembersItem
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import NewIdentity
from graphql_api.observability import (
    InvocationFailed,
    batches,
    count,
    invocation,
    logger,
    tell_counts,
)
from graphql_api.orders import service as orders
from graphql_api.orders.models import OrdersItem
from scripts.stream_pump import Context, Pump
from tests.factories import CLOCK, make_member, make_refund, make_snapshot, make_store
from tests.test_infra import HANDLERS, ROOT

PHONE = "13812345678"
HANDLER_FILES = ROOT / "src" / "graphql_api" / "handlers"


@pytest.fixture(autouse=True)
def nothing_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what tests before this one counted without telling it."""
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    tell_counts()
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED")


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What is logged; the logger writes to the output that there was when it was made."""
    [handler] = logger.handlers
    assert isinstance(handler, StreamHandler)
    before = handler.setStream(StringIO())
    yield handler.stream
    handler.setStream(before)


def told(printed: str) -> list[dict[str, Any]]:
    """The lines of JSON that were printed."""
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


def counts(printed: str) -> list[dict[str, float]]:
    """What the lines of counts say, by metric; and that CloudWatch takes them for metrics."""
    found = []
    for line in told(printed):
        if "_aws" not in line:
            continue
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "MemberOperations"
        assert [sorted(one) for one in directive["Dimensions"]] == [["service", "stage"]]
        assert (line["service"], line["stage"]) == ("member-operations", "local")
        assert {metric["Unit"] for metric in directive["Metrics"]} == {"Count"}
        found.append({metric["Name"]: sum(line[metric["Name"]]) for metric in directive["Metrics"]})
    return found


def test_what_happened_to_members_and_orders_is_counted_from_their_streams(
    chain: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = make_store("S1")
    member = make_member(store, NewIdentity(kind=IdentityKind.PHONE, value=PHONE))
    given = {"external_id": "W-1", "member_id": member.id}
    orders.apply(make_snapshot(store, **given), clock=CLOCK)
    orders.apply(make_snapshot(store, make_refund(), **given), clock=CLOCK)
    capsys.readouterr()
    for model in (MembersItem, OrdersItem):
        Pump(model.Meta.table_name, webhook_events.handler, tmp_path).drain(
            boto3.client("dynamodbstreams")
        )
    printed = capsys.readouterr().out
    sums: Counter[str] = Counter()
    for one in counts(printed):
        sums.update(one)
    assert sums["MEMBER_ENROLLED"] == sums["MEMBER_FIRST_PURCHASE"] == 1
    assert (sums["ORDER_APPLIED"], sums["ORDER_REFUNDED"]) == (1, 1)
    assert [secret for secret in (PHONE, member.id, store.id) if secret in printed] == []


def test_counts_are_one_line_of_sums(capsys: pytest.CaptureFixture[str]) -> None:
    @invocation
    def handler(event: dict[str, Any], _context: Any) -> int:
        for _ in range(150):
            count("ORDER_APPLIED")
        count("ORDER_REFUNDED", 2)
        count("NOT_DECIDED", 0)
        return len(event)

    assert handler({"a": 1}, Context()) == 1
    assert counts(capsys.readouterr().out) == [{"ORDER_APPLIED": 150, "ORDER_REFUNDED": 2}]
    assert handler({}, Context()) == 0
    tell_counts()
    assert counts(capsys.readouterr().out) == [{"ORDER_APPLIED": 150, "ORDER_REFUNDED": 2}]


def test_every_handler_says_which_invocation_a_line_is_of() -> None:
    files = {name: (HANDLER_FILES / f"{name}.py").read_text() for name in sorted(HANDLERS)}
    wrapped = re.compile(r"^(@invocation\ndef handler\(|handler = invocation\()", re.MULTILINE)
    bare = [name for name, text in files.items() if not wrapped.search(text)]
    assert bare == [], "wrap it in @invocation of graphql_api.observability"


def record(number: int) -> dict[str, Any]:
    change = {"Keys": {"id": {"S": f"x{number}"}}, "SequenceNumber": str(number)}
    return {"eventID": f"e{number}", "dynamodb": change, "eventSource": "aws:dynamodb"}


def test_record_that_fails_is_named_logged_and_counted_without_what_it_said(
    capsys: pytest.CaptureFixture[str], log: StringIO
) -> None:
    def follow(one: Any) -> None:
        logger.info("seen")
        if one.event_id == "e2":
            raise ValueError(f"no such phone: {PHONE}")

    @invocation
    def handler(event: dict[str, Any], context: Any) -> batches.Response:
        return batches.of_stream(event, context, follow)

    answer = handler({"Records": [record(1), record(2), record(3)]}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    printed = capsys.readouterr().out
    assert PHONE not in printed + log.getvalue()
    lines = told(log.getvalue())
    assert [(line["message"], line["record"]) for line in lines] == [
        ("seen", "e1"),
        ("seen", "e2"),
        ("record failed", "e2"),
        ("seen", "e3"),
    ]
    assert {line["correlation_id"] for line in lines} == {Context.aws_request_id}
    assert lines[2]["kind"] == "ValueError"
    assert any("follow" in frame for frame in lines[2]["frames"])
    assert counts(printed) == [{"RECORD_FAILED": 1}]


def test_function_that_raises_says_where_and_not_what(log: StringIO) -> None:
    @invocation
    def handler(_event: dict[str, Any], _context: Any) -> None:
        raise LookupError(PHONE)

    with pytest.raises(InvocationFailed) as raised:
        handler({}, Context())
    assert (str(raised.value), raised.value.__cause__) == ("LookupError", None)
    assert PHONE not in log.getvalue()
    [line] = told(log.getvalue())
    assert (line["message"], line["kind"]) == ("invocation failed", "LookupError")
    logger.info("after")
    assert "correlation_id" not in told(log.getvalue())[-1]
