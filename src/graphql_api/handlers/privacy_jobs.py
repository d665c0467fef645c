"""What follows from a write to an export or an erasure: its next steps, to its end."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.observability import batches, invocation
from graphql_api.privacy import tasks
from graphql_api.privacy.models import Erasure, Export
from graphql_api.stores import service as stores


def follow(record: DynamoDBRecord) -> None:
    """Carry on the job that was written; a second delivery finds it further on."""
    new = (record.dynamodb.new_image if record.dynamodb else None) or {}
    key = (new.get("id", ""), new.get("sort", ""))
    if (Export.owns(key) or Erasure.owns(key)) and "version" in new:
        tasks.follow(key[0], int(new["version"]), clock=stores.clock())


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """The stream of the privacy table; a record that fails is delivered again."""
    return batches.of_stream(event, context, follow)
