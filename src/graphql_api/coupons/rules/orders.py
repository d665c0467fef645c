"""What an order does with the coupons that it names."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql_api.coupons.rules.fitting import CouponReason
from graphql_api.coupons.rules.states import CouponState


@dataclass(frozen=True, slots=True)
class CouponUse:
    """The coupons that an order names, codes or ids, and what is left of the order."""

    order_id: str
    codes: tuple[str, ...]
    wholly_refunded: bool
    store_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class CouponProblem:
    """A coupon that an order names and that does not fit, and why."""

    code: str
    reason: CouponReason


@dataclass(frozen=True, slots=True)
class OrderCoupons:
    """What an order made of coupons: those it redeemed, those its refund gave back, problems."""

    order_id: str
    redeemed: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    problems: tuple[CouponProblem, ...] = ()

    @property
    def row(self) -> list[Any]:
        """As the order keeps it."""
        problems = [[one.code, one.reason.value] for one in self.problems]
        return [self.order_id, list(self.redeemed), list(self.returned), problems]

    @classmethod
    def of_row(cls, row: list[Any]) -> "OrderCoupons":
        """The same, read again."""
        problems = tuple(CouponProblem(code, CouponReason(why)) for code, why in row[3])
        return cls(row[0], tuple(row[1]), tuple(row[2]), problems)


def redeems(
    state: CouponState,
    *,
    was: CouponState,
    held_by: str | None,
    redeemed_for: str | None,
    order_id: str,
    is_moved: bool,
    in_days: CouponReason | None,
) -> CouponReason | None:
    """Why an order cannot redeem a coupon; None where it does, or has already.

    `state` is what holds now, `was` what is stored. An order is a fact: what it paid with on a day
    on which the coupon held is redeemed, also where word of it comes after the last day; and what
    staff redeemed for no order yet is this order's. One that it redeemed is asked again where it
    `is_moved`: the order says another instant of payment than it did then.
    """
    if state is CouponState.REDEEMED and is_moved:
        return in_days
    if state is CouponState.REDEEMED:
        return None if redeemed_for in {None, order_id} else CouponReason.REDEEMED
    if state is CouponState.LOCKED:
        return None if held_by == order_id else CouponReason.LOCKED
    if state is CouponState.RECYCLED:
        return CouponReason.RECYCLED
    if state is CouponState.GIFTED:
        return CouponReason.GIFTED
    kept_for_it = was is CouponState.LOCKED and held_by == order_id
    return None if kept_for_it else in_days
