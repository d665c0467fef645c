"""Policy documents and the defaults that the product ships with (domain: §3)."""

from pydantic import BaseModel, ConfigDict, Field


class GrowthPolicy(BaseModel):
    """How growth value (成长值) is earned: one point for every so many fen paid, net of refunds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fen_per_point: int = Field(default=100, ge=1)

    def growth_of(self, net_fen: int) -> int:
        """Growth value of one order; whole points only."""
        return net_fen // self.fen_per_point


SHIPPED_GROWTH = GrowthPolicy()
