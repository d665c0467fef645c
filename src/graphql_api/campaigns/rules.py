"""Rules of campaigns: what may become of one, when it runs, which stores it is for, who sees it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import combinations
from typing import Annotated, Any, Generic, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from graphql_api.kit.time import business_day, month_number, month_of
from graphql_api.members.rules import ConsentChannel, ConsentPurpose, Gender
from graphql_api.viewer import READ_CAMPAIGNS, STAFF, Role, Viewer


class CampaignKind(StrEnum):
    """Five kinds (domain: §10): 活动营销, 节日营销, 服务营销, 生日营销, 场景营销."""

    PROMOTION = "PROMOTION"
    FESTIVAL = "FESTIVAL"
    SERVICE = "SERVICE"
    BIRTHDAY = "BIRTHDAY"
    SCENE = "SCENE"


class CampaignGrade(StrEnum):
    """How much of the chain's effort a campaign gets."""

    S = "S"
    A = "A"
    B = "B"
    C = "C"


class CampaignState(StrEnum):
    """Where a campaign stands (草稿, 待开始, 进行中, 已暂停, 已结束)."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    ENDED = "ENDED"


class ControlMode(StrEnum):
    """Whether stores carry a campaign out, or choose to (强管控, 弱管控)."""

    MANDATED = "MANDATED"
    OPT_IN = "OPT_IN"


class GoalMetric(StrEnum):
    """What a goal counts; SALES and AVERAGE_ORDER_VALUE are whole yuan."""

    PARTICIPANTS = "PARTICIPANTS"
    CONVERSIONS = "CONVERSIONS"
    NEW_MEMBERS = "NEW_MEMBERS"
    ORDERS = "ORDERS"
    SALES = "SALES"
    AVERAGE_ORDER_VALUE = "AVERAGE_ORDER_VALUE"
    REDEMPTIONS = "REDEMPTIONS"
    REPURCHASE_PERCENT = "REPURCHASE_PERCENT"


class PathStep(StrEnum):
    """A step of the journey that a campaign works on: of AARRR, or of the 5A path (domain: §12)."""

    ACQUISITION = "ACQUISITION"
    ACTIVATION = "ACTIVATION"
    RETENTION = "RETENTION"
    REVENUE = "REVENUE"
    REFERRAL = "REFERRAL"
    KNOW = "KNOW"
    LIKE = "LIKE"
    BELIEVE = "BELIEVE"
    BUY = "BUY"
    RECOMMEND = "RECOMMEND"


class CampaignChannel(StrEnum):
    """Through which a campaign meets members (domain: §11), and the store itself."""

    STORE = "STORE"
    MOMENTS = "MOMENTS"
    WECOM = "WECOM"
    COMMUNITY_GROUP = "COMMUNITY_GROUP"
    OFFICIAL_ACCOUNT = "OFFICIAL_ACCOUNT"
    PHONE = "PHONE"
    SMS = "SMS"
    AI_CALL = "AI_CALL"
    SUBSCRIPTION_MESSAGE = "SUBSCRIPTION_MESSAGE"


class BudgetPeriod(StrEnum):
    """A stretch of time that a part of a budget is for."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


class ParticipationState(StrEnum):
    """How far a member came in a campaign; EXCLUDED stays out, such as a holdout."""

    INVITED = "INVITED"
    JOINED = "JOINED"
    CONVERTED = "CONVERTED"
    EXCLUDED = "EXCLUDED"


# --- path and states -------------------------------------------------------------------------


_AARRR = frozenset(list(PathStep)[:5])


def is_one_path(steps: Sequence[PathStep]) -> bool:
    """Whether the steps are different ones of one model, AARRR or 5A."""
    of_aarrr = _AARRR.issuperset(steps) or _AARRR.isdisjoint(steps)
    return of_aarrr and len(set(steps)) == len(steps)


TRANSITIONS: Mapping[CampaignState, frozenset[CampaignState]] = {
    CampaignState.DRAFT: frozenset({CampaignState.SCHEDULED}),
    CampaignState.SCHEDULED: frozenset({CampaignState.DRAFT, CampaignState.RUNNING}),
    CampaignState.RUNNING: frozenset({CampaignState.PAUSED, CampaignState.ENDED}),
    CampaignState.PAUSED: frozenset({CampaignState.RUNNING, CampaignState.ENDED}),
    CampaignState.ENDED: frozenset(),
}
"""What somebody may make of a campaign; time alone starts what is scheduled and ends what runs."""

OPEN = frozenset({CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.PAUSED})
"""States in which time alone changes something, and stores may take a campaign up."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """From an instant to another, the last one left out."""

    starts_at: datetime
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether the instant lies in it."""
        return self.starts_at <= at < self.ends_at

    def shared_with(self, other: "Schedule") -> "Schedule | None":
        """The time that lies in both, None where there is none."""
        starts_at = max(self.starts_at, other.starts_at)
        ends_at = min(self.ends_at, other.ends_at)
        return Schedule(starts_at, ends_at) if starts_at < ends_at else None

    def months(self, zone: str) -> list[str]:
        """The calendar months of a zone that it touches, as `YYYY-MM`."""
        last_moment = self.ends_at - timedelta(microseconds=1)
        ends = (business_day(at, zone) for at in (self.starts_at, last_moment))
        first, last = (month_number(month_of(day)) for day in ends)
        numbers = range(first, max(first, last) + 1)
        return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in numbers]


def state_at(state: CampaignState, schedule: Schedule, as_of: datetime) -> CampaignState:
    """The state at an instant of a campaign stored in `state`: what fell due since has happened."""
    if state not in OPEN:
        return state
    if as_of >= schedule.ends_at:
        return CampaignState.ENDED
    if state is CampaignState.SCHEDULED and as_of >= schedule.starts_at:
        return CampaignState.RUNNING
    return state


def next_at(state: CampaignState, schedule: Schedule) -> datetime | None:
    """The first instant at which time alone changes the state; None where it never does."""
    if state not in OPEN:
        return None
    return schedule.starts_at if state is CampaignState.SCHEDULED else schedule.ends_at


def may_take_part(state: CampaignState, schedule: Schedule, at: datetime) -> bool:
    """Whether a participation of that time is taken: news of one may come after the end."""
    return state is not CampaignState.DRAFT and at < schedule.ends_at


class Part(Protocol):
    """What of a participation says how far the member came."""

    @property
    def state(self) -> ParticipationState: ...
    @property
    def at(self) -> datetime: ...


_FURTHER = {
    ParticipationState.INVITED: 0,
    ParticipationState.EXCLUDED: 1,
    ParticipationState.JOINED: 2,
    ParticipationState.CONVERTED: 3,
}


def went_further(mine: Part, theirs: Part) -> bool:
    """Of the parts of two members who are one, whether theirs stands: who came further.

    Who was excluded under one id is not invited under the other; who joined or bought, did. Of the
    same state the earlier stands.
    """
    one, other = ((_FURTHER[part.state], -part.at.timestamp()) for part in (mine, theirs))
    return other > one


# --- stores ----------------------------------------------------------------------------------


Above = Mapping[str, Sequence[str]]
"""The org units above each store and unit that matters."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the organisation tree: units with all below them, and single stores."""

    units: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()

    @property
    def places(self) -> frozenset[str]:
        """The units and stores; none means the whole chain."""
        return self.units | self.stores


def meets(one: Scope, other: Scope, above: Above) -> bool:
    """Whether two scopes have a store in common; a unit that has no store yet counts as one."""
    if not one.places or not other.places:
        return True
    return _contains(one, other, above) or _contains(other, one, above)


def _contains(one: Scope, other: Scope, above: Above) -> bool:
    """Whether a place of the other scope is one of these places, or below one of these units."""
    if not one.places.isdisjoint(other.places):
        return True
    return any(not one.units.isdisjoint(above.get(place, ())) for place in other.places)


def looked_up(one: Scope, other: Scope) -> frozenset[str]:
    """The places whose units above `meets` needs to know."""
    if not one.places or not other.places:
        return frozenset()
    below = other.places if one.units else frozenset[str]()
    return below | (one.places if other.units else frozenset[str]())


class Planned(Protocol):
    """What of a campaign decides who sees it, and what it gets in the way of."""

    @property
    def id(self) -> str: ...
    @property
    def schedule(self) -> Schedule: ...
    @property
    def scope(self) -> Scope: ...
    @property
    def state(self) -> CampaignState: ...
    @property
    def archived_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two campaigns that share time and stores; the earlier one comes first."""

    first: Planned
    second: Planned
    schedule: Schedule


def overlaps(campaigns: Sequence[Planned], window: Schedule, above: Above) -> list[Overlap]:
    """The pairs that share stores, and time within the window, by when they begin."""
    ordered = sorted(campaigns, key=lambda c: (c.schedule.starts_at, c.id))
    return [
        Overlap(first, second, shared)
        for first, second in combinations(ordered, 2)
        if (shared := first.schedule.shared_with(second.schedule)) is not None
        and shared.shared_with(window) is not None
        and meets(first.scope, second.scope, above)
    ]


# --- who sees a campaign ---------------------------------------------------------------------


def reach_of(viewer: Viewer) -> Scope:
    """The part of the tree that a viewer reaches; the whole chain for those without a bound."""
    if viewer.store_ids is None:
        return Scope()
    place = frozenset({str(viewer.unit_id)})
    return Scope(units=place) if viewer.role is Role.OPERATOR else Scope(stores=place)


def is_published(campaign: Planned) -> bool:
    """Whether it was scheduled, so that others than its makers may know of it."""
    return campaign.state is not CampaignState.DRAFT and campaign.archived_at is None


def sees_plans(viewer: Viewer) -> bool:
    """Whether a viewer sees every campaign from its first draft: headquarters, and keys."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(READ_CAMPAIGNS)
    return viewer.role in {Role.OPERATOR, Role.SYSTEM} and viewer.store_ids is None


def is_visible(viewer: Viewer, campaign: Planned, as_of: datetime, above: Above) -> bool:
    """Those who plan see all; staff what is for a store of theirs; members what is running."""
    if sees_plans(viewer):
        return True
    if not is_published(campaign) or viewer.role not in STAFF | {Role.MEMBER}:
        return False
    if viewer.role is Role.MEMBER:
        return state_at(campaign.state, campaign.schedule, as_of) is CampaignState.RUNNING
    return meets(reach_of(viewer), campaign.scope, above)


# --- audiences -------------------------------------------------------------------------------


MAX_DEPTH = 5
MAX_CLAUSES = 50

T = TypeVar("T")
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Month = Annotated[int, Field(ge=1, le=12)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class OneOf(_Part, Generic[T]):
    """One of these values."""

    values: list[T] = Field(alias="in", min_length=1, max_length=100)


class Between(_Part):
    """From one business day to another, both included; either may be left open."""

    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.first is None and self.last is None:
            raise ValueError("a range has a first or a last day")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError("a range begins before it ends")
        return self


class Agreed(_Part):
    """An agreement that holds now."""

    purpose: ConsentPurpose
    channel: ConsentChannel = ConsentChannel.ANY


class Clause(_Part):
    """One condition: a combination of others, or a fact about the member."""

    all_of: list["Clause"] | None = Field(default=None, alias="all", min_length=1)
    any_of: list["Clause"] | None = Field(default=None, alias="any", min_length=1)
    none_of: list["Clause"] | None = Field(default=None, alias="none", min_length=1)
    tag: OneOf[Name] | None = None
    store: OneOf[Name] | None = None
    joined: Between | None = None
    gender: OneOf[Gender] | None = None
    birthday_month: OneOf[Month] | None = None
    consent: Agreed | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        said = [name for name in self.model_fields_set if getattr(self, name) is not None]
        if len(said) != 1 or len(self.model_fields_set) != 1:
            names = ", ".join(str(f.alias) for f in type(self).model_fields.values())
            raise ValueError(f"a condition says exactly one of {names}")
        return self

    def inner(self) -> list["Clause"]:
        """The conditions that this one combines."""
        return self.all_of or self.any_of or self.none_of or []


class Audience(Clause):
    """Whom a campaign is for, as a rule over what is known of a member: all, any, none, nested."""

    @model_validator(mode="after")
    def _is_small(self) -> Self:
        depths = list(_depths(self, 1))
        if max(depths) > MAX_DEPTH or len(depths) > MAX_CLAUSES:
            text = f"an audience has at most {MAX_CLAUSES} conditions, {MAX_DEPTH} levels deep"
            raise ValueError(text)
        return self

    def document(self) -> dict[str, Any]:
        """The rule as it came."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _depths(clause: Clause, depth: int) -> Iterator[int]:
    yield depth
    for inner in clause.inner():
        yield from _depths(inner, depth + 1)
