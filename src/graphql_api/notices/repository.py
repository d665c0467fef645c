"""Access paths of templates, quotas, answers and messages."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from graphql_api.kit.dynamo import Page, Transaction, batch_get
from graphql_api.kit.dynamo.blocks import one_after_another
from graphql_api.kit.dynamo.partitions import page_under
from graphql_api.notices import models
from graphql_api.notices.models import (
    ALL,
    NOTICE,
    QUOTA,
    Answered,
    Notice,
    NoticesItem,
    Quota,
    Template,
)
from graphql_api.notices.rules import NoticeState

ANSWERS_KEPT = timedelta(days=30)
NOTICES_KEPT = timedelta(days=365)


def get_template(template_id: str) -> Template | None:
    """A template as it is now (strongly consistent)."""
    return batch_get(Template, [(ALL, template_id)], consistent=True)[0]


def get_templates(template_ids: Sequence[str]) -> list[Template | None]:
    """Templates by WeChat's id."""
    return batch_get(Template, [(ALL, id_) for id_ in template_ids])


def all_templates() -> list[Template]:
    """Every template, retired ones too; a program has at most fifty."""
    return list(Template.query(ALL))


def save_template(tx: Transaction, template: Template) -> None:
    """Write a template, new or over the version that was read."""
    tx.save(template)


def get_quotas(member_id: str, template_ids: Sequence[str]) -> list[Quota]:
    """A member's quotas as they are now (strongly consistent); empty ones where there are none."""
    keys = [(member_id, models.quota_sort(id_)) for id_ in template_ids]
    found = batch_get(Quota, keys, consistent=True)
    return [item or Quota(*key) for item, key in zip(found, keys, strict=True)]


def save_quota(tx: Transaction, quota: Quota) -> None:
    """Write a quota, new or over the version that was read."""
    tx.save(quota)


def quotas_of(member_ids: Sequence[str]) -> list[list[Quota]]:
    """Everything that members agreed to: a Query for each."""
    under = NoticesItem.sort.startswith(QUOTA)
    return [list(Quota.query(id_, under)) for id_ in member_ids]


def has_answered(member_id: str, request_id: str) -> bool:
    """Whether a client's answers were counted (strongly consistent)."""
    key = (member_id, models.answered_sort(request_id))
    return batch_get(Answered, [key], consistent=True)[0] is not None


def add_answered(tx: Transaction, answered: Answered) -> None:
    """Note that answers were counted; stale when they were."""
    answered.forget_at = answered.at + ANSWERS_KEPT
    tx.create(answered)


def get_notice(member_id: str, template_id: str, reason: str) -> Notice | None:
    """A message for a reason as it is now (strongly consistent)."""
    key = (member_id, models.notice_sort(template_id, reason))
    return batch_get(Notice, [key], consistent=True)[0]


def create_notice(tx: Transaction, notice: Notice) -> None:
    """Add a message; stale when there is one for its reason."""
    notice.forget_at = notice.at + NOTICES_KEPT
    tx.create(notice)


def settle(tx: Transaction, notice: Notice) -> None:
    """Write what became of a message; stale unless it is being sent, as far as anybody knows."""
    actions: list[Any] = [Notice.state.set(notice.state)]
    if notice.detail is not None:
        actions.append(Notice.detail.set(notice.detail))
    tx.update(notice, actions, condition=Notice.state == NoticeState.SENDING)


def remove(tx: Transaction, notice: Notice) -> None:
    """Take a message back that was surely not sent."""
    tx.delete(notice)


def page_of_member(member_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Notice]:
    """A member's messages: one Query."""
    del reverse  # they are listed by reason, which has no order
    return page_under(Notice, member_id, NOTICE, first=first, after=after)


def page_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Notice]:
    """The same of a member who was several."""
    return one_after_another(page_of_member, member_ids, first=first, after=after, reverse=reverse)
