"""What a basket is priced by: member day, spend-and-save, and what combines with what."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from graphql_api.policies.rules.documents import Amount, Name, PolicyDocument, require_rising

PlaceId = Annotated[str, StringConstraints(pattern=r"^(org|sto)_[0-9a-z]{1,26}$")]
Category = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Saved = Annotated[int, Field(ge=1, le=10**12)]
DayOfMonth = Annotated[int, Field(ge=1, le=31)]


class PriceStep(StrEnum):
    """What lowers the price of a basket, and points, which pay for a part of it."""

    MEMBER_PRICE = "MEMBER_PRICE"
    SPEND_AND_SAVE = "SPEND_AND_SAVE"
    MEMBER_DAY = "MEMBER_DAY"
    COUPONS = "COUPONS"
    POINTS = "POINTS"


REDUCTIONS = tuple(step for step in PriceStep if step is not PriceStep.POINTS)
"""The steps that lower the price; points pay after all of them."""


class PriceScope(PolicyDocument):
    """Where a reduction counts; what is left empty bounds nothing.

    A unit stands for every store under it, a category for its lines.
    """

    units: tuple[PlaceId, ...] = Field(default=(), max_length=50)
    categories: tuple[Category, ...] = Field(default=(), max_length=50)
    channels: tuple[Literal["STORE", "MALL"], ...] = Field(default=(), max_length=2)
    tiers: tuple[Name, ...] = Field(default=(), max_length=20)


class MemberDay(PolicyDocument):
    """Member day (会员日): `off` fen at once on these days of a month, from `least` fen on.

    In a month that is too short its last day stands for the day.
    """

    days: tuple[DayOfMonth, ...] = Field(default=(18,), max_length=31)
    off: Saved = 500
    least: Amount = 0
    scope: PriceScope = PriceScope()


class SaveStep(PolicyDocument):
    """From `from_fen` on, `off` fen are saved."""

    from_fen: Saved
    off: Saved


class SpendAndSave(PolicyDocument):
    """Spend so much, save so much (满减), from the first day to the last.

    What its lines come to reaches one of the steps; `repeats` counts a single step as often as
    that holds its amount. Of those in one `group` the one that saves most applies, groups combine.
    """

    name: Name
    group: Annotated[str, StringConstraints(max_length=20)] = ""
    first_day: date | None = None
    last_day: date | None = None
    scope: PriceScope = PriceScope()
    steps: tuple[SaveStep, ...] = Field(min_length=1, max_length=10)
    repeats: bool = False

    @field_validator("steps")
    @classmethod
    def _rise(cls, steps: tuple[SaveStep, ...]) -> tuple[SaveStep, ...]:
        require_rising([step.from_fen for step in steps], "amounts of the steps")
        require_rising([step.off for step in steps], "savings of the steps")
        if any(step.off > step.from_fen for step in steps):
            raise ValueError("no more is saved than is spent")
        return steps

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.repeats and len(self.steps) > 1:
            raise ValueError("what repeats has one step")
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValueError("the last day is not before the first")
        return self

    def holds(self, day: date) -> bool:
        """Whether a business day is within it."""
        begun = self.first_day is None or self.first_day <= day
        return begun and (self.last_day is None or day <= self.last_day)


class PricingPolicy(PolicyDocument):
    """How a basket is priced (试算规则): the sequence of the steps, and which exclude each other.

    A checkout keeps points and coupons for `hold_minutes`.
    """

    sequence: tuple[PriceStep, ...] = REDUCTIONS
    exclusive: tuple[tuple[PriceStep, PriceStep], ...] = Field(default=(), max_length=10)
    member_day: MemberDay = MemberDay()
    spend_and_save: tuple[SpendAndSave, ...] = Field(default=(), max_length=20)
    hold_minutes: int = Field(default=30, ge=1, le=1_440)

    @field_validator("sequence")
    @classmethod
    def _names_each_reduction_once(cls, sequence: tuple[PriceStep, ...]) -> tuple[PriceStep, ...]:
        if sorted(sequence) != sorted(REDUCTIONS):
            raise ValueError(f"the sequence names each once: {', '.join(REDUCTIONS)}")
        return sequence

    @field_validator("exclusive")
    @classmethod
    def _are_two(
        cls, pairs: tuple[tuple[PriceStep, PriceStep], ...]
    ) -> tuple[tuple[PriceStep, PriceStep], ...]:
        if any(one is other for one, other in pairs):
            raise ValueError("a step does not exclude itself")
        return pairs

    @field_validator("spend_and_save")
    @classmethod
    def _have_names_of_their_own(cls, offers: tuple[SpendAndSave, ...]) -> tuple[SpendAndSave, ...]:
        if len({offer.name for offer in offers}) < len(offers):
            raise ValueError("the names are different")
        return offers

    def exclude(self, one: PriceStep, other: PriceStep) -> bool:
        """Whether two steps do not combine."""
        return (one, other) in self.exclusive or (other, one) in self.exclusive
