"""Members decided on by the rules of the product, shown in the words of the reference."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from graphql_api.policies.rules import BaseAverages, PolicyKind, RfmPolicy, TierLadder
from graphql_api.standing.rules import Policies, Quadrant, Standing, prepare
from scripts.bench.lives import Counts, Life, evenings
from scripts.bench.year import History
from tests.reference import year

AVERAGES = BaseAverages(orders_percent=100 * year.BASE["orders"], order_fen=year.BASE["value"])


def policies_with(ladder: TierLadder) -> Policies:
    """The shipped policies with this ladder, and with averages, so that there is a quadrant."""
    rfm = RfmPolicy(averages=AVERAGES)
    return prepare({PolicyKind.TIER_LADDER: (1, ladder), PolicyKind.RFM: (1, rfm)})


POLICIES = policies_with(TierLadder())
QUADRANTS = {
    Quadrant.HIGH_HIGH: "HH",
    Quadrant.HIGH_LOW: "HL",
    Quadrant.LOW_HIGH: "LH",
    Quadrant.LOW_LOW: "LL",
}


def replayed(
    history: History,
    days: Iterable[date],
    counts: Counts | None = None,
    policies: Policies = POLICIES,
) -> year.Months:
    """What a member is on the evening of each day, decided on only when there is cause."""
    life = Life(history.joined_on, policies)
    life.begin(history.joined_on)
    asked = [day for day in days if day >= history.joined_on]
    told = evenings(life, history.arrivals, asked, counts or Counts())
    return {day: as_reference(standing) for day, standing in told}


def as_reference(decided: Standing) -> dict[str, Any]:
    """Tier, lifecycle, phase, RFM and quadrant; the end of a tier is the day after its last."""
    tier, lifecycle, rfm = decided.tier, decided.lifecycle, decided.rfm
    last_day = None if tier.until is None else date.fromordinal(tier.until)
    return {
        "tier": tier.name,
        "tier_since": date.fromordinal(tier.since),
        "tier_ends_on": None if last_day is None else last_day + timedelta(days=1),
        "lifecycle": lifecycle.state.value,
        "lifecycle_since": date.fromordinal(lifecycle.since),
        "phase": decided.relationship.phase.value,
        "rfm": None
        if rfm is None
        else {
            "recency": rfm.recency,
            "frequency": rfm.frequency,
            "monetary": rfm.monetary,
            "class": rfm.value_class.value,
        },
        "quadrant": QUADRANTS[decided.quadrant.quadrant] if decided.quadrant else None,
    }
