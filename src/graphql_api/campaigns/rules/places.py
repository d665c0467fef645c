"""Which stores a campaign is for, what it gets in the way of, and who sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Protocol

from graphql_api.campaigns.rules.kinds import CampaignState
from graphql_api.campaigns.rules.schedules import Schedule, state_at
from graphql_api.viewer import READ_CAMPAIGNS, STAFF, Role, Viewer

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
