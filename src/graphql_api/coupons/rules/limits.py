"""Who may claim a coupon: limits, the window of claiming, tiers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from graphql_api.coupons.rules.states import TemplateState


@dataclass(frozen=True, slots=True)
class Limits:
    """How many coupons of a template a member may have, one through one store, a store give out.

    What was used, ran out or was taken back counts; None does not limit.
    """

    per_member: int | None = None
    per_member_and_store: int | None = None
    per_store: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken of a template under limits: by a member in all, and through each store."""

    total: int = 0
    stores: Mapping[str, int] = field(default_factory=dict)

    def and_one(self, store_id: str | None) -> "Taken":
        """With one more, through a store where it was one."""
        stores = dict(self.stores)
        if store_id is not None:
            stores[store_id] = stores.get(store_id, 0) + 1
        return Taken(self.total + 1, stores)

    def and_also(self, other: "Taken") -> "Taken":
        """What two members took who are one."""
        names = {*self.stores, *other.stores}
        sums = {name: self.stores.get(name, 0) + other.stores.get(name, 0) for name in names}
        return Taken(self.total + other.total, sums)


class ClaimProblem(StrEnum):
    """Why a member cannot have a coupon of a template."""

    NOT_ACTIVE = "NOT_ACTIVE"
    NOT_BEGUN = "NOT_BEGUN"
    OVER = "OVER"
    TIER = "TIER"
    MEMBER_LIMIT = "MEMBER_LIMIT"
    STORE_LIMIT = "STORE_LIMIT"
    OUT_OF_STOCK = "OUT_OF_STOCK"


@dataclass(frozen=True, slots=True)
class Window:
    """From an instant on, until another; either may be open."""

    opens_at: datetime | None = None
    closes_at: datetime | None = None

    def problem(self, at: datetime) -> ClaimProblem | None:
        """Why nothing is claimed at an instant."""
        if self.opens_at is not None and at < self.opens_at:
            return ClaimProblem.NOT_BEGUN
        over = self.closes_at is not None and at >= self.closes_at
        return ClaimProblem.OVER if over else None


def limit_problem(limits: Limits, taken: Taken, store_id: str | None) -> ClaimProblem | None:
    """Whether one more would pass a limit of the member."""
    if limits.per_member is not None and taken.total >= limits.per_member:
        return ClaimProblem.MEMBER_LIMIT
    here = 0 if store_id is None else taken.stores.get(store_id, 0)
    most = limits.per_member_and_store
    if most is not None and store_id is not None and here >= most:
        return ClaimProblem.MEMBER_LIMIT
    return None


def claim_problem(
    state: TemplateState, window: Window, tiers: frozenset[str], tier: str | None, at: datetime
) -> ClaimProblem | None:
    """Why a member of a tier cannot claim at an instant, limits and stock aside."""
    if state is not TemplateState.ACTIVE:
        return ClaimProblem.NOT_ACTIVE
    if problem := window.problem(at):
        return problem
    return ClaimProblem.TIER if tiers and tier not in tiers else None
