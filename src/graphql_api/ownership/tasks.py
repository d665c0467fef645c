"""What follows from writes and from time: hand-overs in steps, ownerships that ran out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from graphql_api.errors import Conflict
from graphql_api.guides import repository as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit.dynamo import Stale, Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import GUIDE_DUE_SHARDS, Member
from graphql_api.members.service import OwnershipTerms
from graphql_api.observability import logger
from graphql_api.ownership import repository, rules, service
from graphql_api.ownership.models import HandedOver, HandOver
from graphql_api.ownership.rules import HandOverFailure, HandOverState, Outcome

LISTED_AT_ONCE = 70
MOVED_TOGETHER = 16  # with their takers, as many as a transaction holds
MOVED_AT_ONCE = 3 * MOVED_TOGETHER
STEPS_AT_ONCE = 4
PATIENCE_SECONDS = 1.0


# --- expiry ----------------------------------------------------------------------------------


def expire(as_of: date, *, clock: Clock) -> int:
    """End every ownership that ran out before a business day; again changes nothing. How many.

    Reads only what is due. A member who stays busy is left to the next run: until then the answer
    to who looks after them is right, as it looks at the day.
    """
    return sum(expire_shard(shard, as_of, clock=clock) for shard in GUIDE_DUE_SHARDS)


def expire_shard(shard: str, as_of: date, *, clock: Clock) -> int:
    """The same for one of the 16 shards, so that they can run side by side."""
    ended = 0
    for member_id in members.ids_that_ran_out(shard, as_of):
        try:
            ended += service.expire(member_id, as_of, clock=clock)
        except Conflict:
            logger.warning("member busy, ownership not ended", member=member_id)
    return ended


# --- hand-overs ------------------------------------------------------------------------------


def follow_hand_over(job_id: str, version: int, *, clock: Clock) -> None:
    """Carry a job on after the write that made this version; an older one has a newer behind it."""
    job = repository.get_hand_over(job_id)
    if job is not None and job.version == version:
        run_hand_over(job_id, clock=clock, steps=STEPS_AT_ONCE)


def run_hand_over(job_id: str, *, clock: Clock, steps: int | None = None) -> bool:
    """Carry a job on from where it got to, to its end or for so many steps; whether it is over.

    Killed anywhere and called again it ends the same: what became of a member is written with the
    member, and a step that was not noted finds it written.
    """
    left = steps
    while left is None or left > 0:
        job = repository.get_hand_over(job_id)
        if job is None or job.state in rules.OVER:
            return True
        _step(job, clock)
        left = None if left is None else left - 1
    return False


def _step(job: HandOver, clock: Clock) -> None:
    if job.total is None:
        _list_some(job, clock)
        return
    takers = _takers(job)
    if job.target_ids and not takers:
        _give_up(job, clock)
        return
    numbers = range(int(job.done), min(int(job.total), int(job.done) + MOVED_AT_ONCE))
    rows = repository.listed(job.id, numbers)
    outcomes = [row.outcome for row in rows if row.outcome is not None]
    left = [row for row in rows if row.outcome is None]
    step = _Step(job, takers, OwnershipTerms.in_force(), clock)
    for start in range(0, len(left), MOVED_TOGETHER):
        outcomes += _move(step, left[start : start + MOVED_TOGETHER])
    _note(job, outcomes, clock)


def _list_some(job: HandOver, clock: Clock) -> None:
    """Put the next of the guide's members on the list, and how far it goes, in one transaction."""
    page = members.ids_of_guide(job.from_guide_id, first=LISTED_AT_ONCE, after=job.listed_to)

    def attempt(tx: Transaction) -> None:
        now = repository.get_hand_over(job.id)
        if now is None or now.version != job.version:
            return
        repository.list_members(tx, now, [key.id for key in page.items])
        now.listed = int(now.listed) + len(page.items)
        now.listed_to = page.last or now.listed_to
        now.total = None if page.more else now.listed
        now.started_at = now.started_at or clock.now()
        _go_on(now, clock)
        repository.save_hand_over(tx, now)

    transact(attempt)


def _takers(job: HandOver) -> list[Guide]:
    """Those of a job's targets who still work in its store, in the order of the job."""
    found = guides.get_now(list(job.target_ids))
    here = [guide for guide in found if guide and guide.store_id == job.store_id]
    return [guide for guide in here if guide.status is GuideStatus.ACTIVE]


@dataclass(frozen=True, slots=True)
class _Step:
    """What the members of a step have in common."""

    job: HandOver
    takers: Sequence[Guide]
    terms: OwnershipTerms
    clock: Clock


def _move(step: _Step, rows: Sequence[HandedOver]) -> list[Outcome]:
    """What becomes of some members, written with them; where one stays busy, one after another."""
    known = [step]

    def attempt(tx: Transaction) -> list[Outcome]:
        # A stale attempt looks again who is at work.
        at = known.pop() if known else replace(step, takers=_takers(step.job))
        for taker in _in_turn(at, rows):
            guides.require_at_work(tx, taker)
        found = repository.listed_with_members(rows)
        return [now.outcome or _move_one(tx, at, now, member) for now, member in found]

    try:
        return transact(attempt, seconds=PATIENCE_SECONDS)
    except Conflict:
        if len(rows) == 1:
            return [_leave(rows[0])]
        return [outcome for row in rows for outcome in _move(step, [row])]


def _move_one(tx: Transaction, step: _Step, row: HandedOver, member: Member | None) -> Outcome:
    """Add to the transaction what becomes of a member."""
    job, clock = step.job, step.clock
    owned = member.owned_on(clock.today()) if member else None
    home_id = member.store_id if member else ""
    outcome = rules.outcome(
        owned, job.from_guide_id, home_id, job.store_id if job.target_ids else None
    )
    if member and outcome is Outcome.MOVED:
        service.wait_for_others(member, clock)
        new = None
        if job.target_ids:
            taker = rules.turn(row.number, step.takers)
            new = step.terms.begin(taker.id, job.source, clock.now(), clock)
        service.change_owner(tx, member, new, reason=job.reason, clock=clock)
    repository.note_outcome(tx, row, outcome)
    return outcome


def _in_turn(step: _Step, rows: Sequence[HandedOver]) -> list[Guide]:
    """The guides whose turn comes among these members; stale where nobody is at work any more."""
    if not step.job.target_ids:
        return []
    if not step.takers:
        raise Stale
    turns = [rules.turn(row.number, step.takers) for row in rows]
    return list({taker.id: taker for taker in turns}.values())


def _leave(row: HandedOver) -> Outcome:
    """Note that somebody else stays at work on a member, unless they were moved meanwhile."""

    def attempt(tx: Transaction) -> Outcome:
        [(now, _)] = repository.listed_with_members([row])
        if now.outcome is None:
            repository.note_outcome(tx, now, Outcome.BUSY)
        return now.outcome or Outcome.BUSY

    return transact(attempt)


def _note(job: HandOver, outcomes: list[Outcome], clock: Clock) -> None:
    """Count a step that is done; a job that was cancelled meanwhile counts it too."""

    def attempt(tx: Transaction) -> None:
        now = repository.get_hand_over(job.id)
        if now is None or now.done != job.done:
            return
        now.done = int(now.done) + len(outcomes)
        now.outcomes = now.outcomes + Counter(outcomes)
        _go_on(now, clock)
        repository.save_hand_over(tx, now)

    transact(attempt)


def _go_on(job: HandOver, clock: Clock) -> None:
    """Give a job that is not over the state that follows from how far it got."""
    if job.state in rules.OVER:
        return
    job.state = HandOverState.IN_PROGRESS
    if job.total is not None and job.done == job.total:
        job.state, job.ended_at = HandOverState.DONE, clock.now()


def _give_up(job: HandOver, clock: Clock) -> None:
    """None of the targets is at work any more: the members who are left stay as they are."""

    def attempt(tx: Transaction) -> None:
        now = repository.get_hand_over(job.id)
        if now is None or now.version != job.version:
            return
        now.state, now.failure = HandOverState.FAILED, HandOverFailure.NO_TARGET
        now.ended_at = clock.now()
        repository.save_hand_over(tx, now)

    transact(attempt)
