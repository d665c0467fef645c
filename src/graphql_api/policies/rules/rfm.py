"""RFM and the quadrant (domain: §5)."""

from datetime import date
from enum import StrEnum

from pydantic import Field, ValidationInfo, field_validator

from graphql_api.policies.rules.documents import (
    MAX_MONTHS,
    Amount,
    Months,
    PolicyDocument,
    require_not_falling,
    require_rising,
)

NOBODY = -1
"""The days of a recency band that nobody reaches."""


class CutMethod(StrEnum):
    """Where the limits of a score come from: written down, or measured as quintiles of members."""

    FIXED = "FIXED"
    QUANTILE = "QUANTILE"


class RecencyBand(PolicyDocument):
    """A score for a purchase at most so many days ago; null for any, -1 for none."""

    score: int
    max_days: int | None = Field(ge=NOBODY, le=MAX_MONTHS * 31)


class FrequencyBand(PolicyDocument):
    """A score for at least so many orders in the window."""

    score: int
    min_orders: Amount


class MonetaryBand(PolicyDocument):
    """A score for at least so much spend in the window, in fen."""

    score: int
    min_fen: Amount


class BaseAverages(PolicyDocument):
    """What members with an order in the window have on average, as measured (均值).

    `orders_percent` is a hundred times the orders of a member, `order_fen` the value of an order.
    """

    orders_percent: Amount
    order_fen: Amount


class RfmPolicy(PolicyDocument):
    """Scores 5 to 1 for recency, frequency and spend, and from which on a score is high.

    The limits of each score are fixed, or QUANTILE: then they are the cut points measured on
    `measured_on`, and stand in the document so that any score can be reproduced. Limits that are
    alike leave a score that nobody has. Without `averages` nobody has a quadrant.
    """

    window_months: Months = 12
    recency_method: CutMethod = CutMethod.FIXED
    recency: tuple[RecencyBand, ...] = tuple(
        RecencyBand(score=score, max_days=days)
        for score, days in ((5, 30), (4, 60), (3, 90), (2, 180), (1, None))
    )
    frequency_method: CutMethod = CutMethod.FIXED
    frequency: tuple[FrequencyBand, ...] = tuple(
        FrequencyBand(score=score, min_orders=orders)
        for score, orders in ((5, 16), (4, 8), (3, 4), (2, 2), (1, 0))
    )
    monetary_method: CutMethod = CutMethod.FIXED
    monetary: tuple[MonetaryBand, ...] = tuple(
        MonetaryBand(score=score, min_fen=fen)
        for score, fen in ((5, 300_000), (4, 150_000), (3, 60_000), (2, 20_000), (1, 0))
    )
    high_from: int = Field(default=3, ge=2, le=5)
    averages: BaseAverages | None = None
    measured_on: date | None = None

    @field_validator("recency")
    @classmethod
    def _cover_all_days(
        cls, bands: tuple[RecencyBand, ...], info: ValidationInfo
    ) -> tuple[RecencyBand, ...]:
        _require_every_score([band.score for band in bands])
        days = [band.max_days for band in bands]
        bounds = [day for day in days[:-1] if day is not None]
        if days[-1] is not None or len(bounds) < len(days) - 1:
            raise ValueError("the last band, and no other, is for any number of days")
        if _measured(info, "recency_method"):
            require_not_falling(bounds, "days")
        else:
            require_rising([0, *(day + 1 for day in bounds)], "days")
        return bands

    @field_validator("frequency")
    @classmethod
    def _cover_all_counts(
        cls, bands: tuple[FrequencyBand, ...], info: ValidationInfo
    ) -> tuple[FrequencyBand, ...]:
        _require_every_score([band.score for band in bands])
        limits = [band.min_orders for band in reversed(bands)]
        rising = require_not_falling if _measured(info, "frequency_method") else require_rising
        rising(limits, "orders", first=0)
        return bands

    @field_validator("monetary")
    @classmethod
    def _cover_all_amounts(
        cls, bands: tuple[MonetaryBand, ...], info: ValidationInfo
    ) -> tuple[MonetaryBand, ...]:
        _require_every_score([band.score for band in bands])
        limits = [band.min_fen for band in reversed(bands)]
        rising = require_not_falling if _measured(info, "monetary_method") else require_rising
        rising(limits, "amounts", first=0)
        return bands


def _measured(info: ValidationInfo, method: str) -> bool:
    return info.data.get(method) is CutMethod.QUANTILE


def _require_every_score(scores: list[int]) -> None:
    if scores != [5, 4, 3, 2, 1]:
        raise ValueError("the scores are 5, 4, 3, 2, 1")
