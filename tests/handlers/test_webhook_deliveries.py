"""The queue of webhooks: what is told arrives, by way of the real queue and the handler."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from graphql_api.config import settings
from graphql_api.handlers import webhook_deliveries
from graphql_api.kit import queues
from graphql_api.kit.time import real_now
from graphql_api.viewer import SYSTEM
from graphql_api.webhooks import messages, repository, service, tasks
from graphql_api.webhooks.rules import EndpointState, StopReason
from graphql_api.webhooks.service import EndpointReplay
from scripts.queue_pump import QueuePump
from tests.webhooks import receiver as receivers
from tests.webhooks.factories import (
    deliveries,
    delivery_now,
    endpoint_now,
    make_delivery,
    make_event,
    register,
)
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.engine("ministack", "DynamoDB Local has no queues")

CONTEXT: Any = SimpleNamespace(
    function_name="webhook_deliveries",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:webhook_deliveries",
    aws_request_id="1",
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who is told."""
    with receivers.serve() as server:
        yield server


@pytest.fixture
def queue(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The queue of webhooks."""
    monkeypatch.setenv("APP_WEBHOOK_QUEUE_URL", queues.create("webhooks"))
    settings.cache_clear()
    yield settings().webhook_queue_url
    settings.cache_clear()


def drain(queue: str) -> int:
    """Handle what waits in the queue now; what is delayed is left. How many."""
    pump = QueuePump(queue, webhook_deliveries.handler, wait_seconds=0)
    moved = handled = pump.drain(boto3.client("sqs"))
    while moved:
        moved = pump.drain(boto3.client("sqs"))
        handled += moved
    return handled


def delayed(queue: str) -> int:
    """How many messages come later."""
    name = "ApproximateNumberOfMessagesDelayed"
    asked = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
    return int(asked["Attributes"][name])


def test_what_is_told_arrives_once(queue: str, receiver: Receiver) -> None:
    made = register(receiver.url())
    events = [make_event() for _ in range(12)]
    assert tasks.tell(events, at=real_now()) == 12
    assert drain(queue) == 12
    assert sorted(got.document["id"] for got in receiver.got) == sorted(e.id for e in events)
    assert all(got.is_genuine(made.secret) for got in receiver.got)
    assert {one.state for one in deliveries()} == {"DELIVERED"}
    assert tasks.tell(events, at=real_now()) == 0
    assert drain(queue) == 0


def test_next_attempt_waits_in_the_queue(queue: str, receiver: Receiver) -> None:
    register(receiver.url("/500"))
    tasks.tell([make_event()], at=real_now())
    assert (drain(queue), delayed(queue)) == (1, 1)
    [delivery] = deliveries()
    assert (delivery.state, delivery.attempts, delivery.turn) == ("PENDING", 1, 1)


def test_delivery_written_before_a_crash_is_sent_by_the_second_try(
    queue: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(receiver.url())
    event = make_event()

    def die(*_: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as trouble:
        trouble.setattr(messages, "try_soon", die)
        with pytest.raises(TimeoutError):
            tasks.tell([event], at=real_now())
    assert drain(queue) == 0
    assert tasks.tell([event], at=real_now()) == 1
    assert drain(queue) == 1
    assert len(receiver.got) == 1


def test_slow_endpoint_does_not_hold_up_its_batch(queue: str, receiver: Receiver) -> None:
    slow, fast = register(receiver.url("/slow")), register(receiver.url("/200"))
    records: list[dict[str, Any]] = []
    for endpoint in (slow.endpoint, fast.endpoint):
        delivery = make_delivery(endpoint)
        wanted = messages.Attempt(delivery=delivery.id, endpoint=endpoint.id, turn=0)
        records.append(record(len(records), wanted.model_dump_json()))
    receiver.released.clear()

    done_first: list[str] = []
    note = repository.note_attempt

    def keep(delivery: Any, *args: Any, **kwargs: Any) -> bool:
        done_first.append(delivery.endpoint_id)
        receiver.released.set()
        return note(delivery, *args, **kwargs)

    with pytest.MonkeyPatch.context() as watched:
        watched.setattr(repository, "note_attempt", keep)
        answer = webhook_deliveries.handler({"Records": records}, CONTEXT)
    assert answer == {"batchItemFailures": []}
    assert done_first == [fast.endpoint.id, slow.endpoint.id]


def record(number: int, body: str) -> dict[str, Any]:
    """A message of the queue, as Lambda hands it over."""
    return {
        "messageId": f"m{number}",
        "receiptHandle": "r",
        "body": body,
        "attributes": {},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:webhooks",
        "awsRegion": "us-east-1",
    }


def test_message_that_is_early_or_says_nothing_comes_again(queue: str, receiver: Receiver) -> None:
    delivery = make_delivery(register(receiver.url()).endpoint)
    wanted = messages.Attempt(delivery=delivery.id, endpoint=delivery.endpoint_id, turn=3)
    unknown = messages.Attempt(delivery="whd_1", endpoint="whe_1", turn=0)
    records = [
        record(0, wanted.model_dump_json()),
        record(1, "{}"),
        record(2, unknown.model_dump_json()),
    ]
    answer = webhook_deliveries.handler({"Records": records}, CONTEXT)
    assert {one["itemIdentifier"] for one in answer["batchItemFailures"]} == {"m0", "m1"}
    assert delivery_now(delivery).attempts == 0


def test_enabled_endpoint_gets_what_was_held_and_replays_what_was_delivered(
    queue: str, receiver: Receiver
) -> None:
    endpoint = register(receiver.url()).endpoint
    service.stop(endpoint.id, EndpointState.PAUSED, StopReason.FAILING, at=real_now())
    began = real_now()
    tasks.tell([make_event() for _ in range(3)], at=began)
    assert drain(queue) == 0
    service.enable(endpoint.id, viewer=SYSTEM, at=real_now())
    assert drain(queue) == 4
    assert delayed(queue) == 1
    assert len(receiver.got) == 3
    assert endpoint_now(endpoint).state == "ACTIVE"

    since = began - timedelta(seconds=1)
    again = EndpointReplay(id=endpoint.id, since=since, undelivered_only=False)
    service.replay_since(again, viewer=SYSTEM, at=real_now())
    service.replay_since(
        again.model_copy(update={"undelivered_only": True}), viewer=SYSTEM, at=real_now()
    )
    drain(queue)
    assert len(receiver.got) == 6
    assert {one.state for one in deliveries()} == {"DELIVERED"}


def test_queue_that_forgot_is_filled_again(queue: str, receiver: Receiver) -> None:
    endpoint = register(receiver.url()).endpoint
    delivery = make_delivery(endpoint)
    tasks.wake_all()
    drain(queue)
    assert delivery_now(delivery).state == "DELIVERED"


def test_pump_leaves_failed_messages_in_the_queue(queue: str, tmp_path: Path) -> None:
    queues.send(queue, [queues.Message({"n": n}) for n in range(12)])
    seen: list[str] = []

    def fail_one(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        seen.extend(one["body"] for one in event["Records"])
        failed = [one["messageId"] for one in event["Records"] if one["body"] == '{"n":3}']
        return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in failed]}

    pump = QueuePump(queue, fail_one, wait_seconds=0)
    while pump.drain(boto3.client("sqs")):
        pass
    assert len(set(seen)) == len(seen) == 12
    asked = boto3.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    assert asked["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"
