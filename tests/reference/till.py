"""A member's life as the tills and the calendar lived it, a day at a time.

In the morning the calendar has its say: a tier at its end is looked at again, and a state of the
lifecycle may have run out. Then each purchase and refund arrives, in its order, and is looked at
at once. What the member is on the last evening of each month is written down.

A history says when the member joined and what arrived on which day, in the order of arrival:

    {"joined_on": date(2017, 1, 5),
     "arrivals": [{"on": date(2017, 1, 5), "order": "A1", "day": date(2017, 1, 5), "amount": 9_900},
                  {"on": date(2017, 2, 1), "refund_of": "A1", "amount": 900}]}
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from tests.reference import levels, purchases
from tests.reference.days import every_day, is_month_end, months_after


def month_ends(
    history: dict[str, Any], last_day: date, base: Mapping[str, float] | None = None
) -> dict[date, dict[str, Any]]:
    """What the member is at each month end from joining through a day."""
    days = [day for day in every_day(history["joined_on"], last_day) if is_month_end(day)]
    return evenings(history, days, base)


def evenings(
    history: dict[str, Any],
    asked: list[date],
    base: Mapping[str, float] | None = None,
    across: str = levels.REOPEN,
) -> dict[date, dict[str, Any]]:
    """What the member is on the evening of each day that is asked for."""
    joined_on = history["joined_on"]
    known = purchases.nothing()
    kept = new_card(joined_on)
    seen = {}
    for day in every_day(joined_on, max(asked, default=joined_on)):
        requalify(kept, known, day, across)
        follow_lifecycle(kept, known, joined_on, day)
        for event in history["arrivals"]:
            if event["on"] == day:
                purchases.learn(known, event)
                upgrade(kept, known, day, across)
                follow_lifecycle(kept, known, joined_on, day)
        if day in asked:
            seen[day] = evening(kept, known, joined_on, day, base)
    return seen


def new_card(joined_on: date) -> dict[str, Any]:
    """Everyone begins in the first tier, which has no end, and in the first state."""
    return {
        "tier": "V1",
        "tier_since": joined_on,
        "tier_ends_on": None,
        "lifecycle": "ONBOARDING",
        "lifecycle_since": joined_on,
    }


def upgrade(kept: dict[str, Any], known: dict[str, Any], day: date, across: str) -> None:
    """At once, at the event that crosses the threshold; a new validity begins."""
    supported = levels.tier_supported(levels.growth(known, day, across))
    if levels.higher(supported, kept["tier"]):
        kept["tier"] = supported
        kept["tier_since"] = day
        kept["tier_ends_on"] = months_after(day, levels.TIER_VALIDITY)


def requalify(kept: dict[str, Any], known: dict[str, Any], day: date, across: str) -> None:
    """On the first day after the validity the window decides: renewed, or down to what it supports.

    An upgrade on 1 July is valid through 31 December, and the end takes effect on 1 January.
    """
    if kept["tier_ends_on"] is None or day < kept["tier_ends_on"]:
        return
    supported = levels.tier_supported(levels.growth(known, day, across))
    if levels.higher(kept["tier"], supported):
        kept["tier"] = supported
        kept["tier_since"] = day
    ends_on = months_after(day, levels.TIER_VALIDITY)
    kept["tier_ends_on"] = None if kept["tier"] == "V1" else ends_on


def follow_lifecycle(
    kept: dict[str, Any], known: dict[str, Any], joined_on: date, day: date
) -> None:
    state = levels.lifecycle(known, joined_on, day)
    if state != kept["lifecycle"]:
        kept["lifecycle"] = state
        kept["lifecycle_since"] = day


def evening(
    kept: dict[str, Any],
    known: dict[str, Any],
    joined_on: date,
    day: date,
    base: Mapping[str, float] | None,
) -> dict[str, Any]:
    """All that is said of the member at the end of a day."""
    return {
        **kept,
        "phase": levels.phase(known, joined_on, day),
        "rfm": levels.rfm(known, day),
        "quadrant": levels.quadrant(known, day, base),
    }
