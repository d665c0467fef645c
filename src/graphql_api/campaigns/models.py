"""What is stored of campaigns: the campaign, the months it touches, who takes it up and part."""

import zlib
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.campaigns.rules import (
    BudgetPeriod,
    CampaignChannel,
    CampaignGrade,
    CampaignKind,
    CampaignState,
    ControlMode,
    GoalMetric,
    ParticipationState,
    PathStep,
    Schedule,
    Scope,
)
from graphql_api.kit.dynamo import InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.members.rules import Origin

SOLE = "@"
SHARDS = 8
"""Over how many keys the participations of a campaign, and what falls due, are spread."""

_INSTANT = InstantAttribute()
_STORE = "store#"


class BlockIndex(GlobalSecondaryIndex["CampaignsItem"]):
    """Campaigns by number, 256 to a key."""

    class Meta:
        index_name = "block"
        projection = KeysOnlyProjection()

    block = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class DueIndex(GlobalSecondaryIndex["CampaignsItem"]):
    """Campaigns whose state time alone will change, by when; others are not in it."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_key = UnicodeAttribute(range_key=True)


class MemberIndex(GlobalSecondaryIndex["CampaignsItem"]):
    """Participations of a member, by time."""

    class Meta:
        index_name = "member"
        projection = KeysOnlyProjection()

    of_member = UnicodeAttribute(hash_key=True)
    member_place = UnicodeAttribute(range_key=True)


class CampaignsItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("campaigns")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    block = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_key = UnicodeAttribute(null=True)
    of_member = UnicodeAttribute(null=True)
    member_place = UnicodeAttribute(null=True)

    by_block = BlockIndex()
    by_due = DueIndex()
    by_member = MemberIndex()


class Goal:
    """What a campaign is to reach."""

    __slots__ = ("metric", "target")

    def __init__(self, row: list[Any]) -> None:
        self.metric = GoalMetric(row[0])
        self.target = int(row[1])


class Budget:
    """What a campaign may cost, in fen: in all, and where it is set in a period and for a store."""

    __slots__ = ("amount", "per_period", "per_store", "period")

    def __init__(self, document: dict[str, Any]) -> None:
        self.amount = int(document["amount"])
        self.period = BudgetPeriod(document["period"]) if document.get("period") else None
        self.per_period: int | None = document.get("per_period")
        self.per_store: int | None = document.get("per_store")


class Campaign(CampaignsItem):
    """What headquarters plans for a time, for some stores and some members.

    `state` is what was stored last; what it is by now, `rules.state_at` says.
    """

    id_prefix = "cmp"

    number = NumberAttribute()
    external_id = UnicodeAttribute(null=True)
    kind = UnicodeEnumAttribute(CampaignKind)
    grade = UnicodeEnumAttribute(CampaignGrade, null=True)
    name = UnicodeAttribute()
    goal_document = JsonAttribute(attr_name="goals", default=list)
    path_document = JsonAttribute(attr_name="path", default=list)
    starts_at = InstantAttribute()
    ends_at = InstantAttribute()
    state = UnicodeEnumAttribute(CampaignState)
    control_mode = UnicodeEnumAttribute(ControlMode)
    unit_ids = JsonAttribute(default=list)
    store_ids = JsonAttribute(default=list)
    audience = JsonAttribute(null=True)
    budget_document = JsonAttribute(attr_name="budget", null=True)
    channel_document = JsonAttribute(attr_name="channels", default=list)
    holdout_percent = NumberAttribute(default=0)
    created_at = InstantAttribute()
    archived_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def schedule(self) -> Schedule:
        """When it runs."""
        return Schedule(self.starts_at, self.ends_at)

    @property
    def scope(self) -> Scope:
        """The stores that it is for."""
        return Scope(frozenset(self.unit_ids), frozenset(self.store_ids))

    @property
    def goals(self) -> list[Goal]:
        """What it is to reach."""
        return [Goal(row) for row in self.goal_document]

    @property
    def path(self) -> list[PathStep]:
        """The steps of the journey that it works on."""
        return [PathStep(step) for step in self.path_document]

    @property
    def channels(self) -> list[CampaignChannel]:
        """Through which it meets members."""
        return [CampaignChannel(channel) for channel in self.channel_document]

    @property
    def budget(self) -> Budget | None:
        """What it may cost."""
        return Budget(self.budget_document) if self.budget_document else None


class MonthRow(CampaignsItem):
    """A campaign touches a calendar month; under the month, and the campaign's own id."""


class Adoption(CampaignsItem):
    """A store took a campaign up, and what it adapted; under the campaign, and the store's id."""

    store_id = UnicodeAttribute()
    taken_up_by = UnicodeAttribute()
    taken_up_at = InstantAttribute()
    name = UnicodeAttribute(null=True)
    starts_at = InstantAttribute(null=True)
    ends_at = InstantAttribute(null=True)
    note = UnicodeAttribute(null=True)
    withdrawn_by = UnicodeAttribute(null=True)
    withdrawn_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def campaign_id(self) -> str:
        """The campaign, from the key."""
        return str(self.id)

    def schedule_in(self, campaign: Campaign) -> Schedule | None:
        """When the store carries the campaign out; None when its own time lies outside by now."""
        own = Schedule(self.starts_at or campaign.starts_at, self.ends_at or campaign.ends_at)
        return own.shared_with(campaign.schedule)


class Participation(CampaignsItem):
    """A member's part in a campaign; under a shard of the campaign, and the member's id."""

    campaign_id = UnicodeAttribute()
    state = UnicodeEnumAttribute(ParticipationState)
    at = InstantAttribute()
    channel = UnicodeEnumAttribute(CampaignChannel, null=True)
    origin = UnicodeEnumAttribute(Origin)

    @property
    def member_id(self) -> str:
        """The member, from the key."""
        return str(self.sort)


class ExternalClaim(CampaignsItem):
    """An external id is taken by one campaign."""

    campaign_id = UnicodeAttribute()


class Counter(CampaignsItem):
    """The last campaign number that was given."""

    last = NumberAttribute(default=0)


class StoreCampaign:
    """A campaign as one store carries it out: under its local name, at its local time."""

    __slots__ = ("adoption", "campaign", "ends_at", "name", "starts_at")

    def __init__(self, campaign: Campaign, adoption: Adoption | None, schedule: Schedule) -> None:
        self.campaign = campaign
        self.adoption = adoption
        self.name = adoption.name or campaign.name if adoption else campaign.name
        self.starts_at = schedule.starts_at
        self.ends_at = schedule.ends_at


def participation(
    campaign_id: str,
    member_id: str,
    *,
    state: ParticipationState,
    at: datetime,
    channel: CampaignChannel | None,
    origin: Origin,
) -> Participation:
    """A participation under its key, with those of its list."""
    return Participation(
        participation_id(campaign_id, shard_of(member_id)),
        member_id,
        campaign_id=campaign_id,
        state=state,
        at=at,
        channel=channel,
        origin=origin,
        of_member=member_id,
        member_place=f"{_INSTANT.serialize(at)}#{campaign_id}",
    )


def shard_of(id_: str) -> int:
    """The shard of an id; always the same."""
    return zlib.crc32(id_.encode()) % SHARDS


def participation_id(campaign_id: str, shard: int) -> str:
    """The key of a shard of a campaign's participations."""
    return f"part#{campaign_id}#{shard}"


def month_id(month: str) -> str:
    """The key of the campaigns that touch a month."""
    return f"month#{month}"


def external_claim_id(external_id: str) -> str:
    """The key of the claim on an external id."""
    return f"external#{external_id}"


def adoption_sort(store_id: str) -> str:
    """The range key of a store's adoption, under the campaign's id."""
    return f"{_STORE}{store_id}"


def due_shard_id(shard: int) -> str:
    """The key of a shard of what falls due."""
    return f"due#{shard}"


def due_key_of(at: datetime, campaign_id: str = "") -> str:
    """By when it falls due, and unique."""
    return f"{_INSTANT.serialize(at)}#{campaign_id}"
