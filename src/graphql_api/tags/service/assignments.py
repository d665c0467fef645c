"""Who has which tag: give and take, by hand, by rule, by import, and when they run out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self

from pydantic import Field, field_validator, model_validator

from graphql_api.errors import AppError, ForbiddenTransition, Invalid, LimitExceeded, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import MAX_TAGS, TagSource
from graphql_api.tags import models, repository, rules
from graphql_api.tags.models import HistoryEntry
from graphql_api.tags.rules import Change, Giving, TagAction
from graphql_api.tags.service.commands import NO_TAG, Command, Text
from graphql_api.viewer import SYSTEM, Viewer

MAX_AT_ONCE = 10
MAX_BULK = 100
EXPIRED_AT_ONCE = 30
BY_RULE_AT_ONCE = 8
_KEPT_FREE = 24  # for what else a transaction holds, an order that moves another member too


class Wish(Command):
    """Tags to give and tags to take away; what is not named stays."""

    add: list[str] = Field(default_factory=list, max_length=MAX_AT_ONCE)
    remove: list[str] = Field(default_factory=list, max_length=MAX_AT_ONCE)
    expires_on: date | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _names_each_tag_once(self) -> Self:
        named = [*self.add, *self.remove]
        if not named:
            raise ValueError("name a tag to add or to remove")
        if len(set(named)) < len(named):
            raise ValueError("a tag stands once, to be added or to be removed")
        return self


class TagsSet(Wish):
    """Tags to give a member and tags to take away, in one step; what is not named stays."""

    member_id: str


class ErrorPolicy(StrEnum):
    """Whether a bulk command goes on after a member whose tags it cannot change."""

    STOP = "STOP"
    CONTINUE = "CONTINUE"


class TagsAddBulk(Command):
    """Tags to give to each of up to a hundred members."""

    member_ids: list[str] = Field(min_length=1, max_length=MAX_BULK)
    tag_ids: list[str] = Field(min_length=1, max_length=MAX_AT_ONCE)
    expires_on: date | None = None
    reason: Text | None = None
    error_policy: ErrorPolicy = ErrorPolicy.STOP

    @field_validator("tag_ids")
    @classmethod
    def _names_each_tag_once(cls, named: list[str]) -> list[str]:
        if len(set(named)) < len(named):
            raise ValueError("a tag stands once")
        return named


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to become of a member's tags, with all that is known of the tags to give."""

    add: tuple[Giving, ...]
    remove: tuple[str, ...]
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Cause:
    """Who changes tags, when and why; `as_of` is the business day that counts."""

    viewer: Viewer
    source: TagSource
    at: datetime
    as_of: date
    reason: str | None = None
    source_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A member as it is now, and what its history now says of the change."""

    member: Member
    changes: list[HistoryEntry]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one member of a bulk command."""

    member_id: str
    changed: Changed | None = None
    refusal: AppError | None = None


def set_tags(given: TagsSet, *, viewer: Viewer, clock: Clock) -> Changed:
    """A member with tags given and taken away in one transaction; what is not named stays.

    People give by hand, keys import. A tag of a group that allows one takes the place of the other.
    Refuses tags that are not there or archived, members out of reach, and more than 200 tags.
    """
    wanted = want(given, clock.today())
    cause = Cause(viewer, rules.source_of(viewer), clock.now(), clock.today(), given.reason)
    return change(given.member_id, wanted, cause)


def set_tags_as(
    given: TagsSet,
    *,
    source: TagSource,
    source_ref: str,
    clock: Clock,
    along: Callable[[Transaction], None] | None = None,
) -> Changed:
    """The same for a rule or another system; `source_ref` names it with its version.

    What `along` adds is written in the transaction of the tags, or without them where nothing of
    them changes; it is asked anew with each attempt.
    """
    wanted = want(given, clock.today())
    now, today = clock.now(), clock.today()
    cause = Cause(SYSTEM, source, now, today, given.reason, source_ref)
    return change(given.member_id, wanted, cause, along=along)


def add_bulk(given: TagsAddBulk, *, viewer: Viewer, clock: Clock) -> list[Outcome]:
    """Give tags to members one after another; each happens or is refused by itself.

    With STOP those behind a refusal are not touched and not in the answer.
    """
    wish = Wish(add=given.tag_ids, expires_on=given.expires_on, reason=given.reason)
    wanted = want(wish, clock.today(), named="tag_ids")
    cause = Cause(viewer, rules.source_of(viewer), clock.now(), clock.today(), given.reason)
    outcomes: list[Outcome] = []
    for member_id in dict.fromkeys(given.member_ids):
        try:
            outcomes.append(Outcome(member_id, change(member_id, wanted, cause)))
        except AppError as refusal:
            outcomes.append(Outcome(member_id, refusal=refusal))
            if given.error_policy is ErrorPolicy.STOP:
                break
    return outcomes


def want(wish: Wish, as_of: date, *, named: str = "add") -> Wanted:
    """A wish with what is known of its tags; refuses those that cannot be given together or now."""
    if wish.expires_on is not None and wish.expires_on < as_of:
        raise Invalid("This day is over", field=("input", "expires_on"))
    found = repository.get_now(wish.add)
    group_ids = list(dict.fromkeys(tag.group_id for tag in found if tag))
    groups = dict(zip(group_ids, repository.get_groups_now(group_ids), strict=True))
    add: list[Giving] = []
    for n, tag in enumerate(found):
        field = ("input", named, str(n))
        group = groups[tag.group_id] if tag else None
        if tag is None or group is None:
            raise NotFound(NO_TAG, field=field)
        if tag.archived_at is not None or group.archived_at is not None:
            raise ForbiddenTransition("This tag is archived", field=field)
        days = None if tag.validity_days is None else int(tag.validity_days)
        add.append(Giving(tag.id, tag.group_id, group.exclusive, days))
    if clash := rules.clashing(add):
        field = ("input", named, str(add.index(clash)))
        raise Invalid("Its group allows one tag of it", field=field)
    return Wanted(tuple(add), tuple(wish.remove), wish.expires_on)


def change(
    member_id: str,
    wanted: Wanted,
    cause: Cause,
    *,
    along: Callable[[Transaction], None] | None = None,
) -> Changed:
    """A member with what is wanted of its tags; nothing is written where nothing changes."""

    def attempt(tx: Transaction) -> Changed:
        member = _reached(member_id, cause.viewer)
        held = member.tags
        decides_by_group = held and any(tag.exclusive for tag in wanted.add)
        changes = rules.decide(
            held,
            wanted.add,
            wanted.remove,
            groups=_groups_of(list(held)) if decides_by_group else {},
            source=cause.source,
            expires_on=wanted.expires_on,
            as_of=cause.as_of,
        )
        if along is not None:
            along(tx)
        return Changed(member, _write(tx, member, changes, cause))

    return transact(attempt)


def expire_tags(member_id: str, as_of: date, *, clock: Clock) -> int:
    """Clear away tags of a member that ran out before a business day, 30 at most; how many."""
    cause = Cause(SYSTEM, TagSource.RULE, clock.now(), as_of)

    def attempt(tx: Transaction) -> int:
        member = members.get(member_id)
        if member is None:
            return 0
        changes = rules.expired(member.tags, as_of, at_most=EXPIRED_AT_ONCE)
        return len(_write(tx, member, changes, cause))

    return transact(attempt)


def note_by_rule(
    tx: Transaction,
    member: Member,
    *,
    give: Mapping[str, str],
    take: Sequence[str],
    at: datetime,
    as_of: date,
) -> int:
    """Give a member tags by rule, take others away and clear away what ran out; how many changed.

    `give` says by which rule. The caller writes the member. A tag by a rule holds while the rule
    does, so it has no last day; archived ones, and those for which there is no room on the member
    or in the transaction, are not given.
    """
    cause = Cause(SYSTEM, TagSource.RULE, at, as_of)
    # A change is two writes, and the last tag may have another of its group give way.
    at_most = max(0, min(BY_RULE_AT_ONCE, (tx.room - _KEPT_FREE) // 2 - 1))
    ran_out = rules.expired(member.tags, as_of, at_most=at_most)
    done = len(_note(tx, member, ran_out, cause))
    gone = [tag for tag in take if tag in member.tags]
    done += _by_rule(tx, member, [], gone[: at_most - done], cause)
    for tag in _to_give(list(give)):
        if done < at_most and len(member.tags) < MAX_TAGS:
            done += _by_rule(tx, member, [tag], [], replace(cause, source_ref=give[tag.id]))
    return done


def _to_give(tag_ids: Sequence[str]) -> list[Giving]:
    """Tags that may be given, as rules give them."""
    found = [tag for tag in repository.get_now(tag_ids) if tag]
    group_ids = list(dict.fromkeys(tag.group_id for tag in found))
    groups = {group.id: group for group in repository.get_groups_now(group_ids) if group}
    return [
        Giving(tag.id, tag.group_id, groups[tag.group_id].exclusive)
        for tag in found
        if not tag.archived_at and not groups[tag.group_id].archived_at
    ]


def _by_rule(
    tx: Transaction, member: Member, give: list[Giving], take: Sequence[str], cause: Cause
) -> int:
    exclusive = any(tag.exclusive for tag in give)
    changes = rules.decide(
        member.tags,
        give,
        take,
        groups=_groups_of(list(member.tags)) if exclusive else {},
        source=TagSource.RULE,
        expires_on=None,
        as_of=cause.as_of,
    )
    return len(_note(tx, member, changes, cause))


def _write(
    tx: Transaction, member: Member, changes: Sequence[Change], cause: Cause
) -> list[HistoryEntry]:
    """Add to the transaction the member with its new tags, their rows, and what is remembered."""
    entries = _note(tx, member, changes, cause)
    if entries:
        member.fall_due()
        members.save(tx, member)
    return entries


def _note(
    tx: Transaction, member: Member, changes: Sequence[Change], cause: Cause
) -> list[HistoryEntry]:
    """Change the map on the member, and add the rows of tags and what is remembered of them."""
    if not changes:
        return []
    member.tags = rules.applied(member.tags, changes)
    if len(member.tags) > MAX_TAGS:
        raise LimitExceeded(f"A member has at most {MAX_TAGS} tags", field=("input", "add"))
    for one in changes:
        if one.after is None:
            repository.drop_assignment(tx, member.id, one.tag_id)
        else:
            row = models.assignment_of(
                member,
                one.tag_id,
                source=one.after.source,
                source_ref=cause.source_ref,
                by_role=cause.viewer.role,
                by_id=cause.viewer.id,
                at=cause.at,
                expires_on=one.after.expires_on,
                reason=cause.reason,
            )
            repository.put_assignment(tx, row)
    entries = [entry_of(member, one, cause) for one in changes]
    for entry in entries:
        repository.put_history(tx, entry)
    return entries


def entry_of(member: Member, one: Change, cause: Cause) -> HistoryEntry:
    """What the history says of a change; the end of a tag that ran out is nobody's doing."""
    ran_out = one.action is TagAction.EXPIRED
    viewer = SYSTEM if ran_out else cause.viewer
    about = one.after or one.before
    assert about is not None
    return HistoryEntry(
        member.id,
        models.history_sort(member, one.tag_id),
        tag_id=one.tag_id,
        action=one.action,
        source=about.source,
        source_ref=None if ran_out else cause.source_ref,
        by_role=viewer.role,
        by_id=viewer.id,
        at=cause.at,
        expires_on=about.expires_on,
        reason=None if ran_out else cause.reason,
        replaced_by=one.replaced_by,
    )


def _groups_of(tag_ids: Sequence[str]) -> Mapping[str, str]:
    return {tag.id: tag.group_id for tag in repository.get_now(tag_ids) if tag}


def _reached(member_id: str, viewer: Viewer) -> Member:
    """The member as it is now, when the viewer may tag it."""
    member = members.get(member_id) if ids.prefix_of(member_id) == "mbr" else None
    if member is None or not rules.may_tag(viewer, member):
        raise NotFound("There is no such member", field=("input", "member_id"))
    return member
