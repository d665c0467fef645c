"""What commands on coupons share: their shape, and how refusals are said."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from graphql_api.coupons.rules import ClaimProblem, CouponReason, CouponState
from graphql_api.errors import AppError, Forbidden, ForbiddenTransition, LimitExceeded

NO_COUPON = "There is no such coupon"
NO_TEMPLATE = "There is no such coupon template"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Command(BaseModel):
    """What comes from outside: closed, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NotGivenOut(ForbiddenTransition):
    """Nothing of the template is given out now."""


class OutOfStock(LimitExceeded):
    """Nothing of the template is left."""


_CLAIMS: dict[ClaimProblem, tuple[type[AppError], str]] = {
    ClaimProblem.NOT_ACTIVE: (NotGivenOut, "This coupon is not given out"),
    ClaimProblem.NOT_BEGUN: (ForbiddenTransition, "This coupon is not given out yet"),
    ClaimProblem.OVER: (NotGivenOut, "This coupon is not given out any more"),
    ClaimProblem.TIER: (Forbidden, "This coupon is for other tiers"),
    ClaimProblem.MEMBER_LIMIT: (LimitExceeded, "The member has all that one may have of this"),
    ClaimProblem.STORE_LIMIT: (LimitExceeded, "The store has given out all that it may of this"),
    ClaimProblem.OUT_OF_STOCK: (OutOfStock, "None of this coupon is left"),
}

_USES = {
    CouponReason.LOCKED: "This coupon is held for something else",
    CouponReason.REDEEMED: "This coupon is used",
    CouponReason.EXPIRED: "This coupon has run out",
    CouponReason.RECYCLED: "This coupon was taken back",
    CouponReason.GIFTED: "This coupon was given to a friend",
    CouponReason.NOT_YET: "This coupon does not hold yet",
    CouponReason.WEEKDAY: "This coupon does not hold on this weekday",
    CouponReason.HOUR: "This coupon does not hold at this hour",
    CouponReason.STORE: "This coupon is for other stores",
    CouponReason.CHANNEL: "This coupon is for another channel",
    CouponReason.TIER: "This coupon is for other tiers",
    CouponReason.THRESHOLD: "The purchase does not come to what this coupon asks for",
}


def refused(problem: ClaimProblem, field: tuple[str, ...] = ()) -> AppError:
    """Why a member does not get a coupon."""
    kind, text = _CLAIMS[problem]
    return kind(text, field=field)


def unusable(reason: CouponReason, field: tuple[str, ...] = ()) -> AppError:
    """Why a coupon is not used."""
    return ForbiddenTransition(_USES[reason], field=field)


def out_of(state: CouponState, field: tuple[str, ...] = ()) -> AppError:
    """Why a coupon that stands so does not become what was wanted."""
    return ForbiddenTransition(f"This coupon is {state}", field=field)
