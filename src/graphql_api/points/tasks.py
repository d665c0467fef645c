"""What a day brings to points: they become active, run out, and are announced."""

from datetime import date

from graphql_api.errors import Conflict
from graphql_api.kit.time import Clock
from graphql_api.observability import logger
from graphql_api.points import models, repository, service
from graphql_api.points.service import Cause

SHARDS = models.SHARDS
_PAGE = 100


def run(as_of: date, *, clock: Clock, expiring: bool = True) -> int:
    """Settle everyone who is due by a business day; how many changed. Again writes nothing."""
    return sum(run_shard(shard, as_of, clock=clock, expiring=expiring) for shard in SHARDS)


def run_shard(shard: str, as_of: date, *, clock: Clock, expiring: bool = True) -> int:
    """The same for one of the 16 shards, so that they can run side by side; reads who is due.

    A member who stays busy is left due, for the next run; the others go on.
    """
    changed = 0
    after: str | None = None
    while True:
        page = repository.due_in(shard, as_of, first=_PAGE, after=after)
        for key in page.items:
            changed += _settle(key.id, Cause(clock, as_of=as_of), expiring=expiring)
        if not page.more:
            return changed
        after = page.last


def _settle(member_id: str, cause: Cause, *, expiring: bool) -> bool:
    try:
        return service.settle(member_id, cause, expiring=expiring)
    except Conflict:
        logger.warning("points not settled", member=member_id, as_of=cause.day.isoformat())
        return False
