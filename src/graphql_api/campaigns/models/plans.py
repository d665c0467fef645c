"""What is stored of campaigns: the campaign, the months it touches, which stores take it up."""

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.campaigns.models.items import CampaignsItem
from graphql_api.campaigns.rules import (
    BudgetPeriod,
    CampaignChannel,
    CampaignGrade,
    CampaignKind,
    CampaignState,
    ControlMode,
    GoalMetric,
    PathStep,
    Schedule,
    Scope,
)
from graphql_api.kit.dynamo import InstantAttribute, JsonAttribute

_STORE = "store#"


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


def month_id(month: str) -> str:
    """The key of the campaigns that touch a month."""
    return f"month#{month}"


def external_claim_id(external_id: str) -> str:
    """The key of the claim on an external id."""
    return f"external#{external_id}"


def adoption_sort(store_id: str) -> str:
    """The range key of a store's adoption, under the campaign's id."""
    return f"{_STORE}{store_id}"
