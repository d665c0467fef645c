"""What is stored of tags, to compare whole."""

import json

from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import HeldTag
from graphql_api.tags import repository
from graphql_api.tags.models import HistoryEntry, TagsItem
from graphql_api.tags.rules import TagAction


def everything() -> list[str]:
    """Every item of tags as text, but for the counter of numbers, which may have gaps."""
    items = [item.serialize() for item in TagsItem.scan() if item.id != "counter"]
    return sorted(json.dumps(item, sort_keys=True) for item in items)


def member_now(member_id: str) -> Member:
    """The member as it is now."""
    member = members.get(member_id)
    assert member is not None
    return member


def held(member_id: str) -> dict[str, HeldTag]:
    """The tags of a member as its item says; the rows say the same."""
    tags = member_now(member_id).tags
    rows = repository.assignments(member_id)
    assert {row.tag_id: HeldTag(row.source, row.expires_on) for row in rows} == tags
    return tags


def history(member_id: str) -> list[HistoryEntry]:
    """What became of the tags of a member, oldest first."""
    page = repository.history_of_member(member_id, first=100, after=None, reverse=False)
    assert not page.more
    return list(page.items)


def happened(member_id: str) -> list[tuple[str, TagAction]]:
    """The tags and actions of a member's history, oldest first."""
    return [(entry.tag_id, entry.action) for entry in history(member_id)]
