"""Business time: instants are UTC, a business day is a date in the chain's zone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "Asia/Shanghai"


def real_now() -> datetime:
    """The wall clock, for tokens, signatures and deadlines; business code uses a Clock."""
    return datetime.now(UTC)


def business_day(instant: datetime, zone: str) -> date:
    """The date that `instant` has in `zone`; raises ValueError for a naive instant."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return instant.astimezone(ZoneInfo(zone)).date()


def start_of(day: date, zone: str) -> datetime:
    """The instant, UTC, at which a business day begins in `zone`."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def to_the_millisecond(instant: datetime) -> datetime:
    """The instant as it is stored: UTC, whole milliseconds."""
    utc = instant.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def month_of(day: date) -> str:
    """`YYYY-MM`, the key of a calendar month."""
    return day.isoformat()[:7]


@lru_cache(maxsize=4096)
def month_number(month: str) -> int:
    """Months since year 0, so that months can be subtracted."""
    return int(month[:4]) * 12 + int(month[5:7]) - 1


@dataclass(frozen=True, slots=True)
class Clock:
    """The chain's clock: wall time moved by an offset of whole days, read in the chain's zone."""

    zone: str = DEFAULT_ZONE
    offset_days: int = 0
    wall: Callable[[], datetime] = real_now

    def now(self) -> datetime:
        """The business instant, UTC."""
        return self.wall() + timedelta(days=self.offset_days)

    def today(self) -> date:
        """The business day that holds now."""
        return self.day_of(self.now())

    def day_of(self, instant: datetime) -> date:
        """The business day that `instant` belongs to."""
        return business_day(instant, self.zone)
