"""The queue of webhooks: attempts to deliver, side by side, so that none waits for another."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from graphql_api.observability import batches, invocation
from graphql_api.webhooks import tasks


async def follow(record: SQSRecord) -> None:
    """One message; a second delivery of it finds the attempt noted, or makes it again."""
    await tasks.follow(record.body)


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """Messages of the queue; one that fails comes again."""
    return batches.side_by_side(event, context, follow)
