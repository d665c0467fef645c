"""Jobs: the same change for many members; tasks.py carries them on."""

from typing import Self

from pydantic import Field, model_validator

from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, NotFound
from graphql_api.guides import repository as guides
from graphql_api.guides import rules as guide_rules
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.stores import repository as stores
from graphql_api.tags import repository, rules
from graphql_api.tags.models import TagJob
from graphql_api.tags.rules import JobMembers, JobState
from graphql_api.tags.service.assignments import Wish, want
from graphql_api.tags.service.commands import Command
from graphql_api.viewer import Role, Viewer

MAX_LISTED = 10_000


class Whose(Command):
    """The members of a job: those listed, those of a store, or those of a guide."""

    ids: list[str] | None = Field(default=None, min_length=1, max_length=MAX_LISTED)
    store_id: str | None = None
    guide_id: str | None = None

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Self:
        if [self.ids, self.store_id, self.guide_id].count(None) != 2:
            raise ValueError("name members, a store or a guide")
        return self


class JobCreate(Wish):
    """A change of the tags of many members."""

    members: Whose


def create_job(new: JobCreate, *, viewer: Viewer, clock: Clock) -> TagJob:
    """A job that waits for its first step; refuses tags and members that the viewer cannot name."""
    today = clock.today()
    want(new, today)
    whose, store_id = _whose(new.members, viewer)
    listed = list(dict.fromkeys(new.members.ids or ()))
    job = TagJob(
        ids.new_id("tgj"),
        members=whose,
        store_id=store_id,
        guide_id=new.members.guide_id,
        add_ids=new.add,
        remove_ids=new.remove,
        expires_on=new.expires_on,
        reason=new.reason,
        by_role=viewer.role,
        by_id=viewer.id,
        unit_id=viewer.unit_id,
        scopes=sorted(viewer.scopes),
        day=today,
        total=len(listed) or None,
        created_at=clock.now(),
    )

    def attempt(tx: Transaction) -> TagJob:
        repository.create_job(tx, job, listed)
        return job

    return transact(attempt)


def cancel_job(job_id: str, *, viewer: Viewer, clock: Clock) -> TagJob:
    """A job that goes no further; what is done stays done. Again changes nothing."""

    def attempt(tx: Transaction) -> TagJob:
        job = repository.get_job(job_id)
        if job is None or not rules.sees_job(viewer, job):
            raise NotFound("There is no such job", field=("id",))
        if job.state is JobState.CANCELLED:
            return job
        if job.state in rules.OVER:
            raise ForbiddenTransition("This job is over", field=("id",))
        job.state, job.finished_at = JobState.CANCELLED, clock.now()
        repository.save_job(tx, job)
        return job

    return transact(attempt)


def wish_of(job: TagJob) -> Wish:
    """What a job does to each of its members."""
    return Wish(
        add=job.add_ids, remove=job.remove_ids, expires_on=job.expires_on, reason=job.reason
    )


def _whose(whose: Whose, viewer: Viewer) -> tuple[JobMembers, str | None]:
    """The kind of a job's members, and the store by which staff see it."""
    field: tuple[str, ...]
    if whose.store_id is not None:
        field = ("input", "members", "store_id")
        if viewer.role is Role.GUIDE:
            raise Forbidden("A guide tags members of their own", field=field)
        known = ids.prefix_of(whose.store_id) == "sto" and viewer.reaches_store(whose.store_id)
        if not known or stores.get(whose.store_id) is None:
            raise NotFound("There is no such store", field=field)
        return JobMembers.OF_STORE, whose.store_id
    if whose.guide_id is not None:
        guide = guides.get(whose.guide_id)
        other = viewer.role is Role.GUIDE and viewer.id != whose.guide_id
        if guide is None or other or guide_rules.visible(viewer, guide) is None:
            field = ("input", "members", "guide_id")
            raise NotFound("There is no such guide", field=field)
        return JobMembers.OF_GUIDE, guide.store_id
    for n, id_ in enumerate(whose.ids or ()):
        if ids.prefix_of(id_) != "mbr":
            field = ("input", "members", "ids", str(n))
            raise Invalid("This is not the id of a member", field=field)
    return JobMembers.LISTED, None
