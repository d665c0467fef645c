"""A basket is priced step by step; laws that hold of every basket, policy and choice."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.checkout.rules.basket import Basket
from graphql_api.checkout.rules.coupons import Choice
from graphql_api.checkout.rules.payment import PointsTerms
from graphql_api.checkout.rules.pricing import Terms, quote
from graphql_api.checkout.rules.reductions import MemberTerms
from graphql_api.checkout.rules.results import Quote, Reason, StepKind
from graphql_api.coupons.rules import CouponKind, CouponReason
from graphql_api.policies.rules import PriceStep
from tests.checkout.baskets import (
    LINES,
    MEMBER_DAY,
    amount,
    basket,
    choice,
    choices,
    line,
    percent,
    policy,
    pricings,
    save,
)

POINTS = PointsTerms(per_yuan=100, greatest_share=50, least=0, balance=10_000)


def terms(*chosen: Choice, percent: int = 0, free_over: int | None = None, **more: Any) -> Terms:
    by = policy(**more.pop("policy", {}))
    return Terms(by, 3, MemberTerms(percent, free_over), chosen, points=POINTS, **more)


def told(found: Quote) -> list[tuple[str, int, Reason | None]]:
    return [(step.name or step.kind, step.amount, step.reason) for step in found.steps]


def test_everything_at_once_in_the_sequence_that_ships() -> None:
    by = terms(
        amount("cpn_1", 1_000),
        percent=5,
        free_over=9_900,
        asked=2_000,
        policy={"spendAndSave": [save((10_000, 1_500))]},
    )
    what = basket(line(10_000), line(3_000, "drinks", quantity=2), day=MEMBER_DAY, shipping=800)
    found = quote(what, by)
    assert told(found) == [
        ("MEMBER_PRICE", 800, None),
        ("满减", 1_500, None),
        ("MEMBER_DAY", 500, None),
        ("cpn_1", 1_000, None),
        ("FREE_SHIPPING", 800, None),
        ("POINTS", 2_000, None),
    ]
    assert (found.goods, found.off, found.total, found.payable) == (16_000, 3_800, 12_200, 10_200)
    assert [(one.off, one.by_points, one.payable) for one in found.lines] == [
        (2_375, 1_250, 6_375),
        (1_425, 750, 3_825),
    ]
    assert (found.points, found.by_points, found.usable_points) == (2_000, 2_000, 6_100)
    assert (found.coupon_ids, found.policy_version) == (("cpn_1",), 3)


def test_policy_says_the_sequence() -> None:
    half = {"sequence": ["COUPONS", "MEMBER_PRICE", "SPEND_AND_SAVE", "MEMBER_DAY"]}
    shipped = quote(basket(10_000), terms(amount("cpn_1", 1_000), percent=50))
    turned = quote(basket(10_000), terms(amount("cpn_1", 1_000), percent=50, policy=half))
    assert (shipped.total, turned.total) == (4_000, 4_500)


def test_of_what_excludes_each_other_the_cheaper_stays() -> None:
    apart = {"exclusive": [["MEMBER_DAY", "COUPONS"]]}
    small, great = amount("cpn_1", 400), amount("cpn_2", 600)
    what = basket(10_000, day=MEMBER_DAY)
    assert told(quote(what, terms(small, policy=apart)))[1:] == [
        ("MEMBER_DAY", 500, None),
        ("cpn_1", 0, Reason.NOT_COMBINED),
    ]
    assert told(quote(what, terms(great, policy=apart)))[1:] == [
        ("MEMBER_DAY", 0, Reason.NOT_COMBINED),
        ("cpn_2", 600, None),
    ]


def test_what_takes_nothing_off_excludes_nothing() -> None:
    apart = {"exclusive": [["MEMBER_DAY", "COUPONS"]]}
    found = quote(basket(10_000), terms(amount("cpn_1", 400), policy=apart))
    assert told(found)[1:] == [
        ("MEMBER_DAY", 0, Reason.NOT_TODAY),
        ("cpn_1", 400, None),
    ]


def test_points_give_way_to_what_excludes_them() -> None:
    apart = {"exclusive": [["POINTS", "COUPONS"]]}
    found = quote(basket(10_000), terms(amount("cpn_1", 400), asked=100, policy=apart))
    assert told(found)[-1] == ("POINTS", 0, Reason.NOT_COMBINED)
    alone = quote(basket(10_000), terms(asked=100, policy=apart))
    assert (alone.total, alone.payable) == (10_000, 9_900)


@pytest.mark.parametrize(
    ("shipping", "free_over", "chosen", "steps"),
    [
        (0, 5_000, (), []),
        (800, None, (), [("FREE_SHIPPING", 0, Reason.NOT_FOR_TIER)]),
        (800, 5_000, (), [("FREE_SHIPPING", 800, None)]),
        (800, 12_000, (), [("FREE_SHIPPING", 0, Reason.BELOW_LEAST)]),
        (
            800,
            12_000,
            (choice("cpn_1", CouponKind.FREE_SHIPPING, at_most=500),),
            [("cpn_1", 500, None), ("FREE_SHIPPING", 0, Reason.BELOW_LEAST)],
        ),
        (
            800,
            5_000,
            (choice("cpn_1", CouponKind.FREE_SHIPPING),),
            [("cpn_1", 0, Reason.COUPON_UNFIT), ("FREE_SHIPPING", 800, None)],
        ),
    ],
)
def test_sending(
    shipping: int, free_over: int | None, chosen: tuple[Choice, ...], steps: list[Any]
) -> None:
    found = quote(basket(10_000, shipping=shipping), terms(*chosen, free_over=free_over))
    assert told(found)[2:] == steps
    assert found.total == 10_000 + shipping - sum(amount for _, amount, _ in steps)


def test_coupon_that_would_cost_more_in_sending_than_it_takes_off_is_left() -> None:
    found = quote(basket(10_000, shipping=800), terms(amount("cpn_1", 200), free_over=9_900))
    assert found.total == 10_000
    [step] = [step for step in found.steps if step.kind is StepKind.COUPON]
    assert step.coupon_reasons == (CouponReason.NO_GAIN,)


def test_every_coupon_that_is_not_taken_says_why() -> None:
    chosen = (
        amount("cpn_a", 900, group="g"),
        amount("cpn_b", 800, group="g"),
        choice("cpn_c", CouponKind.THRESHOLD, amount=100, threshold=20_000),
        amount("cpn_d", 100, stackable=False),
        Choice("cpn_e", unfit=(CouponReason.REDEEMED,)),
        amount("cpn_f", 1, categories=["drinks"]),
    )
    found = quote(basket(10_000), terms(*chosen))
    assert {s.name: s.coupon_reasons for s in found.steps if s.kind is StepKind.COUPON} == {
        "cpn_a": (),
        "cpn_b": (CouponReason.SAME_GROUP,),
        "cpn_c": (CouponReason.THRESHOLD,),
        "cpn_d": (CouponReason.NOT_STACKABLE,),
        "cpn_e": (CouponReason.REDEEMED,),
        "cpn_f": (CouponReason.CATEGORY,),
    }
    assert found.coupon_ids == ("cpn_a",)


def test_one_that_goes_alone_is_taken_where_it_beats_the_others_together() -> None:
    rest = (amount("cpn_a", 900), amount("cpn_b", 800))
    weak, strong = (percent("cpn_c", n, stackable=False) for n in (16, 18))
    assert quote(basket(10_000), terms(*rest, weak)).coupon_ids == ("cpn_a", "cpn_b")
    assert quote(basket(10_000), terms(*rest, strong)).coupon_ids == ("cpn_c",)


def test_gift_is_handed_over_though_it_takes_nothing_off() -> None:
    gift = choice("cpn_g", CouponKind.GIFT, item_id="X")
    found = quote(basket(10_000), terms(gift, amount("cpn_a", 100)))
    assert (found.total, found.coupon_ids) == (9_900, ("cpn_a", "cpn_g"))


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    day = draw(st.sampled_from([MEMBER_DAY, MEMBER_DAY.replace(day=17)]))
    return basket(*draw(LINES), day=day, shipping=draw(st.sampled_from([0, 1_200])))


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    member = MemberTerms(draw(st.integers(0, 90)), draw(st.none() | st.integers(0, 20_000)))
    points = draw(
        st.builds(
            PointsTerms,
            st.sampled_from([1, 7, 100, 333]),
            st.integers(0, 100),
            st.integers(0, 500),
            st.integers(-5, 50_000),
        )
    )
    asked = draw(st.integers(0, 60_000))
    return Terms(draw(pricings()), 1, member, draw(choices()), points, asked)


@settings(max_examples=40)
@given(baskets(), any_terms())
def test_it_adds_up_to_the_fen_and_nothing_is_below_zero(what: Basket, by: Terms) -> None:
    found = quote(what, by)
    assert all(min(one.amount, one.off, one.by_points, one.payable) >= 0 for one in found.lines)
    assert all(
        min(step.amount, step.missing, step.points, *step.shares, 0) >= 0 for step in found.steps
    )
    for step in found.steps:
        assert step.amount == sum(step.shares) + step.shipping
        assert step.amount == 0 or step.reason in {None, Reason.POINTS_SHORT, Reason.POINTS_CAPPED}
    sending = found.shipping - found.shipping_off
    assert 0 <= sending <= found.shipping
    assert sum(one.payable for one in found.lines) + sending == found.payable
    by_points = sum(one.by_points for one in found.lines)
    assert found.payable + by_points == found.total
    taken = sum(s.amount for s in found.steps if s.kind is not StepKind.POINTS)
    assert found.total == sum(one.amount for one in found.lines) + what.shipping - taken
    assert all(type(fen) is int for step in found.steps for fen in (step.amount, *step.shares))


@settings(max_examples=40)
@given(baskets(), any_terms(), st.randoms())
def test_sequence_of_lines_and_of_coupons_changes_no_total(
    what: Basket, by: Terms, chance: Any
) -> None:
    lines, chosen = list(what.lines), list(by.choices)
    chance.shuffle(lines)
    chance.shuffle(chosen)
    one = quote(what, by)
    other = quote(replace(what, lines=tuple(lines)), replace(by, choices=tuple(chosen)))
    assert (one.total, one.payable, one.points) == (other.total, other.payable, other.points)
    assert one.coupon_ids == other.coupon_ids
    assert sorted(zip(what.lines, one.lines, strict=True), key=str) == sorted(
        zip(lines, other.lines, strict=True), key=str
    )
    assert quote(what, by) == one


@settings(max_examples=40)
@given(baskets(), any_terms(), st.data())
def test_one_more_coupon_never_makes_it_dearer(
    what: Basket, by: Terms, data: st.DataObject
) -> None:
    kept = data.draw(st.lists(st.sampled_from(range(6)), unique=True))
    fewer = tuple(c for n, c in enumerate(by.choices) if n in kept)
    assert quote(what, by).total <= quote(what, replace(by, choices=fewer)).total


@settings(max_examples=40)
@given(baskets(), any_terms())
def test_what_excludes_each_other_never_applies_together(what: Basket, by: Terms) -> None:
    kinds = {"COUPON": PriceStep.COUPONS}
    found = {kinds.get(s.kind) or PriceStep(s.kind) for s in quote(what, by).steps
             if s.amount and s.kind is not StepKind.FREE_SHIPPING}  # fmt: skip
    assert not any(by.pricing.exclude(a, b) for a in found for b in found if a is not b)
