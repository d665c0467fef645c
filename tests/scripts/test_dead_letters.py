"""Dead letters: what failed is shown, handed over again, and removed once it is done."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from graphql_api.tags.models import TagsItem
from scripts import dead_letters
from scripts.dead_letters import Letter

pytestmark = pytest.mark.engine("ministack", "it has queues")


@pytest.fixture
def queue(database: str) -> str:
    """An empty queue."""
    made: str = boto3.client("sqs").create_queue(QueueName="letters")["QueueUrl"]
    return made


def written(*ids: str) -> list[dict[str, Any]]:
    """The records of the stream of tags after items with these ids were written."""
    for id_ in ids:
        TagsItem(id_, "@").save()
    arn, shard = place()
    streams = boto3.client("dynamodbstreams")
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    return list(streams.get_records(ShardIterator=iterator)["Records"])


def place() -> tuple[str, str]:
    streams = boto3.client("dynamodbstreams")
    [stream] = streams.list_streams(TableName=TagsItem.Meta.table_name)["Streams"]
    arn = stream["StreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    return arn, shard["ShardId"]


def post(queue: str, first: str, last: str, stream: str | None = None) -> None:
    """A letter as Lambda writes it for records of a stream."""
    arn, shard = place()
    arn = stream or arn
    batch = {
        "shardId": shard,
        "startSequenceNumber": first,
        "endSequenceNumber": last,
        "approximateArrivalOfFirstRecord": "2026-11-01T00:00:00Z",
        "batchSize": 2,
        "streamArn": arn,
    }
    body = json.dumps({"requestContext": {}, "DDBStreamBatchInfo": batch})
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody=body)


def taking(answer: dict[str, Any]) -> tuple[list[list[str]], Callable[..., dict[str, Any]]]:
    """What a function was handed, and the function."""
    seen: list[list[str]] = []

    def invoke(_function: str, event: dict[str, Any]) -> dict[str, Any]:
        seen.append([r["dynamodb"]["Keys"]["id"]["S"] for r in event["Records"]])
        return answer

    return seen, invoke


def test_the_records_that_a_letter_names_are_handed_over_and_it_is_removed(queue: str) -> None:
    numbers = [r["dynamodb"]["SequenceNumber"] for r in written("a", "b", "c", "d")]
    post(queue, numbers[1], numbers[2])
    seen, invoke = taking({"batchItemFailures": []})
    assert dead_letters.replay(queue, "function", invoke) == (1, 0)
    assert seen == [["b", "c"]]
    assert dead_letters.count(queue) == 0
    assert dead_letters.replay(queue, "function", invoke) == (0, 0)


def test_letter_whose_records_fail_again_stays(queue: str) -> None:
    numbers = [r["dynamodb"]["SequenceNumber"] for r in written("a", "b")]
    post(queue, numbers[0], numbers[1])
    _, invoke = taking({"batchItemFailures": [{"itemIdentifier": numbers[0]}]})
    assert dead_letters.replay(queue, "function", invoke) == (0, 1)
    assert dead_letters.count(queue) == 1


def test_letter_whose_stream_is_gone_stays(queue: str, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = [r["dynamodb"]["SequenceNumber"] for r in written("a", "b")]
    post(queue, numbers[0], numbers[1], f"{place()[0]}-of-before")
    seen, invoke = taking({})
    assert dead_letters.replay(queue, "function", invoke) == (0, 1)
    assert seen == []
    assert "no longer has these records" in capsys.readouterr().err


def test_letter_of_a_queue_goes_back_to_it(queue: str) -> None:
    source = boto3.client("sqs").create_queue(QueueName="work")["QueueUrl"]
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody='{"id": "whd_1"}')
    seen, invoke = taking({})
    assert dead_letters.replay(queue, "function", invoke, source) == (1, 0)
    assert (dead_letters.count(queue), dead_letters.count(source), seen) == (0, 1, [])


def test_letter_of_an_unknown_queue_stays(queue: str) -> None:
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="?")
    assert dead_letters.replay(queue, "function", taking({})[1]) == (0, 1)
    assert dead_letters.count(queue) == 1


def test_letter_shows_which_records_and_no_more() -> None:
    batch = {"shardId": "s1", "batchSize": 3, "approximateArrivalOfFirstRecord": "2026-11-01"}
    letter = Letter("r", json.dumps({"DDBStreamBatchInfo": batch}))
    assert letter.shown() == "3 records since 2026-11-01 of shard s1"
    assert Letter("r", "plain text").shown() == "plain text"
