"""What people do with sends: make one, remind its guide, take it back."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from graphql_api.connectors.wecom import sends as wecom
from graphql_api.connectors.weixin_errors import said_plainly
from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, LimitExceeded, NotFound
from graphql_api.guides import repository as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.sends import queueing, repository, rules
from graphql_api.sends.models import Send, instant_text
from graphql_api.sends.rules import SendKind, SendState
from graphql_api.tags import repository as tags
from graphql_api.viewer import Role, Viewer


class SendCreate(BaseModel):
    """What a guide is to send: to all their friends, or to those who are members with a tag."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: SendKind = SendKind.MASS
    guide_id: str | None = None
    tag_id: str | None = None
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    link_title: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    link_url: (
        Annotated[str, StringConstraints(pattern=r"^https://[\x21-\x7e]+$", max_length=512)] | None
    ) = None

    @model_validator(mode="after")
    def _whole_link(self) -> "SendCreate":
        if (self.link_title is None) != (self.link_url is None):
            raise ValueError("a link has a title and an address")
        return self


def create(new: SendCreate, *, viewer: Viewer, at: datetime) -> Send:
    """A send that WeCom will ask its guide to confirm; nothing is sent before they do.

    A guide sends for themselves. A moment goes to all friends: WeCom chooses by its own tags only.
    """
    guide = _guide(new.guide_id, viewer)
    if problem := rules.problem_with(new.kind, new.text):
        raise Invalid(problem, field=("input", "text"))
    if new.tag_id is not None:
        _require_tag(new)
    is_mass = new.kind is SendKind.MASS
    send = Send(
        ids.new_id("snd"),
        kind=new.kind,
        guide_id=guide.id,
        user_id=guide.wecom_user_id,
        store_id=guide.store_id,
        tag_id=new.tag_id,
        text=new.text,
        link_title=new.link_title,
        link_url=new.link_url,
        state=SendState.LISTING if is_mass else SendState.ASKING,
        created_at=at,
        created_by=viewer.id,
    )
    transact(lambda tx: repository.save(tx, send))
    queueing.step(send.id, 0)
    return send


def remind(send_id: str, *, viewer: Viewer, at: datetime) -> Send:
    """Have WeCom remind the guide of a mass send, three times within 24 hours at most."""
    send = _send(send_id, viewer)
    if send.kind is not SendKind.MASS or send.state is not SendState.WAITING:
        raise ForbiddenTransition("Nothing waits for the guide", field=("id",))

    def attempt(tx: Transaction) -> Send:
        kept = _send(send_id, viewer)
        if not rules.may_remind(kept.reminders, at):
            text = f"A guide is reminded {rules.MAX_REMINDERS} times a day"
            raise LimitExceeded(text, field=("id",))
        kept.reminded_at = [*kept.reminded_at, instant_text(at)]
        repository.save(tx, kept)
        return kept

    counted = transact(attempt)
    with said_plainly():
        wecom.remind_mass(str(send.task_id))
    return counted


def cancel(send_id: str, *, viewer: Viewer, at: datetime) -> Send:
    """A send that is taken back, here and in WeCom; again changes nothing.

    What the guide has confirmed is sent. One of which nobody knows waits for somebody to look.
    """
    send = _send(send_id, viewer)
    if send.state is SendState.CANCELLED:
        return send
    if send.state not in rules.RUNS - {SendState.CONFIRMED}:
        raise ForbiddenTransition("It is too late to take this back", field=("id",))

    def attempt(tx: Transaction) -> Send:
        kept = _send(send_id, viewer)
        if kept.state not in rules.RUNS - {SendState.CONFIRMED}:
            raise ForbiddenTransition("It is too late to take this back", field=("id",))
        kept.state, kept.ended_at = SendState.CANCELLED, at
        repository.save(tx, kept)
        return kept

    with said_plainly():
        if send.kind is SendKind.MASS and send.task_id:
            wecom.cancel_mass(send.task_id)
        elif send.moment_id:
            wecom.cancel_moment(send.moment_id)
    return transact(attempt)


def _guide(guide_id: str | None, viewer: Viewer) -> Guide:
    field = ("input", "guide_id")
    wanted = guide_id or (viewer.id if viewer.role is Role.GUIDE else "")
    if viewer.role is Role.GUIDE and wanted != viewer.id:
        raise Forbidden("A guide sends for themselves", field=field)
    guide = guides.get(wanted) if ids.prefix_of(wanted) == "gde" else None
    if guide is None or not viewer.reaches_store(guide.store_id):
        raise NotFound("There is no such guide", field=field)
    if guide.status is not GuideStatus.ACTIVE:
        raise ForbiddenTransition("This guide is not at work", field=field)
    return guide


def _require_tag(new: SendCreate) -> None:
    field = ("input", "tag_id")
    if new.kind is SendKind.MOMENT:
        raise Invalid("A moment goes to all friends", field=field)
    known = ids.prefix_of(str(new.tag_id)) == "tag"
    if not known or tags.get_many([str(new.tag_id)]) == [None]:
        raise NotFound("There is no such tag", field=field)


def _send(send_id: str, viewer: Viewer) -> Send:
    send = repository.get(send_id) if ids.prefix_of(send_id) == "snd" else None
    seen = rules.visible(viewer, send) if send else None
    if seen is None:
        raise NotFound("There is no such send", field=("id",))
    return seen
