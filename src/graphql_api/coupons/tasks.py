"""What follows from writes and from time: counts, jobs in steps, coupons that run out."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from graphql_api.coupons import models, repository, service
from graphql_api.coupons.models import IssueJob
from graphql_api.coupons.rules import OVER, IssueState, IssueTo
from graphql_api.coupons.service import NotGivenOut, OutOfStock
from graphql_api.errors import AppError, Conflict
from graphql_api.kit.dynamo import Page, Transaction, transact
from graphql_api.kit.dynamo.tallies import Told, count_once
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.stores import service as stores
from graphql_api.tags import repository as tags
from graphql_api.viewer import Viewer

COUNTED_AT_ONCE = 30  # a mark for each, and at most as many counts
STEP = 10
STEPS_AT_ONCE = 5
MAX_FAILURES = 100
_PAGE = 100


# --- counts ----------------------------------------------------------------------------------


def told(event_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Told | None:
    """What a record of a coupon says of the counts of its template; None where nothing.

    A coupon is new once, at its first version: one that goes to the survivor of a merge, or is
    forgotten with its member, changes no count.
    """
    template_id, state, before = new.get("template_id"), new.get("state"), old.get("state")
    if not new or state == before or (not old and int(new["version"]) > 1):
        return None
    moves = {f"{template_id}#{state}": 1}
    if before is not None:
        moves[f"{template_id}#{before}"] = -1
    return Told(event_id, moves)


def count_states(records: Sequence[Told]) -> int:
    """Add stream records to the counts of templates, each once; how many were new."""
    return count_once(
        records,
        at_once=COUNTED_AT_ONCE,
        unmarked=repository.unmarked,
        count=repository.count,
    )


# --- expiry ----------------------------------------------------------------------------------


def expire(as_of: date, *, clock: Clock) -> int:
    """Write what time made of every coupon before a business day; again changes nothing. How many.

    Reads only what is due. Nobody is shown or may use a coupon that ran out, written or not.
    """
    return sum(expire_shard(shard, as_of, clock=clock) for shard in models.SHARDS)


def expire_shard(shard: str, as_of: date, *, clock: Clock) -> int:
    """The same for one of the 16 shards, so that they can run side by side."""
    changed = 0
    after: str | None = None
    while True:
        page = repository.due_in(shard, as_of, first=_PAGE, after=after)
        changed += sum(service.settle(key.key, as_of, clock=clock) for key in page.items)
        if not page.more:
            return changed
        after = page.last


# --- jobs ------------------------------------------------------------------------------------


def follow_job(job_id: str, version: int, *, clock: Clock) -> None:
    """Carry a job on after the write that made this version; an older one has a newer behind it."""
    job = repository.get_job(job_id)
    if job is not None and job.version == version:
        run_job(job_id, clock=clock, steps=STEPS_AT_ONCE)


def run_job(job_id: str, *, clock: Clock, steps: int | None = None) -> bool:
    """Carry a job on from where it got to, to its end or for so many steps; whether it is over.

    Killed anywhere and called again it ends the same: a step that was not noted finds that its
    members have their coupons. Raises Conflict when a member stays busy to the deadline.
    """
    left = steps
    while left is None or left > 0:
        job = repository.get_job(job_id)
        if job is None or job.state in OVER:
            return True
        _step(job, clock)
        left = None if left is None else left - 1
    return False


def _step(job: IssueJob, clock: Clock) -> None:
    if job.state is IssueState.WAITING:
        job = _begin(job, clock)
    if job.state is IssueState.IN_PROGRESS:
        page, failures, problem = _issue(job, clock)
        _note(job, page, failures, problem, clock)


def _begin(job: IssueJob, clock: Clock) -> IssueJob:
    total = _total(job)

    def attempt(tx: Transaction) -> IssueJob:
        current = repository.get_job(job.id) or job
        if current.state is IssueState.WAITING:
            current.state, current.started_at = IssueState.IN_PROGRESS, clock.now()
            current.total = total
            repository.save_job(tx, current)
        return current

    return transact(attempt)


Failures = list[list[str]]


def _issue(job: IssueJob, clock: Clock) -> tuple[Page[str], Failures, str | None]:
    """Issue to the next members; who they were, who failed and why, and what ends the job."""
    page = _next_members(job)
    viewer = _viewer_of(job)
    failures: Failures = []
    for n, member_id in enumerate(page.items):
        done = Page(page.items[:n], page.places[:n], more=True)
        try:
            service.issue_for_job(job, member_id, viewer=viewer, clock=clock)
        except Conflict:
            if not n:
                raise
            return done, failures, None
        except (NotGivenOut, OutOfStock) as refusal:
            return done, failures, refusal.message
        except AppError as refusal:
            failures.append([member_id, refusal.code.value, refusal.message])
    return page, failures, None


def _note(
    job: IssueJob, page: Page[str], failures: Failures, problem: str | None, clock: Clock
) -> None:
    """Write how far the job got, unless somebody else came as far; a cancelled one stays so."""

    def attempt(tx: Transaction) -> None:
        current = repository.get_job(job.id)
        if current is None or current.place != job.place:
            return
        if current.state not in {IssueState.IN_PROGRESS, IssueState.CANCELLED}:
            return
        current.place = page.last or current.place
        current.done = int(current.done) + len(page.items)
        current.failed = int(current.failed) + len(failures)
        current.failure_document = [*current.failure_document, *failures][:MAX_FAILURES]
        if current.state is IssueState.IN_PROGRESS and (problem or not page.more):
            current.state = IssueState.FAILED if problem else IssueState.DONE
            current.finished_at, current.problem = clock.now(), problem
            current.total = current.total if problem else current.done
        repository.save_job(tx, current)

    transact(attempt)


def _next_members(job: IssueJob) -> Page[str]:
    after = job.place
    match job.members:
        case IssueTo.LISTED:
            return repository.listed_page(job.id, first=STEP, after=after)
        case IssueTo.OF_STORE:
            page = members.page_of_store(str(job.store_id), first=STEP, after=after, reverse=False)
        case IssueTo.OF_GUIDE:
            page = members.page_of_guide(str(job.guide_id), first=STEP, after=after, reverse=False)
        case IssueTo.OF_TAG:
            page = tags.members_of_tag(
                str(job.tag_id), job.day, first=STEP, after=after, reverse=False
            )
    return page.showing([member.id for member in page.items])


def _total(job: IssueJob) -> int | None:
    """How many members a job is about, as far as can be known when it begins."""
    match job.members:
        case IssueTo.OF_STORE:
            return members.count_of_store(str(job.store_id))
        case IssueTo.OF_GUIDE:
            return members.count_of_guide(str(job.guide_id))
        case IssueTo.OF_TAG:
            return tags.member_counts([str(job.tag_id)])[0]
        case IssueTo.LISTED:
            return int(job.total or 0)


def _viewer_of(job: IssueJob) -> Viewer:
    """Who made the job, with the reach that they have now."""
    return Viewer(
        job.by_role,
        id=job.by_id,
        unit_id=job.unit_id,
        store_ids=stores.reach(job.by_role, job.unit_id),
        scopes=frozenset(job.scopes),
    )
