"""When a campaign runs, what may become of it, and which part of a member in it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from graphql_api.campaigns.rules.kinds import CampaignState, ParticipationState, PathStep
from graphql_api.kit.time import business_day, month_number, month_of

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


FURTHER = {
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
    one, other = ((FURTHER[part.state], -part.at.timestamp()) for part in (mine, theirs))
    return other > one
