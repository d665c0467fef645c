"""The fast lane: new friends are welcomed within their 20 seconds."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from graphql_api.friends import tasks
from graphql_api.observability import batches, invocation


def greet(record: SQSRecord) -> None:
    """One new friend; a second delivery finds them welcomed, or too late."""
    tasks.greet(record.body)


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """One message at a time, so that nobody waits for another."""
    return batches.of_queue(event, context, greet)
