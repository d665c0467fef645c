"""What follows from a published policy and from a run that waits: the run is set going."""

import json
from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.config import settings
from graphql_api.kit import aws
from graphql_api.observability import batches, invocation
from graphql_api.policies.models import Head
from graphql_api.rebuilds import tasks
from graphql_api.rebuilds.models import Run
from graphql_api.rebuilds.rules import RunState
from graphql_api.stores import service as stores


def follow(record: DynamoDBRecord) -> None:
    """Begin a run for a version that came into force; set a run going that waits."""
    change = record.dynamodb
    new = (change.new_image if change else None) or {}
    old = (change.old_image if change else None) or {}
    key = (new.get("id", ""), new.get("sort", ""))
    if (kind := Head.kind_of(key[0])) is not None:
        if new.get("in_force") != old.get("in_force", 0):
            tasks.published(kind, int(new["in_force"]), clock=stores.clock())
    elif Run.owns(key) and new.get("state") == RunState.WAITING:
        _set_going(key[0], int(new["attempt"]))


def _set_going(run_id: str, attempt: int) -> None:
    """Start the state machine, under a name that it takes once; without one, do it here."""
    if not (machine := settings().rebuild_machine_arn):
        tasks.run_all(run_id, clock=stores.clock())
        return
    client = aws.client("stepfunctions")
    given = {"name": f"{run_id}-{attempt}", "input": json.dumps({"run": run_id})}
    try:
        client.start_execution(stateMachineArn=machine, **given)
    except client.exceptions.ExecutionAlreadyExists:
        return


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """The streams of the tables of policies and runs; a record that fails is delivered again."""
    return batches.of_stream(event, context, follow)
