"""The queue of webhooks: attempts to deliver, side by side, so that none waits for another."""

from typing import Any

from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    EventType,
    async_process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from graphql_api.webhooks import tasks

processor = AsyncBatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


async def follow(record: SQSRecord) -> None:
    """One message; a second delivery of it finds the attempt noted, or makes it again."""
    await tasks.follow(record.body)


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Messages of the queue; one that fails comes again."""
    return async_process_partial_response(
        event=event, record_handler=follow, processor=processor, context=context
    )
