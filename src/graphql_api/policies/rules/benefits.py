"""What each tier brings (domain: §3): gifts on occasions, and what holds all the time."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from graphql_api.policies.rules.documents import Amount, Name, PolicyDocument

MAX_COUPONS = 5
"""How many coupons a gift holds at most: all of it is given in one transaction."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https://[\x21-\x7e]{4,300}$")]
TemplateId = Annotated[str, StringConstraints(pattern=r"^ctp_[0-9a-hjkmnp-tv-z]{26}$")]


class GiftTerms(PolicyDocument):
    """What a gift consists of: points, a coupon of each of some templates, or both."""

    points: int = Field(default=0, ge=0, le=10**7)
    coupons: tuple[TemplateId, ...] = Field(default=(), max_length=MAX_COUPONS)

    @field_validator("coupons")
    @classmethod
    def _stand_once(cls, coupons: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(coupons)) < len(coupons):
            raise ValueError("each template stands once")
        return coupons

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if not self.points and not self.coupons:
            raise ValueError("a gift holds points, or a coupon")
        return self


class PartnerOffer(PolicyDocument):
    """An offer of another business (异业联盟); the last day is within it."""

    partner: Name
    text: Text
    url: WebAddress | None = None
    valid_until: date | None = None

    def holds(self, day: date) -> bool:
        """Whether it can be used on a business day."""
        return self.valid_until is None or day <= self.valid_until


class TierBenefits(PolicyDocument):
    """What the members of a tier have; amounts in fen, null for what the tier has not.

    `discount_percent` is taken off the price of an item (会员价); an order of at least
    `free_shipping_over` is sent free.
    """

    tier: Name
    joining_gift: GiftTerms | None = None
    upgrade_gift: GiftTerms | None = None
    birthday_gift: GiftTerms | None = None
    discount_percent: int = Field(default=0, ge=0, le=90)
    free_shipping_over: Amount | None = None
    free_exchanges_per_year: int = Field(default=0, ge=0, le=365)
    dedicated_service: bool = False
    factory_tour: bool = False
    partner_offers: tuple[PartnerOffer, ...] = Field(default=(), max_length=10)


def _shipped() -> tuple[TierBenefits, ...]:
    """V1 to V6: what is dearer comes later."""
    upgrades = (None, 50, 100, 200, 500, 1_000)
    birthdays = (20, 50, 100, 200, 300, 500)
    discounts = (0, 0, 2, 3, 5, 8)
    shipping = (None, 9_900, 9_900, 5_900, 3_900, 0)
    exchanges = (0, 0, 1, 2, 4, 12)
    return tuple(
        TierBenefits(
            tier=f"V{n + 1}",
            joining_gift=GiftTerms(points=20),
            upgrade_gift=None if upgrades[n] is None else GiftTerms(points=upgrades[n] or 0),
            birthday_gift=GiftTerms(points=birthdays[n]),
            discount_percent=discounts[n],
            free_shipping_over=shipping[n],
            free_exchanges_per_year=exchanges[n],
            dedicated_service=n >= 4,
            factory_tour=n >= 5,
        )
        for n in range(6)
    )


class BenefitsPolicy(PolicyDocument):
    """Benefits (会员权益) by the name of a tier; a tier that is not named has none.

    A birthday gift is given so many days before the birthday as `birthday_days_before` says.
    """

    tiers: tuple[TierBenefits, ...] = Field(default=_shipped(), max_length=20)
    birthday_days_before: int = Field(default=7, ge=0, le=31)

    @field_validator("tiers")
    @classmethod
    def _stand_once(cls, tiers: tuple[TierBenefits, ...]) -> tuple[TierBenefits, ...]:
        if len({tier.tier for tier in tiers}) < len(tiers):
            raise ValueError("each tier stands once")
        return tiers

    def of_tier(self, name: str) -> TierBenefits:
        """What the members of a tier have."""
        return next((one for one in self.tiers if one.tier == name), TierBenefits(tier=name))
