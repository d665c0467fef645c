"""What fails is set aside, named, and done when its cause is mended."""

import json
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from scripts import dead_letters
from scripts.e2e.journey import Journey, await_that, require
from scripts.stack import STAGE
from scripts.stream_pump import Pump

# --- a record of a stream ----------------------------------------------------------------------


def poisoned_record_is_set_aside_and_done_when_mended(journey: Journey) -> str:
    """Of three records one fails: the others are done once, it is named, and done by a replay.

    The emulator takes a batch with failures for done, so this loop, which keeps to what AWS
    documents, calls the deployed function in its place.
    """
    orders = [_waiting_order(journey, n) for n in range(3)]
    queue = journey.served.physical("EffectsDeadLetters")
    with _taken_from_the_emulator(journey), _poisoned(journey, orders[1]) as mend:
        members = [_enrolled(journey, n) for n in range(3)]
        _drain(journey, queue)
        require([_orders_of(journey, m) for m in members], [[orders[0]], [], [orders[2]]], "orders")
        [letter] = dead_letters.letters(queue, hidden_for=0)
        [record] = dead_letters.records(letter.batch or {})
        require("OPENID" in record["dynamodb"]["Keys"]["id"]["S"], True, "the record that is named")
        mend()
        require(_replayed("EffectsDeadLetters"), 0, "the replay")
    require([_orders_of(journey, m) for m in members], [[one] for one in orders], "orders")
    require(dead_letters.count(queue), 0, "letters after the replay")
    journey.known["bought_too"] = members[0]
    return "two of three orders came at once, the third when it was mended and replayed"


def _buyer(n: int) -> dict[str, str]:
    return {"kind": "OPENID", "value": f"o-e2e-poison-{n}"}


def _waiting_order(journey: Journey, n: int) -> str:
    body = {
        "revision": "1",
        "paidAt": f"{datetime.now(UTC):%Y-%m-%d}T00:00:02Z",
        "storeId": journey.known["store"],
        "buyer": [_buyer(n)],
        "lines": [{"itemId": "tea", "name": "绿茶", "amount": "10.00"}],
    }
    order = {"source": "pos", "externalId": f"e2e-poison-{n}", "body": body}
    key = journey.known["key"]
    id_: str = journey.send("integration/order_apply", key, input=order)["order"]["id"]
    return id_


def _enrolled(journey: Journey, n: int) -> str:
    enrol = {"identities": [_buyer(n)], "storeId": journey.known["store"]}
    key = journey.known["key"]
    id_: str = journey.send("integration/member_enrol", key, input=enrol)["member"]["id"]
    return id_


def _orders_of(journey: Journey, member_id: str) -> list[str]:
    document = "query ($id: ID!) { member(by: {id: $id}) { orders(first: 5) { nodes { id } } } }"
    read = journey.ask(document, journey.token, id=member_id)["member"]
    return [node["id"] for node in read["orders"]["nodes"]]


@contextmanager
def _taken_from_the_emulator(journey: Journey) -> Iterator[None]:
    """The function's stream is not read by the emulator for the while."""
    client = boto3.client("lambda")
    function = journey.served.physical("EffectsFunction")
    [source] = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=source["UUID"], Enabled=True)


@contextmanager
def _poisoned(journey: Journey, order_id: str) -> Iterator[Any]:
    """An order whose pointer leads nowhere, until what is given is called."""
    client = boto3.client("dynamodb")
    table = journey.served.physical("OrdersTable")
    found = client.query(
        TableName=table,
        KeyConditionExpression="#owner = :id",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":id": {"S": order_id}},
    )["Items"]
    [pointer] = [one for one in found if "at_place" in one]
    client.put_item(TableName=table, Item={**pointer, "at_place": {"NULL": True}})
    yield lambda: client.put_item(TableName=table, Item=pointer)


def _drain(journey: Journey, queue: str) -> None:
    """Read the stream of members to its end, as Lambda does, into the deployed function."""
    function = journey.served.physical("EffectsFunction")

    def hand_over(event: dict[str, Any], _context: Any) -> Any:
        return dead_letters.invoke_function(function, event)

    def write_letter(stream: str, shard: str, record: dict[str, Any]) -> None:
        number = record["dynamodb"]["SequenceNumber"]
        batch = {
            "streamArn": stream,
            "shardId": shard,
            "startSequenceNumber": number,
            "endSequenceNumber": number,
            "batchSize": 1,
            "approximateArrivalOfFirstRecord": datetime.now(UTC).isoformat(),
        }
        body = json.dumps({"version": "1.0", "DDBStreamBatchInfo": batch})
        boto3.client("sqs").send_message(QueueUrl=queue, MessageBody=body)

    table = journey.served.physical("MembersTable")
    with tempfile.TemporaryDirectory() as folder:
        more = {"consumer": "e2e", "set_aside": write_letter}
        pump = Pump(table, hand_over, Path(folder), **more)  # type: ignore[arg-type]
        while pump.drain(boto3.client("dynamodbstreams")):
            pass


# --- a message of a queue ----------------------------------------------------------------------


def message_that_fails_is_set_aside_and_done_when_mended(journey: Journey) -> str:
    """A worker that cannot start: its piece of a day becomes a dead letter, and is done later."""
    served = journey.served
    queue, letters = served.physical("RecomputeQueue"), served.physical("RecomputeDeadLetters")
    before = _due(journey)
    piece = {"work": "standing", "shard": before["due_shard"], "as_of": before["due_on"]}
    with _impatient(queue):
        with _broken(served.physical("RecomputeWorkerFunction")):
            boto3.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(piece))
            seconds = await_that(lambda: dead_letters.count(letters) == 1, "it is set aside")
            require(_due(journey), before, "the member while the worker is broken")
        require(_replayed("RecomputeDeadLetters"), 0, "the replay")
        await_that(lambda: _due(journey) != before, "the piece is done")
    require(dead_letters.count(letters), 0, "letters after the replay")
    return f"set aside after {seconds:.1f} s, done by a replay when the worker was mended"


def _due(journey: Journey) -> dict[str, str]:
    """The day on which time next changes something for a member who bought, and their shard."""
    key = {"id": {"S": journey.known["bought_too"]}, "sort": {"S": "@"}}
    table = journey.served.physical("MembersTable")
    item = boto3.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    return {name: item[name]["S"] for name in ("due_on", "due_shard") if name in item}


@contextmanager
def _broken(function: str) -> Iterator[None]:
    """A function that refuses its settings, for the while: it touches nothing."""
    client = boto3.client("lambda")
    told = client.get_function_configuration(FunctionName=function)["Environment"]
    wrong = {**told["Variables"], "APP_STAGE": "nowhere"}
    client.update_function_configuration(FunctionName=function, Environment={"Variables": wrong})
    try:
        yield
    finally:
        variables = {"Variables": told["Variables"]}
        client.update_function_configuration(FunctionName=function, Environment=variables)
        await_that(lambda: _starts(function), "the worker starts again")


def _starts(function: str) -> bool:
    piece = {"work": "campaigns", "as_of": datetime.now(UTC).date().isoformat()}
    record = {"messageId": "1", "body": json.dumps(piece), "eventSource": "aws:sqs"}
    try:
        dead_letters.invoke_function(function, {"Records": [record]})
    except RuntimeError:
        return False
    return True


@contextmanager
def _impatient(queue: str) -> Iterator[None]:
    """A queue that gives a message again after a second, and twice: not five times, 90 minutes."""
    client = boto3.client("sqs")
    names = ["VisibilityTimeout", "RedrivePolicy"]
    told = client.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    redrive = json.loads(told["RedrivePolicy"]) | {"maxReceiveCount": 2}
    quick = {"VisibilityTimeout": "1", "RedrivePolicy": json.dumps(redrive)}
    client.set_queue_attributes(QueueUrl=queue, Attributes=quick)
    try:
        yield
    finally:
        client.set_queue_attributes(QueueUrl=queue, Attributes=told)


# --- by the operator's own program ---------------------------------------------------------------


def _replayed(queue: str) -> int:
    """What `make dead-letters ARGS="replay …"` ends with."""
    return dead_letters.run(Namespace(what="replay", stage=STAGE, queue=queue))
