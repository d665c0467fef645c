"""What follows from a write to members: an identity was claimed, orders that waited for it come."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.members.models import claim_of
from graphql_api.observability import batches, invocation, logger
from graphql_api.orders import tasks
from graphql_api.stores import service as stores


def follow(record: DynamoDBRecord) -> None:
    """Attach what waited for a new claim; a second delivery finds nothing waiting."""
    keys = record.dynamodb.keys if record.dynamodb else {}
    claim = claim_of(keys.get("id", ""))
    if claim is None or record.event_name is None or record.event_name.name == "REMOVE":
        return
    came = tasks.attach_waiting(claim, clock=stores.clock())
    if came:
        logger.info("orders attached", orders=came)


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """The stream of the members table; a record that fails is delivered again."""
    return batches.of_stream(event, context, follow)
