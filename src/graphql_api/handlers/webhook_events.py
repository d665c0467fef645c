"""What follows from a write to members, coupons, orders: endpoints and vendors are told."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from graphql_api.connectors import tasks as connectors
from graphql_api.coupons.models import coupon_of
from graphql_api.friends import tasks as friends
from graphql_api.kit.time import real_now
from graphql_api.observability import count, invocation, logger
from graphql_api.webhooks import tasks
from graphql_api.webhooks.rules import Event
from graphql_api.webhooks.tasks import Change


def change_of(record: dict[str, Any]) -> Change:
    """A record of any of the streams."""
    written = record["dynamodb"]
    at = datetime.fromtimestamp(float(written["ApproximateCreationDateTime"]), UTC)
    return Change(record["eventID"], at, written.get("OldImage"), written.get("NewImage"))


def events_of(record: dict[str, Any]) -> list[Event]:
    """What a record tells endpoints."""
    return _teller(record["dynamodb"]["Keys"])(change_of(record))


def _teller(keys: dict[str, Any]) -> Callable[[Change], list[Event]]:
    if "owner" in keys:
        return tasks.order_events
    is_coupon = coupon_of(keys.get("sort", {}).get("S", "")) is not None
    return tasks.coupon_events if is_coupon else tasks.member_events


@invocation
def handler(event: dict[str, Any], _context: Any) -> dict[str, list[Any]]:
    """The streams of members, coupons and orders, a batch at a time.

    A batch that fails is delivered again as a whole; what of it was written is found.
    """
    events = [one for record in event["Records"] for one in events_of(record)]
    for one in events:
        count(one.topic.value)
    if sent := tasks.tell(events, at=real_now()):
        logger.info("webhooks on their way", events=len(events), deliveries=sent)
    if due := connectors.notice([change_of(record) for record in event["Records"]]):
        logger.info("vendors are to be told", copies=due)
    if met := friends.notice([change_of(record) for record in event["Records"]]):
        logger.info("customers may be members", customers=met)
    return {"batchItemFailures": []}
