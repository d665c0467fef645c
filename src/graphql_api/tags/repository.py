"""Access paths of tags, of who has them, of jobs and of counts."""

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from graphql_api.errors import AppError
from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.kit.dynamo.blocks import key_walk, one_after_another
from graphql_api.kit.ids import numbered_id
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.tags import models
from graphql_api.tags.models import (
    COUNT_SHARDS,
    SHARDS,
    SOLE,
    Assignment,
    Counter,
    HistoryEntry,
    JobList,
    Mark,
    MemberCount,
    NameClaim,
    Tag,
    TagGroup,
    TagJob,
    TagsItem,
)
from graphql_api.tags.rules import TagKind

Named = TypeVar("Named", TagGroup, Tag)

LIST_SIZE = 500
_READ_ON = 5
_COUNTER_ID = "counter"


# --- groups and tags -------------------------------------------------------------------------


def get_many(tag_ids: Sequence[str]) -> list[Tag | None]:
    """Tags by id."""
    return batch_get(Tag, [(id_, SOLE) for id_ in tag_ids])


def get_groups(group_ids: Sequence[str]) -> list[TagGroup | None]:
    """Groups by id."""
    return batch_get(TagGroup, [(id_, SOLE) for id_ in group_ids])


def get(tag_id: str) -> Tag | None:
    """One tag as it is now (strongly consistent), to decide on."""
    return batch_get(Tag, [(tag_id, SOLE)], consistent=True)[0]


def get_group(group_id: str) -> TagGroup | None:
    """One group as it is now (strongly consistent), to decide on."""
    return batch_get(TagGroup, [(group_id, SOLE)], consistent=True)[0]


def get_now(tag_ids: Sequence[str]) -> list[Tag | None]:
    """Tags as they are now (strongly consistent), to decide on."""
    return batch_get(Tag, [(id_, SOLE) for id_ in tag_ids], consistent=True)


def get_groups_now(group_ids: Sequence[str]) -> list[TagGroup | None]:
    """Groups as they are now (strongly consistent), to decide on."""
    return batch_get(TagGroup, [(id_, SOLE) for id_ in group_ids], consistent=True)


def id_by_name(group_id: str, name: str) -> str | None:
    """The tag of a group that has a name, read from its claim."""
    key = (models.tag_claim_id(group_id, name), SOLE)
    claim = batch_get(NameClaim, [key], consistent=True)[0]
    return claim.item_id if claim else None


def page_of_group(group_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Tag]:
    """Tags of a group that are not archived, by name: one Query, one BatchGetItem."""
    keys = key_page(
        TagsItem.by_group,
        group_id,
        TagsItem.name_place,
        first=first,
        after=after,
        reverse=reverse,
    )
    return _with_items(Tag, keys)


def page_of_kinds(
    kinds: tuple[TagKind, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Tag]:
    """Tags of some kinds that are not archived: kind after kind, each by name."""
    keys = _kinds([models.tags_of(kind) for kind in kinds], first, after, reverse)
    return _with_items(Tag, keys)


def groups_of_kinds(
    kinds: tuple[TagKind, ...], *, first: int, after: str | None, reverse: bool
) -> Page[TagGroup]:
    """Groups of some kinds that are not archived: kind after kind, each by name."""
    keys = _kinds([models.groups_of(kind) for kind in kinds], first, after, reverse)
    return _with_items(TagGroup, keys)


def has_tags(group_id: str) -> bool:
    """Whether a group has a tag that is not archived."""
    return bool(list(TagsItem.by_group.query(group_id, limit=1)))


def new_tag_id() -> str:
    """The id of a number that no other tag gets."""
    counter = Counter(_COUNTER_ID)
    counter.update(actions=[Counter.last.add(1)])
    return numbered_id("tag", int(counter.last))


def create(tx: Transaction, item: TagGroup | Tag, *, name_taken: AppError) -> None:
    """Add a new group or tag and the claim on its name; `name_taken` refuses a name in use."""
    _index(item)
    tx.create(item)
    _claim(tx, item, name_taken)


def rename(tx: Transaction, old: str, item: TagGroup | Tag, *, name_taken: AppError) -> None:
    """Give up the claim on an old name and take the new one; the same in another case stays."""
    if old.casefold() != item.name.casefold():
        tx.delete(NameClaim(_claim_id(item, old)))
        _claim(tx, item, name_taken)


def save(tx: Transaction, item: TagGroup | Tag) -> None:
    """Write a group or tag over the version that was read; archived ones leave the lists."""
    _index(item)
    tx.save(item)


def require_live_group(tx: Transaction, group_id: str, *, gone: AppError) -> None:
    """Hold the transaction to a group that exists and is not archived."""
    live = TagGroup.id.exists() & TagGroup.archived_at.does_not_exist()
    tx.check(TagGroup, (group_id, SOLE), live, lost=gone)


# --- who has which ---------------------------------------------------------------------------


def assignments(member_id: str) -> list[Assignment]:
    """Every row of a member as it is now (strongly consistent), by tag."""
    of_tags = Assignment.sort.startswith(models.assignment_sort(""))
    return list(Assignment.query(member_id, of_tags, consistent_read=True))


def get_assignments(member_id: str, tag_ids: Sequence[str]) -> dict[str, Assignment]:
    """The rows of some tags of a member as they are now (strongly consistent), by tag."""
    keys = [(member_id, models.assignment_sort(tag_id)) for tag_id in tag_ids]
    found = batch_get(Assignment, keys, consistent=True)
    return {row.tag_id: row for row in found if row is not None}


def page_of_member(
    member_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Assignment]:
    """The tags of a member with who gave them, by tag: one Query."""
    return key_page(
        Assignment,
        member_id,
        Assignment.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=models.assignment_sort(""),
    )


def history_of_member(
    member_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[HistoryEntry]:
    """What became of the tags of a member, in the order in which it did: one Query."""
    return key_page(
        HistoryEntry,
        member_id,
        HistoryEntry.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=models.HISTORY,
    )


def history_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[HistoryEntry]:
    """The same of a member who was several: id after id."""
    return one_after_another(
        history_of_member, member_ids, first=first, after=after, reverse=reverse
    )


def members_of_tag(
    tag_id: str, as_of: date, *, first: int, after: str | None, reverse: bool
) -> Page[Member]:
    """Members who have a tag on a business day: shard after shard, each by joining time.

    Reads on where the tag of some has run out, or they left; after five times a page may be short
    although more follow.
    """
    found: list[Member] = []
    places: list[str] = []
    for _ in range(_READ_ON):
        keys: Page[TagsItem] = key_walk(
            lambda key, **page: key_page(TagsItem.by_tag, key, TagsItem.joined_key, **page),
            [models.of_tag(tag_id, shard) for shard in SHARDS],
            first=first - len(found),
            after=after,
            reverse=reverse,
        )
        people = members.get_many([key.id for key in keys.items])
        for member, place in zip(people, keys.places, strict=True):
            if member and member.archived_at is None and tag_id in member.tags_on(as_of):
                found.append(member)
                places.append(place)
        if not keys.more or len(found) == first:
            return Page(found, places, keys.more, keys.last)
        after = keys.last
    return Page(found, places, more=True, end=after)


def due_in(shard: str, as_of: date, *, first: int, after: str | None) -> Page[TagsItem]:
    """Keys of the rows of a shard whose last day is before a business day, longest ago first."""
    due_place, day = TagsItem.due_place, as_of.isoformat()
    return key_page(TagsItem.by_due, shard, due_place, first=first, after=after, up_to=day)


def put_assignment(tx: Transaction, row: Assignment) -> None:
    """Write a row; the member's version, in the same transaction, has the condition."""
    tx.put(row)


def drop_assignment(tx: Transaction, member_id: str, tag_id: str) -> None:
    """Remove a row; the member's version, in the same transaction, has the condition."""
    tx.delete(Assignment(member_id, models.assignment_sort(tag_id)))


def put_history(tx: Transaction, entry: HistoryEntry) -> None:
    """Add an entry of which there is none yet."""
    tx.create(entry)


# --- counts ----------------------------------------------------------------------------------


def member_counts(tag_ids: Sequence[str]) -> list[int]:
    """How many members have each tag, as far as the stream was counted."""
    keys = [(id_, models.count_sort(n)) for id_ in tag_ids for n in range(COUNT_SHARDS)]
    found = [int(part.members) if part else 0 for part in batch_get(MemberCount, keys)]
    return [sum(found[n : n + COUNT_SHARDS]) for n in range(0, len(found), COUNT_SHARDS)]


def unmarked(event_ids: Sequence[str]) -> list[str]:
    """Those stream records that were not counted (strongly consistent)."""
    keys = [(models.mark_id(id_), SOLE) for id_ in event_ids]
    marks = batch_get(Mark, keys, consistent=True)
    return [id_ for id_, mark in zip(event_ids, marks, strict=True) if mark is None]


def count(
    tx: Transaction, differences: Mapping[str, int], event_ids: Sequence[str], *, until: datetime
) -> None:
    """Add to the counts of tags, and mark the stream records that say so; stale when one was.

    Which part of a count it goes to is a matter of chance, so that two streams seldom meet in one.
    """
    part = models.count_sort(random.randrange(COUNT_SHARDS))  # noqa: S311 - no secret
    for tag_id, difference in differences.items():
        tx.update(MemberCount(tag_id, part), [MemberCount.members.add(difference)])
    for id_ in event_ids:
        tx.create(Mark(models.mark_id(id_), forget_at=until))


# --- jobs ------------------------------------------------------------------------------------


def get_jobs(job_ids: Sequence[str]) -> list[TagJob | None]:
    """Jobs by id."""
    return batch_get(TagJob, [(id_, SOLE) for id_ in job_ids])


def get_job(job_id: str) -> TagJob | None:
    """One job as it is now (strongly consistent), to decide on."""
    return batch_get(TagJob, [(job_id, SOLE)], consistent=True)[0]


def create_job(tx: Transaction, job: TagJob, member_ids: Sequence[str]) -> None:
    """Add a new job with its list of members, 500 to an item."""
    job.of_kind, job.name_place = models.jobs_of(job.by_id), job.id
    tx.create(job)
    for number, start in enumerate(range(0, len(member_ids), LIST_SIZE)):
        stretch = list(member_ids[start : start + LIST_SIZE])
        tx.create(JobList(job.id, models.list_sort(number), member_ids=stretch))


def save_job(tx: Transaction, job: TagJob) -> None:
    """Write a job over the version that was read."""
    tx.save(job)


def page_of_jobs(
    principal_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[TagJob]:
    """Jobs that somebody made, by time: one Query, one BatchGetItem."""
    index, key, place = TagsItem.by_kind, models.jobs_of(principal_id), TagsItem.name_place
    keys = key_page(index, key, place, first=first, after=after, reverse=reverse)
    return keys.showing(get_jobs([key.id for key in keys.items]))


def listed_page(job_id: str, *, first: int, after: str | None) -> Page[str]:
    """Ids of a job's list after a place; a page ends where an item of the list does."""
    start = 0 if after is None else int(after) + 1
    number, within = divmod(start, LIST_SIZE)
    keys = [(job_id, models.list_sort(n)) for n in (number, number + 1)]
    here, next_one = batch_get(JobList, keys, consistent=True)
    stretch = here.member_ids if here else []
    ids = stretch[within : within + first]
    more = within + first < len(stretch) or next_one is not None
    return Page(ids, [f"{start + n:06d}" for n in range(len(ids))], more)


def _claim(tx: Transaction, item: TagGroup | Tag, taken: AppError) -> None:
    tx.create(NameClaim(_claim_id(item, item.name), item_id=item.id), lost=taken)


def _claim_id(item: TagGroup | Tag, name: str) -> str:
    if isinstance(item, TagGroup):
        return models.group_claim_id(name)
    return models.tag_claim_id(item.group_id, name)


def _index(item: TagGroup | Tag) -> None:
    """Set the keys of the lists; an archived item has none."""
    listed = item.archived_at is None
    item.name_place = models.name_place_of(item) if listed else None
    if isinstance(item, TagGroup):
        item.of_kind = models.groups_of(item.kind) if listed else None
    else:
        item.of_kind = models.tags_of(item.kind) if listed else None
        item.in_group = item.group_id if listed else None


def _kinds(keys: list[str], first: int, after: str | None, reverse: bool) -> Page[TagsItem]:
    return key_walk(
        lambda key, **page: key_page(TagsItem.by_kind, key, TagsItem.name_place, **page),
        keys,
        first=first,
        after=after,
        reverse=reverse,
    )


def _with_items(model: type[Named], keys: Page[TagsItem]) -> Page[Named]:
    """The items behind a page of index keys, in the same order: one BatchGetItem."""
    return keys.showing(batch_get(model, [key.key for key in keys.items]))
