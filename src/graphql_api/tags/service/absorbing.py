"""The tags of two members who are one: the survivor has them all, the stronger of what clashes."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql_api.kit.dynamo import Stale, Transaction
from graphql_api.members import repository as members
from graphql_api.members.models import Member, joined_key_of
from graphql_api.tags import models, repository, rules
from graphql_api.tags.models import Assignment
from graphql_api.tags.rules import Change
from graphql_api.tags.service.assignments import Cause, entry_of

ABSORBED_AT_ONCE = 10  # seven writes for each at most
_REKEYED_AT_ONCE = 40


def absorb(tx: Transaction, survivor: Member, loser: Member, cause: Cause) -> list[Any]:
    """Give a member the next tags of another who is the same person; the caller saves both.

    Who gave a tag, when and why stays as it was. Gives the rows of these tags as they were, of the
    loser and of the survivor; none when there is no more to do.
    """
    part = dict(sorted(loser.tags.items())[:ABSORBED_AT_ONCE])
    if not part:
        return []
    mine = survivor.tags
    groups = _exclusive_groups([*mine, *part])
    changes = rules.united(mine, part, groups=groups, as_of=cause.as_of)
    theirs = repository.get_assignments(loser.id, list(part))
    if len(theirs) < len(part):
        raise Stale  # somebody took them over since the member was read
    before = repository.get_assignments(survivor.id, [one.tag_id for one in changes])
    survivor.tags = rules.applied(mine, changes)
    for one in changes:
        _put(tx, survivor, one, theirs)
        repository.put_history(tx, entry_of(survivor, one, cause))
    for tag_id in part:
        repository.drop_assignment(tx, loser.id, tag_id)
    loser.tags = {tag_id: tag for tag_id, tag in loser.tags.items() if tag_id not in part}
    return [row.serialize() for row in (*theirs.values(), *before.values())]


def rekey(tx: Transaction, member: Member) -> int:
    """Bring the next rows of a member whose joining time changed to their place; how many."""
    place = joined_key_of(member)
    stale = [row for row in repository.assignments(member.id) if row.joined_key != place]
    for row in stale[:_REKEYED_AT_ONCE]:
        row.joined_key = place
        repository.put_assignment(tx, row)
    if stale:
        members.require_unmoved(tx, member)
    return len(stale[:_REKEYED_AT_ONCE])


def _put(tx: Transaction, survivor: Member, one: Change, theirs: Mapping[str, Assignment]) -> None:
    if one.after is None:
        repository.drop_assignment(tx, survivor.id, one.tag_id)
        return
    given = theirs[one.tag_id]
    row = models.assignment_of(
        survivor,
        one.tag_id,
        source=one.after.source,
        source_ref=given.source_ref,
        by_role=given.by_role,
        by_id=given.by_id,
        at=given.at,
        expires_on=one.after.expires_on,
        reason=given.reason,
    )
    repository.put_assignment(tx, row)


def _exclusive_groups(tag_ids: Sequence[str]) -> dict[str, str]:
    """The group of each tag whose group allows one."""
    found = [tag for tag in repository.get_now(tag_ids) if tag is not None]
    group_ids = sorted({tag.group_id for tag in found})
    groups = repository.get_groups_now(group_ids)
    exclusive = {group.id for group in groups if group is not None and group.exclusive}
    return {tag.id: tag.group_id for tag in found if tag.group_id in exclusive}
