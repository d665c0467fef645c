"""Groups and tags: make, change, archive and restore them."""

from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import Field, StringConstraints

from graphql_api.errors import (
    AppError,
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Taken,
)
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.tags import repository
from graphql_api.tags.models import Tag, TagGroup
from graphql_api.tags.rules import TagKind
from graphql_api.tags.service.commands import NO_TAG, Command, Text
from graphql_api.viewer import Viewer

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Days = Annotated[int, Field(ge=1, le=3650)]

Defined = TypeVar("Defined", TagGroup, Tag)


class GroupCreate(Command):
    """A new group of tags."""

    name: Name
    kind: TagKind
    exclusive: bool = False
    description: Text | None = None


class GroupUpdate(Command):
    """What changes of a group; what is not set stays, what is null is cleared."""

    id: str
    name: Name | None = None
    exclusive: bool | None = None
    description: Text | None = None
    expected_version: int | None = None


class TagCreate(Command):
    """A new tag of a group; `validity_days` is how many days after being given it holds."""

    group_id: str
    name: Name
    description: Text | None = None
    validity_days: Days | None = None


class TagUpdate(Command):
    """What changes of a tag; what is not set stays, what is null is cleared."""

    id: str
    name: Name | None = None
    description: Text | None = None
    validity_days: Days | None = None
    expected_version: int | None = None


def create_group(new: GroupCreate, *, viewer: Viewer, clock: Clock) -> TagGroup:
    """A new group; refuses a name in use."""
    _require_headquarters(viewer)
    group = TagGroup(
        ids.new_id("tgg"),
        name=new.name,
        kind=new.kind,
        exclusive=new.exclusive,
        description=new.description,
        created_at=clock.now(),
    )

    def attempt(tx: Transaction) -> TagGroup:
        repository.create(tx, group, name_taken=_name_taken())
        return group

    return transact(attempt)


def update_group(change: GroupUpdate, *, viewer: Viewer) -> TagGroup:
    """A group with its changes. One that allows many cannot come to allow one: members have them.

    Conflict when `expected_version` has passed.
    """
    _require_headquarters(viewer)

    def attempt(tx: Transaction) -> TagGroup:
        group = _group(change.id, ("input", "id"))
        _require_version(group, change.expected_version)
        if change.exclusive and not group.exclusive:
            text = "Members may have several tags of this group; make a new one"
            raise ForbiddenTransition(text, field=("input", "exclusive"))
        return _with(tx, group, change, nullable={"description"})

    return transact(attempt)


def archive_group(group_id: str, *, viewer: Viewer, clock: Clock) -> TagGroup:
    """A group that is out of the lists; refuses one with tags left. Again changes nothing."""
    _require_headquarters(viewer)

    def attempt(tx: Transaction) -> TagGroup:
        group = _group(group_id, ("id",))
        if group.archived_at is None and repository.has_tags(group_id):
            raise ForbiddenTransition("Archive the tags of this group first", field=("id",))
        return _mark(tx, group, clock.now())

    return transact(attempt)


def restore_group(group_id: str, *, viewer: Viewer) -> TagGroup:
    """An archived group back in the lists; again changes nothing."""
    _require_headquarters(viewer)
    return transact(lambda tx: _mark(tx, _group(group_id, ("id",)), None))


def create_tag(new: TagCreate, *, viewer: Viewer, clock: Clock) -> Tag:
    """A new tag; refuses a name that its group has, and a group that is not there or archived."""
    _require_headquarters(viewer)
    if repository.id_by_name(new.group_id, new.name):
        raise _name_taken()
    tag_id = repository.new_tag_id()

    def attempt(tx: Transaction) -> Tag:
        group = _live_group(tx, new.group_id, ("input", "group_id"))
        tag = Tag(
            tag_id,
            group_id=group.id,
            kind=group.kind,
            name=new.name,
            description=new.description,
            validity_days=new.validity_days,
            created_at=clock.now(),
        )
        repository.create(tx, tag, name_taken=_name_taken())
        return tag

    return transact(attempt)


def update_tag(change: TagUpdate, *, viewer: Viewer) -> Tag:
    """A tag with its changes; how long it holds is changed for those who get it from now on.

    Conflict when `expected_version` has passed.
    """
    _require_headquarters(viewer)

    def attempt(tx: Transaction) -> Tag:
        tag = _tag(change.id, ("input", "id"))
        _require_version(tag, change.expected_version)
        return _with(tx, tag, change, nullable={"description", "validity_days"})

    return transact(attempt)


def archive_tag(tag_id: str, *, viewer: Viewer, clock: Clock) -> Tag:
    """A tag that nobody gets any more; who has it keeps it. Its name stays taken for a return.

    Again changes nothing.
    """
    _require_headquarters(viewer)
    return transact(lambda tx: _mark(tx, _tag(tag_id, ("id",)), clock.now()))


def restore_tag(tag_id: str, *, viewer: Viewer) -> Tag:
    """An archived tag that can be given again, in a group that works; again changes nothing."""
    _require_headquarters(viewer)

    def attempt(tx: Transaction) -> Tag:
        tag = _tag(tag_id, ("id",))
        if tag.archived_at is not None:
            _live_group(tx, tag.group_id, ("id",))
        return _mark(tx, tag, None)

    return transact(attempt)


def _with(
    tx: Transaction, item: Defined, change: GroupUpdate | TagUpdate, *, nullable: set[str]
) -> Defined:
    """Take the fields that were given over; what is so already is not written."""
    old_name = item.name
    given = change.model_dump(include=change.model_fields_set - {"id", "expected_version"})
    for name, value in given.items():
        if value is None and name not in nullable:
            raise Invalid("This cannot be null", field=("input", name))
    changes = {name: value for name, value in given.items() if getattr(item, name) != value}
    if not changes:
        return item
    for name, value in changes.items():
        setattr(item, name, value)
    repository.rename(tx, old_name, item, name_taken=_name_taken())
    repository.save(tx, item)
    return item


def _mark(tx: Transaction, item: Defined, archived_at: datetime | None) -> Defined:
    if (item.archived_at is None) != (archived_at is None):
        item.archived_at = archived_at
        repository.save(tx, item)
    return item


def _group(group_id: str, field: tuple[str, ...]) -> TagGroup:
    group = repository.get_group(group_id)
    if group is None:
        raise NotFound("There is no such group of tags", field=field)
    return group


def _live_group(tx: Transaction, group_id: str, field: tuple[str, ...]) -> TagGroup:
    group = _group(group_id, field)
    gone = ForbiddenTransition("This group of tags is archived", field=field)
    if group.archived_at is not None:
        raise gone
    repository.require_live_group(tx, group_id, gone=gone)
    return group


def _tag(tag_id: str, field: tuple[str, ...]) -> Tag:
    tag = repository.get(tag_id)
    if tag is None:
        raise NotFound(NO_TAG, field=field)
    return tag


def _name_taken() -> AppError:
    return Taken("This name is in use", field=("input", "name"))


def _require_headquarters(viewer: Viewer) -> None:
    if viewer.store_ids is not None:
        raise Forbidden("Only headquarters define tags")


def _require_version(item: TagGroup | Tag, expected: int | None) -> None:
    if expected is not None and expected != item.version:
        text = f"It is at version {item.version}, not {expected}"
        raise Conflict(text, field=("input", "expected_version"))
