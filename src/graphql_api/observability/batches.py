"""Batches of records: what fails is logged, counted and named to Lambda; the rest is done."""

from collections.abc import Callable, Coroutine
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    async_process_partial_response,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.base import BasePartialBatchProcessor
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from graphql_api.observability import InvocationFailed, count, log_failure, logged_with

Response = PartialItemFailureResponse


class _Telling(BasePartialBatchProcessor):
    """Powertools names failed records to Lambda, and says of them nothing that we may log."""

    def failure_handler(self, record: Any, exception: Any) -> Any:
        log_failure("record failed", exception[1])
        count("RECORD_FAILED")
        return super().failure_handler(record, exception)

    def _clean(self) -> None:
        if self.raise_on_entire_batch_failure and self.records and self._entire_batch_failed():
            raise InvocationFailed(f"all {len(self.records)} records failed")
        super()._clean()  # type: ignore[no-untyped-call]


class _Batch(_Telling, BatchProcessor):
    def _process_record(self, record: dict[str, Any]) -> Any:
        with logged_with(record=_named(record)):
            return super()._process_record(record)


class _AsyncBatch(_Telling, AsyncBatchProcessor):
    async def _async_process_record(self, record: dict[str, Any]) -> Any:
        with logged_with(record=_named(record)):
            return await super()._async_process_record(record)


def of_stream(
    event: dict[str, Any], context: Any, follow: Callable[[DynamoDBRecord], None]
) -> Response:
    """Follow each record of a table's stream; one that fails is delivered again."""
    processor = _Batch(event_type=EventType.DynamoDBStreams)
    return process_partial_response(
        event=event,
        record_handler=lambda record: follow(record),
        processor=processor,
        context=context,
    )


def of_queue(event: dict[str, Any], context: Any, follow: Callable[[SQSRecord], None]) -> Response:
    """Follow each message of a queue; one that fails comes again."""
    processor = _Batch(event_type=EventType.SQS)
    return process_partial_response(
        event=event,
        record_handler=lambda record: follow(record),
        processor=processor,
        context=context,
    )


def side_by_side(
    event: dict[str, Any],
    context: Any,
    follow: Callable[[SQSRecord], Coroutine[Any, Any, None]],
) -> Response:
    """Follow all messages of a batch at once, so that none waits for another."""
    processor = _AsyncBatch(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return async_process_partial_response(
        event=event,
        record_handler=lambda record: follow(record),
        processor=processor,
        context=context,
    )


def _named(record: dict[str, Any]) -> str | None:
    return record.get("eventID") or record.get("messageId")
