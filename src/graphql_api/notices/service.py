"""What can be done with subscribe messages: templates, what members answer, and sending one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, NotFound, Unavailable
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.members import repository as members
from graphql_api.members import rules as member_rules
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind
from graphql_api.notices import models, repository, rules
from graphql_api.notices.models import Answered, Notice, Quota, Template
from graphql_api.notices.rules import NoticeAnswer, NoticeState
from graphql_api.observability import count, logger
from graphql_api.viewer import Role, Viewer

MAX_ANSWERS = 5
MAX_FIELDS = 10

TemplateId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{10,64}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}\d{1,3}$")]
Reason = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]


class Outcome(StrEnum):
    """What WeChat said to a message: done, or that the member agreed to none (43101)."""

    DONE = "DONE"
    NO_QUOTA = "NO_QUOTA"


class NotSent(Exception):
    """WeChat surely did not send it, and may later."""


class Doubtful(Exception):
    """Nobody knows whether WeChat sent it."""


class WeChatRefused(Exception):
    """WeChat did not send it and will not; `code` is its number."""

    def __init__(self, code: str, meaning: str) -> None:
        super().__init__(code)
        self.code, self.meaning = code, meaning


_RIGHTS_THE_QUOTA = {NoticeState.REFUSED: rules.refused, NoticeState.FAILED: rules.gave_back}
"""What WeChat did not send, a member still agrees to, unless WeChat says otherwise."""

Send = Callable[[str, str, str | None, Mapping[str, str]], Outcome]
"""Has WeChat send to an openid, of a template, with a page and data; raises one of the above."""


class _Command(BaseModel):
    # An error must not print what a member is told.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TemplateSet(_Command):
    """A template of WeChat's console, with the keys of its fields."""

    template_id: TemplateId
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    page: Annotated[str, StringConstraints(pattern=r"^[^/\s][\x21-\x7e]{0,199}$")] | None = None
    fields: list[Key] = Field(min_length=1, max_length=MAX_FIELDS)


class OneAnswer(_Command):
    """What a member said of one template."""

    template_id: TemplateId
    answer: NoticeAnswer


class AnswersAdd(_Command):
    """What `wx.requestSubscribeMessage` gave; the client makes a `request_id` for the asking."""

    request_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    answers: list[OneAnswer] = Field(min_length=1, max_length=MAX_ANSWERS)


class DataField(_Command):
    """A field of a message."""

    key: Key
    value: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class TemplateRetire(_Command):
    """Which template is retired."""

    template_id: TemplateId


class NoticeSend(_Command):
    """A message for a member, once for its `reason`; `data` are the fields of the template."""

    member_id: str
    template_id: TemplateId
    reason: Reason
    data: list[DataField] = Field(max_length=MAX_FIELDS)
    page: Annotated[str, StringConstraints(pattern=r"^[^/\s][\x21-\x7e]{0,199}$")] | None = None


def set_template(given: TemplateSet, *, viewer: Viewer, at: datetime) -> Template:
    """A template as it is from now on; a retired one works again."""
    _require_headquarters(viewer)
    # No kind takes a line break, so that each says what is wrong: the value, or the kind itself.
    kinds = {key: rules.problem_with(key, "\n") or "" for key in given.fields}
    for n, key in enumerate(given.fields):
        if kinds[key].startswith("There is no kind"):
            raise Invalid(kinds[key], field=("input", "fields", str(n)))

    def attempt(tx: Transaction) -> Template:
        template = repository.get_template(given.template_id) or Template(
            models.ALL, given.template_id
        )
        template.name, template.page = given.name, given.page
        template.keys = list(given.fields)
        template.changed_at, template.retired_at = at, None
        repository.save_template(tx, template)
        return template

    return transact(attempt)


def retire_template(given: TemplateRetire, *, viewer: Viewer, at: datetime) -> Template:
    """A template of which nothing is sent any more; again changes nothing."""
    _require_headquarters(viewer)

    def attempt(tx: Transaction) -> Template:
        template = _template(given.template_id, ("input", "template_id"))
        if template.retired_at is None:
            template.retired_at = at
            repository.save_template(tx, template)
        return template

    return transact(attempt)


def add_answers(given: AnswersAdd, *, viewer: Viewer, at: datetime) -> list[Quota]:
    """What a member agreed to after these answers; the same asking counts once.

    Only members answer, for themselves. Refuses templates that are not ours.
    """
    if viewer.role is not Role.MEMBER:
        raise Forbidden("Members answer for themselves")
    wanted = [one.template_id for one in given.answers]
    if len(set(wanted)) < len(wanted):
        raise Invalid("A template stands once among the answers", field=("input", "answers"))
    for n, template in enumerate(repository.get_templates(wanted)):
        if template is None:
            field = ("input", "answers", str(n), "template_id")
            raise NotFound("There is no such template", field=field)

    def attempt(tx: Transaction) -> list[Quota]:
        quotas = repository.get_quotas(viewer.id, wanted)
        if repository.has_answered(viewer.id, given.request_id):
            return quotas
        for quota, one in zip(quotas, given.answers, strict=True):
            quota.known = rules.answered(quota.known, one.answer)
            repository.save_quota(tx, quota)
        mark = Answered(viewer.id, models.answered_sort(given.request_id), at=at)
        repository.add_answered(tx, mark)
        return quotas

    return transact(attempt)


def send(given: NoticeSend, *, send: Send, viewer: Viewer, at: datetime) -> Notice | None:
    """A message for a member, sent once at most for its reason; None where they agreed to none.

    What is refused here is refused before anything is taken: data that WeChat would not take, a
    member without an openid. 43101 sets the quota right. What WeChat surely did not send may be
    tried again (Unavailable); what nobody knows about is UNSURE and never sent again.
    """
    template = _template(given.template_id, ("input", "template_id"))
    member, openid = _addressee(given.member_id, viewer)
    data = _data(template, given.data)
    begun = _begun(given, member, at)
    if begun is None or begun.state in rules.OVER:
        return begun
    page = given.page or template.page
    try:
        outcome = send(openid, template.template_id, page, data)
    except NotSent:
        _taken_back(begun)
        raise Unavailable("WeChat sends nothing now; try again in a minute") from None
    except Doubtful:
        return _settled(begun, NoticeState.UNSURE, None)
    except WeChatRefused as refusal:
        logger.warning("notice not sent", errcode=refusal.code, meaning=refusal.meaning)
        return _settled(begun, NoticeState.FAILED, refusal.code)
    if outcome is Outcome.NO_QUOTA:
        return _settled(begun, NoticeState.REFUSED, "43101")
    return _settled(begun, NoticeState.SENT, None)


def _begun(given: NoticeSend, member: Member, at: datetime) -> Notice | None:
    """The message with one of the quota taken for it; the one that there is for its reason.

    One that is being sent by nobody any more, for its sender died, is UNSURE.
    """

    def attempt(tx: Transaction) -> Notice | None:
        there = repository.get_notice(member.id, given.template_id, given.reason)
        if there is not None:
            if there.state is NoticeState.SENDING:
                there.state = NoticeState.UNSURE
                repository.settle(tx, there)
            return there
        [quota] = repository.get_quotas(member.id, [given.template_id])
        taken = rules.took(quota.known)
        if taken is None:
            return None
        quota.known = taken
        repository.save_quota(tx, quota)
        notice = Notice(
            member.id,
            models.notice_sort(given.template_id, given.reason),
            template_id=given.template_id,
            reason=given.reason,
            at=at,
        )
        repository.create_notice(tx, notice)
        return notice

    return transact(attempt)


def _taken_back(notice: Notice) -> None:
    def attempt(tx: Transaction) -> None:
        [quota] = repository.get_quotas(notice.member_id, [notice.template_id])
        quota.known = rules.gave_back(quota.known)
        repository.save_quota(tx, quota)
        repository.remove(tx, notice)

    transact(attempt)


def _settled(notice: Notice, state: NoticeState, detail: str | None) -> Notice:
    def attempt(tx: Transaction) -> Notice:
        kept = repository.get_notice(notice.member_id, notice.template_id, notice.reason)
        if kept is None or kept.state is not NoticeState.SENDING:
            return kept or notice  # somebody held its sender for dead
        kept.state, kept.detail = state, detail
        repository.settle(tx, kept)
        if state in _RIGHTS_THE_QUOTA:
            [quota] = repository.get_quotas(notice.member_id, [notice.template_id])
            quota.known = _RIGHTS_THE_QUOTA[state](quota.known)
            repository.save_quota(tx, quota)
        return kept

    count(f"NOTICE_{state.value}")
    return transact(attempt)


def _addressee(member_id: str, viewer: Viewer) -> tuple[Member, str]:
    field = ("input", "member_id")
    member = members.get(member_id) if ids.prefix_of(member_id) == "mbr" else None
    if member is None or not member_rules.reaches(viewer, member) or not rules.sees_all(viewer):
        raise NotFound("There is no such member", field=field)
    if member.archived_at is not None:
        raise ForbiddenTransition("This membership has ended", field=field)
    openids = [i.value for i in member.identities if i.kind is IdentityKind.OPENID]
    if not openids:
        raise ForbiddenTransition("This member has not been in the mini-program", field=field)
    return member, openids[-1]


def _data(template: Template, given: list[DataField]) -> dict[str, str]:
    """The fields by key, when WeChat will take them."""
    if template.retired_at is not None:
        raise ForbiddenTransition("This template is retired", field=("input", "template_id"))
    data = {one.key: one.value for one in given}
    if len(data) < len(given) or set(template.fields) != set(data):
        text = f"The template has the fields {', '.join(sorted(template.fields))}, once each"
        raise Invalid(text, field=("input", "data"))
    for n, one in enumerate(given):
        if problem := rules.problem_with(one.key, one.value):
            raise Invalid(problem, field=("input", "data", str(n), "value"))
    return data


def _template(template_id: str, field: tuple[str, ...]) -> Template:
    template = repository.get_template(template_id)
    if template is None:
        raise NotFound("There is no such template", field=field)
    return template


def _require_headquarters(viewer: Viewer) -> None:
    if viewer.store_ids is not None:
        raise Forbidden("Headquarters set templates up")
