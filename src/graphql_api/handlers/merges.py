"""What follows from a write to a merge: its next steps, whose last write leads here again."""

from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from graphql_api.merges import tasks
from graphql_api.merges.models import Merge
from graphql_api.stores import service as stores

processor = BatchProcessor(event_type=EventType.DynamoDBStreams)


def follow(record: DynamoDBRecord) -> None:
    """Carry on the merge that was written; a second delivery finds it further on."""
    new = (record.dynamodb.new_image if record.dynamodb else None) or {}
    key = (new.get("id", ""), new.get("sort", ""))
    if Merge.owns(key) and "version" in new:
        tasks.follow_merge(key[0], int(new["version"]), clock=stores.clock())


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """The stream of the merges table; a record that fails is delivered again."""
    return process_partial_response(
        event=event, record_handler=follow, processor=processor, context=context
    )
