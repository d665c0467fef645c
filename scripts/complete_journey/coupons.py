"""What the coupons of the campaigns take off: the data tells their products, not their worth."""

from __future__ import annotations

from scripts.complete_journey.draws import pick

_AMOUNTS = (50, 75, 100, 100, 150, 200, 300)


def amount_of(campaign_id: int, coupon_upc: int) -> int:
    """Fen that a coupon takes off."""
    return pick(_AMOUNTS, "coupon amount", campaign_id, coupon_upc)
