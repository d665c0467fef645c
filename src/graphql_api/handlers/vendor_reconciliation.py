"""What is asked of vendors by the clock: reconciliations once a day, lost messages every time."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from graphql_api.connectors import repository, tasks
from graphql_api.connectors.service import begin_day
from graphql_api.friends import queueing as friends
from graphql_api.kit.time import real_now
from graphql_api.observability import count, invocation, logger
from graphql_api.stores import service as stores

BEGINS_AT = time(4)


@invocation
def handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Begin the day's reconciliation of each shop, and follow what no queue knows of any more.

    However often it is called, a shop is reconciled once for a day of the chain, from four in the
    morning on.
    """
    at = real_now()
    ends_at = last_end(at, stores.clock().zone)
    shops = [shop for shop in repository.all_shops() if not shop.paused]
    begun = [shop for shop in shops if begin_day(shop.id, ends_at, at)]
    swept = tasks.sweep() + tasks.sweep_copies()
    if swept:
        count("VENDOR_SWEPT", swept)
        logger.warning("what waited was in no queue", swept=swept)
    friends.keep_ways(stores.clock().today())
    return {"swept": swept, "runs": len(begun)}


def last_end(at: datetime, zone: str) -> datetime:
    """The last time that it was four in the morning there."""
    there = at.astimezone(ZoneInfo(zone))
    day = there.date() if there.time() >= BEGINS_AT else there.date() - timedelta(days=1)
    return datetime.combine(day, BEGINS_AT, ZoneInfo(zone))
