"""The queue of contacts: what happens between guides and customers, and what guides send."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from graphql_api.friends import tasks
from graphql_api.observability import batches, invocation
from graphql_api.sends import queueing as sends
from graphql_api.sends import tasks as send_tasks


def follow(record: SQSRecord) -> None:
    """One message; a second delivery of it finds what was done."""
    step = sends.read(record.body)
    if step is not None:
        send_tasks.follow(step)
    else:
        tasks.follow(record.body)


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """Messages of the queue; one that fails comes again."""
    return batches.of_queue(event, context, follow)
