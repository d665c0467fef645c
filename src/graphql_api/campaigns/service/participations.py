"""What is known of members' parts in campaigns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from graphql_api.campaigns import models, repository, rules
from graphql_api.campaigns.models import Campaign, Participation
from graphql_api.campaigns.rules import CampaignChannel, ParticipationState
from graphql_api.campaigns.service import commands
from graphql_api.campaigns.service.commands import Command, Instant
from graphql_api.errors import AppError, ForbiddenTransition, Invalid, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.viewer import Viewer

MAX_ADDED = 100
ABSORBED_AT_ONCE = 20


class NewParticipation(Command):
    """A member's part in a campaign; now, unless it says when."""

    member_id: str
    state: ParticipationState = ParticipationState.JOINED
    at: Instant | None = None
    channel: CampaignChannel | None = None


class ParticipationAdd(Command):
    """Members who take part in a campaign."""

    campaign_id: str
    participations: list[NewParticipation] = Field(min_length=1, max_length=MAX_ADDED)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one member: their participation and whether it is new, or the refusal."""

    member_id: str
    participation: Participation | None = None
    is_new: bool = False
    refusal: AppError | None = None


def add_participations(given: ParticipationAdd, *, viewer: Viewer, clock: Clock) -> list[Added]:
    """Note the part of each member, one by one; who takes part already stays as they are.

    Refuses a campaign that was never scheduled; a member who is not there or out of reach, a time
    to come or after the end is refused alone.
    """
    field = ("input", "campaign_id")
    campaign = commands.get(given.campaign_id, field=field)
    reach = rules.reach_of(viewer)
    if not rules.meets(reach, campaign.scope, repository.units_above(reach, [campaign.scope])):
        raise NotFound("There is no such campaign", field=field)
    if not rules.is_published(campaign):
        raise ForbiddenTransition("Nobody takes part in a draft", field=field)
    now = to_the_millisecond(clock.now())
    people = _people([one.member_id for one in given.participations])
    known = _known(campaign, list(people.values()), viewer)
    wanted = [_of_survivor(one, people) for one in given.participations]
    return [_add(campaign, one, n, known, now) for n, one in enumerate(wanted)]


def absorb(tx: Transaction, survivor_id: str, loser_id: str) -> list[Any]:
    """Give a member the next parts of another who is the same person; of two the further stays.

    Gives the rows as they were, none where none are left.
    """
    rows: list[Any] = []
    for old in repository.some_of_member(loser_id, at_most=ABSORBED_AT_ONCE):
        [mine] = repository.get_participations(old.campaign_id, [survivor_id])
        repository.move_participation(tx, old, _united(survivor_id, old, mine), over=mine)
        rows += [row.serialize() for row in (old, mine) if row is not None]
    return rows


def _united(
    survivor_id: str, old: Participation, mine: Participation | None
) -> Participation | None:
    """The part of a member who had two; None where the one that they have stands as it is."""
    stands = old if mine is None or rules.went_further(mine, old) else mine
    far = rules.united(mine.converted, old.converted) if mine else old.converted
    if mine is stands and far == mine.converted:
        return None
    new = models.participation(
        old.campaign_id,
        survivor_id,
        state=far.state,
        at=stands.at,
        channel=stands.channel,
        origin=stands.origin,
    )
    new.converting_orders, new.state_before = far.orders or None, far.before
    return new


Known = dict[str, Participation | None]
"""Members within reach, with the part that each has already."""


def _add(campaign: Campaign, given: NewParticipation, n: int, known: Known, now: datetime) -> Added:
    path = ("input", "participations", str(n))
    if given.member_id not in known:
        missing = NotFound("There is no such member", field=(*path, "member_id"))
        return Added(given.member_id, refusal=missing)
    if part := known[given.member_id]:
        return Added(given.member_id, part)
    at = to_the_millisecond(given.at or now)
    if at > now or not rules.may_take_part(campaign.state, campaign.schedule, at):
        untimely = Invalid("Nobody takes part then", field=(*path, "at"))
        return Added(given.member_id, refusal=untimely)
    part = models.participation(
        campaign.id,
        given.member_id,
        state=given.state,
        at=at,
        channel=given.channel,
        origin=Origin.LIVE,
    )
    is_new = repository.add_participation(part)
    if not is_new:
        [part] = repository.get_participations(campaign.id, [given.member_id])
    known[given.member_id] = part
    return Added(given.member_id, part, is_new)


def _people(member_ids: Sequence[str]) -> dict[str, Member]:
    """The members by the ids that were asked for, of an alias the survivor."""
    wanted = [id_ for id_ in dict.fromkeys(member_ids) if ids.prefix_of(id_) == "mbr"]
    found = zip(wanted, members.get_many(wanted), strict=True)
    return {id_: member for id_, member in found if member is not None}


def _of_survivor(given: NewParticipation, people: Mapping[str, Member]) -> NewParticipation:
    member = people.get(given.member_id)
    return given.model_copy(update={"member_id": member.id}) if member else given


def _known(campaign: Campaign, people: Sequence[Member], viewer: Viewer) -> Known:
    reached = [
        member.id
        for member in {member.id: member for member in people}.values()
        if member.archived_at is None and viewer.reaches_store(member.store_id)
    ]
    parts = repository.get_participations(campaign.id, reached)
    return dict(zip(reached, parts, strict=True))
