"""What is stored of tags: groups, tags, who has which, what became of that, jobs and counts."""

import zlib
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.constants import STREAM_NEW_AND_OLD_IMAGE
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.errors import ErrorCode
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.members.models import Member, joined_key_of
from graphql_api.members.rules import TagSource
from graphql_api.tags.rules import JobMembers, JobState, TagAction, TagKind
from graphql_api.viewer import Role

SOLE = "@"
SHARDS = tuple(f"{n:02d}" for n in range(16))
COUNT_SHARDS = 8
_ASSIGNMENT = "tag#"
HISTORY = "history#"


class KindIndex(GlobalSecondaryIndex["TagsItem"]):
    """Groups, and tags, of a kind by name; archived ones are not in it."""

    class Meta:
        index_name = "kind"
        projection = KeysOnlyProjection()

    of_kind = UnicodeAttribute(hash_key=True)
    name_place = UnicodeAttribute(range_key=True)


class GroupIndex(GlobalSecondaryIndex["TagsItem"]):
    """Tags of a group by name; archived ones are not in it."""

    class Meta:
        index_name = "group"
        projection = KeysOnlyProjection()

    in_group = UnicodeAttribute(hash_key=True)
    name_place = UnicodeAttribute(range_key=True)


class TagIndex(GlobalSecondaryIndex["TagsItem"]):
    """Members who have a tag by joining time, 16 keys to a tag."""

    class Meta:
        index_name = "tag"
        projection = KeysOnlyProjection()

    of_tag = UnicodeAttribute(hash_key=True)
    joined_key = UnicodeAttribute(range_key=True)


class DueIndex(GlobalSecondaryIndex["TagsItem"]):
    """Tags of members that run out, by last day, in 16 shards; what never runs out is not in it."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_place = UnicodeAttribute(range_key=True)


class TagsItem(Item):
    """The table of this slice; every item has the base key (id, sort).

    DynamoDB removes items whose `forget_at` has passed.
    """

    class Meta:
        table_name = table_name("tags")
        billing_mode = "PAY_PER_REQUEST"
        stream_view_type = STREAM_NEW_AND_OLD_IMAGE

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    of_kind = UnicodeAttribute(null=True)
    in_group = UnicodeAttribute(null=True)
    name_place = UnicodeAttribute(null=True)
    of_tag = UnicodeAttribute(null=True)
    joined_key = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_place = UnicodeAttribute(null=True)
    forget_at = TTLAttribute(null=True)

    by_kind = KindIndex()
    by_group = GroupIndex()
    by_tag = TagIndex()
    by_due = DueIndex()


class TagGroup(TagsItem):
    """Tags that belong together; of an exclusive group a member has one at most."""

    id_prefix = "tgg"

    kind = UnicodeEnumAttribute(TagKind)
    name = UnicodeAttribute()
    exclusive = BooleanAttribute(default=False)
    description = UnicodeAttribute(null=True)
    created_at = InstantAttribute()
    archived_at = InstantAttribute(null=True)
    version = VersionAttribute()


class Tag(TagsItem):
    """Something to note of a member; kind and group never change."""

    id_prefix = "tag"

    group_id = UnicodeAttribute()
    kind = UnicodeEnumAttribute(TagKind)
    name = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    validity_days = NumberAttribute(null=True)
    created_at = InstantAttribute()
    archived_at = InstantAttribute(null=True)
    version = VersionAttribute()


class NameClaim(TagsItem):
    """A name is taken: of a group in the chain, of a tag in its group."""

    item_id = UnicodeAttribute()


class Counter(TagsItem):
    """The last tag number that was given."""

    last = NumberAttribute(default=0)


class Assignment(TagsItem):
    """A member has a tag: the row behind an entry of the member's own map."""

    tag_id = UnicodeAttribute()
    source = UnicodeEnumAttribute(TagSource)
    source_ref = UnicodeAttribute(null=True)
    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute()
    at = InstantAttribute()
    expires_on = DayAttribute(null=True)
    reason = UnicodeAttribute(null=True)

    @property
    def by_guide_id(self) -> str | None:
        """The guide who gave it, where a guide did."""
        return self.by_id if self.by_role is Role.GUIDE else None


class HistoryEntry(TagsItem):
    """What became of a tag of a member, once for each change; never written again."""

    tag_id = UnicodeAttribute()
    action = UnicodeEnumAttribute(TagAction)
    source = UnicodeEnumAttribute(TagSource)
    source_ref = UnicodeAttribute(null=True)
    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute()
    at = InstantAttribute()
    expires_on = DayAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    replaced_by = UnicodeAttribute(null=True)

    @property
    def by_guide_id(self) -> str | None:
        """The guide who did it, where a guide did."""
        return self.by_id if self.by_role is Role.GUIDE else None


class JobFailure:
    """A member whose tags a job could not change, and why."""

    __slots__ = ("code", "member_id", "message")

    def __init__(self, member_id: str, code: str, message: str) -> None:
        self.member_id = member_id
        self.code = ErrorCode(code)
        self.message = message


class TagJob(TagsItem):
    """A change of the tags of many members, done in steps; `place` is how far it got."""

    id_prefix = "tgj"

    state = UnicodeEnumAttribute(JobState, default=JobState.WAITING)
    members = UnicodeEnumAttribute(JobMembers)
    store_id = UnicodeAttribute(null=True)
    guide_id = UnicodeAttribute(null=True)
    add_ids = JsonAttribute(default=list)
    remove_ids = JsonAttribute(default=list)
    expires_on = DayAttribute(null=True)
    reason = UnicodeAttribute(null=True)

    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute()
    unit_id = UnicodeAttribute(null=True)
    scopes = JsonAttribute(default=list)
    day = DayAttribute()

    place = UnicodeAttribute(null=True)
    total = NumberAttribute(null=True)
    done = NumberAttribute(default=0)
    failed = NumberAttribute(default=0)
    failure_document = JsonAttribute(attr_name="failures", default=list)
    problem = UnicodeAttribute(null=True)
    created_at = InstantAttribute()
    started_at = InstantAttribute(null=True)
    finished_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def failures(self) -> list[JobFailure]:
        """The first hundred members that failed."""
        return [JobFailure(*row) for row in self.failure_document]


def jobs_of(principal_id: str) -> str:
    """The key under which the jobs of their maker stand."""
    return f"jobs#{principal_id}"


class JobList(TagsItem):
    """A stretch of the members that a job was given by id."""

    member_ids = JsonAttribute()


class MemberCount(TagsItem):
    """A part of the number of members who have a tag; the parts add up."""

    members = NumberAttribute(default=0)


class Mark(TagsItem):
    """A stream record was counted."""


def group_claim_id(name: str) -> str:
    """The key of the claim on the name of a group; names that differ in case are one."""
    return f"group-name#{name.casefold()}"


def tag_claim_id(group_id: str, name: str) -> str:
    """The key of the claim on the name of a tag in its group."""
    return f"tag-name#{group_id}#{name.casefold()}"


def groups_of(kind: TagKind) -> str:
    """The list of the groups of a kind."""
    return f"{kind}#group"


def tags_of(kind: TagKind) -> str:
    """The list of the tags of a kind."""
    return f"{kind}#tag"


def name_place_of(item: TagGroup | Tag) -> str:
    """By name; the id makes the key unique."""
    return f"{item.name}#{item.id}"


def assignment_sort(tag_id: str) -> str:
    """The range key of a member's row of a tag."""
    return f"{_ASSIGNMENT}{tag_id}"


def tag_of_assignment(sort: str) -> str | None:
    """The tag behind a range key, None for keys of anything else."""
    return sort.removeprefix(_ASSIGNMENT) if sort.startswith(_ASSIGNMENT) else None


def history_sort(member: Member, tag_id: str) -> str:
    """By the version of the member that the change makes: the order in which things happened."""
    return f"{HISTORY}{(member.version or 0) + 1:010d}#{tag_id}"


def shard_of(member_id: str) -> str:
    """Which of the 16 shards a member's rows are in; the same for ever."""
    return SHARDS[zlib.crc32(member_id.encode()) % len(SHARDS)]


def of_tag(tag_id: str, shard: str) -> str:
    """One of the 16 keys under which the members of a tag stand."""
    return f"{tag_id}#{shard}"


def assignment_of(member: Member, tag_id: str, **more: Any) -> Assignment:
    """A row with every key that follows from its member and its last day."""
    row = Assignment(member.id, assignment_sort(tag_id), tag_id=tag_id, **more)
    row.of_tag = of_tag(tag_id, shard_of(member.id))
    row.joined_key = joined_key_of(member)
    if row.expires_on is not None:
        row.due_shard = shard_of(member.id)
        row.due_place = f"{row.expires_on.isoformat()}#{member.id}#{tag_id}"
    return row


def count_sort(shard: int) -> str:
    """The range key of a part of a tag's count."""
    return f"count#{shard}"


def mark_id(event_id: str) -> str:
    """The key of the mark of a stream record."""
    return f"mark#{event_id}"


def list_sort(number: int) -> str:
    """The range key of a stretch of a job's members."""
    return f"list#{number:05d}"
