"""Policy documents and the defaults that the product ships with (domain: §3 to §5, §14).

A new kind of policy is a document here and a line in `DOCUMENTS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel

from graphql_api.viewer import MANAGE_POLICIES, STAFF, Role, Viewer

MAX_MONTHS = 36
MAX_BYTES = 20_000

Months = Annotated[int, Field(ge=1, le=MAX_MONTHS)]
Amount = Annotated[int, Field(ge=0, le=10**12)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]


class PolicyKind(StrEnum):
    """What a policy decides."""

    TIER_LADDER = "TIER_LADDER"
    LIFECYCLE = "LIFECYCLE"
    RELATIONSHIP_PHASE = "RELATIONSHIP_PHASE"
    RFM = "RFM"
    GROWTH = "GROWTH"
    OWNERSHIP = "OWNERSHIP"


class PolicyState(StrEnum):
    """Where a version of a policy stands (出厂, 草稿, 已发布, 已被取代)."""

    SHIPPED = "SHIPPED"
    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    SUPERSEDED = "SUPERSEDED"


class PolicyDocument(BaseModel):
    """Numbers that the business may change; without any given they are those shipped.

    Outside, names are in camel case, and nothing is guessed: a text is no number.
    """

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    def document(self) -> dict[str, Any]:
        """The whole document, defaults included, as clients see it and as it is stored."""
        return self.model_dump(mode="json", by_alias=True)


class GrowthPolicy(PolicyDocument):
    """How growth value (成长值) is earned: one point for every so many fen paid, net of refunds."""

    fen_per_point: int = Field(default=100, ge=1, le=10**9)

    def growth_of(self, net_fen: int) -> int:
        """Growth value of one order; whole points only."""
        return net_fen // self.fen_per_point


class OwnershipPolicy(PolicyDocument):
    """How long a guide has a member (有效期), and alone (抢客保护期), in days after the first.

    No protection with 0 `protection_days`; without `valid_days` an ownership does not run out.
    """

    protection_days: int = Field(default=30, ge=0, le=3650)
    valid_days: int | None = Field(default=None, ge=1, le=3650)

    def protected_until(self, first_day: date) -> date | None:
        """The last day on which others cannot take over a member whom a guide has since then."""
        return first_day + timedelta(days=self.protection_days) if self.protection_days else None

    def valid_until(self, first_day: date) -> date | None:
        """The last day of an ownership that began then."""
        return None if self.valid_days is None else first_day + timedelta(days=self.valid_days)


class TierMetric(StrEnum):
    """What decides among tiers; SPEND is fen."""

    GROWTH = "GROWTH"
    SPEND = "SPEND"
    ORDERS = "ORDERS"


class Downgrade(StrEnum):
    """What the end of a tier's validity may cost: nothing, one tier, or all the metric lost."""

    NONE = "NONE"
    ONE_STEP = "ONE_STEP"
    TO_SUPPORTED = "TO_SUPPORTED"


class Tier(PolicyDocument):
    """A tier, and the least of the metric that it takes."""

    name: Name
    threshold: Amount


_SHIPPED_TIERS = (0, 200, 600, 1_500, 3_000, 6_000)


class TierLadder(PolicyDocument):
    """Tiers (会员等级) by a metric over a window of calendar months, the current one included.

    A tier holds for `validity_months` from the day of the upgrade; at its end the window decides.
    `low_water_percent` keeps a tier while the metric is at least that part of its threshold; null
    switches it off.
    """

    metric: TierMetric = TierMetric.GROWTH
    window_months: Months = 6
    tiers: tuple[Tier, ...] = Field(
        default=tuple(
            Tier(name=f"V{n}", threshold=threshold)
            for n, threshold in enumerate(_SHIPPED_TIERS, start=1)
        ),
        max_length=20,
    )
    validity_months: Months = 6
    downgrade: Downgrade = Downgrade.TO_SUPPORTED
    grace_days: int = Field(default=0, ge=0, le=366)
    low_water_percent: int | None = Field(default=None, ge=1, le=99)

    @field_validator("tiers")
    @classmethod
    def _rise_from_nothing(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        _require_rising([tier.threshold for tier in tiers], "thresholds", first=0)
        if len({tier.name for tier in tiers}) < len(tiers):
            raise ValueError("the names of tiers are different")
        return tiers


class LifecyclePolicy(PolicyDocument):
    """Months after the last purchase at which each state of the lifecycle (会员生命周期) ends."""

    onboarding_months: Months = 3
    awakening_months: Months = 6
    win_back_months: Months = 9
    dormant_months: Months = 12

    @field_validator("awakening_months", "win_back_months", "dormant_months")
    @classmethod
    def _end_one_after_the_other(cls, months: int, info: ValidationInfo) -> int:
        if any(months <= earlier for earlier in info.data.values()):
            raise ValueError("each state ends later than the one before")
        return months


class RelationshipPhasePolicy(PolicyDocument):
    """What makes a member stable, and how long one is new (会员关系期)."""

    window_months: Months = 12
    stable_orders: int = Field(default=12, ge=1, le=10_000)
    starting_months: Months = 12


class RecencyBand(PolicyDocument):
    """A score for a purchase at most so many days ago; null for any."""

    score: int
    max_days: int | None = Field(ge=0, le=MAX_MONTHS * 31)


class FrequencyBand(PolicyDocument):
    """A score for at least so many orders in the window."""

    score: int
    min_orders: Amount


class MonetaryBand(PolicyDocument):
    """A score for at least so much spend in the window, in fen."""

    score: int
    min_fen: Amount


class RfmPolicy(PolicyDocument):
    """Scores 5 to 1 for recency, frequency and spend, and from which on a score is high."""

    window_months: Months = 12
    recency: tuple[RecencyBand, ...] = tuple(
        RecencyBand(score=score, max_days=days)
        for score, days in ((5, 30), (4, 60), (3, 90), (2, 180), (1, None))
    )
    frequency: tuple[FrequencyBand, ...] = tuple(
        FrequencyBand(score=score, min_orders=orders)
        for score, orders in ((5, 16), (4, 8), (3, 4), (2, 2), (1, 0))
    )
    monetary: tuple[MonetaryBand, ...] = tuple(
        MonetaryBand(score=score, min_fen=fen)
        for score, fen in ((5, 300_000), (4, 150_000), (3, 60_000), (2, 20_000), (1, 0))
    )
    high_from: int = Field(default=3, ge=2, le=5)

    @field_validator("recency")
    @classmethod
    def _cover_all_days(cls, bands: tuple[RecencyBand, ...]) -> tuple[RecencyBand, ...]:
        _require_every_score([band.score for band in bands])
        days = [band.max_days for band in bands]
        bounds = [day for day in days[:-1] if day is not None]
        if days[-1] is not None or len(bounds) < len(days) - 1:
            raise ValueError("the last band, and no other, is for any number of days")
        _require_rising(bounds, "days")
        return bands

    @field_validator("frequency")
    @classmethod
    def _cover_all_counts(cls, bands: tuple[FrequencyBand, ...]) -> tuple[FrequencyBand, ...]:
        _require_every_score([band.score for band in bands])
        _require_rising([band.min_orders for band in reversed(bands)], "orders", first=0)
        return bands

    @field_validator("monetary")
    @classmethod
    def _cover_all_amounts(cls, bands: tuple[MonetaryBand, ...]) -> tuple[MonetaryBand, ...]:
        _require_every_score([band.score for band in bands])
        _require_rising([band.min_fen for band in reversed(bands)], "amounts", first=0)
        return bands


SHIPPED_GROWTH = GrowthPolicy()
SHIPPED_OWNERSHIP = OwnershipPolicy()

DOCUMENTS: Mapping[PolicyKind, type[PolicyDocument]] = {
    PolicyKind.TIER_LADDER: TierLadder,
    PolicyKind.LIFECYCLE: LifecyclePolicy,
    PolicyKind.RELATIONSHIP_PHASE: RelationshipPhasePolicy,
    PolicyKind.RFM: RfmPolicy,
    PolicyKind.GROWTH: GrowthPolicy,
    PolicyKind.OWNERSHIP: OwnershipPolicy,
}
"""The document of each kind of policy."""


def sees_drafts(viewer: Viewer) -> bool:
    """Whether a viewer sees what may become a policy: headquarters, and keys that manage them."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(MANAGE_POLICIES)
    return viewer.role in {Role.OPERATOR, Role.SYSTEM} and viewer.store_ids is None


def is_visible(viewer: Viewer, state: PolicyState) -> bool:
    """Staff see what is or was in force; drafts only those who make them."""
    in_open = viewer.role in STAFF and state is not PolicyState.DRAFT
    return in_open or sees_drafts(viewer)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a document, and where in it."""

    path: tuple[str, ...]
    message: str


def read(kind: PolicyKind, document: Mapping[str, Any]) -> PolicyDocument | list[Problem]:
    """The document of a kind of policy, or everything that is wrong with it."""
    text = orjson.dumps(document)
    if len(text) > MAX_BYTES:
        return [Problem((), f"a policy takes at most {MAX_BYTES:,} bytes")]
    try:
        return DOCUMENTS[kind].model_validate_json(text, by_alias=True, by_name=False)
    except ValidationError as error:
        return [_problem(e["loc"], e["msg"]) for e in error.errors(include_url=False)]


def _problem(location: tuple[int | str, ...], message: str) -> Problem:
    path = tuple(to_camel(part) if isinstance(part, str) else str(part) for part in location)
    return Problem(path, message.removeprefix("Value error, "))


def _require_rising(values: Sequence[int], what: str, first: int | None = None) -> None:
    if first is not None and list(values[:1]) != [first]:
        raise ValueError(f"the {what} begin at {first}")
    if any(low >= high for low, high in pairwise(values)):
        raise ValueError(f"the {what} rise")


def _require_every_score(scores: Sequence[int]) -> None:
    if list(scores) != [5, 4, 3, 2, 1]:
        raise ValueError("the scores are 5, 4, 3, 2, 1")
