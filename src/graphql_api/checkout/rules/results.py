"""What a quote says: each step with its amount, its shares, and why it gives no more."""

from dataclasses import dataclass, replace
from enum import StrEnum

from graphql_api.checkout.rules.basket import Amounts
from graphql_api.coupons.rules import CouponReason


class StepKind(StrEnum):
    """What changes what is to be paid."""

    MEMBER_PRICE = "MEMBER_PRICE"
    SPEND_AND_SAVE = "SPEND_AND_SAVE"
    MEMBER_DAY = "MEMBER_DAY"
    COUPON = "COUPON"
    FREE_SHIPPING = "FREE_SHIPPING"
    POINTS = "POINTS"


class Reason(StrEnum):
    """Why a step gives nothing, or no more than it does."""

    NOT_TODAY = "NOT_TODAY"
    NOT_HERE = "NOT_HERE"
    NOT_IN_CHANNEL = "NOT_IN_CHANNEL"
    NOT_FOR_TIER = "NOT_FOR_TIER"
    NO_SUCH_ITEMS = "NO_SUCH_ITEMS"
    BELOW_LEAST = "BELOW_LEAST"
    NOT_COMBINED = "NOT_COMBINED"
    ANOTHER_SAVES_MORE = "ANOTHER_SAVES_MORE"
    SAVES_NOTHING = "SAVES_NOTHING"
    COUPON_UNFIT = "COUPON_UNFIT"
    POINTS_SHORT = "POINTS_SHORT"
    POINTS_CAPPED = "POINTS_CAPPED"
    TOO_FEW_POINTS = "TOO_FEW_POINTS"


@dataclass(frozen=True, slots=True)
class Step:
    """What one reduction takes off in fen, of which line, and why no more.

    `name` is that of a spend-and-save, or the id of a coupon; `missing` the fen up to where it
    begins; `points` how many points pay the amount; `shipping` the part of it that is shipping.
    """

    kind: StepKind
    amount: int = 0
    shares: Amounts = ()
    reason: Reason | None = None
    name: str | None = None
    missing: int = 0
    points: int = 0
    shipping: int = 0
    coupon_reasons: tuple[CouponReason, ...] = ()

    @property
    def coupon_id(self) -> str | None:
        """The coupon that it is about."""
        return self.name if self.kind is StepKind.COUPON else None

    def in_sequence(self, sequence: tuple[int, ...]) -> "Step":
        """The same, of lines that stand in another sequence."""
        return (
            replace(self, shares=tuple(self.shares[n] for n in sequence)) if self.shares else self
        )


@dataclass(frozen=True, slots=True)
class PricedLine:
    """Fen of a line: at its list price, off it, by points, and left to pay."""

    amount: int
    off: int
    by_points: int

    @property
    def payable(self) -> int:
        """What is left to pay."""
        return self.amount - self.off - self.by_points


@dataclass(frozen=True, slots=True)
class Quote:
    """What a basket costs. `total` is what it comes to, of which points pay a part.

    `usable_points` is how many could pay at most, None where points were not looked at.
    """

    lines: tuple[PricedLine, ...]
    steps: tuple[Step, ...]
    shipping: int
    policy_version: int
    usable_points: int | None = None

    @property
    def shipping_off(self) -> int:
        """Fen taken off the sending."""
        return sum(step.shipping for step in self.steps)

    @property
    def goods(self) -> int:
        """Fen of the lines at their list prices."""
        return sum(line.amount for line in self.lines)

    @property
    def off(self) -> int:
        """Fen taken off the lines."""
        return sum(line.off for line in self.lines)

    @property
    def total(self) -> int:
        """Fen that the basket comes to, shipping included."""
        return self.goods - self.off + self.shipping - self.shipping_off

    @property
    def points(self) -> int:
        """How many points pay a part of it."""
        return sum(step.points for step in self.steps)

    @property
    def by_points(self) -> int:
        """Fen that points pay."""
        return sum(line.by_points for line in self.lines)

    @property
    def payable(self) -> int:
        """Fen left to pay with money."""
        return self.total - self.by_points

    @property
    def coupon_ids(self) -> tuple[str, ...]:
        """The coupons that it takes, by id."""
        used = (s.name for s in self.steps if s.kind is StepKind.COUPON and s.reason is None)
        return tuple(sorted(name for name in used if name))
