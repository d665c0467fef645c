"""The queue of what WeChat pushed of the mini-program."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from graphql_api.notices import tasks
from graphql_api.observability import batches, invocation


def follow(record: SQSRecord) -> None:
    """One push; a second delivery of it changes nothing."""
    tasks.follow(record.body)


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """Messages of the queue; one that fails comes again."""
    return batches.of_queue(event, context, follow)
