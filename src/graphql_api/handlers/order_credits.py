"""What follows from a write to an order: what guides earn by it."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.commissions import tasks as commissions
from graphql_api.observability import batches, invocation
from graphql_api.orders.models import Order
from graphql_api.stores import service as stores


def follow(record: DynamoDBRecord) -> None:
    """Follow the version of an order that was written; a second delivery finds it followed."""
    image = record.raw_event["dynamodb"].get("NewImage")
    if image is not None and "source" in image:
        commissions.follow(Order.from_raw_data(image), clock=stores.clock())


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """The stream of the orders table; a record that fails is delivered again."""
    return batches.of_stream(event, context, follow)
