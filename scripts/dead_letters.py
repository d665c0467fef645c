"""`make dead-letters`: what a function of the stack could not do, shown and done again.

    python -m scripts.dead_letters list --stage prod
    python -m scripts.dead_letters show --stage prod --queue EffectsDeadLetters
    python -m scripts.dead_letters replay --stage prod --queue EffectsDeadLetters

A letter of a stream names the records, which the stream keeps for a day: replaying reads them and
hands them to the function again. A letter of a queue goes back to its queue. What is done is
removed; what fails again stays. All functions may be handed the same record twice.
"""

import argparse
import base64
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

SUFFIX = "DeadLetters"
_BATCH = 10
_HIDDEN_SECONDS = 300

Record = dict[str, Any]
Invoke = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of a dead-letter queue: for a stream, which records of it."""

    receipt: str
    body: str

    @property
    def batch(self) -> dict[str, Any] | None:
        """Where the records stand in their stream; None for a message of a queue."""
        try:
            read = json.loads(self.body)
        except ValueError:
            return None
        found: dict[str, Any] | None = (
            read.get("DDBStreamBatchInfo") if isinstance(read, dict) else None
        )
        return found

    def shown(self) -> str:
        """A line about it; bodies of queues hold ids only, never what they are about."""
        if batch := self.batch:
            arrived = batch.get("approximateArrivalOfFirstRecord", "")
            return f"{batch['batchSize']} records since {arrived} of shard {batch['shardId']}"
        return self.body[:200]


class Expired(LookupError):
    """The stream no longer has the records: they are older than a day."""


def queues(stack: str) -> dict[str, str]:
    """The dead-letter queues of a stack: logical id → address."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources")
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::SQS::Queue"
        and resource["LogicalResourceId"].endswith(SUFFIX)
    }


def count(queue: str) -> int:
    """About how many letters wait in a queue."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
    return sum(int(told["Attributes"].get(name, 0)) for name in names)


def letters(queue: str, *, hidden_for: int = _HIDDEN_SECONDS) -> Iterator[Letter]:
    """Every letter once; the others do not see them for so many seconds."""
    client = boto3.client("sqs")
    seen: set[str] = set()
    while True:
        answer = client.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=_BATCH, VisibilityTimeout=hidden_for
        )
        new = [m for m in answer.get("Messages", []) if m["MessageId"] not in seen]
        if not new:
            return
        for message in new:
            seen.add(message["MessageId"])
            yield Letter(message["ReceiptHandle"], message["Body"])


def replay(queue: str, function: str, invoke: Invoke, source: str | None = None) -> tuple[int, int]:
    """Do every letter again and remove those that are done; gives how many are, and are not.

    `source` is the queue that the letters of a queue came from.
    """
    client = boto3.client("sqs")
    done = failed = 0
    for letter in letters(queue):
        try:
            if batch := letter.batch:
                _hand_over(list(records(batch)), function, invoke)
            else:
                _send_back(letter, source)
        except (Expired, RuntimeError) as problem:
            failed += 1
            print(f"stays: {problem}", file=sys.stderr)
            continue
        client.delete_message(QueueUrl=queue, ReceiptHandle=letter.receipt)
        done += 1
    return done, failed


def _send_back(letter: Letter, source: str | None) -> None:
    if source is None:
        raise Expired("nobody knows where this letter came from")
    boto3.client("sqs").send_message(QueueUrl=source, MessageBody=letter.body)


def records(batch: dict[str, Any]) -> Iterator[Record]:
    """The records that a letter names, from their stream. Raises Expired where they are gone."""
    streams = boto3.client("dynamodbstreams")
    last = int(batch["endSequenceNumber"])
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=batch["streamArn"],
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
    except (
        streams.exceptions.TrimmedDataAccessException,
        streams.exceptions.ResourceNotFoundException,
    ):
        raise Expired("the stream no longer has these records") from None
    while iterator:
        answer = streams.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            if int(record["dynamodb"]["SequenceNumber"]) > last:
                return
            yield _as_lambda_sees(record)
        if not answer["Records"]:
            return
        iterator = answer.get("NextShardIterator")


def _hand_over(found: list[Record], function: str, invoke: Invoke) -> None:
    if not found:
        raise Expired("the stream no longer has these records")
    answer = invoke(function, {"Records": found})
    if failures := answer.get("batchItemFailures"):
        raise RuntimeError(f"{len(failures)} of {len(found)} records failed again")


def invoke_function(function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Call a function and wait for its answer; RuntimeError where it raises."""
    told = boto3.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    answer: dict[str, Any] = json.loads(told["Payload"].read() or b"{}") or {}
    if told.get("FunctionError"):
        raise RuntimeError(f"{function}: {answer.get('errorType', 'it raised')}")
    return answer


def _as_lambda_sees(record: Record) -> Record:
    def plain(value: Any) -> Any:
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value.timestamp()

    shown: Record = json.loads(json.dumps(record, default=plain))
    shown.setdefault("eventSource", "aws:dynamodb")
    return shown


def _physical(stack: str, logical_id: str) -> str | None:
    client = boto3.client("cloudformation")
    try:
        told = client.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
    except ClientError:
        return None
    named: str = told["StackResourceDetail"]["PhysicalResourceId"]
    return named


def run(given: argparse.Namespace) -> int:
    """List, show or replay."""
    stack = f"member-ops-{given.stage}"
    found = queues(stack)
    if given.what == "list":
        for name, queue in sorted(found.items()):
            print(f"{count(queue):6}  {name}")
        return 0
    if given.queue not in found:
        print(f"There is no {given.queue}: one of {', '.join(sorted(found))}", file=sys.stderr)
        return 1
    queue, noun = found[given.queue], given.queue.removesuffix(SUFFIX)
    if given.what == "show":
        for letter in letters(queue, hidden_for=0):
            print(letter.shown())
        return 0
    function = _physical(stack, f"{noun}Function") or noun
    source = _physical(stack, f"{noun}Queue")
    done, failed = replay(queue, function, invoke_function, source)
    print(f"{done} done, {failed} stay")
    return 1 if failed else 0


def main() -> int:
    """0 when it is done; 1 where letters stay."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["list", "show", "replay"])
    parser.add_argument("--stage", required=True)
    parser.add_argument("--queue", default="", help="its name in the template")
    try:
        return run(parser.parse_args())
    except (ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
