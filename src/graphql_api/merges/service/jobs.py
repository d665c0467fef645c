"""Merges as jobs: begun with all that stands on the members, carried on to the end."""

from collections import Counter
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from graphql_api.audit import service as audit
from graphql_api.audit.rules import AuditAction
from graphql_api.errors import (
    AppError,
    Conflict,
    ForbiddenTransition,
    Invalid,
    LimitExceeded,
    NotFound,
)
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import held_by_another
from graphql_api.members.service import MAX_IDENTITIES
from graphql_api.merges import models, repository, rules
from graphql_api.merges.models import Merge
from graphql_api.merges.rules import MergeSource, MergeState
from graphql_api.merges.service.steps import STEPS
from graphql_api.merges.service.two import Two
from graphql_api.merges.service.uniting import UNITING
from graphql_api.observability import logger
from graphql_api.viewer import Viewer

MAX_ALIASES = 30
STEPS_AT_ONCE = 12
_NO_JOB = ""
_SURVIVOR, _LOSER = ("input", "survivor_id"), ("input", "loser_id")

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class MembersMerge(BaseModel):
    """Two members who are one person: who stays, and who becomes an alias of theirs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    survivor_id: str
    loser_id: str
    reason: Reason | None = None


def merge(
    given: MembersMerge,
    *,
    viewer: Viewer,
    clock: Clock,
    source: MergeSource | None = None,
    source_ref: str | None = None,
) -> Merge:
    """Merge two members; the answer is whole where little is to be moved, else under way.

    From the first transaction on every id and identity of the loser leads to the survivor, who has
    all that stands on both items; the rest follows in steps, here and from the stream. `source` is
    the system that found them to be one, `source_ref` its event. The same again gives the same
    merge, and carries it on where it failed. Refuses the same member twice, members out of reach, a
    survivor who has left, and more identities or aliases than a member has; raises Conflict while
    one of them is merged with another, or held by an import.
    """

    def attempt(tx: Transaction) -> Merge:
        survivor, loser = _two(given, viewer)
        if survivor.id == loser.id:
            return _known(given, survivor)
        _require_free(survivor, loser, clock)
        _require_room(survivor, loser)
        job = Merge(
            models.merge_id(loser.id),
            survivor_id=survivor.id,
            loser_id=loser.id,
            loser_number=loser.number,
            store_id=survivor.store_id,
            source=source or rules.source_of(viewer),
            source_ref=source_ref,
            by_role=viewer.role,
            by_id=viewer.id,
            reason=given.reason,
            part=UNITING[0][0],
            created_at=clock.now(),
        )
        _begin(tx, Two(survivor, loser, job, clock))
        _note(tx, job, viewer)
        return job

    job = transact(attempt)
    try:
        return go_on(job.id, clock=clock, steps=STEPS_AT_ONCE)
    except Conflict:
        logger.info("merge goes on from the stream", merge=job.id)
        return repository.get(job.id) or job


def go_on(merge_id: str, *, clock: Clock, steps: int | None = None) -> Merge:
    """Carry a merge on from where it got to, to its end or for so many steps; as it is then.

    Killed anywhere and called again it ends the same. A step that is refused makes it FAILED with
    the reason; asked for again it is tried again. Raises Conflict when others keep the members
    busy to the deadline.
    """
    job, left = _open(merge_id), steps
    while job.state is MergeState.IN_PROGRESS and left != 0:
        try:
            job = _step(job, clock)
        except Conflict:
            raise
        except AppError as refusal:
            job = _fail(job, refusal)
        left = None if left is None else left - 1
    return job


def _two(given: MembersMerge, viewer: Viewer) -> tuple[Member, Member]:
    """Both members as they are now, where the viewer may merge them; of an alias the survivor."""
    asked = {_SURVIVOR: given.survivor_id, _LOSER: given.loser_id}
    found = iter(members.get_now([id_ if ids.prefix_of(id_) else "-" for id_ in asked.values()]))
    two: list[Member] = []
    for field in asked:
        member = next(found)
        if member is None or not rules.may_merge(viewer, member):
            raise NotFound("There is no such member", field=field)
        two.append(member)
    return two[0], two[1]


def _known(given: MembersMerge, survivor: Member) -> Merge:
    """The merge that made two ids one; Invalid where it is the same id."""
    aliases = [id_ for id_ in (given.loser_id, given.survivor_id) if id_ != survivor.id]
    job = repository.get(models.merge_id(aliases[0])) if aliases else None
    if job is None or given.survivor_id == given.loser_id:
        raise Invalid("These are one and the same member", field=_LOSER)
    return job


def _require_free(survivor: Member, loser: Member, clock: Clock) -> None:
    if survivor.archived_at is not None:
        text = "This member has left; restore the membership first"
        raise ForbiddenTransition(text, field=_SURVIVOR)
    for member, field in ((survivor, _SURVIVOR), (loser, _LOSER)):
        if member.merge_id is not None:
            raise Conflict("This member is being merged", field=field)
        if held_by_another(member.lock_owner, member.locked_until, _NO_JOB, clock.now()):
            raise Conflict("An import is at work on this member", field=field)


def _require_room(survivor: Member, loser: Member) -> None:
    if len(survivor.identity_claims) + len(loser.identity_claims) > MAX_IDENTITIES:
        raise LimitExceeded(f"A member has at most {MAX_IDENTITIES} identities", field=_LOSER)
    if len(survivor.alias_ids) + len(loser.alias_ids) >= MAX_ALIASES:
        raise LimitExceeded(f"A member has at most {MAX_ALIASES} aliases", field=_LOSER)


def _begin(tx: Transaction, two: Two) -> None:
    """Add the first transaction: all that stands on the members, who are one from then on."""
    survivor, loser, job = two.survivor, two.loser, two.job
    before = {"survivor": models.image(survivor), "loser": models.image(loser)}
    # A lock that ran out is gone, or its job would settle facts that it read before.
    for member in (survivor, loser):
        member.lock_owner = member.locked_until = None
    survivor.merge_id = job.id
    job.note(Counter({part: unite(tx, two) for part, unite in UNITING}))
    job.part, job.store_id = STEPS[0][0], survivor.store_id
    for member in (survivor, loser):
        members.save(tx, member)
    repository.record(tx, job, UNITING[0][0], before, at=two.clock.now())
    repository.create(tx, job)


def _note(tx: Transaction, job: Merge, viewer: Viewer) -> None:
    """Record that personal data of both changed, and which."""
    changed = [moved.part.value.lower() for moved in job.moved]
    for member_id in (job.survivor_id, job.loser_id):
        audit.note(tx, viewer, AuditAction.MERGED, member_id, changed)


def _step(job: Merge, clock: Clock) -> Merge:
    """Take the next of what is left, or come to the end where nothing is."""

    def attempt(tx: Transaction) -> Merge:
        now = repository.get(job.id)
        if now is None or now.version != job.version:
            return now or job
        [survivor] = members.get_now([now.survivor_id])
        [loser] = members.get_items([now.loser_id])
        if survivor is None or loser is None:
            raise NotFound("One of the members is not there any more")
        two = Two(survivor, loser, now, clock)
        if not _advanced(tx, two):
            now.state, now.ended_at = MergeState.DONE, clock.now()
            survivor.merge_id = None
            members.save(tx, survivor)
        repository.save(tx, now)
        return now

    return transact(attempt)


def _advanced(tx: Transaction, two: Two) -> bool:
    """Do the first step that has something left, from the one it got to; whether there was one.

    Goes round once, so that what came late is found.
    """
    reached = [part for part, _ in STEPS].index(two.job.part)
    for part, step in (*STEPS[reached:], *STEPS[:reached]):
        done = step(tx, two)
        if done is None:
            continue
        two.job.part = part
        two.job.note(Counter({part: done.count}))
        repository.record(tx, two.job, part, done.record, at=two.clock.now())
        for member in (two.survivor, two.loser) if done.saves else ():
            members.save(tx, member)
        return True
    return False


def _open(merge_id: str) -> Merge:
    """A merge to carry on; one that failed is tried again."""

    def attempt(tx: Transaction) -> Merge:
        job = repository.get(merge_id)
        if job is None:
            raise NotFound("There is no such merge")
        if job.state is MergeState.FAILED:
            job.state, job.problem = MergeState.IN_PROGRESS, None
            repository.save(tx, job)
        return job

    return transact(attempt)


def _fail(job: Merge, refusal: AppError) -> Merge:
    def attempt(tx: Transaction) -> Merge:
        now = repository.get(job.id) or job
        if now.version == job.version:
            now.state, now.problem = MergeState.FAILED, refusal.message
            repository.save(tx, now)
        return now

    return transact(attempt)
