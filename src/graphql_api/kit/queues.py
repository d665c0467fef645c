"""Queues: messages that come later, at least once, in any order.

On a laptop without queues the address is empty, and nothing is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from graphql_api.config import settings
from graphql_api.kit import aws

LONGEST_DELAY = 900
_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, and after how many seconds it comes: 15 minutes at most, at once by default."""

    body: dict[str, Any]
    delay: float = 0


def send(url: str, messages: Sequence[Message]) -> None:
    """Send messages, ten to a call; RuntimeError when the queue did not take them all."""
    if not url:
        if settings().stage != "local":
            raise RuntimeError("this stage has no queue")
        return
    for start in range(0, len(messages), _AT_ONCE):
        entries = [_entry(n, m) for n, m in enumerate(messages[start : start + _AT_ONCE])]
        answer = aws.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
        if refused := answer.get("Failed"):
            raise RuntimeError(f"the queue refused {len(refused)} messages")


def create(name: str) -> str:
    """Make a queue unless it is there, for laptops and tests; its address."""
    attributes = {"VisibilityTimeout": "60"}
    made: str = aws.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return made


def _entry(number: int, message: Message) -> dict[str, Any]:
    delay = max(0, min(LONGEST_DELAY, round(message.delay)))
    text = orjson.dumps(message.body).decode()
    return {"Id": str(number), "MessageBody": text, "DelaySeconds": delay}
