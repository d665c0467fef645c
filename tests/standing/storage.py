"""What is stored of a member's standing, and the days on which tests happen."""

import json
from datetime import UTC, date, datetime, time
from typing import Any

from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Effect, Member, MembersItem
from graphql_api.members.rules import EffectKind
from graphql_api.orders import service as orders
from graphql_api.standing import models, repository
from graphql_api.standing.models import StandingItem
from graphql_api.standing.rules import ChangeKind, Standing
from graphql_api.stores.models import Store
from graphql_api.tags.models import TagsItem
from tests.factories import fresh

NOON = time(4, 0, tzinfo=UTC)


def on(day: str) -> Clock:
    """Noon of a day in Shanghai, always."""
    instant = datetime.combine(date.fromisoformat(day), NOON)
    return Clock(wall=lambda: instant)


def buy(store: Store, member: Member, day: str, fen: int, **body: Any) -> orders.Snapshot:
    """A purchase of a member that is applied on its day."""
    snapshot = orders.Snapshot(
        source="pos",
        external_id=fresh("W"),
        body=orders.SnapshotBody(
            revision=1,
            paid_at=on(day).now(),
            total=fen,
            store_id=store.id,
            member_id=member.id,
            **body,
        ),
    )
    orders.apply(snapshot, clock=on(day))
    return snapshot


def give_back(snapshot: orders.Snapshot, day: str, fen: int) -> None:
    """A refund of a purchase that is applied on its day."""
    refund = orders.SnapshotRefund(id="r1", revision=1, at=on(day).now(), amount=fen)
    told = orders.Snapshot(
        source=snapshot.source, external_id=snapshot.external_id, refunds=[refund]
    )
    orders.apply(told, clock=on(day))


def member_now(member: Member) -> Member:
    """The member as it is now."""
    found = members.get(member.id)
    assert found is not None
    return found


def standing_now(member: Member) -> Standing:
    """What was decided of a member, as stored."""
    now = member_now(member)
    found = models.standing(now, on("2018-01-10").day_of(now.joined_at))
    assert found is not None
    return found


def history(member: Member, kind: ChangeKind) -> list[tuple[str, str | None, str]]:
    """Day, what it became, and why, oldest first."""
    page = repository.history_of_member(member.id, kind, first=100, after=None, reverse=False)
    return [(row.on.isoformat(), row.new, str(row.reason)) for row in page.items]


def effects(member: Member) -> dict[str, list[str]]:
    """Levels of the effects of a member by kind, without those of joining and buying."""
    found: dict[str, list[str]] = {}
    for effect in Effect.query(member.id, Effect.sort.startswith("effect#")):
        if effect.kind not in {EffectKind.ENROLLED, EffectKind.FIRST_PURCHASE}:
            found.setdefault(str(effect.kind), []).append(effect.level)
    return found


def everything() -> list[str]:
    """Every item of members, standings and tags, as text."""
    tables = (MembersItem, StandingItem, TagsItem)
    return sorted(json.dumps(i.serialize(), sort_keys=True) for t in tables for i in t.scan())
