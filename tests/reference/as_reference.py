"""What the product decided, in the words of the reference, so that the two can be compared."""

from datetime import date, timedelta
from typing import Any

from graphql_api.standing.rules import Quadrant, Standing

QUADRANTS = {
    Quadrant.HIGH_HIGH: "HH",
    Quadrant.HIGH_LOW: "HL",
    Quadrant.LOW_HIGH: "LH",
    Quadrant.LOW_LOW: "LL",
}


def standing(decided: Standing) -> dict[str, Any]:
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
