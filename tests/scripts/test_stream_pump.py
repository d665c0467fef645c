"""The stream loop of a laptop delivers as AWS documents it, not as the embedded AWS does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from graphql_api.members.models import Claim, MembersItem
from scripts.stream_pump import TRIES, Handler, Pump


def _write(*ids: str) -> None:
    for id_ in ids:
        Claim(id_, member_id="mbr_1").save()


def _set_aside(folder: Path) -> list[str]:
    (file,) = folder.glob("*.failed.jsonl")
    return _ids({"Records": [json.loads(line) for line in file.read_text().splitlines()]})


def _ids(event: dict[str, Any]) -> list[str]:
    return [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]


@pytest.fixture
def pump(database: str, tmp_path: Path) -> Callable[[Handler], Pump]:
    """A pump of the members table's stream into a handler."""
    return lambda handler: Pump(MembersItem.Meta.table_name, handler, tmp_path)


def test_records_arrive_in_order_and_only_once_over_two_runs(
    pump: Callable[[Handler], Pump],
) -> None:
    seen: list[str] = []
    streams = boto3.client("dynamodbstreams")

    def keep(event: dict[str, Any], _context: Any) -> None:
        seen.extend(_ids(event))

    _write("claim#a", "claim#b")
    assert pump(keep).drain(streams) == 2
    _write("claim#c")
    assert pump(keep).drain(streams) == 1
    assert pump(keep).drain(streams) == 0
    assert seen == ["claim#a", "claim#b", "claim#c"]


def test_failed_record_and_those_behind_it_are_delivered_again(
    pump: Callable[[Handler], Pump],
) -> None:
    calls: list[list[str]] = []

    def fail_b_once(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        calls.append(_ids(event))
        if len(calls) > 1:
            return {"batchItemFailures": []}
        number = event["Records"][1]["dynamodb"]["SequenceNumber"]
        return {"batchItemFailures": [{"itemIdentifier": number}]}

    _write("claim#a", "claim#b", "claim#c")
    pump(fail_b_once).drain(boto3.client("dynamodbstreams"))
    assert calls == [["claim#a", "claim#b", "claim#c"], ["claim#b", "claim#c"]]


def test_record_that_always_fails_is_set_aside_and_the_rest_goes_on(
    pump: Callable[[Handler], Pump], tmp_path: Path
) -> None:
    done: list[str] = []
    tries = 0

    def never_b(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        nonlocal tries
        ids = _ids(event)
        done.extend(ids[: ids.index("claim#b")] if "claim#b" in ids else ids)
        if "claim#b" not in ids:
            return {}
        tries += 1
        record = event["Records"][ids.index("claim#b")]
        number = record["dynamodb"]["SequenceNumber"]
        return {"batchItemFailures": [{"itemIdentifier": number}]}

    _write("claim#a", "claim#b", "claim#c")
    pump(never_b).drain(boto3.client("dynamodbstreams"))
    assert done == ["claim#a", "claim#c"]
    assert tries == TRIES
    assert _set_aside(tmp_path) == ["claim#b"]


def test_handler_that_raises_fails_its_whole_batch(
    pump: Callable[[Handler], Pump], tmp_path: Path
) -> None:
    def broken(_event: dict[str, Any], _context: Any) -> None:
        raise RuntimeError

    _write("claim#a", "claim#b")
    pump(broken).drain(boto3.client("dynamodbstreams"))
    assert _set_aside(tmp_path) == ["claim#a", "claim#b"]
