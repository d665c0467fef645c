"""How points are earned, held, kept and taken back (domain: §7, §14)."""

from calendar import monthrange
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from graphql_api.kit import calendar
from graphql_api.policies.rules.documents import Amount, Months, Name, PolicyDocument

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
MonthDay = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
_PERCENT = 100


class Holding(StrEnum):
    """How long points of a purchase wait (冻结期): not, some days, to a date, to settlement."""

    NONE = "NONE"
    DAYS = "DAYS"
    DATE = "DATE"
    UNTIL_SETTLED = "UNTIL_SETTLED"


class Expiry(StrEnum):
    """When points run out (有效期), counted from the day on which they become active.

    After some months, on a day of the year, or after some months in which nothing was bought or
    spent.
    """

    NEVER = "NEVER"
    ROLLING = "ROLLING"
    CALENDAR = "CALENDAR"
    INACTIVITY = "INACTIVITY"


class Rounding(StrEnum):
    """To what the last day of rolling points is put off."""

    NONE = "NONE"
    MONTH_END = "MONTH_END"
    YEAR_END = "YEAR_END"


class ClawBack(StrEnum):
    """What a refund may take back (退款扣回).

    Only what is still pending, what the balance has, or all of it, with a debt for what is missing.
    """

    ONLY_PENDING = "ONLY_PENDING"
    WITHIN_BALANCE = "WITHIN_BALANCE"
    UNLIMITED = "UNLIMITED"


class TierMultiplier(PolicyDocument):
    """What members of a tier earn, in percent of what others do."""

    tier: Name
    percent: int = Field(ge=0, le=1_000)


_SHIPPED_PERCENTS = (100, 100, 110, 120, 130, 150)


class PointsPolicy(PolicyDocument):
    """Points (积分): one for every so many fen paid, net of refunds, times what the tier brings.

    `excluded_categories` and `excluded_channels` earn nothing; neither does an order that would
    earn more than `most_per_order`. `most_per_month` caps what a member earns by purchases in a
    calendar month, `program_per_month` what all do together. `notice_days` before points run out
    the member is told; 0 tells nobody. What a refund gives back after its last day stays expired,
    or holds for `grace_days` more. As payment `points_per_yuan` are worth a yuan, up to
    `payable_percent` of an order, `least_payment` at once or more.
    """

    fen_per_point: int = Field(default=100, ge=1, le=10**9)
    multipliers: tuple[TierMultiplier, ...] = Field(
        default=tuple(
            TierMultiplier(tier=f"V{n}", percent=percent)
            for n, percent in enumerate(_SHIPPED_PERCENTS, start=1)
        ),
        max_length=20,
    )
    excluded_categories: tuple[Word, ...] = Field(default=(), max_length=100)
    excluded_channels: tuple[Word, ...] = Field(default=(), max_length=10)
    holding: Holding = Holding.DAYS
    hold_days: int = Field(default=7, ge=0, le=365)
    hold_until: date | None = None
    expiry: Expiry = Expiry.ROLLING
    expiry_months: Months = 12
    rounding: Rounding = Rounding.MONTH_END
    expiry_day: MonthDay = "12-31"
    expiry_years: int = Field(default=1, ge=1, le=10)
    claw_back: ClawBack = ClawBack.UNLIMITED
    grace_days: int = Field(default=0, ge=0, le=366)
    most_per_order: Amount | None = None
    most_per_month: Amount | None = None
    program_per_month: Amount | None = None
    notice_days: int = Field(default=30, ge=0, le=90)
    points_per_yuan: int = Field(default=100, ge=1, le=10**6)
    payable_percent: int = Field(default=50, ge=0, le=100)
    least_payment: Amount = 100

    @field_validator("multipliers")
    @classmethod
    def _name_each_tier_once(
        cls, multipliers: tuple[TierMultiplier, ...]
    ) -> tuple[TierMultiplier, ...]:
        if len({one.tier for one in multipliers}) < len(multipliers):
            raise ValueError("a tier stands once")
        return multipliers

    @field_validator("hold_until")
    @classmethod
    def _is_there_to_wait_for(cls, day: date | None, info: ValidationInfo) -> date | None:
        if day is None and info.data.get("holding") is Holding.DATE:
            raise ValueError("points that wait for a date need one")
        return day

    def percent_of(self, tier: str | None) -> int:
        """What a tier brings; 100 for one that is not named, and for nobody's."""
        return next((one.percent for one in self.multipliers if one.tier == tier), _PERCENT)

    def points_of(self, fen: int, percent: int) -> int:
        """What so many fen earn; whole points only."""
        return fen * percent // (self.fen_per_point * _PERCENT)

    def active_from(self, day: date, settled_on: date | None) -> date | None:
        """From when on points of a purchase of a day are active; None while nobody can say."""
        match self.holding:
            case Holding.DAYS:
                return day + timedelta(days=self.hold_days)
            case Holding.DATE:
                return max(day, self.hold_until or day)
            case Holding.UNTIL_SETTLED:
                return None if settled_on is None else max(day, settled_on)
            case _:
                return day

    def last_day(self, active_on: date) -> date | None:
        """The last day of points that are active from a day on; None where no day says so."""
        match self.expiry:
            case Expiry.ROLLING:
                last = calendar.add_months(active_on.toordinal(), self.expiry_months)
                return self._rounded(date.fromordinal(last))
            case Expiry.CALENDAR:
                return self._day_of_year(active_on)
            case _:
                return None

    @property
    def idle_months(self) -> int:
        """After how many months without a purchase or a spend points run out; 0 for never."""
        return self.expiry_months if self.expiry is Expiry.INACTIVITY else 0

    def _rounded(self, day: date) -> date:
        match self.rounding:
            case Rounding.MONTH_END:
                return day.replace(day=monthrange(day.year, day.month)[1])
            case Rounding.YEAR_END:
                return day.replace(month=12, day=31)
            case _:
                return day

    def _day_of_year(self, active_on: date) -> date:
        month, day = int(self.expiry_day[:2]), int(self.expiry_day[3:])
        ends = [
            date(year, month, min(day, monthrange(year, month)[1]))
            for year in (active_on.year, active_on.year + 1)
        ]
        first = ends[0] if active_on <= ends[0] else ends[1]
        year = first.year + self.expiry_years - 1
        return date(year, month, min(day, monthrange(year, month)[1]))


SHIPPED_POINTS = PointsPolicy()
