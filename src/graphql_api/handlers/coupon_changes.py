"""What follows from a write to coupons: the counts of templates move, jobs go on."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.coupons import tasks
from graphql_api.coupons.models import IssueJob, coupon_of
from graphql_api.kit.dynamo.tallies import Told
from graphql_api.observability import batches, invocation, logger
from graphql_api.stores import service as stores


def counted(record: DynamoDBRecord) -> Told | None:
    """What a record says of a count; None where it says nothing."""
    written = record.dynamodb
    if written is None or coupon_of(written.keys.get("sort", "")) is None:
        return None
    return tasks.told(str(record.event_id), written.old_image or {}, written.new_image or {})


def follow(record: DynamoDBRecord) -> None:
    """Carry on the job that was written; a second delivery finds it further on."""
    new = (record.dynamodb.new_image if record.dynamodb else None) or {}
    key = (new.get("id", ""), new.get("sort", ""))
    if IssueJob.owns(key) and "version" in new:
        tasks.follow_job(key[0], int(new["version"]), clock=stores.clock())


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """The stream of the coupons table: a batch is counted as a whole, then its jobs go on.

    What fails is delivered again; what of it was counted is marked.
    """
    records = [counted(DynamoDBRecord(record)) for record in event["Records"]]
    if moved := tasks.count_states([record for record in records if record]):
        logger.info("coupons counted", records=moved)
    return batches.of_stream(event, context, follow)
