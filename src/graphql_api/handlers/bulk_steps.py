"""What follows from a write to a bulk operation: its next steps, whose last write leads here."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.bulk.models import BulkOperation
from graphql_api.bulk.rules import OVER
from graphql_api.observability import batches, invocation


def follow(record: DynamoDBRecord) -> None:
    """Carry on the operation that was written; a second delivery finds it further on."""
    new = (record.dynamodb.new_image if record.dynamodb else None) or {}
    key = (new.get("id", ""), new.get("sort", ""))
    if BulkOperation.owns(key) and "version" in new and new.get("state") not in OVER:
        from graphql_api.bulk import running  # with the whole schema, which what is over needs not

        running.follow(key[0], int(new["version"]))


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """The stream of the bulk table; a record that fails is delivered again."""
    return batches.of_stream(event, context, follow)
