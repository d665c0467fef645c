"""Queues on a laptop: receives messages and calls the Lambda handler that consumes them.

As Lambda does it: a batch at a time, what the handler does not name as failed is deleted, what it
names comes again after the queue's visibility timeout, and all of it when the handler raises.
"""

import threading
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from scripts.stream_pump import IDLE_SECONDS, Context, Handler

BATCH = 5


class QueuePump:
    """Moves the messages of one queue into a handler."""

    def __init__(self, url: str, handler: Handler, *, wait_seconds: int = 1) -> None:
        self._url = url
        self._handler = handler
        self._wait_seconds = wait_seconds
        self._stop = threading.Event()
        name = f"queue {url.rpartition('/')[2]}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stop.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        client = boto3.client("sqs")
        while not self._stop.is_set():
            try:
                self.drain(client)
            except (ClientError, BotoCoreError):
                self._stop.wait(IDLE_SECONDS)  # the engine stops; the next round asks again

    def drain(self, client: Any) -> int:
        """Handle one batch of what is waiting; gives the number of messages."""
        answer = client.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=self._wait_seconds
        )
        found = answer.get("Messages", [])
        if not found:
            return 0
        failed = self._failed([_as_lambda_sees(message) for message in found])
        for message in found:
            if message["MessageId"] not in failed:
                client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return len(found)

    def _failed(self, records: list[dict[str, Any]]) -> set[str]:
        try:
            answer = self._handler({"Records": records}, Context())
        except Exception:  # noqa: BLE001 - as Lambda: a handler that raises failed its whole batch
            return {record["messageId"] for record in records}
        return {one["itemIdentifier"] for one in (answer or {}).get("batchItemFailures", ())}


def _as_lambda_sees(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:local:000000000001:queue",
        "awsRegion": "local",
    }
