"""Tags to test with; the chain is set up already."""

import itertools
from datetime import UTC, datetime
from typing import Any

from graphql_api.kit.dynamo import batch_write
from graphql_api.kit.ids import numbered_id
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.tags import service
from graphql_api.tags.models import Tag, TagGroup, TagJob, TagsItem
from graphql_api.tags.rules import TagKind
from graphql_api.tags.service import Changed
from graphql_api.viewer import SYSTEM, Role, Viewer

NOW = datetime(2018, 1, 10, 4, 0, tzinfo=UTC)
CLOCK = Clock(wall=lambda: NOW)
HEADQUARTERS = Viewer(Role.OPERATOR, id="opr_1")

_numbers = itertools.count(1)


def make_group(name: str | None = None, *, kind: TagKind = TagKind.LIFE, **more: Any) -> TagGroup:
    """A stored group of tags, which allows many unless it is said to be exclusive."""
    new = service.GroupCreate(name=name or f"组{next(_numbers)}", kind=kind, **more)
    return service.create_group(new, viewer=SYSTEM, clock=CLOCK)


def make_tag(group: TagGroup | None = None, name: str | None = None, **more: Any) -> Tag:
    """A stored tag, of a group of its own unless one is given."""
    group_id = (group or make_group()).id
    new = service.TagCreate(group_id=group_id, name=name or f"标签{next(_numbers)}", **more)
    return service.create_tag(new, viewer=SYSTEM, clock=CLOCK)


def make_tags(count: int, group: TagGroup | None = None, **more: Any) -> list[Tag]:
    """Stored tags of one group."""
    shared = group or make_group()
    return [make_tag(shared, **more) for _ in range(count)]


def put_tags(count: int) -> list[Tag]:
    """Many tags of one group, written without their claims."""
    group = make_group()
    ids = [numbered_id("tag", n) for n in range(1_001, 1_001 + count)]
    kind = group.kind
    tags = [
        Tag(id_, group_id=group.id, kind=kind, name=id_, created_at=NOW, version=1) for id_ in ids
    ]
    batch_write(TagsItem, tags)
    return tags


def set_tags(
    member: Member,
    *add: Tag,
    remove: list[Tag] | None = None,
    viewer: Viewer = HEADQUARTERS,
    clock: Clock = CLOCK,
    **more: Any,
) -> Changed:
    """Give a member tags and take some, as headquarters unless it is said who."""
    given = service.TagsSet(
        member_id=member.id,
        add=[tag.id for tag in add],
        remove=[tag.id for tag in remove or ()],
        **more,
    )
    return service.set_tags(given, viewer=viewer, clock=clock)


def make_job(
    *members: Member, add: list[Tag], viewer: Viewer = HEADQUARTERS, **more: Any
) -> TagJob:
    """A job that waits, over these members unless `whose` names a store or a guide."""
    whose = more.pop("whose", None) or service.Whose(ids=[member.id for member in members])
    new = service.JobCreate(members=whose, add=[tag.id for tag in add], **more)
    return service.create_job(new, viewer=viewer, clock=CLOCK)
