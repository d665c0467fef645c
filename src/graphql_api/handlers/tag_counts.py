"""What follows from a write to tags: a member got one or lost one, the count of the tag moves."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.kit.dynamo.tallies import Told
from graphql_api.observability import invocation, logger
from graphql_api.tags import tasks
from graphql_api.tags.models import tag_of_assignment

_DIFFERENCES = {"INSERT": 1, "REMOVE": -1}


def counted(record: DynamoDBRecord) -> Told | None:
    """What a record says of a count; None where it says nothing."""
    keys = record.dynamodb.keys if record.dynamodb else {}
    tag_id = tag_of_assignment(keys.get("sort", ""))
    difference = _DIFFERENCES.get(record.event_name.name if record.event_name else "")
    if tag_id is None or difference is None:
        return None
    return Told(str(record.event_id), {tag_id: difference})


@invocation
def handler(event: dict[str, Any], _context: Any) -> dict[str, list[Any]]:
    """The stream of the tags table, a batch at a time.

    A batch that fails is delivered again as a whole; what of it was counted is marked.
    """
    records = [counted(DynamoDBRecord(record)) for record in event["Records"]]
    if moved := tasks.count_members([record for record in records if record]):
        logger.info("members of tags counted", records=moved)
    return {"batchItemFailures": []}
