"""What headquarters do with campaigns: plan, change, schedule, run, archive."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, StringConstraints, field_validator, model_validator

from graphql_api.campaigns import repository, rules
from graphql_api.campaigns.models import Campaign
from graphql_api.campaigns.rules import (
    Audience,
    BudgetPeriod,
    CampaignChannel,
    CampaignGrade,
    CampaignKind,
    CampaignState,
    ControlMode,
    GoalMetric,
    PathStep,
    Schedule,
)
from graphql_api.campaigns.service import commands
from graphql_api.campaigns.service.commands import Command, Instant, Name
from graphql_api.errors import (
    AppError,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Required,
    Taken,
)
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.stores import repository as stores
from graphql_api.viewer import Viewer

MAX_FEN = 10**12
MAX_TARGET = 10**9
MAX_HOLDOUT_PERCENT = 50
MAX_LASTS = timedelta(days=366)

ExternalId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]
Fen = Annotated[int, Field(ge=0, le=MAX_FEN)]
T = TypeVar("T")


class NewGoal(Command):
    """What a campaign is to reach."""

    metric: GoalMetric
    target: int = Field(ge=1, le=MAX_TARGET)


class NewBudget(Command):
    """What a campaign may cost, in fen; a part of it for a period, and for a store."""

    amount: Fen
    period: BudgetPeriod | None = None
    per_period: Fen | None = None
    per_store: Fen | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if (self.period is None) != (self.per_period is None):
            raise ValueError("a budget for a period names the period and the amount")
        if max(self.per_period or 0, self.per_store or 0) > self.amount:
            raise ValueError("a part of a budget is not more than the whole")
        return self


def _different(values: list[T] | None) -> list[T] | None:
    if values is not None and len(set(values)) < len(values):
        raise ValueError("each stands once")
    return values


class _CampaignFields(Command):
    grade: CampaignGrade | None = None
    goals: list[NewGoal] | None = Field(default=None, max_length=10)
    path: list[PathStep] | None = None
    control_mode: ControlMode | None = None
    unit_ids: list[str] | None = Field(default=None, max_length=50)
    store_ids: list[str] | None = Field(default=None, max_length=200)
    audience: Audience | None = None
    budget: NewBudget | None = None
    channels: list[CampaignChannel] | None = None
    holdout_percent: int | None = Field(default=None, ge=0, le=MAX_HOLDOUT_PERCENT)

    _stand_once = field_validator("unit_ids", "store_ids", "channels")(_different)

    @field_validator("goals")
    @classmethod
    def _have_a_metric_each(cls, goals: list[NewGoal] | None) -> list[NewGoal] | None:
        _different([goal.metric for goal in goals or ()])
        return goals

    @field_validator("path")
    @classmethod
    def _is_of_one_model(cls, path: list[PathStep] | None) -> list[PathStep] | None:
        if not rules.is_one_path(path or ()):
            raise ValueError("a path takes different steps of AARRR, or of 5A")
        return path


class CampaignCreate(_CampaignFields):
    """A new campaign, a draft; without units and stores it is for the whole chain."""

    kind: CampaignKind
    name: Name
    starts_at: Instant
    ends_at: Instant
    external_id: ExternalId | None = None


class CampaignUpdate(_CampaignFields):
    """What changes of a campaign; what is not set stays, what is null is cleared."""

    id: str
    kind: CampaignKind | None = None
    name: Name | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    expected_version: int | None = None


class CampaignStateSet(Command):
    """Which campaign, and what becomes of it."""

    id: str
    state: CampaignState
    expected_version: int | None = None


_OF_A_DRAFT = frozenset(
    {"kind", "starts_at", "ends_at", "control_mode", "unit_ids", "store_ids", "audience"}
    | {"holdout_percent"}
)
_CLEARED = frozenset({"grade", "audience", "budget"})
_STORED = {
    "goals": "goal_document",
    "path": "path_document",
    "budget": "budget_document",
    "channels": "channel_document",
}


def create(new: CampaignCreate, *, viewer: Viewer, clock: Clock) -> Campaign:
    """A new draft. Refuses an external id in use, an unknown unit or store, an odd schedule."""
    _require_whole_chain(viewer)

    def attempt(tx: Transaction) -> Campaign:
        campaign = _draft(new, ids.new_id("cmp"), clock.now())
        _require_places(new.unit_ids or (), new.store_ids or ())
        repository.create(tx, campaign, zone=clock.zone, external_taken=_external_taken())
        return campaign

    return transact(attempt)


def record(
    new: CampaignCreate, *, campaign_id: str, created_at: datetime, as_of: datetime, clock: Clock
) -> Campaign:
    """A campaign that was planned elsewhere, in its state at `as_of`; one that is there stays.

    For imports, which repeat themselves.
    """

    def attempt(tx: Transaction) -> Campaign:
        if existing := repository.get(campaign_id):
            return existing
        campaign = _draft(new, campaign_id, created_at)
        campaign.state = rules.state_at(CampaignState.SCHEDULED, campaign.schedule, as_of)
        repository.create(tx, campaign, zone=clock.zone, external_taken=_external_taken())
        return campaign

    return transact(attempt)


def update(change: CampaignUpdate, *, viewer: Viewer, clock: Clock) -> Campaign:
    """A campaign with its changes; once scheduled, what stores and members were told stays.

    What is so already is not written.
    """
    _require_whole_chain(viewer)

    def attempt(tx: Transaction) -> Campaign:
        campaign = commands.get(change.id)
        commands.require_version(campaign, change.expected_version)
        _require_changeable(campaign, change, clock.now())
        before, months = campaign.serialize(), campaign.schedule.months(clock.zone)
        _set_fields(campaign, change)
        if campaign.serialize() == before:
            return campaign
        _require_schedule(campaign.schedule)
        _require_places(change.unit_ids or (), change.store_ids or ())
        repository.save(tx, campaign, zone=clock.zone, months=months)
        return campaign

    return transact(attempt)


def set_state(change: CampaignStateSet, *, viewer: Viewer, clock: Clock) -> Campaign:
    """A campaign scheduled, started, paused, resumed or ended; the same state changes nothing.

    Starting before its time moves the start, ending before its time the end, to now.
    """
    _require_whole_chain(viewer)

    def attempt(tx: Transaction) -> Campaign:
        campaign = commands.get(change.id)
        commands.require_version(campaign, change.expected_version)
        now = to_the_millisecond(clock.now())
        state = rules.state_at(campaign.state, campaign.schedule, now)
        if state is change.state:
            return campaign
        _require_transition(campaign, state, change.state, now)
        months = campaign.schedule.months(clock.zone)
        if state is CampaignState.SCHEDULED and change.state is CampaignState.RUNNING:
            campaign.starts_at = now
            _require_schedule(campaign.schedule, field=("input", "state"))
        if change.state is CampaignState.ENDED:
            campaign.ends_at = now
        campaign.state = change.state
        repository.save(tx, campaign, zone=clock.zone, months=months)
        return campaign

    return transact(attempt)


def archive(campaign_id: str, *, viewer: Viewer, clock: Clock) -> Campaign:
    """Take a draft out of every list; again changes nothing. What was scheduled stays."""
    _require_whole_chain(viewer)

    def attempt(tx: Transaction) -> Campaign:
        campaign = commands.get(campaign_id, field=("id",))
        if campaign.archived_at is not None:
            return campaign
        if campaign.state is not CampaignState.DRAFT:
            raise ForbiddenTransition("Only a draft is archived", field=("id",))
        campaign.archived_at = clock.now()
        months = campaign.schedule.months(clock.zone)
        repository.save(tx, campaign, zone=clock.zone, months=months)
        return campaign

    return transact(attempt)


def move(campaign_id: str, *, as_of: datetime, clock: Clock) -> bool:
    """Store what time has made of a campaign by `as_of`; whether that changed anything."""

    def attempt(tx: Transaction) -> bool:
        campaign = repository.get(campaign_id)
        if campaign is None:
            return False
        state = rules.state_at(campaign.state, campaign.schedule, as_of)
        if state is campaign.state:
            return False
        campaign.state = state
        months = campaign.schedule.months(clock.zone)
        repository.save(tx, campaign, zone=clock.zone, months=months)
        return True

    return transact(attempt)


def _draft(new: CampaignCreate, campaign_id: str, created_at: datetime) -> Campaign:
    campaign = Campaign(
        campaign_id,
        external_id=new.external_id,
        kind=new.kind,
        name=new.name,
        starts_at=to_the_millisecond(new.starts_at),
        ends_at=to_the_millisecond(new.ends_at),
        state=CampaignState.DRAFT,
        control_mode=new.control_mode or ControlMode.MANDATED,
        created_at=created_at,
    )
    given = new.model_fields_set - {"external_id"}
    _set_fields(campaign, new, only={name for name in given if getattr(new, name) is not None})
    _require_schedule(campaign.schedule)
    return campaign


def _set_fields(
    campaign: Campaign, given: CampaignCreate | CampaignUpdate, only: set[str] | None = None
) -> None:
    """Take over what is given; Required for a null where a campaign must have a value."""
    names = given.model_fields_set - {"id", "expected_version"} if only is None else only
    for name in sorted(names):
        value = getattr(given, name)
        if value is None and name not in _CLEARED:
            raise Required("This cannot be null", field=("input", name))
        setattr(campaign, _STORED.get(name, name), _stored(name, value))


def _stored(name: str, value: Any) -> Any:
    """A field of a command as the campaign stores it."""
    if value is None:
        return None
    if name == "goals":
        return [[goal.metric, goal.target] for goal in value]
    if name == "budget":
        return value.model_dump(mode="json", exclude_none=True)
    if name == "audience":
        return value.document()
    if name in {"starts_at", "ends_at"}:
        return to_the_millisecond(value)
    return value


def _require_schedule(schedule: Schedule, *, field: tuple[str, ...] = ("input", "ends_at")) -> None:
    if schedule.starts_at >= schedule.ends_at:
        raise Invalid("A campaign ends after it starts", field=field)
    if schedule.ends_at - schedule.starts_at > MAX_LASTS:
        raise Invalid(f"A campaign lasts at most {MAX_LASTS.days} days", field=field)


def _require_places(unit_ids: Sequence[str], store_ids: Sequence[str]) -> None:
    """Refuse units and stores that are not there, or archived."""
    for n, unit in enumerate(stores.get_units(unit_ids)):
        if unit is None or unit.archived_at is not None:
            raise NotFound("There is no such org unit", field=("input", "unit_ids", str(n)))
    for n, store in enumerate(stores.get_many(store_ids)):
        if store is None or store.archived_at is not None:
            raise NotFound("There is no such store", field=("input", "store_ids", str(n)))


def _require_changeable(campaign: Campaign, change: CampaignUpdate, now: datetime) -> None:
    if campaign.archived_at is not None:
        raise ForbiddenTransition("This campaign is archived", field=("input", "id"))
    state = rules.state_at(campaign.state, campaign.schedule, now)
    if state is CampaignState.ENDED:
        raise ForbiddenTransition("This campaign has ended", field=("input", "id"))
    fixed = sorted(change.model_fields_set & _OF_A_DRAFT)
    if state is not CampaignState.DRAFT and fixed:
        text = "This is fixed once a campaign is scheduled; make it a draft again first"
        raise ForbiddenTransition(text, field=("input", fixed[0]))


def _require_transition(
    campaign: Campaign, old: CampaignState, new: CampaignState, now: datetime
) -> None:
    field = ("input", "state")
    if campaign.archived_at is not None:
        raise ForbiddenTransition("This campaign is archived", field=("input", "id"))
    if new not in rules.TRANSITIONS[old]:
        raise ForbiddenTransition(f"A campaign does not go from {old} to {new}", field=field)
    if new is CampaignState.SCHEDULED and now >= campaign.ends_at:
        raise ForbiddenTransition("The time of this campaign is over", field=field)


def _require_whole_chain(viewer: Viewer) -> None:
    if viewer.store_ids is not None:
        raise Forbidden("Only headquarters plan campaigns")


def _external_taken() -> AppError:
    return Taken("This external id is in use", field=("input", "external_id"))
