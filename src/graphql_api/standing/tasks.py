"""What time brings: the run of a day, shard by shard, and members who fell due in between."""

import time
from dataclasses import dataclass, replace
from datetime import date

from graphql_api.kit.dynamo import Raw
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import DUE_SHARDS
from graphql_api.observability import log_failure
from graphql_api.standing import repository, service, wire
from graphql_api.standing.rules import Policies, Reason
from graphql_api.standing.service import Cause

PAGE = 100
SHARDS = DUE_SHARDS


@dataclass(frozen=True, slots=True)
class Report:
    """What a run has done: members looked at, changed, failed; how far it got; is there more."""

    members: int = 0
    changed: int = 0
    failed: int = 0
    after: str | None = None
    more: bool = False

    def plus(self, other: "Report") -> "Report":
        """Both together, going on where the other stopped."""
        return Report(
            self.members + other.members,
            self.changed + other.changed,
            self.failed + other.failed,
            other.after,
            other.more,
        )


def run(as_of: date, *, clock: Clock) -> Report:
    """Decide on everyone who is due by a business day; again writes nothing."""
    total = Report()
    for shard in SHARDS:
        total = total.plus(run_shard(shard, as_of, clock=clock))
    return total


def run_shard(
    shard: str, as_of: date, *, clock: Clock, after: str | None = None, seconds: float | None = None
) -> Report:
    """The same for one of the 16 shards, from a place on, for so long; reads only who is due.

    A member who cannot be decided on is noted and left due; the others go on. Killed anywhere and
    called again it ends the same: who was done is due no more.
    """
    ends = None if seconds is None else time.monotonic() + seconds
    total = Report(after=after, more=True)
    while total.more:
        page = members.due_in(shard, as_of, first=PAGE, after=total.after)
        done = _run_page([key.id for key in page.items], as_of, clock)
        if done.members:
            _count(as_of, shard, done)
        total = total.plus(replace(done, after=page.last, more=page.more))
        if ends is not None and time.monotonic() >= ends:
            break
    return total


def _run_page(member_ids: list[str], as_of: date, clock: Clock) -> Report:
    cause = Cause(clock, as_of, Reason.TIME)
    policies = repository.in_force()
    wanted = wire.attributes(for_rules=bool(policies.rules.rules))
    total = Report()
    for raw in members.get_raw(member_ids, only=wanted):
        if wire.is_free(raw, clock):
            total = total.plus(_run_one(raw, cause, policies))
    return total


def _run_one(raw: Raw, cause: Cause, policies: Policies) -> Report:
    try:
        changed = service.settle_read(raw, cause, policies)
    except Exception as problem:  # noqa: BLE001 - one bad member stops nobody else
        kind, member_id = type(problem).__name__, raw["id"]["S"]
        log_failure("member not decided on", problem, member=member_id)
        repository.put_failure(cause.as_of, member_id, problem=kind, at=cause.clock.now())
        return Report(members=1, failed=1)
    return Report(members=1, changed=int(changed))


def _count(as_of: date, shard: str, done: Report) -> None:
    repository.count_run(
        as_of, shard, members=done.members, changed=done.changed, failed=done.failed
    )


def follow(member_id: str, *, clock: Clock) -> bool:
    """Decide on a member who fell due by a change; whether anything changed. Again changes nothing.

    Whoever is not free is decided on by who works on them, or by the next run.
    """
    return service.settle(member_id, Cause(clock, clock.today(), Reason.PROFILE))
