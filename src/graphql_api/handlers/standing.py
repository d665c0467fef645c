"""What follows from a write to a member: a decision where one is due, and a forecast that moves."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.forecasts import models, rules
from graphql_api.forecasts import tasks as forecasts
from graphql_api.kit.dynamo.tallies import Told
from graphql_api.members.models import Member
from graphql_api.observability import batches, invocation
from graphql_api.standing import tasks
from graphql_api.stores import service as stores


def follow(record: DynamoDBRecord) -> None:
    """Decide on a member whose day has come; a second delivery finds nothing due."""
    new = (record.dynamodb.new_image if record.dynamodb else None) or {}
    due_on = new.get("due_on")
    if due_on is None or not Member.owns((new.get("id", ""),)):
        return
    clock = stores.clock()
    if due_on <= clock.today().isoformat():
        tasks.follow(new["id"], clock=clock)


def foreseen(record: DynamoDBRecord) -> Told | None:
    """How a record moves the counts of the forecast; None where it does not."""
    if record.dynamodb is None:
        return None
    old, new = record.dynamodb.old_image, record.dynamodb.new_image
    differences = rules.moved(models.told_by(old), models.told_by(new))
    return Told(str(record.event_id), differences) if differences else None


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """The stream of the members table; a record that fails is delivered again.

    The whole batch is counted first: what of it was counted is marked, so it may come again.
    """
    told = [foreseen(DynamoDBRecord(record)) for record in event["Records"]]
    forecasts.count([one for one in told if one is not None])
    return batches.of_stream(event, context, follow)
