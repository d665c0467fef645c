"""The search finds the best of up to ten coupons, and a bounded number of sets is looked at."""

from itertools import chain, combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.checkout.rules import coupons as search
from graphql_api.checkout.rules.basket import Basket, Line
from graphql_api.checkout.rules.coupons import Choice, Course, Left, best, reasons
from graphql_api.coupons import rules
from graphql_api.coupons.rules import Candidate
from tests.checkout.baskets import LINES, amount, basket, choices, percent
from tests.checkout.oracle import off_together

JUST_THE_SUM = Course(
    lambda left: sum(left.amounts) + left.shipping, lambda left: sum(left.amounts) + left.shipping
)


def fitting(what: Basket, chosen: tuple[Choice, ...]) -> list[Candidate]:
    seen = search.seen_by_coupons(what, what.amounts)
    return [c.coupon for c in chosen if c.coupon and not reasons(c, seen)]


def taken(left: Left) -> int:
    return sum(step.amount for step in left.steps)


@settings(max_examples=40)
@given(LINES, choices(at_most=7), st.sampled_from([0, 1_200]))
def test_no_set_of_coupons_that_go_together_takes_more_off(
    lines: list[Line], chosen: tuple[Choice, ...], shipping: int
) -> None:
    what = basket(*lines, shipping=shipping)
    there = fitting(what, chosen)
    found = best(there, what, Left(what.amounts, shipping), JUST_THE_SUM)
    sets = chain.from_iterable(combinations(there, size) for size in range(len(there) + 1))
    seen = search.seen_by_coupons(what, what.amounts)
    offs = [off_together(some, seen) for some in sets if not rules.clashes(some)]
    assert taken(found) == max(offs)
    assert not rules.clashes([c for c in there if c.id in {step.name for step in found.steps}])


def test_fifty_coupons_are_looked_at_in_bounded_time() -> None:
    what = basket(*range(1_000, 1_020))
    there = fitting(
        what,
        tuple(percent(f"cpn_{n:02d}", 1 + n % 7) for n in range(25))
        + tuple(amount(f"cpn_{n:02d}", 10 + n) for n in range(25, 50)),
    )
    looked_at = 0

    def counted(left: Left) -> int:
        nonlocal looked_at
        looked_at += 1
        return sum(left.amounts) + left.shipping

    found = best(there, what, Left(what.amounts, 0), Course(counted, JUST_THE_SUM.at_least))
    assert looked_at <= search.MAX_SETS + len(there) + 1
    assert len(found.steps) == rules.MAX_OF_ORDER
    assert taken(found) >= 10 * 45
