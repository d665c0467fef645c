"""Levels of guides and of channel partners."""

from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from graphql_api.policies.rules.documents import Amount, Name, PolicyDocument, require_rising

Benefit = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class GuideLevelsPolicy(PolicyDocument):
    """Levels of guides (导购等级): the first of the growth and professional band, and the last."""

    growth_from: int = Field(default=4, ge=2, le=100)
    professional_from: int = Field(default=9, ge=3, le=100)
    highest: int = Field(default=12, ge=3, le=100)

    @field_validator("professional_from", "highest")
    @classmethod
    def _follow_each_other(cls, level: int, info: ValidationInfo) -> int:
        lowest = {"professional_from": info.data.get("growth_from", 0) + 1}
        lowest["highest"] = info.data.get("professional_from", 0)
        if level < lowest[str(info.field_name)]:
            raise ValueError("the bands follow each other, each with a level at least")
        return level


class PartnerLevel(PolicyDocument):
    """A level, the growth value that it takes, and what it brings."""

    name: Name
    growth: Amount
    benefits: tuple[Benefit, ...] = Field(default=(), max_length=20)


class PartnerLevelsPolicy(PolicyDocument):
    """Levels of channel partners (渠道商等级), from level 1, by growth value."""

    levels: tuple[PartnerLevel, ...] = Field(
        default=(PartnerLevel(name="1", growth=0),), max_length=20
    )

    @field_validator("levels")
    @classmethod
    def _rise_from_nothing(cls, levels: tuple[PartnerLevel, ...]) -> tuple[PartnerLevel, ...]:
        require_rising([level.growth for level in levels], "growth values", first=0)
        return levels

    def level(self, number: int | None) -> PartnerLevel | None:
        """The level of a number, None beyond those that the policy names."""
        return self.levels[number - 1] if number and number <= len(self.levels) else None
