"""What follows from a write to members: a claim brings orders that waited, an effect a gift."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from graphql_api.benefits import tasks as benefits
from graphql_api.members.models import EFFECT, claim_of
from graphql_api.members.rules import EffectKind, Origin
from graphql_api.observability import batches, invocation, logger
from graphql_api.orders import tasks
from graphql_api.stores import service as stores


def follow(record: DynamoDBRecord) -> None:
    """What a record brings; a second delivery finds it there."""
    keys = record.dynamodb.keys if record.dynamodb else {}
    if str(keys.get("sort", "")).startswith(EFFECT):
        _give(record)
        return
    claim = claim_of(keys.get("id", ""))
    if claim is None or record.event_name is None or record.event_name.name == "REMOVE":
        return
    came = tasks.attach_waiting(claim, clock=stores.clock())
    if came:
        logger.info("orders attached", orders=came)


def _give(record: DynamoDBRecord) -> None:
    """Give what an effect brings, once; an effect is written and never changed."""
    effect = (record.dynamodb.new_image if record.dynamodb else None) or {}
    if "origin" not in effect or record.event_name is None or record.event_name.name != "INSERT":
        return
    outcome = benefits.follow(
        effect["id"],
        EffectKind(effect["kind"]),
        effect["level"],
        Origin(effect["origin"]),
        clock=stores.clock(),
    )
    if outcome is not None and outcome.is_new:
        gift = outcome.gift
        logger.info("gift", member=gift.id, occasion=gift.sort, state=gift.state)


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """The stream of the members table; a record that fails is delivered again."""
    return batches.of_stream(event, context, follow)
