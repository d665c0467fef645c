"""Queues: messages go ten to a call, later where that is asked, and are never lost in silence."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from graphql_api.config import settings
from graphql_api.kit import aws, queues
from graphql_api.kit.queues import Message
from tests.webhooks.conftest import cloud

__all__ = ["cloud"]

has_queues = pytest.mark.engine("ministack", "DynamoDB Local has no queues")


@pytest.fixture
def queue(aws_account: str) -> Iterator[str]:
    """An empty queue."""
    yield queues.create("one")
    settings.cache_clear()


def counts(queue: str) -> tuple[int, int]:
    """How many messages wait, and how many come later."""
    names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    asked = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
    waiting, later = (int(asked["Attributes"][name]) for name in names)
    return waiting, later


@has_queues
def test_messages_go_ten_to_a_call_and_those_with_a_delay_come_later(queue: str) -> None:
    sent: list[int] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        sent.append(len(params["Entries"]))

    events = aws.client("sqs").meta.events
    events.register("before-parameter-build.sqs.SendMessageBatch", note)
    queues.send(queue, [Message({"n": n}, delay=5.4 * (n % 2)) for n in range(21)])
    assert sent == [10, 10, 1]
    assert counts(queue) == (11, 10)


@has_queues
def test_longer_delay_than_a_queue_can_is_as_long_as_it_can(queue: str) -> None:
    queues.send(queue, [Message({}, delay=10_000), Message({}, delay=-3)])
    assert counts(queue) == (1, 1)


@has_queues
def test_queue_is_made_once(queue: str) -> None:
    queues.send(queue, [Message({})])
    assert queues.create("one") == queue
    assert counts(queue) == (1, 0)


@has_queues
def test_message_that_the_queue_does_not_take_is_an_error(
    queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        parsed["Failed"] = [{"Id": "0", "Code": "InternalError", "SenderFault": False}]

    aws.client("sqs").meta.events.register("after-call.sqs.SendMessageBatch", refuse)
    with pytest.raises(RuntimeError, match="refused 1 messages"):
        queues.send(queue, [Message({})])


def test_laptop_without_a_queue_sends_nothing() -> None:
    queues.send("", [Message({})])


@pytest.mark.usefixtures("cloud")
def test_cloud_without_a_queue_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no queue"):
        queues.send("", [Message({})])
