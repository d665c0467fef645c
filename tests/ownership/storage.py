"""What is stored of ownership, to compare whole, and ways to interfere."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from graphql_api.guides import service as guides
from graphql_api.guides.models import Guide, GuidesItem
from graphql_api.guides.rules import GuideStatus
from graphql_api.guides.service import GuideStatusSet
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member, MembersItem
from graphql_api.ownership import repository
from graphql_api.ownership.models import HandOver, OwnershipItem, Term
from graphql_api.viewer import SYSTEM
from tests.factories import CLOCK, NOW


class PowerCut(Exception):
    """The process died."""


@contextmanager
def power_cut(calls: int, *, answered: bool) -> Iterator[None]:
    """The process dies at a call to DynamoDB: before it is sent, or before its answer is read."""
    left = [calls]

    def count(**_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise PowerCut

    events, moment = shared_client().meta.events, "after-call" if answered else "before-call"
    events.register(f"{moment}.dynamodb", count)
    try:
        yield
    finally:
        events.unregister(f"{moment}.dynamodb", count)


def on_day(days: int) -> Clock:
    """Noon in Shanghai, so many days after the others."""
    return Clock(wall=lambda: NOW + timedelta(days=days))


def everything() -> list[str]:
    """Every item of ownership, members and guides as text."""
    tables: tuple[Any, ...] = (OwnershipItem, MembersItem, GuidesItem)
    found = [item.serialize() for table in tables for item in table.scan()]
    return sorted(json.dumps(item, sort_keys=True) for item in found)


def member_now(member_id: str) -> Member:
    """The member as they are now."""
    member = members.get(member_id)
    assert member is not None
    return member


def history(member_id: str) -> list[Term]:
    """The terms of a member, oldest first; the open one is what the member's own item says."""
    page = repository.page_of_member(member_id, first=100, after=None, reverse=False)
    assert not page.more
    owned = member_now(member_id).ownership
    told = [(t.guide_id, t.since, t.source) for t in page.items if t.ended_at is None]
    assert told == ([(owned.guide_id, owned.since, owned.source)] if owned else [])
    return list(page.items)


def told(member_id: str) -> list[tuple[str, str | None]]:
    """Guide and reason of the end of a member's terms, oldest first."""
    return [(term.guide_id, term.end_reason) for term in history(member_id)]


def job_now(job_id: str) -> HandOver:
    """The hand-over as it is now."""
    job = repository.get_hand_over(job_id)
    assert job is not None
    return job


def leave(guide: Guide, status: GuideStatus = GuideStatus.LEFT) -> None:
    """Have a guide leave, or stop."""
    change = GuideStatusSet(id=guide.id, status=status)
    guides.set_status(change, viewer=SYSTEM, clock=CLOCK)
