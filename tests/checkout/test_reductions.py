"""Member price, spend-and-save and member day: what each takes off, and why it does not."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.checkout.rules.basket import Basket
from graphql_api.checkout.rules.reductions import MemberTerms, most, reduce
from graphql_api.checkout.rules.results import Reason, Step
from graphql_api.policies.rules import PriceStep, PricingPolicy
from tests.checkout.baskets import LINES, MEMBER_DAY, basket, line, policy, pricings, save

KINDS = [PriceStep.MEMBER_PRICE, PriceStep.SPEND_AND_SAVE, PriceStep.MEMBER_DAY]


def steps(
    kind: PriceStep, what: Basket, by: PricingPolicy, terms: MemberTerms | None = None
) -> tuple[Step, ...]:
    return reduce(kind, what, what.amounts, by, terms or MemberTerms())


def told(found: tuple[Step, ...]) -> list[tuple[int, Reason | None]]:
    return [(step.amount, step.reason) for step in found]


def test_member_price_is_a_part_of_everything_rounded_down_once() -> None:
    [step] = steps(PriceStep.MEMBER_PRICE, basket(99, 99, 99), policy(), MemberTerms(5))
    assert (step.amount, step.shares) == (14, (5, 5, 4))


def test_tier_without_a_discount_has_no_member_price() -> None:
    assert told(steps(PriceStep.MEMBER_PRICE, basket(99), policy())) == [(0, Reason.NOT_FOR_TIER)]


@pytest.mark.parametrize(
    ("day", "given_", "off", "reason"),
    [
        (MEMBER_DAY, {}, 500, None),
        (date(2018, 1, 17), {}, 0, Reason.NOT_TODAY),
        (date(2018, 2, 28), {"days": [31]}, 500, None),
        (date(2018, 1, 28), {"days": [31]}, 0, Reason.NOT_TODAY),
        (MEMBER_DAY, {"days": []}, 0, Reason.NOT_TODAY),
        (MEMBER_DAY, {"days": [8, 18], "off": 9_999}, 2_000, None),
        (MEMBER_DAY, {"least": 2_000}, 500, None),
        (MEMBER_DAY, {"least": 2_001}, 0, Reason.BELOW_LEAST),
        (MEMBER_DAY, {"scope": {"tiers": ["V3"]}}, 0, Reason.NOT_FOR_TIER),
        (MEMBER_DAY, {"scope": {"channels": ["MALL"]}}, 0, Reason.NOT_IN_CHANNEL),
        (MEMBER_DAY, {"scope": {"units": ["org_2"]}}, 0, Reason.NOT_HERE),
        (MEMBER_DAY, {"scope": {"units": ["org_2", "org_1"]}}, 500, None),
        (MEMBER_DAY, {"scope": {"categories": ["drinks"]}}, 0, Reason.NO_SUCH_ITEMS),
    ],
)
def test_member_day(day: date, given_: dict[str, Any], off: int, reason: Reason | None) -> None:
    found = steps(PriceStep.MEMBER_DAY, basket(2_000, day=day), policy(memberDay=given_))
    assert told(found) == [(off, reason)]


def test_what_is_missing_up_to_a_reduction_is_told() -> None:
    by = policy(memberDay={"least": 2_600}, spendAndSave=[save((9_900, 1_000))])
    what = basket(2_000, day=MEMBER_DAY)
    assert [step.missing for kind in KINDS[1:] for step in steps(kind, what, by)] == [7_900, 600]


@pytest.mark.parametrize(
    ("offer", "off", "reason"),
    [
        (save((9_900, 1_000)), 1_000, None),
        (save((9_900, 1_000), (20_000, 3_000), (30_000, 6_000)), 3_000, None),
        (save((20_001, 1_000)), 0, Reason.BELOW_LEAST),
        (save((6_000, 500), repeats=True), 1_500, None),
        (save((9_900, 1_000), firstDay="2018-01-11"), 0, Reason.NOT_TODAY),
        (save((9_900, 1_000), lastDay="2018-01-09"), 0, Reason.NOT_TODAY),
        (save((9_900, 1_000), firstDay="2018-01-10", lastDay="2018-01-10"), 1_000, None),
        (save((9_900, 1_000), scope={"units": ["sto_2"]}), 0, Reason.NOT_HERE),
        (save((5_000, 1_000), scope={"categories": ["drinks"]}), 1_000, None),
        (save((9_900, 1_000), scope={"categories": ["drinks"]}), 0, Reason.BELOW_LEAST),
        (save((1, 1), scope={"categories": ["gifts"]}), 0, Reason.NO_SUCH_ITEMS),
    ],
)
def test_spend_and_save(offer: dict[str, Any], off: int, reason: Reason | None) -> None:
    what = basket(line(15_000), line(5_000, "drinks"))
    found = steps(PriceStep.SPEND_AND_SAVE, what, policy(spendAndSave=[offer]))
    assert told(found) == [(off, reason)]
    assert found[0].name == "满减"


def test_of_a_group_the_one_that_saves_most_applies_and_groups_combine() -> None:
    by = policy(
        spendAndSave=[
            save((9_900, 1_000), name="all"),
            save((2_000, 1_500), name="of V2", scope={"tiers": ["V2"]}),
            save((5_000, 800), name="drinks", group="b", scope={"categories": ["drinks"]}),
        ]
    )
    found = steps(PriceStep.SPEND_AND_SAVE, basket(line(15_000), line(5_000, "drinks")), by)
    assert told(found) == [(0, Reason.ANOTHER_SAVES_MORE), (1_500, None), (800, None)]
    assert [step.shares for step in found[1:]] == [(1_125, 375), (0, 800)]


def test_reductions_of_two_groups_take_no_more_than_there_is() -> None:
    by = policy(spendAndSave=[save((100, 100), name="a"), save((100, 100), name="b", group="b")])
    found = steps(PriceStep.SPEND_AND_SAVE, basket(150), by)
    assert told(found) == [(100, None), (50, None)]


@settings(max_examples=40)
@given(LINES, pricings(), st.integers(0, 90), st.data())
def test_nothing_takes_more_off_what_comes_to_less(
    lines: list[Any], by: PricingPolicy, percent: int, data: st.DataObject
) -> None:
    what = basket(*lines, day=MEMBER_DAY)
    lower = tuple(data.draw(st.integers(0, fen)) for fen in what.amounts)
    for kind in KINDS:
        bound = most(kind, what, what.amounts, by, MemberTerms(percent))
        for amounts in (what.amounts, lower):
            taken = reduce(kind, what, amounts, by, MemberTerms(percent))
            assert sum(step.amount for step in taken) <= bound
            for step in taken:
                assert sum(step.shares) == step.amount
            left = [sum(off) for off in zip(*(s.shares for s in taken if s.shares), strict=True)]
            assert all(off <= fen for off, fen in zip(left, amounts, strict=False))
