"""Tier, lifecycle, phase, RFM and quadrant of one day, with the numbers of the shipped policies.

Nothing here remembers: what a member *keeps* from day to day is in till.py.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from tests.reference import purchases
from tests.reference.days import first_of_window, months_after

TIERS = [("V6", 6_000), ("V5", 3_000), ("V4", 1_500), ("V3", 600), ("V2", 200), ("V1", 0)]
TIER_ORDER = ["V1", "V2", "V3", "V4", "V5", "V6"]
TIER_WINDOW = 6
REOPEN, FLOOR_AT_ZERO, CARRY_DEBT = "REOPEN", "FLOOR_AT_ZERO", "CARRY_DEBT"
TIER_VALIDITY = 6

STATES = [(3, "ONBOARDING"), (6, "AWAKENING"), (9, "WIN_BACK"), (12, "DORMANT")]

YEAR = 12
STABLE_ORDERS = 12
STARTING_MONTHS = 12

RECENCY = [(30, 5), (60, 4), (90, 3), (180, 2)]
FREQUENCY = [(16, 5), (8, 4), (4, 3), (2, 2)]
MONETARY = [(300_000, 5), (150_000, 4), (60_000, 3), (20_000, 2)]
HIGH = 3


def growth(known: dict[str, Any], as_of: date, across: str = REOPEN) -> int:
    """Growth value earned in the current calendar month and the 5 before.

    A refund in a later month than the purchase reopens that of the purchase, or it takes from its
    own: down to zero, or with what is missing as a debt of the months after it.
    """
    if across == REOPEN:
        window = purchases.since(known, first_of_window(as_of, TIER_WINDOW), as_of)
        return sum(order["growth"] for order in window)
    first = first_of_window(as_of, TIER_WINDOW)
    total = debt = 0
    for month, value in sorted(purchases.growth_by_month(known).items()):
        left = value - debt
        debt = max(0, -left) if across == CARRY_DEBT else 0
        if (first.year, first.month) <= month <= (as_of.year, as_of.month):
            total += max(0, left)
    return total


def tier_supported(value: int) -> str:
    """The highest tier whose threshold a growth value meets."""
    for name, threshold in TIERS:
        if value >= threshold:
            return name
    raise ValueError(f"growth value {value} is below nothing")


def higher(one: str, other: str) -> bool:
    return TIER_ORDER.index(one) > TIER_ORDER.index(other)


def lifecycle(known: dict[str, Any], joined_on: date, as_of: date) -> str:
    """By calendar months since the last purchase, or since joining where there is none."""
    last = purchases.last_day(known) or joined_on
    for months, state in STATES:
        if as_of < months_after(last, months):
            return state
    return "LOST"


def phase(known: dict[str, Any], joined_on: date, as_of: date) -> str:
    """Stable with 12 orders in the current and the 11 months before; else by time since joining."""
    year = purchases.since(known, first_of_window(as_of, YEAR), as_of)
    if len(year) >= STABLE_ORDERS:
        return "STABLE"
    if as_of < months_after(joined_on, STARTING_MONTHS):
        return "STARTING"
    return "GROWING"


def rfm(known: dict[str, Any], as_of: date) -> dict[str, Any] | None:
    """Scores 1 to 5, and the class in three letters; None for a member without a purchase."""
    last = purchases.last_day(known)
    if last is None:
        return None
    year = purchases.since(known, first_of_window(as_of, YEAR), as_of)
    scores = {
        "recency": at_most((as_of - last).days, RECENCY),
        "frequency": at_least(len(year), FREQUENCY),
        "monetary": at_least(sum(order["net"] for order in year), MONETARY),
    }
    letters = ["H" if score >= HIGH else "L" for score in scores.values()]
    return {**scores, "class": "".join(letters)}


def at_most(value: int, bands: list[tuple[int, int]]) -> int:
    for bound, score in bands:
        if value <= bound:
            return score
    return 1


def at_least(value: int, bands: list[tuple[int, int]]) -> int:
    for bound, score in bands:
        if value >= bound:
            return score
    return 1


def quadrant(known: dict[str, Any], as_of: date, base: Mapping[str, float] | None) -> str | None:
    """Orders in the window and their average value, each high (H) or low (L) against the base.

    As high as the average is high, as every threshold is met by what reaches it. None without
    averages, or without an order in the window.
    """
    year = purchases.since(known, first_of_window(as_of, YEAR), as_of)
    if base is None or not year:
        return None
    orders = len(year)
    value = sum(order["net"] for order in year) / orders
    return ("H" if orders >= base["orders"] else "L") + ("H" if value >= base["value"] else "L")
