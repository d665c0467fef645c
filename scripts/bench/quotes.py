"""Quotes a second and core: a basket of twenty lines, without coupons and with ten."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

from graphql_api.checkout.rules import (
    Basket,
    Choice,
    Line,
    MemberTerms,
    PointsTerms,
    Terms,
    quote,
)
from graphql_api.coupons.rules import (
    Candidate,
    CouponKind,
    Days,
    Validity,
    ValidityKind,
    discount_of,
)
from graphql_api.coupons.rules import Terms as CouponTerms
from graphql_api.policies.rules import PricingPolicy, SaveStep, SpendAndSave
from scripts.bench import measure, report
from scripts.bench.measure import Lane

MEMBER_DAY = date(2018, 1, 18)
_ALL_YEAR = Days(date(2018, 1, 1), date(2018, 12, 31))
_VALIDITY = Validity(kind=ValidityKind.DELAYED, for_days=365)
_REPEATED = 50


def basket() -> Basket:
    """Twenty lines of three categories on a member day, to be sent."""
    kinds = ("snacks", "drinks", "gifts")
    lines = [Line(f"item-{n}", kinds[n % 3], 1_000 + 37 * n, 1 + n % 3) for n in range(20)]
    return Basket(
        tuple(lines),
        datetime(2018, 1, 18, 4, tzinfo=UTC),
        "Asia/Shanghai",
        MEMBER_DAY,
        "MALL",
        frozenset({"sto_1", "org_1"}),
        "V4",
        shipping=1_200,
    )


def coupons() -> tuple[Choice, ...]:
    """Ten that all go together: an exchange, amounts, percents, a threshold, free sending."""
    kinds = [
        CouponTerms(kind=CouponKind.EXCHANGE, item_id="item-3", **_shared()),
        CouponTerms(kind=CouponKind.FREE_SHIPPING, **_shared()),
        CouponTerms(kind=CouponKind.THRESHOLD, amount=500, threshold=5_000, **_shared()),
        *(CouponTerms(kind=CouponKind.AMOUNT, amount=n * 100, **_shared()) for n in range(1, 5)),
        *(CouponTerms(kind=CouponKind.PERCENT, percent=n, **_shared()) for n in range(5, 8)),
    ]
    named = ((f"cpn_{n}", terms) for n, terms in enumerate(kinds))
    return tuple(Choice(id_, Candidate(id_, terms), _ALL_YEAR) for id_, terms in named)


def apart(choice: Choice) -> Choice:
    """The same, going with no other."""
    assert choice.coupon is not None
    alone = choice.coupon.terms.model_copy(update={"stackable": False})
    return replace(choice, coupon=replace(choice.coupon, terms=alone))


def terms() -> Terms:
    """A member price, a spend-and-save, the member day, and points."""
    save = SpendAndSave(name="save", steps=(SaveStep(from_fen=10_000, off=500),))
    policy = PricingPolicy(spend_and_save=(save,))
    points = PointsTerms(per_yuan=100, greatest_share=50, least=100, balance=2_000)
    return Terms(policy, 1, MemberTerms(3), points=points, asked=1_000)


def run(say: Callable[[str], None]) -> str:
    """The table; rates, which are those of this machine, are only said."""
    what, by, ten = basket(), terms(), coupons()
    alone = tuple(apart(choice) for choice in ten)
    lanes = [
        Lane("ten coupons, each taken off the whole once", _floor(what, ten)),
        Lane("a quote without coupons", _quoting(what, by)),
        Lane("with ten coupons, of which one applies", _quoting(what, replace(by, choices=alone))),
        Lane("with ten coupons that all go together", _quoting(what, replace(by, choices=ten))),
    ]
    measure.interleave(lanes)
    for lane in lanes:
        say(f"{lane.name}: {lane.rate:,.0f} a second and core")
    rows = [[lane.name, report.ratio(1 / lane.times(lanes[0]))] for lane in lanes]
    return report.table(["20 lines", "times the floor"], rows)


def _shared() -> dict[str, object]:
    return {"validity": _VALIDITY, "stackable": True}


def _floor(what: Basket, choices: tuple[Choice, ...]) -> Callable[[], int]:
    found = [choice.coupon.terms for choice in choices if choice.coupon]

    def work() -> int:
        for _ in range(_REPEATED):
            assert sum(discount_of(one, what.lines, shipping=what.shipping) for one in found)
        return _REPEATED

    return work


def _quoting(what: Basket, by: Terms) -> Callable[[], int]:
    def work() -> int:
        for _ in range(_REPEATED):
            assert quote(what, by).payable
        return _REPEATED

    return work
