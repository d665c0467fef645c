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


class Shards:
    """A stream as AWS may show it: one shard a page, in any order, empty pages before records.

    A shard has the ids of its records, its parent, and whether nothing more comes into it.
    """

    exceptions = boto3.client("dynamodbstreams", region_name="us-east-1").exceptions

    def __init__(self, *shards: tuple[str, str | None, list[str], bool], gap: int = 3) -> None:
        self.shards = {name: (parent, ids, closed) for name, parent, ids, closed in shards}
        self._gap = gap

    def list_streams(self, **_: Any) -> dict[str, Any]:
        return {"Streams": [{"StreamArn": "arn", "StreamLabel": "2018"}]}

    def describe_stream(self, *, ExclusiveStartShardId: str = "", **_: Any) -> dict[str, Any]:
        names = list(self.shards)
        at = names.index(ExclusiveStartShardId) + 1 if ExclusiveStartShardId else 0
        parent, _ids, closed = self.shards[names[at]]
        ending = {"EndingSequenceNumber": "9"} if closed else {}
        shown = {
            "ShardId": names[at],
            "SequenceNumberRange": {"StartingSequenceNumber": "0", **ending},
        }
        page: dict[str, Any] = {"Shards": [shown | ({"ParentShardId": parent} if parent else {})]}
        if at + 1 < len(names):
            page["LastEvaluatedShardId"] = names[at]
        return {"StreamDescription": page}

    def get_shard_iterator(
        self, *, ShardId: str, SequenceNumber: str = "", **_: Any
    ) -> dict[str, Any]:
        at = self.shards[ShardId][1].index(SequenceNumber) + 1 if SequenceNumber else 0
        return {"ShardIterator": f"{ShardId}|{at}|{self._gap}"}

    def get_records(self, *, ShardIterator: str, **_: Any) -> dict[str, Any]:
        name, at, gap = ShardIterator.split("|")
        _parent, ids, closed = self.shards[name]
        if gap != "0":
            return {"Records": [], "NextShardIterator": f"{name}|{at}|{int(gap) - 1}"}
        records = [{"dynamodb": {"SequenceNumber": i, "Keys": {"id": {"S": i}}}} for i in ids]
        following = {} if closed else {"NextShardIterator": f"{name}|{len(ids)}|0"}
        return {"Records": records[int(at) :], **following}


@pytest.fixture
def seen() -> list[str]:
    """The ids of the records that were delivered."""
    return []


@pytest.fixture
def keeper(pump: Callable[[Handler], Pump], seen: list[str]) -> Pump:
    """A pump that keeps what it delivers."""

    def keep(event: dict[str, Any], _context: Any) -> None:
        seen.extend(_ids(event))

    return pump(keep)


def test_shard_comes_after_the_one_that_it_continues(keeper: Pump, seen: list[str]) -> None:
    streams = Shards(
        ("c", "b", ["3"], True),
        ("d", "c", ["4"], True),
        ("a", "trimmed", ["1"], True),
        ("b", "a", ["2"], True),
    )
    assert keeper.drain(streams) == 4
    assert seen == ["1", "2", "3", "4"]
    assert keeper.drain(streams) == 0


def test_records_behind_empty_pages_of_an_open_shard_come_with_later_rounds(
    keeper: Pump, seen: list[str]
) -> None:
    streams = Shards(("a", None, ["1", "2"], False), gap=2)
    assert [keeper.drain(streams) for _ in range(4)] == [0, 0, 2, 0]
    assert seen == ["1", "2"]


def test_child_waits_until_its_parent_is_read_to_the_end(keeper: Pump, seen: list[str]) -> None:
    streams = Shards(("child", "parent", ["2"], False), ("parent", None, ["1"], False), gap=0)
    assert keeper.drain(streams) == 1
    assert seen == ["1"]
    streams.shards["parent"] = (None, ["1"], True)
    assert keeper.drain(streams) == 1
    assert seen == ["1", "2"]


@pytest.mark.engine("dynamodb-local", "the embedded AWS never ends a shard")
def test_stream_that_was_ended_and_begun_again_is_read_through(
    keeper: Pump, seen: list[str]
) -> None:
    streams = boto3.client("dynamodbstreams")
    table: Any = boto3.client("dynamodb")

    def switch(**specification: Any) -> None:
        table.update_table(TableName=MembersItem.Meta.table_name, StreamSpecification=specification)

    _write("claim#a")
    switch(StreamEnabled=False)
    _write("claim#unseen")
    switch(StreamEnabled=True, StreamViewType="NEW_AND_OLD_IMAGES")
    _write("claim#b")
    assert keeper.drain(streams) == 2
    assert seen == ["claim#a", "claim#b"]
    assert keeper.drain(streams) == 0
