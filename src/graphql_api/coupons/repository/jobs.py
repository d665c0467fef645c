"""Access paths of jobs that issue coupons, and of counts."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime

from pynamodb.expressions.update import Action

from graphql_api.coupons import models
from graphql_api.coupons.models import (
    SOLE,
    STOCK_PARTS,
    CouponsItem,
    IssueJob,
    IssueList,
    Mark,
    TemplateCount,
)
from graphql_api.coupons.rules import CouponState
from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page

LIST_SIZE = 500


def get_jobs(job_ids: Sequence[str]) -> list[IssueJob | None]:
    """Jobs by id."""
    return batch_get(IssueJob, [(id_, SOLE) for id_ in job_ids])


def get_job(job_id: str) -> IssueJob | None:
    """One job as it is now (strongly consistent), to decide on."""
    return batch_get(IssueJob, [(job_id, SOLE)], consistent=True)[0]


def create_job(tx: Transaction, job: IssueJob, member_ids: Sequence[str]) -> None:
    """Add a new job with its list of members, 500 to an item."""
    job.listed, job.list_place = models.jobs_of(job.by_id), job.id
    tx.create(job)
    for number, start in enumerate(range(0, len(member_ids), LIST_SIZE)):
        stretch = list(member_ids[start : start + LIST_SIZE])
        tx.create(IssueList(job.id, models.list_sort(number), member_ids=stretch))


def save_job(tx: Transaction, job: IssueJob) -> None:
    """Write a job over the version that was read."""
    tx.save(job)


def page_of_jobs(
    principal_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[IssueJob]:
    """Jobs that somebody made, by time: one Query, one BatchGetItem."""
    key, place = models.jobs_of(principal_id), CouponsItem.list_place
    keys = key_page(CouponsItem.by_list, key, place, first=first, after=after, reverse=reverse)
    return keys.showing(get_jobs([key.id for key in keys.items]))


def listed_page(job_id: str, *, first: int, after: str | None) -> Page[str]:
    """Ids of a job's list after a place; a page ends where an item of the list does."""
    start = 0 if after is None else int(after) + 1
    number, within = divmod(start, LIST_SIZE)
    keys = [(job_id, models.list_sort(n)) for n in (number, number + 1)]
    here, next_one = batch_get(IssueList, keys, consistent=True)
    stretch = here.member_ids if here else []
    listed = stretch[within : within + first]
    more = within + first < len(stretch) or next_one is not None
    return Page(listed, [f"{start + n:06d}" for n in range(len(listed))], more)


# --- counts ------------------------------------------------------------------------------------


def counts(template_ids: Sequence[str]) -> list[dict[CouponState, int]]:
    """How many coupons of each template stand in each state, as far as the stream was counted."""
    keys = [(id_, models.count_sort(n)) for id_ in template_ids for n in range(STOCK_PARTS)]
    found = batch_get(TemplateCount, keys)
    stretches = [found[n : n + STOCK_PARTS] for n in range(0, len(found), STOCK_PARTS)]
    return [
        {
            state: sum(int(getattr(part, state.lower())) for part in parts if part)
            for state in CouponState
        }
        for parts in stretches
    ]


def unmarked(event_ids: Sequence[str]) -> list[str]:
    """Those stream records that were not counted (strongly consistent)."""
    keys = [(models.mark_id(id_), SOLE) for id_ in event_ids]
    marks = batch_get(Mark, keys, consistent=True)
    return [id_ for id_, mark in zip(event_ids, marks, strict=True) if mark is None]


def count(
    tx: Transaction, differences: Mapping[str, int], event_ids: Sequence[str], *, until: datetime
) -> None:
    """Add to the counts of templates, `‹template›#‹state›`, and mark the records that say so.

    Which part of a count it goes to is a matter of chance, so that two streams seldom meet in one.
    """
    part = models.count_sort(random.randrange(STOCK_PARTS))  # noqa: S311 - no secret
    moved: dict[str, list[Action]] = {}
    for place, difference in differences.items():
        template_id, _, state = place.partition("#")
        attribute = getattr(TemplateCount, state.lower())
        moved.setdefault(template_id, []).append(attribute.add(difference))
    for template_id, actions in moved.items():
        tx.update(TemplateCount(template_id, part), actions)
    for id_ in event_ids:
        tx.create(Mark(models.mark_id(id_), forget_at=until))
