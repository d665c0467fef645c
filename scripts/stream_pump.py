"""Streams on a laptop: reads a table's stream and calls the Lambda handler that consumes it.

The embedded AWS takes a partial batch failure for a success, so the loop keeps to what AWS
documents itself: records of a shard in order, a failed record and those behind it delivered again,
and after ten tries set aside in a file.
"""

import base64
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

BATCH = 100
TRIES = 10
IDLE_SECONDS = 0.5

Handler = Callable[[dict[str, Any], Any], Any]
Record = dict[str, Any]


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
    """Moves one table's stream into a handler, from where it stopped last time."""

    def __init__(self, table: str, handler: Handler, data_dir: Path) -> None:
        self._table = table
        self._handler = handler
        self._checkpoint = data_dir / f"stream-{table}.json"
        self._set_aside = data_dir / f"stream-{table}.failed.jsonl"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stream {table}", daemon=True)

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
            except (ClientError, BotoCoreError):
                moved = 0  # the emulator restarts or stops; the next round asks again
            if not moved:
                self._stop.wait(IDLE_SECONDS)

    def drain(self, streams: Any) -> int:
        """Deliver everything that is waiting now; gives the number of records delivered."""
        moved = 0
        for stream in streams.list_streams(TableName=self._table)["Streams"]:
            arn = stream["StreamArn"]
            described = streams.describe_stream(StreamArn=arn)["StreamDescription"]
            for shard in described["Shards"]:
                moved += self._drain_shard(streams, arn, shard["ShardId"])
        return moved

    def _drain_shard(self, streams: Any, arn: str, shard: str) -> int:
        place = f"{arn}|{shard}"
        iterator = self._iterator(streams, arn, shard, self._places().get(place))
        moved = 0
        while iterator and not self._stop.is_set():
            answer = streams.get_records(ShardIterator=iterator, Limit=BATCH)
            records = [_as_lambda_sees(record) for record in answer["Records"]]
            if not records:
                break
            self._deliver(records)
            self._note(place, records[-1]["dynamodb"]["SequenceNumber"])
            moved += len(records)
            iterator = answer.get("NextShardIterator")
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

    def _deliver(self, records: list[Record]) -> None:
        """Call the handler until every record is done or set aside."""
        tries = 0
        while records:
            failed = self._first_failure(records)
            if failed is None:
                return
            tries = tries + 1 if failed == 0 else 1
            records = records[failed:]
            if tries >= TRIES:
                with self._set_aside.open("a") as file:
                    file.write(json.dumps(records[0]) + "\n")
                records, tries = records[1:], 0

    def _first_failure(self, records: list[Record]) -> int | None:
        try:
            answer = self._handler({"Records": records}, Context())
        except Exception:  # noqa: BLE001 - as Lambda: a handler that raises failed its whole batch
            return 0
        failures = {f["itemIdentifier"] for f in (answer or {}).get("batchItemFailures", ())}
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        return next((n for n, number in enumerate(numbers) if number in failures), None)

    def _places(self) -> dict[str, str]:
        try:
            places: dict[str, str] = json.loads(self._checkpoint.read_text())
        except (OSError, ValueError):
            return {}
        return places

    def _note(self, place: str, number: str) -> None:
        written = self._checkpoint.with_suffix(".new")
        written.write_text(json.dumps({**self._places(), place: number}))
        written.replace(self._checkpoint)


def _as_lambda_sees(record: Record) -> Record:
    """A record of the Streams API as Lambda hands it over: JSON all through."""
    shown: Record = json.loads(json.dumps(record, default=_json))
    shown.setdefault("eventSource", "aws:dynamodb")
    return shown


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.timestamp()
