"""Which orders a campaign is credited with (domain: §10)."""

from enum import StrEnum

from pydantic import Field, field_validator

from graphql_api.policies.rules.documents import PolicyDocument


class Credit(StrEnum):
    """Which of several campaigns an order is credited to (归因方式)."""

    LAST_TOUCH = "LAST_TOUCH"
    ALL = "ALL"


class CountedPart(StrEnum):
    """How far a member must have come in a campaign for an order of theirs to count."""

    INVITED = "INVITED"
    JOINED = "JOINED"
    CONVERTED = "CONVERTED"


class AttributionPolicy(PolicyDocument):
    """Which orders a campaign brought (活动归因规则): those up to `window_days` after a part in it.

    The day of the part counts as day 0.
    """

    window_days: int = Field(default=14, ge=0, le=365)
    credit: Credit = Credit.LAST_TOUCH
    parts: tuple[CountedPart, ...] = Field(default=tuple(CountedPart), min_length=1, max_length=3)

    @field_validator("parts")
    @classmethod
    def _differ(cls, parts: tuple[CountedPart, ...]) -> tuple[CountedPart, ...]:
        if len(set(parts)) < len(parts):
            raise ValueError("each stands once")
        return parts
