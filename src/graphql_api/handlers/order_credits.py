"""What follows from a write to an order: what guides earn, which campaigns it is credited to."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.campaigns import tasks as campaigns
from graphql_api.commissions import tasks as commissions
from graphql_api.observability import batches, invocation
from graphql_api.orders.models import Order
from graphql_api.stores import service as stores


def follow(record: DynamoDBRecord) -> None:
    """Follow the version of an order that was written; a second delivery finds it followed.

    A history gives nothing to anybody, so that an import of any size is passed over without a read.
    """
    image = record.raw_event["dynamodb"].get("NewImage")
    if image is None or "source" not in image:
        return
    order = Order.from_raw_data(image)
    if not order.came_live:
        return
    clock = stores.clock()
    commissions.follow(order, clock=clock)
    campaigns.credit(order, clock=clock)


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """The stream of the orders table; a record that fails is delivered again."""
    return batches.of_stream(event, context, follow)
