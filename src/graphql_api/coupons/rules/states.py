"""Where a coupon and a template stand, and what may become of them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol


class TemplateState(StrEnum):
    """Whether coupons of a template are given out (草稿, 发放中, 已停发)."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    STOPPED = "STOPPED"


class CouponState(StrEnum):
    """Where a member's coupon stands (未使用, 锁定中, 已核销, 已过期, 已回收, 已转赠)."""

    ISSUED = "ISSUED"
    LOCKED = "LOCKED"
    REDEEMED = "REDEEMED"
    EXPIRED = "EXPIRED"
    RECYCLED = "RECYCLED"
    GIFTED = "GIFTED"


class CouponSource(StrEnum):
    """How a member came to a coupon."""

    CLAIM = "CLAIM"
    STAFF = "STAFF"
    JOB = "JOB"
    GIFT = "GIFT"
    BENEFIT = "BENEFIT"
    MALL = "MALL"
    CAMPAIGN = "CAMPAIGN"
    IMPORT = "IMPORT"


class LockKind(StrEnum):
    """What a coupon is held for: an order that is being paid, or a friend who may take it."""

    ORDER = "ORDER"
    GIFT = "GIFT"


TRANSITIONS: Mapping[CouponState, frozenset[CouponState]] = {
    CouponState.ISSUED: frozenset(
        {
            CouponState.LOCKED,
            CouponState.REDEEMED,
            CouponState.EXPIRED,
            CouponState.RECYCLED,
        }
    ),
    CouponState.LOCKED: frozenset(
        {
            CouponState.ISSUED,
            CouponState.REDEEMED,
            CouponState.EXPIRED,
            CouponState.RECYCLED,
            CouponState.GIFTED,
        }
    ),
    CouponState.REDEEMED: frozenset({CouponState.ISSUED, CouponState.EXPIRED}),
    CouponState.EXPIRED: frozenset({CouponState.REDEEMED}),
    CouponState.RECYCLED: frozenset(),
    CouponState.GIFTED: frozenset(),
}
"""What may become of a coupon as it is stored; a lock may be over by then.

One that ran out is redeemed only by an order of its own days.
"""

TEMPLATE_TRANSITIONS: Mapping[TemplateState, frozenset[TemplateState]] = {
    TemplateState.DRAFT: frozenset({TemplateState.ACTIVE}),
    TemplateState.ACTIVE: frozenset({TemplateState.STOPPED}),
    TemplateState.STOPPED: frozenset({TemplateState.ACTIVE}),
}

LIMITED = frozenset({CouponSource.CLAIM, CouponSource.STAFF, CouponSource.JOB, CouponSource.GIFT})
"""Sources to which the limits of a template apply; what a member earned is given beside them."""


class Held(Protocol):
    """What of a coupon decides where it stands."""

    @property
    def state(self) -> CouponState: ...
    @property
    def valid_until(self) -> date: ...
    @property
    def locked_until(self) -> datetime | None: ...


def state_at(coupon: Held, at: datetime, as_of: date) -> CouponState:
    """The state at an instant, on its business day: what fell due since it was stored happened."""
    state = coupon.state
    if state is CouponState.LOCKED and (coupon.locked_until is None or at >= coupon.locked_until):
        state = CouponState.ISSUED
    if state is CouponState.ISSUED and coupon.valid_until < as_of:
        return CouponState.EXPIRED
    return state


def stored_as(state: CouponState) -> tuple[CouponState, ...]:
    """The states in which a coupon may be stored that stands so by now."""
    match state:
        case CouponState.ISSUED:
            return (CouponState.ISSUED, CouponState.LOCKED)
        case CouponState.EXPIRED:
            return (CouponState.EXPIRED, CouponState.ISSUED, CouponState.LOCKED)
        case _:
            return (state,)


def last_day_after_return(valid_until: date, as_of: date, grace_days: int) -> date:
    """The last day of a coupon that comes back: its own, or so many days from now where longer."""
    if not grace_days:
        return valid_until
    return max(valid_until, as_of + timedelta(days=grace_days - 1))
