"""How growth value is earned, and how long a guide has a member."""

from datetime import date, timedelta

from pydantic import Field

from graphql_api.policies.rules.documents import PolicyDocument


class GrowthPolicy(PolicyDocument):
    """How growth value (成长值) is earned: one point for every so many fen paid, net of refunds."""

    fen_per_point: int = Field(default=100, ge=1, le=10**9)

    def growth_of(self, net_fen: int) -> int:
        """Growth value of one order; whole points only."""
        return net_fen // self.fen_per_point


class OwnershipPolicy(PolicyDocument):
    """How long a guide has a member (有效期), and alone (抢客保护期), in days after the first.

    No protection with 0 `protection_days`; without `valid_days` an ownership does not run out.
    """

    protection_days: int = Field(default=30, ge=0, le=3650)
    valid_days: int | None = Field(default=None, ge=1, le=3650)

    def protected_until(self, first_day: date) -> date | None:
        """The last day on which others cannot take over a member whom a guide has since then."""
        return first_day + timedelta(days=self.protection_days) if self.protection_days else None

    def valid_until(self, first_day: date) -> date | None:
        """The last day of an ownership that began then."""
        return None if self.valid_days is None else first_day + timedelta(days=self.valid_days)


SHIPPED_GROWTH = GrowthPolicy()
SHIPPED_OWNERSHIP = OwnershipPolicy()
