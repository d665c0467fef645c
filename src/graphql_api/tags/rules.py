"""Rules of tags: who may give and take one, what a change does, who sees a job."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

from graphql_api.members.rules import MAX_TAGS, HeldTag, Seen, TagSource, reaches
from graphql_api.viewer import READ_TAGS, STAFF, WRITE_TAGS, Role, Viewer


class TagKind(StrEnum):
    """What a group of tags is about (domain: §6)."""

    PURCHASE = "PURCHASE"
    OPERATION = "OPERATION"
    ATTRIBUTE = "ATTRIBUTE"
    LIFE = "LIFE"
    PERSONAL = "PERSONAL"


class TagAction(StrEnum):
    """What happened to a tag of a member."""

    ADDED = "ADDED"
    CHANGED = "CHANGED"
    REMOVED = "REMOVED"
    REPLACED = "REPLACED"
    EXPIRED = "EXPIRED"


class JobState(StrEnum):
    """Where a job stands (等待, 进行中, 完成, 失败, 取消)."""

    WAITING = "WAITING"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class JobMembers(StrEnum):
    """Whose tags a job changes."""

    LISTED = "LISTED"
    OF_STORE = "OF_STORE"
    OF_GUIDE = "OF_GUIDE"


OVER = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})

_RANK = {TagSource.RULE: 0, TagSource.IMPORTED: 1, TagSource.BY_HAND: 2}


@dataclass(frozen=True, slots=True)
class Giving:
    """A tag as it is given: its group, whether that allows one only, how many days it lasts."""

    id: str
    group_id: str
    exclusive: bool = False
    validity_days: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one tag of a member; `after` is None where it goes."""

    tag_id: str
    action: TagAction
    before: HeldTag | None = None
    after: HeldTag | None = None
    replaced_by: str | None = None


def clashing(given: Sequence[Giving]) -> Giving | None:
    """The first tag whose group allows one only and has one ahead of it already."""
    groups: set[str] = set()
    for tag in given:
        if tag.exclusive and tag.group_id in groups:
            return tag
        groups.add(tag.group_id)
    return None


def decide(
    held: Mapping[str, HeldTag],
    add: Sequence[Giving],
    remove: Collection[str],
    *,
    groups: Mapping[str, str],
    source: TagSource,
    expires_on: date | None,
    as_of: date,
) -> list[Change]:
    """What adding and removing these tags changes, at most one change for each tag.

    A hand takes away any tag, a rule or an import only what it gave. A tag stays with the strongest
    source that gave it: by hand, imported, by rule. A new tag of a group that allows one takes the
    place of the old, unless a stronger source gave that. Giving again by hand renews; a rule or an
    import renews only with a date of its own. `groups` names the group of every tag held, where a
    tag to add is in a group that allows one. Where there is no room, tags that ran out make some.
    """
    left = dict(held)
    changes: dict[str, Change] = {}
    for change in _taken(held, remove, source, as_of):
        _apply(change, left, changes)
    for tag in add:
        for change in _given(left, tag, groups, source, expires_on, as_of):
            _apply(change, left, changes)
    for change in expired(left, as_of, at_most=max(0, len(left) - MAX_TAGS)):
        _apply(change, left, changes)
    return list(changes.values())


def united(
    mine: Mapping[str, HeldTag],
    theirs: Mapping[str, HeldTag],
    *,
    groups: Mapping[str, str],
    as_of: date,
) -> list[Change]:
    """What giving a member the tags of another, who is the same person, changes of their own.

    Of a tag that both have, and of the tags of a group that allows one (`groups` names those alone,
    by tag), the stronger stays: by hand before imported before by rule, then the one that holds
    longer, then the member's own. What ran out is not taken over. Of more than 200 the strongest
    stay. Part after part it ends as all at once.
    """
    left = dict(mine)
    changes: dict[str, Change] = {}
    for id_, tag in sorted(theirs.items()):
        if tag.holds(as_of):
            for change in _absorbed(left, id_, tag, groups, as_of):
                _apply(change, left, changes)
    weakest_first = sorted(left, key=lambda id_: (_strength(left[id_], as_of), id_))
    for id_ in weakest_first[: max(0, len(left) - MAX_TAGS)]:
        before = mine.get(id_)
        if before is None:
            del changes[id_]
        else:
            changes[id_] = Change(id_, _end(before, as_of), before)
    return list(changes.values())


def _absorbed(
    left: Mapping[str, HeldTag], id_: str, tag: HeldTag, groups: Mapping[str, str], as_of: date
) -> Iterator[Change]:
    group_id = groups.get(id_)
    rivals = [i for i in left if group_id is not None and i != id_ and groups.get(i) == group_id]
    mine = [left[i] for i in (*rivals, id_) if i in left]
    if any(_strength(one, as_of) >= _strength(tag, as_of) for one in mine):
        return
    for rival in rivals:
        ended = not left[rival].holds(as_of)
        action = TagAction.EXPIRED if ended else TagAction.REPLACED
        yield Change(rival, action, left[rival], None, None if ended else id_)
    old = left.get(id_)
    action = TagAction.CHANGED if old and old.holds(as_of) else TagAction.ADDED
    yield Change(id_, action, old, tag)


def _strength(tag: HeldTag, as_of: date) -> tuple[bool, int, date]:
    return tag.holds(as_of), _RANK[tag.source], tag.expires_on or date.max


def applied(held: Mapping[str, HeldTag], changes: Sequence[Change]) -> dict[str, HeldTag]:
    """The tags after these changes."""
    new = {change.tag_id: change.after for change in changes}
    kept = {id_: tag for id_, tag in held.items() if id_ not in new}
    return kept | {id_: tag for id_, tag in new.items() if tag is not None}


def expired(held: Mapping[str, HeldTag], as_of: date, *, at_most: int) -> list[Change]:
    """The end of tags that ran out before a business day, longest ago first."""
    due = [(tag.expires_on or as_of, id_) for id_, tag in held.items() if not tag.holds(as_of)]
    return [Change(id_, TagAction.EXPIRED, held[id_]) for _, id_ in sorted(due)[:at_most]]


def last_day(tag: Giving, as_of: date) -> date | None:
    """The last day on which a tag given on `as_of` holds: so many days after it."""
    return None if tag.validity_days is None else as_of + timedelta(days=tag.validity_days)


def _apply(change: Change, left: dict[str, HeldTag], changes: dict[str, Change]) -> None:
    changes[change.tag_id] = change
    left.pop(change.tag_id, None)
    if change.after is not None:
        left[change.tag_id] = change.after


def _taken(
    held: Mapping[str, HeldTag], tag_ids: Collection[str], source: TagSource, as_of: date
) -> Iterator[Change]:
    for id_ in tag_ids:
        old = held.get(id_)
        if old is not None and source in {TagSource.BY_HAND, old.source}:
            yield Change(id_, _end(old, as_of), old)


def _given(
    held: Mapping[str, HeldTag],
    tag: Giving,
    groups: Mapping[str, str],
    source: TagSource,
    expires_on: date | None,
    as_of: date,
) -> Iterator[Change]:
    rivals = {
        id_: other
        for id_, other in held.items()
        if tag.exclusive and id_ != tag.id and groups.get(id_) == tag.group_id
    }
    old = held.get(tag.id)
    others = [*rivals.values(), *([old] if old else [])]
    if any(_RANK[other.source] > _RANK[source] for other in others if other.holds(as_of)):
        return
    for id_, rival in rivals.items():
        action = _end(rival, as_of, TagAction.REPLACED)
        yield Change(id_, action, rival, None, tag.id if rival.holds(as_of) else None)
    new = HeldTag(source, expires_on or last_day(tag, as_of))
    if old is None or not old.holds(as_of):
        yield Change(tag.id, TagAction.ADDED, old, new)
        return
    renews = source is TagSource.BY_HAND or expires_on is not None or old.source is not source
    if renews and new != old:
        yield Change(tag.id, TagAction.CHANGED, old, new)


def _end(tag: HeldTag, as_of: date, action: TagAction = TagAction.REMOVED) -> TagAction:
    return action if tag.holds(as_of) else TagAction.EXPIRED


# --- who may do what -------------------------------------------------------------------------


def may_tag(viewer: Viewer, member: Seen) -> bool:
    """Staff tag members within their reach; a key needs the scope to write tags as well."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(WRITE_TAGS) and reaches(viewer, member)
    return viewer.role in STAFF and reaches(viewer, member)


def source_of(viewer: Viewer) -> TagSource:
    """What a viewer's tags count as: people give by hand, keys import."""
    return TagSource.IMPORTED if viewer.role is Role.INTEGRATION else TagSource.BY_HAND


def visible_to_staff(viewer: Viewer, item: object) -> object | None:
    """The row rule of tags found by id: members see those on themselves only, where they stand."""
    return None if viewer.role in {Role.MEMBER, Role.ANONYMOUS} else item


class SeenJob(Protocol):
    """What of a job decides who sees it."""

    @property
    def by_role(self) -> Role: ...
    @property
    def by_id(self) -> str: ...
    @property
    def store_id(self) -> str | None: ...
    @property
    def guide_id(self) -> str | None: ...


def sees_job(viewer: Viewer, job: SeenJob) -> bool:
    """Who made it, headquarters, and who reaches the store or guide whose members it is about."""
    match viewer.role:
        case Role.SYSTEM:
            return True
        case Role.INTEGRATION:
            return viewer.holds(READ_TAGS)
        case Role.GUIDE:
            return viewer.id in {job.guide_id, job.by_id}
        case Role.STORE_MANAGER | Role.OPERATOR:
            own = (viewer.role, viewer.id) == (job.by_role, job.by_id)
            return own or viewer.reaches_store(job.store_id)
        case _:
            return False
