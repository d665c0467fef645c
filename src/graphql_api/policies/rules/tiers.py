"""The tier ladder (domain: §3, §14)."""

from enum import StrEnum

from pydantic import Field, field_validator

from graphql_api.policies.rules.documents import (
    Amount,
    Months,
    Name,
    PolicyDocument,
    require_rising,
)


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


class RefundAcross(StrEnum):
    """Which month a refund in a later month than its purchase takes from (跨期退款).

    REOPEN takes from the month of the purchase. The others take from the month of the refund: down
    to zero and no further, or with what is missing carried on as a debt of the months after it.
    """

    REOPEN = "REOPEN"
    FLOOR_AT_ZERO = "FLOOR_AT_ZERO"
    CARRY_DEBT = "CARRY_DEBT"


class TierStep(PolicyDocument):
    """A tier, and the least of the metric that it takes."""

    name: Name
    threshold: Amount


_SHIPPED_TIERS = (0, 200, 600, 1_500, 3_000, 6_000)


class TierLadder(PolicyDocument):
    """Tiers (会员等级) by a metric over a window of calendar months, the current one included.

    A tier holds for `validity_months` from the day of the upgrade; at its end the window decides.
    `low_water_percent` keeps a tier while the metric is at least that part of its threshold; null
    switches it off. Where the window no longer supports a tier it is kept for `grace_days` more,
    or to the end of the month in which those end. So many days before a downgrade as `notice_days`
    says, the member is told; 0 tells nobody.
    """

    metric: TierMetric = TierMetric.GROWTH
    window_months: Months = 6
    tiers: tuple[TierStep, ...] = Field(
        default=tuple(
            TierStep(name=f"V{n}", threshold=threshold)
            for n, threshold in enumerate(_SHIPPED_TIERS, start=1)
        ),
        max_length=20,
    )
    validity_months: Months = 6
    downgrade: Downgrade = Downgrade.TO_SUPPORTED
    grace_days: int = Field(default=0, ge=0, le=366)
    grace_to_month_end: bool = False
    low_water_percent: int | None = Field(default=None, ge=1, le=99)
    refund_across: RefundAcross = RefundAcross.REOPEN
    notice_days: int = Field(default=0, ge=0, le=90)

    @field_validator("tiers")
    @classmethod
    def _rise_from_nothing(cls, tiers: tuple[TierStep, ...]) -> tuple[TierStep, ...]:
        require_rising([tier.threshold for tier in tiers], "thresholds", first=0)
        if len({tier.name for tier in tiers}) < len(tiers):
            raise ValueError("the names of tiers are different")
        return tiers
