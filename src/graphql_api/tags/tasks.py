"""What follows from writes and from time: counts, jobs in steps, tags that run out."""

from collections.abc import Sequence
from datetime import date

from graphql_api.errors import AppError, Conflict
from graphql_api.kit.dynamo import Page, Transaction, transact
from graphql_api.kit.dynamo.tallies import Told, count_once
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.stores import service as stores
from graphql_api.tags import models, repository, rules, service
from graphql_api.tags.models import TagJob
from graphql_api.tags.rules import JobMembers, JobState
from graphql_api.tags.service import EXPIRED_AT_ONCE, Cause, Wanted
from graphql_api.viewer import Viewer

COUNTED_AT_ONCE = 40
STEP = 20
STEPS_AT_ONCE = 5
MAX_FAILURES = 100
_PAGE = 100


# --- counts ----------------------------------------------------------------------------------


def count_members(records: Sequence[Told]) -> int:
    """Add stream records to the counts of tags, each once however often it comes; how many."""
    return count_once(
        records,
        at_once=COUNTED_AT_ONCE,
        unmarked=repository.unmarked,
        count=repository.count,
    )


# --- expiry ----------------------------------------------------------------------------------


def expire(as_of: date, *, clock: Clock) -> int:
    """Clear away every tag that ran out before a business day; again changes nothing. How many.

    Reads only what is due. Nobody sees a tag that ran out, cleared away or not.
    """
    return sum(expire_shard(shard, as_of, clock=clock) for shard in models.SHARDS)


def expire_shard(shard: str, as_of: date, *, clock: Clock) -> int:
    """The same for one of the 16 shards, so that they can run side by side."""
    cleared = 0
    after: str | None = None
    while True:
        page = repository.due_in(shard, as_of, first=_PAGE, after=after)
        for member_id in dict.fromkeys(row.id for row in page.items):
            cleared += _expire_member(member_id, as_of, clock)
        if not page.more:
            return cleared
        after = page.last


def _expire_member(member_id: str, as_of: date, clock: Clock) -> int:
    cleared = last = service.expire_tags(member_id, as_of, clock=clock)
    while last == EXPIRED_AT_ONCE:
        last = service.expire_tags(member_id, as_of, clock=clock)
        cleared += last
    return cleared


# --- jobs ------------------------------------------------------------------------------------


def follow_job(job_id: str, version: int, *, clock: Clock) -> None:
    """Carry a job on after the write that made this version; an older one has a newer behind it."""
    job = repository.get_job(job_id)
    if job is not None and job.version == version:
        run_job(job_id, clock=clock, steps=STEPS_AT_ONCE)


def run_job(job_id: str, *, clock: Clock, steps: int | None = None) -> bool:
    """Carry a job on from where it got to, to its end or for so many steps; whether it is over.

    Killed anywhere and called again it ends the same: a step that was not noted finds its members
    changed already, and changes nothing. Raises Conflict when a member stays busy to the deadline.
    """
    left = steps
    while left is None or left > 0:
        job = repository.get_job(job_id)
        if job is None or job.state in rules.OVER:
            return True
        _step(job, clock)
        left = None if left is None else left - 1
    return False


def _step(job: TagJob, clock: Clock) -> None:
    try:
        wanted = service.want(service.wish_of(job), job.day)
    except AppError as refusal:
        _end(job, JobState.FAILED, clock, refusal.message)
        return
    if job.state is JobState.WAITING:
        job = _begin(job, clock)
    if job.state is JobState.IN_PROGRESS:
        _note(job, *_tagged(job, wanted, clock), clock)


def _begin(job: TagJob, clock: Clock) -> TagJob:
    total = _total(job)

    def attempt(tx: Transaction) -> TagJob:
        current = repository.get_job(job.id) or job
        if current.state is JobState.WAITING:
            current.state, current.started_at = JobState.IN_PROGRESS, clock.now()
            current.total = total
            repository.save_job(tx, current)
        return current

    return transact(attempt)


def _end(job: TagJob, state: JobState, clock: Clock, problem: str) -> None:
    def attempt(tx: Transaction) -> None:
        current = repository.get_job(job.id)
        if current is not None and current.state not in rules.OVER:
            current.state, current.finished_at = state, clock.now()
            current.problem = problem
            repository.save_job(tx, current)

    transact(attempt)


def _tagged(job: TagJob, wanted: Wanted, clock: Clock) -> tuple[Page[str], list[list[str]]]:
    """Change the tags of the next members; who they were, and those that failed with the reason."""
    page = _next_members(job)
    viewer = _viewer_of(job)
    source = rules.source_of(viewer)
    cause = Cause(viewer, source, clock.now(), job.day, job.reason, job.id)
    failures: list[list[str]] = []
    for n, member_id in enumerate(page.items):
        try:
            service.change(member_id, wanted, cause)
        except Conflict:
            if not n:
                raise
            return Page(page.items[:n], page.places[:n], more=True), failures
        except AppError as refusal:
            failures.append([member_id, refusal.code.value, refusal.message])
    return page, failures


def _note(job: TagJob, page: Page[str], failures: list[list[str]], clock: Clock) -> None:
    """Write how far the job got, unless somebody else came as far; a cancelled one stays so."""

    def attempt(tx: Transaction) -> None:
        current = repository.get_job(job.id)
        if current is None or current.place != job.place:
            return
        if current.state not in {JobState.IN_PROGRESS, JobState.CANCELLED}:
            return
        current.place = page.last or current.place
        current.done = int(current.done) + len(page.items)
        current.failed = int(current.failed) + len(failures)
        current.failure_document = [*current.failure_document, *failures][:MAX_FAILURES]
        if current.state is JobState.IN_PROGRESS and not page.more:
            current.state, current.finished_at = JobState.DONE, clock.now()
            current.total = current.done
        repository.save_job(tx, current)

    transact(attempt)


def _next_members(job: TagJob) -> Page[str]:
    if job.members is JobMembers.LISTED:
        return repository.listed_page(job.id, first=STEP, after=job.place)
    if job.members is JobMembers.OF_STORE:
        store_id = str(job.store_id)
        page = members.page_of_store(store_id, first=STEP, after=job.place, reverse=False)
    else:
        guide_id = str(job.guide_id)
        page = members.page_of_guide(guide_id, first=STEP, after=job.place, reverse=False)
    return page.showing([member.id for member in page.items])


def _total(job: TagJob) -> int:
    """How many members a job is about, as far as can be known when it begins."""
    if job.members is JobMembers.OF_STORE:
        return members.count_of_store(str(job.store_id))
    if job.members is JobMembers.OF_GUIDE:
        return members.count_of_guide(str(job.guide_id))
    return int(job.total or 0)


def _viewer_of(job: TagJob) -> Viewer:
    """Who made the job, with the reach that they have now."""
    return Viewer(
        job.by_role,
        id=job.by_id,
        unit_id=job.unit_id,
        store_ids=stores.reach(job.by_role, job.unit_id),
        scopes=frozenset(job.scopes),
    )
