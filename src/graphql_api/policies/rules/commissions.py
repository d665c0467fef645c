"""What guides earn by orders (domain: §8, §14)."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from graphql_api.policies.rules.documents import PolicyDocument, require_rising

BasisPoints = Annotated[int, Field(ge=0, le=10_000)]
Percent = Annotated[int, Field(ge=0, le=100)]
Bonus = Annotated[int, Field(ge=0, le=10**8)]
Category = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ItemId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]


class LevelRate(PolicyDocument):
    """A rate in hundredths of a percent, for guides from this level on."""

    from_level: int = Field(ge=1, le=100)
    basis_points: BasisPoints


class CategoryRate(PolicyDocument):
    """A rate in hundredths of a percent for a category, whatever the guide's level."""

    category: Category
    basis_points: BasisPoints


class ItemAmount(PolicyDocument):
    """So many fen for each piece of an item."""

    item_id: ItemId
    fen: Bonus


class CommissionPolicy(PolicyDocument):
    """What guides earn by what was really paid (分佣规则): a fixed amount beats a rate.

    The guide who sold and the member's own guide share it; whoever is the only one has
    `alone_percent`. Bonuses are the seller's, or else the own guide's. It is settled `settle_days`
    after the day of payment.
    """

    levels: tuple[LevelRate, ...] = Field(
        default=(
            LevelRate(from_level=1, basis_points=100),
            LevelRate(from_level=4, basis_points=150),
            LevelRate(from_level=9, basis_points=200),
        ),
        min_length=1,
        max_length=20,
    )
    categories: tuple[CategoryRate, ...] = Field(default=(), max_length=100)
    items: tuple[ItemAmount, ...] = Field(default=(), max_length=100)
    hot_items: tuple[ItemAmount, ...] = Field(default=(), max_length=100)
    selling_percent: Percent = 70
    exclusive_percent: Percent = 30
    alone_percent: Percent = 100
    new_member_fen: Bonus = 500
    settle_days: int = Field(default=15, ge=0, le=365)

    @field_validator("levels")
    @classmethod
    def _begin_at_one(cls, levels: tuple[LevelRate, ...]) -> tuple[LevelRate, ...]:
        require_rising([rate.from_level for rate in levels], "levels", first=1)
        return levels

    @field_validator("categories", "items", "hot_items")
    @classmethod
    def _stand_once(
        cls, rows: tuple[CategoryRate | ItemAmount, ...]
    ) -> tuple[CategoryRate | ItemAmount, ...]:
        named = [row.category if isinstance(row, CategoryRate) else row.item_id for row in rows]
        if len(set(named)) < len(named):
            raise ValueError("each stands once")
        return rows

    @model_validator(mode="after")
    def _share_the_whole_at_most(self) -> Self:
        if self.selling_percent + self.exclusive_percent > 100:
            raise ValueError("the two shares come to 100 at most")
        return self

    def rate_of(self, level: int | None) -> int:
        """The rate of a level in hundredths of a percent; who has none earns by the first."""
        held = [rate for rate in self.levels if rate.from_level <= (level or 1)]
        return held[-1].basis_points


SHIPPED_COMMISSION = CommissionPolicy()
