"""Streams on a laptop: reads a table's stream and calls the Lambda handler that consumes it.

The embedded AWS takes a partial batch failure for a success, and DynamoDB Local has no Lambda, so
the loop keeps to what AWS documents itself: a shard after the one that it continues, its records in
order, a failed record and those behind it delivered again, and after ten tries set aside in a file.
"""

import base64
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from graphql_api.kit.dynamo import JsonAttribute, batch_get
from graphql_api.stores.models import SOLE, StoresItem

BATCH = 100
TRIES = 10
IDLE_SECONDS = 0.5

Handler = Callable[[dict[str, Any], Any], Any]
Record = dict[str, Any]
SetAside = Callable[[str, str, Record], None]


class StreamPlaces(StoresItem):
    """How far each shard of a table's stream was read; in the database, so that it goes back to an
    earlier state together with what it tells about."""

    places = JsonAttribute(default=dict)


class Context:
    """What Powertools asks of a Lambda context."""

    function_name = "stream-pump"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:local:000000000001:function:stream-pump"
    aws_request_id = "local"

    def get_remaining_time_in_millis(self) -> int:
        """There is no limit here."""
        return 60_000


class Pump:
    """Moves one table's stream into a handler, from where it stopped last time.

    Of several that read the same stream each has the name of its consumer. `set_aside` takes what
    failed too often, with its stream and shard; without one it is written to a file.
    """

    def __init__(
        self,
        table: str,
        handler: Handler,
        data_dir: Path,
        *,
        consumer: str | None = None,
        set_aside: SetAside | None = None,
    ) -> None:
        self._table = table
        self._name = f"{table}-{consumer}" if consumer else table
        self._handler = handler
        self._failed = data_dir / f"stream-{self._name}.failed.jsonl"
        self._set_aside = set_aside or self._write_down
        self._iterators: dict[str, str] = {}
        self._finished: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stream {self._name}", daemon=True)

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stop.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        streams = boto3.client("dynamodbstreams")
        while not self._stop.is_set():
            try:
                moved = self.drain(streams)
            except (ClientError, BotoCoreError, PynamoDBException):
                moved = 0  # the engine stops, or an iterator is too old; the next round asks again
                self._iterators.clear()
            if not moved:
                self._stop.wait(IDLE_SECONDS)

    def drain(self, streams: Any) -> int:
        """Deliver everything that is waiting now; gives the number of records delivered."""
        moved = 0
        known = streams.list_streams(TableName=self._table)["Streams"]
        for stream in sorted(known, key=lambda stream: str(stream["StreamLabel"])):
            arn, unfinished = stream["StreamArn"], set()
            for shard in _parents_first(_shards(streams, arn)):
                # Changes of an item go on in the shards that follow its own.
                if shard.get("ParentShardId") not in unfinished:
                    moved += self._drain_shard(streams, arn, shard)
                if f"{arn}|{shard['ShardId']}" not in self._finished:
                    unfinished.add(shard["ShardId"])
        return moved

    def _drain_shard(self, streams: Any, arn: str, shard: Record) -> int:
        place = f"{arn}|{shard['ShardId']}"
        closed = "EndingSequenceNumber" in shard["SequenceNumberRange"]
        moved = 0
        while place not in self._finished and not self._stop.is_set():
            held = self._iterators.pop(place, None)
            iterator = held or self._iterator(
                streams, arn, shard["ShardId"], self._places().get(place)
            )
            try:
                answer = streams.get_records(ShardIterator=iterator, Limit=BATCH)
            except (
                streams.exceptions.ExpiredIteratorException,
                streams.exceptions.TrimmedDataAccessException,
            ):
                if held is None:
                    raise
                continue  # DynamoDB Local gives up on one that waited for the first record
            records = [_as_lambda_sees(record) for record in answer["Records"]]
            if records:
                self._deliver(arn, shard["ShardId"], records)
                self._note(place, records[-1]["dynamodb"]["SequenceNumber"])
                moved += len(records)
            # An empty page is not the end of a shard; the end has no next iterator.
            if following := answer.get("NextShardIterator"):
                self._iterators[place] = following
            else:
                self._finished.add(place)
            if not records and not closed:
                break
        return moved

    def _iterator(self, streams: Any, arn: str, shard: str, after: str | None) -> str:
        where = {"ShardIteratorType": "TRIM_HORIZON"}
        if after is not None:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after}
        try:
            found = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, **where)
        except streams.exceptions.TrimmedDataAccessException:
            return self._iterator(streams, arn, shard, None)
        iterator: str = found["ShardIterator"]
        return iterator

    def _deliver(self, arn: str, shard: str, records: list[Record]) -> None:
        """Call the handler until every record is done or set aside."""
        tries = 0
        while records:
            failed = self._first_failure(records)
            if failed is None:
                return
            tries = tries + 1 if failed == 0 else 1
            records = records[failed:]
            if tries >= TRIES:
                self._set_aside(arn, shard, records[0])
                records, tries = records[1:], 0

    def _write_down(self, _arn: str, _shard: str, record: Record) -> None:
        with self._failed.open("a") as file:
            file.write(json.dumps(record) + "\n")

    def _first_failure(self, records: list[Record]) -> int | None:
        try:
            answer = self._handler({"Records": records}, Context())
        except Exception:  # noqa: BLE001 - as Lambda: a handler that raises failed its whole batch
            return 0
        failures = {f["itemIdentifier"] for f in (answer or {}).get("batchItemFailures", ())}
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        return next((n for n, number in enumerate(numbers) if number in failures), None)

    def _places(self) -> dict[str, str]:
        found = batch_get(StreamPlaces, [(f"stream#{self._name}", SOLE)], consistent=True)[0]
        return dict(found.places) if found else {}

    def _note(self, place: str, number: str) -> None:
        places = {**self._places(), place: number}
        StreamPlaces(f"stream#{self._name}", places=places).save()


def _shards(streams: Any, arn: str) -> list[Record]:
    """All shards of a stream that still has records of theirs."""
    shards: list[Record] = []
    further: dict[str, str] = {}
    while True:
        described = streams.describe_stream(StreamArn=arn, **further)["StreamDescription"]
        shards += described["Shards"]
        if not (last := described.get("LastEvaluatedShardId")):
            return shards
        further = {"ExclusiveStartShardId": last}


def _parents_first(shards: list[Record]) -> list[Record]:
    """Each shard after the one that it continues."""
    known = {shard["ShardId"]: shard for shard in shards}

    def generation(shard: Record) -> int:
        parent = known.get(shard.get("ParentShardId", ""))
        return 1 + generation(parent) if parent else 0

    return sorted(shards, key=generation)


def _as_lambda_sees(record: Record) -> Record:
    """A record of the Streams API as Lambda hands it over: JSON all through."""
    shown: Record = json.loads(json.dumps(record, default=_json))
    shown.setdefault("eventSource", "aws:dynamodb")
    return shown


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.timestamp()
