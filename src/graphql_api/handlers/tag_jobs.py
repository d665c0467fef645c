"""What follows from a write to a job on tags: its next steps, whose last write leads here again."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.observability import batches, invocation
from graphql_api.stores import service as stores
from graphql_api.tags import tasks
from graphql_api.tags.models import TagJob


def follow(record: DynamoDBRecord) -> None:
    """Carry on the job that was written; a second delivery finds it further on."""
    new = (record.dynamodb.new_image if record.dynamodb else None) or {}
    key = (new.get("id", ""), new.get("sort", ""))
    if TagJob.owns(key) and "version" in new:
        tasks.follow_job(key[0], int(new["version"]), clock=stores.clock())


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """The stream of the tags table; a record that fails is delivered again."""
    return batches.of_stream(event, context, follow)
