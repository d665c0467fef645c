"""Jobs: coupons of one template for many members; tasks.py carries them on."""

from typing import Self

from pydantic import Field, model_validator

from graphql_api.coupons import repository, rules
from graphql_api.coupons.models import IssueJob
from graphql_api.coupons.rules import OVER, IssueState, IssueTo, TemplateState
from graphql_api.coupons.service.commands import NO_TEMPLATE, Command
from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, NotFound
from graphql_api.guides import repository as guides
from graphql_api.guides import rules as guide_rules
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.stores import repository as stores
from graphql_api.tags import repository as tags
from graphql_api.viewer import Role, Viewer

MAX_LISTED = 10_000
_FRONT_LINE = frozenset({Role.GUIDE, Role.STORE_MANAGER})


class IssueWhose(Command):
    """The members of a job: those listed, those of a store, of a guide, or of a tag."""

    ids: list[str] | None = Field(default=None, min_length=1, max_length=MAX_LISTED)
    store_id: str | None = None
    guide_id: str | None = None
    tag_id: str | None = None

    @model_validator(mode="after")
    def _is_one_of_four(self) -> Self:
        if [self.ids, self.store_id, self.guide_id, self.tag_id].count(None) != 3:
            raise ValueError("name members, a store, a guide or a tag")
        return self


class JobCreate(Command):
    """A coupon for each of many members."""

    template_id: str
    members: IssueWhose


def create_job(new: JobCreate, *, viewer: Viewer, clock: Clock) -> IssueJob:
    """A job that waits for its first step; refuses what the viewer cannot name or give."""
    template = repository.get_template(new.template_id)
    field = ("input", "template_id")
    if template is None or template.state is TemplateState.DRAFT:
        raise NotFound(NO_TEMPLATE, field=field)
    if template.state is not TemplateState.ACTIVE:
        raise ForbiddenTransition("This coupon is not given out", field=field)
    if viewer.role in _FRONT_LINE and not template.by_front_line:
        raise Forbidden("Headquarters give this coupon", field=field)
    whose = _whose(new.members, viewer)
    listed = list(dict.fromkeys(new.members.ids or ()))
    job = IssueJob(
        ids.new_id("cpj"),
        template_id=template.id,
        members=whose,
        store_id=new.members.store_id,
        guide_id=new.members.guide_id,
        tag_id=new.members.tag_id,
        by_role=viewer.role,
        by_id=viewer.id,
        unit_id=viewer.unit_id,
        scopes=sorted(viewer.scopes),
        day=clock.today(),
        total=len(listed) or None,
        created_at=clock.now(),
    )

    def attempt(tx: Transaction) -> IssueJob:
        repository.create_job(tx, job, listed)
        return job

    return transact(attempt)


def cancel_job(job_id: str, *, viewer: Viewer, clock: Clock) -> IssueJob:
    """A job that goes no further; what is issued stays issued. Again changes nothing."""

    def attempt(tx: Transaction) -> IssueJob:
        job = repository.get_job(job_id)
        if job is None or not rules.sees_job(viewer, job):
            raise NotFound("There is no such job", field=("id",))
        if job.state is IssueState.CANCELLED:
            return job
        if job.state in OVER:
            raise ForbiddenTransition("This job is over", field=("id",))
        job.state, job.finished_at = IssueState.CANCELLED, clock.now()
        repository.save_job(tx, job)
        return job

    return transact(attempt)


def _whose(whose: IssueWhose, viewer: Viewer) -> IssueTo:
    """The kind of a job's members, when the viewer may name them."""
    path = ("input", "members")
    if whose.store_id is not None:
        known = ids.prefix_of(whose.store_id) == "sto" and viewer.reaches_store(whose.store_id)
        if viewer.role is Role.GUIDE or not known or stores.get(whose.store_id) is None:
            raise NotFound("There is no such store", field=(*path, "store_id"))
        return IssueTo.OF_STORE
    if whose.guide_id is not None:
        guide = guides.get(whose.guide_id)
        other = viewer.role is Role.GUIDE and viewer.id != whose.guide_id
        if guide is None or other or guide_rules.visible(viewer, guide) is None:
            raise NotFound("There is no such guide", field=(*path, "guide_id"))
        return IssueTo.OF_GUIDE
    if whose.tag_id is not None:
        if viewer.store_ids is not None:
            text = "Only headquarters name all members of a tag"
            raise Forbidden(text, field=(*path, "tag_id"))
        if tags.get(whose.tag_id) is None:
            raise NotFound("There is no such tag", field=(*path, "tag_id"))
        return IssueTo.OF_TAG
    for n, id_ in enumerate(whose.ids or ()):
        if ids.prefix_of(id_) != "mbr":
            raise Invalid("This is not the id of a member", field=(*path, "ids", str(n)))
    return IssueTo.LISTED
