"""What each kind of client may ask: at once, over time, and in one operation."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from graphql_api.viewer import Role

MICROSECONDS = 1_000_000


class Budget(BaseModel):
    """A bucket of points: `capacity` at most, `restore_rate` more each second.

    One operation asks for `per_operation` at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    capacity: int = Field(gt=0)
    restore_rate: int = Field(gt=0, le=MICROSECONDS)
    per_operation: int = Field(gt=0)

    @model_validator(mode="after")
    def _one_operation_fits(self) -> Self:
        if self.per_operation > self.capacity:
            raise ValueError("per_operation is at most the capacity")
        return self

    def time_of(self, points: int) -> int:
        """How long it takes to restore so many points, in microseconds."""
        return points * MICROSECONDS // self.restore_rate

    def points_of(self, time: int) -> int:
        """How many whole points a time restores."""
        return time * self.restore_rate // MICROSECONDS


DEFAULTS: Mapping[Role, Budget] = {
    Role.ANONYMOUS: Budget(capacity=500, restore_rate=25, per_operation=200),
    Role.MEMBER: Budget(capacity=1_000, restore_rate=50, per_operation=1_000),
    Role.GUIDE: Budget(capacity=2_000, restore_rate=100, per_operation=2_000),
    Role.STORE_MANAGER: Budget(capacity=2_000, restore_rate=100, per_operation=2_000),
    Role.OPERATOR: Budget(capacity=10_000, restore_rate=500, per_operation=10_000),
    Role.INTEGRATION: Budget(capacity=10_000, restore_rate=500, per_operation=10_000),
    Role.SYSTEM: Budget(capacity=10_000, restore_rate=500, per_operation=10_000),
}
