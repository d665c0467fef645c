"""The queue of copies: vendors are told what they lack of what is here."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from graphql_api.connectors import tasks
from graphql_api.observability import batches, invocation


def follow(record: SQSRecord) -> None:
    """One message; a second delivery of it finds the vendor told."""
    tasks.follow_out(record.body)


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """Messages of the queue; one that fails comes again."""
    return batches.of_queue(event, context, follow)
