"""The queue of contacts: what happened between guides and customers in WeCom."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from graphql_api.friends import tasks
from graphql_api.observability import batches, invocation


def follow(record: SQSRecord) -> None:
    """One message; a second delivery of it finds what was done."""
    tasks.follow(record.body)


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """Messages of the queue; one that fails comes again."""
    return batches.of_queue(event, context, follow)
