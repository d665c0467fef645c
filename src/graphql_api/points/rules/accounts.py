"""What a member has in points: lots, holds, a debt; and the order in which lots are spent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

from graphql_api.kit import calendar

MAX_ACTIVE = 100
MAX_PENDING = 400
MAX_HOLDS = 20
MAX_DRAWS = 40
_NEVER = date.max


class Source(StrEnum):
    """From where points came (来源)."""

    ORDER = "ORDER"
    GRANT = "GRANT"
    ADJUSTMENT = "ADJUSTMENT"
    OPENING = "OPENING"


class Figures(NamedTuple):
    """What can be spent, what waits, and what is frozen; a negative balance is a debt."""

    balance: int = 0
    pending: int = 0
    frozen: int = 0


@dataclass(frozen=True, slots=True)
class Lot:
    """Points that came together (批次): how many are left, and until when.

    One that is not active waits for `activates_on`, or for a settlement where that is None.
    `idle_months` says that it runs out after so many months in which nothing happened.
    """

    id: str
    points: int
    source: Source
    earned_on: date
    active: bool = True
    activates_on: date | None = None
    expires_on: date | None = None
    idle_months: int = 0

    @property
    def row(self) -> list[Any]:
        """The lot as it is stored."""
        days = [_ordinal(day) for day in (self.earned_on, self.activates_on, self.expires_on)]
        return [self.id, self.points, self.source, int(self.active), *days, self.idle_months]

    @classmethod
    def of_row(cls, row: list[Any]) -> "Lot":
        """A lot of its row."""
        id_, points, source, active, earned, activates, expires, idle = row
        days = date.fromordinal(earned), _day(activates), _day(expires)
        return cls(id_, points, Source(source), days[0], bool(active), days[1], days[2], idle)

    @property
    def order_id(self) -> str | None:
        """The order that brought it."""
        return self.id.partition("~")[0] if self.source is Source.ORDER else None


@dataclass(frozen=True, slots=True)
class Draw:
    """Points taken from a lot, with all that it takes to give them back; no lot is a debt."""

    points: int
    lot: Lot | None = None

    @property
    def row(self) -> list[Any]:
        """The draw as it is stored."""
        return [self.points, self.lot and replace(self.lot, points=0).row]

    @classmethod
    def of_row(cls, row: list[Any]) -> "Draw":
        """A draw of its row."""
        points, lot = row
        return cls(points, Lot.of_row(lot) if lot else None)


@dataclass(frozen=True, slots=True)
class Hold:
    """Points that are frozen under a key, to the end of a day or until somebody says so."""

    key: str
    draws: tuple[Draw, ...]
    until: date | None = None

    @property
    def points(self) -> int:
        """How many."""
        return sum(draw.points for draw in self.draws)

    @property
    def row(self) -> list[Any]:
        """The hold as it is stored."""
        return [self.key, [draw.row for draw in self.draws], _ordinal(self.until)]

    @classmethod
    def of_row(cls, row: list[Any]) -> "Hold":
        """A hold of its row."""
        key, draws, until = row
        return cls(key, tuple(Draw.of_row(one) for one in draws), _day(until))


@dataclass(frozen=True, slots=True)
class Account:
    """What a member has in points, as it was last written or settled.

    `earned` is what purchases of a calendar month brought, `active_on` the last day on which
    something was bought or spent, `noticed_until` the last day of points that were announced.
    """

    lots: tuple[Lot, ...] = ()
    holds: tuple[Hold, ...] = ()
    debt: int = 0
    earned: Mapping[str, int] = field(default_factory=dict)
    active_on: date | None = None
    noticed_until: date | None = None

    @property
    def figures(self) -> Figures:
        """The three figures that stand on the member."""
        active = sum(lot.points for lot in self.lots if lot.active)
        pending = sum(lot.points for lot in self.lots if not lot.active)
        return Figures(active - self.debt, pending, sum(hold.points for hold in self.holds))

    def last_day(self, lot: Lot) -> date | None:
        """The last day of a lot as things are; None where it does not run out."""
        return last_day(lot, self.active_on)

    def hold(self, key: str) -> Hold | None:
        """What is frozen under a key."""
        return next((hold for hold in self.holds if hold.key == key), None)


NOTHING = Account()


def last_day(lot: Lot, active_on: date | None) -> date | None:
    """The last day of a lot; one that runs out by inactivity counts from the last activity."""
    if not lot.idle_months:
        return lot.expires_on
    since = max(day for day in (lot.activates_on, lot.earned_on, active_on) if day is not None)
    return date.fromordinal(calendar.add_months(since.toordinal(), lot.idle_months))


def in_spend_order(lots: Iterable[Lot], active_on: date | None) -> list[Lot]:
    """Active lots by last day, day of earning and id; what does not run out comes last."""
    active = [lot for lot in lots if lot.active]
    return sorted(
        active, key=lambda lot: (last_day(lot, active_on) or _NEVER, lot.earned_on, lot.id)
    )


def consolidated(
    lots: Iterable[Lot], active_on: date | None, at_most: int = MAX_ACTIVE
) -> list[Lot]:
    """The lots, of which so many are active: neighbours with the smallest sum become one.

    It has the terms of the one that is spent later, so that nobody loses a day by it.
    """
    given = list(lots)
    waiting = [lot for lot in given if not lot.active]
    active = in_spend_order(given, active_on)
    while len(active) > at_most:
        sums = [one.points + two.points for one, two in pairwise(active)]
        first = sums.index(min(sums))
        active[first : first + 2] = [replace(active[first + 1], points=sums[first])]
    return [*active, *waiting]


def few(draws: Iterable[Draw], active_on: date | None) -> tuple[Draw, ...]:
    """Draws of one spend, each lot once, 40 lots at most: neighbours become one, as lots do."""
    debt = 0
    taken: dict[str, Lot] = {}
    for draw in draws:
        if draw.lot is None:
            debt += draw.points
            continue
        known = taken.get(draw.lot.id)
        points = draw.points + (known.points if known else 0)
        taken[draw.lot.id] = replace(draw.lot, points=points)
    lots = consolidated(taken.values(), active_on, MAX_DRAWS)
    found = [Draw(lot.points, replace(lot, points=0)) for lot in lots]
    return (*found, Draw(debt)) if debt else tuple(found)


def next_day_of(account: Account, notice_days: int) -> date | None:
    """The first day on which time changes something, or has something to announce."""
    days: list[date] = []
    for lot in account.lots:
        if not lot.active:
            days += [lot.activates_on] if lot.activates_on else []
            continue
        last = account.last_day(lot)
        if last is not None:
            days.append(last + timedelta(days=1))
            if notice_days and is_unannounced(account, last):
                days.append(last - timedelta(days=notice_days))
    days += [hold.until + timedelta(days=1) for hold in account.holds if hold.until]
    return min(days, default=None)


def is_unannounced(account: Account, last: date) -> bool:
    """Whether nobody was told yet that points run out after a day."""
    return account.noticed_until is None or last > account.noticed_until


def _ordinal(day: date | None) -> int | None:
    return None if day is None else day.toordinal()


def _day(ordinal: int | None) -> date | None:
    return None if ordinal is None else date.fromordinal(ordinal)
