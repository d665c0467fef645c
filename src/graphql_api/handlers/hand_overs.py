"""What follows from a write to a hand-over: its next steps, whose last write leads here again."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.observability import batches, invocation
from graphql_api.ownership import tasks
from graphql_api.ownership.models import HandOver
from graphql_api.stores import service as stores


def follow(record: DynamoDBRecord) -> None:
    """Carry on the hand-over that was written; a second delivery finds it further on."""
    new = (record.dynamodb.new_image if record.dynamodb else None) or {}
    key = (new.get("id", ""), new.get("sort", ""))
    if HandOver.owns(key) and "version" in new:
        tasks.follow_hand_over(key[0], int(new["version"]), clock=stores.clock())


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """The stream of the ownership table; a record that fails is delivered again."""
    return batches.of_stream(event, context, follow)
