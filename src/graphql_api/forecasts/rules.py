"""Forecasts: what members foresee, as differences of counts and as a list of days."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

MAX_DAYS = 366
OVERDUE_DAYS = 31
"""How far back a day may lie that was not run yet."""


class ForecastPart(StrEnum):
    """What moves: the parts of a standing of which a forecast is kept."""

    TIER = "TIER"
    LIFECYCLE = "LIFECYCLE"


@dataclass(frozen=True, slots=True, order=True)
class Transition:
    """So many members of whom a part becomes this on a day."""

    on: date
    part: ForecastPart
    to: str
    members: int


def moved(before: Sequence[str], after: Sequence[str]) -> dict[str, int]:
    """By how much the count at each place moves when a member foresees another thing."""
    differences = Counter(after)
    differences.subtract(before)
    return {place: difference for place, difference in differences.items() if difference}


def ahead(
    counts: Mapping[str, int], today: date, part: ForecastPart | None = None
) -> list[Transition]:
    """What is to come by day, part and state; a day that was not run yet counts for today."""
    found: Counter[tuple[date, ForecastPart, str]] = Counter()
    for place, members in counts.items():
        day, kind, to = place.split("#", 2)
        if part is None or kind == part:
            found[max(today, date.fromisoformat(day)), ForecastPart(kind), to] += members
    return sorted(Transition(*key, members) for key, members in found.items() if members > 0)
