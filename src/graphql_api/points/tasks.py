"""What a day brings to points: they become active, run out, and are announced."""

import time
from dataclasses import dataclass
from datetime import date

from graphql_api.errors import Conflict
from graphql_api.kit.time import Clock
from graphql_api.observability import logger
from graphql_api.points import models, repository, service
from graphql_api.points.service import Cause

SHARDS = models.SHARDS
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Report:
    """What a run has done: members changed; how far it got; is there more."""

    changed: int = 0
    after: str | None = None
    more: bool = False


def run(as_of: date, *, clock: Clock, expiring: bool = True) -> int:
    """Settle everyone who is due by a business day; how many changed. Again writes nothing."""
    return sum(run_shard(shard, as_of, clock=clock, expiring=expiring).changed for shard in SHARDS)


def run_shard(
    shard: str,
    as_of: date,
    *,
    clock: Clock,
    expiring: bool = True,
    after: str | None = None,
    seconds: float | None = None,
) -> Report:
    """The same for one of the 16 shards, from a place on, for so long; reads only who is due.

    A member who stays busy is left due, for the next run; the others go on. Killed anywhere and
    called again it ends the same: who was done is due no more.
    """
    ends = None if seconds is None else time.monotonic() + seconds
    done = Report(after=after, more=True)
    while done.more:
        page = repository.due_in(shard, as_of, first=_PAGE, after=done.after)
        cause = Cause(clock, as_of=as_of)
        changed = sum(_settle(key.id, cause, expiring=expiring) for key in page.items)
        done = Report(done.changed + changed, page.last, page.more)
        if ends is not None and time.monotonic() >= ends:
            break
    return done


def _settle(member_id: str, cause: Cause, *, expiring: bool) -> bool:
    try:
        return service.settle(member_id, cause, expiring=expiring)
    except Conflict:
        logger.warning("points not settled", member=member_id, as_of=cause.day.isoformat())
        return False
