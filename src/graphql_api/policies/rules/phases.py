"""Lifecycle and relationship phase (domain: §4)."""

from pydantic import Field, ValidationInfo, field_validator

from graphql_api.policies.rules.documents import Months, PolicyDocument


class LifecyclePolicy(PolicyDocument):
    """Months after the last purchase at which each state of the lifecycle (会员生命周期) ends."""

    onboarding_months: Months = 3
    awakening_months: Months = 6
    win_back_months: Months = 9
    dormant_months: Months = 12

    @field_validator("awakening_months", "win_back_months", "dormant_months")
    @classmethod
    def _end_one_after_the_other(cls, months: int, info: ValidationInfo) -> int:
        if any(months <= earlier for earlier in info.data.values()):
            raise ValueError("each state ends later than the one before")
        return months


class RelationshipPhasePolicy(PolicyDocument):
    """What makes a member stable, and how long one is new (会员关系期)."""

    window_months: Months = 12
    stable_orders: int = Field(default=12, ge=1, le=10_000)
    starting_months: Months = 12
