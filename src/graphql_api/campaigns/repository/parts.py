"""Access paths of members' parts in campaigns."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from graphql_api.campaigns import models
from graphql_api.campaigns.models import SHARDS, CampaignsItem, Participation
from graphql_api.campaigns.rules import Converted
from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.kit.dynamo.blocks import key_walk, one_after_another


def page_of_participations(
    campaign_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Participation]:
    """Members' parts in a campaign, shard after shard, each by member; a page reads few of them."""
    return key_walk(
        lambda key, **page: key_page(Participation, key, Participation.sort, **page),
        [models.participation_id(campaign_id, shard) for shard in range(SHARDS)],
        first=first,
        after=after,
        reverse=reverse,
    )


def page_of_member(
    member_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Participation]:
    """A member's parts in campaigns, by time: one Query, one BatchGetItem."""
    keys = key_page(
        CampaignsItem.by_member,
        member_id,
        CampaignsItem.member_place,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(batch_get(Participation, [key.key for key in keys.items]))


def page_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Participation]:
    """The same of a member who was several: what came late under an alias, then the others."""
    return one_after_another(page_of_member, member_ids, first=first, after=after, reverse=reverse)


def parts_between(
    member_ids: Sequence[str], since: datetime, until: datetime
) -> list[Participation]:
    """A member's parts in campaigns of a stretch of time, under each id: a Query for each."""
    place = CampaignsItem.member_place
    within = place.between(models.member_place_of(since), models.member_place_of(until, "~"))
    keys = [row.key for id_ in member_ids for row in CampaignsItem.by_member.query(id_, within)]
    return [part for part in batch_get(Participation, keys) if part]


def some_of_member(member_id: str, *, at_most: int) -> list[Participation]:
    """Some parts of a member in campaigns: those listed, as they are now (strongly consistent)."""
    keys = [row.key for row in CampaignsItem.by_member.query(member_id)]
    found = (part for part in batch_get(Participation, keys, consistent=True) if part)
    return list(islice(found, at_most))


def get_participations(campaign_id: str, member_ids: Sequence[str]) -> list[Participation | None]:
    """The parts of some members in a campaign as they are now (strongly consistent)."""
    keys = [(models.participation_id(campaign_id, models.shard_of(m)), m) for m in member_ids]
    return batch_get(Participation, keys, consistent=True)


def add_participation(participation: Participation) -> bool:
    """Put a participation where the member has none in the campaign; False where there is one.

    No transaction: the campaign is shared by all its members, and must not be written or checked
    once for each of them.
    """
    try:
        participation.save(condition=Participation.id.does_not_exist())
    except PutError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        return False
    return True


def move_participation(
    tx: Transaction, old: Participation, new: Participation | None, *, over: Participation | None
) -> None:
    """Remove a part, and put another member's in its place, over the one that they had.

    Without a new one they keep theirs. Stale where either moved.
    """
    tx.delete(old, condition=_unmoved(old))
    if new is None:
        return
    if over is None:
        tx.create(new)
        return
    actions: list[Action] = [
        Participation.at.set(new.at),
        Participation.origin.set(new.origin),
        Participation.member_place.set(new.member_place),
        _set_or_remove(Participation.channel, new.channel),
        *_converted(new.converted),
    ]
    tx.update(Participation(*over.key), actions, condition=_unmoved(over))


def convert(tx: Transaction, part: Participation, now: Converted) -> None:
    """Note how far a member came by orders; stale where the part moved meanwhile."""
    tx.update(Participation(*part.key), _converted(now), condition=_unmoved(part))


def _unmoved(part: Participation) -> Condition:
    counted = Participation.converting_orders
    same: Condition = Participation.state == part.state
    if part.converting_orders is None:
        same &= counted.does_not_exist()
    else:
        same &= counted == part.converting_orders
    return same


def _converted(now: Converted) -> list[Action]:
    return [
        Participation.state.set(now.state),
        _set_or_remove(Participation.converting_orders, now.orders or None),
        _set_or_remove(Participation.state_before, now.before),
    ]


def _set_or_remove(attribute: Attribute[Any], value: Any) -> Action:
    return attribute.remove() if value is None else attribute.set(value)


def count_participations(campaign_id: str) -> int:
    """How many members take part in a campaign: a Query a shard, which reads them all."""
    keys = [models.participation_id(campaign_id, shard) for shard in range(SHARDS)]
    return sum(Participation.count(key) for key in keys)
