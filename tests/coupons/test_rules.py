"""What a coupon gives, when it holds, which go together, and what may become of one."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graphql_api.coupons import rules
from graphql_api.coupons.rules import (
    TRANSITIONS,
    Basket,
    Candidate,
    CouponKind,
    CouponReason,
    CouponState,
    Days,
    Limits,
    Taken,
)
from tests.coupons.factories import NOW, TODAY, delayed, fixed, make_terms

ZONE = "Asia/Shanghai"
HELD = Days(TODAY, TODAY)


@dataclass(frozen=True)
class Line:
    """A line of a basket."""

    amount: int
    category: str = "snacks"
    item_id: str = "nuts"
    quantity: int = 1


def basket(*lines: Line, **more: Any) -> Basket:
    return Basket(lines, **{"at": NOW, "zone": ZONE, **more})


def off(kind: CouponKind, *lines: Line, shipping: int = 0, **more: Any) -> int:
    return rules.discount_of(make_terms(kind, **more), lines, shipping=shipping)


def at(hour: int, minute: int = 0, day: int = 10) -> datetime:
    """A time of day in Shanghai."""
    return datetime(2018, 1, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


# --- terms -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "more", "problem"),
    [
        (CouponKind.AMOUNT, {"amount": None}, "AMOUNT needs amount"),
        (CouponKind.AMOUNT, {"percent": 10}, "AMOUNT has no percent"),
        (CouponKind.THRESHOLD, {"threshold": 500}, "no more off than its threshold"),
        (CouponKind.PERCENT, {"percent": 100}, "less than or equal to 99"),
        (CouponKind.GIFT, {"item_id": None}, "GIFT needs item_id"),
        (CouponKind.EXCHANGE, {"at_most": 5}, "EXCHANGE has no at_most"),
        (CouponKind.FREE_SHIPPING, {"amount": 5}, "FREE_SHIPPING has no amount"),
        (CouponKind.PERCENT, {"item_name": "茶"}, "PERCENT has no item_name"),
    ],
)
def test_terms_are_those_of_their_kind(
    kind: CouponKind, more: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        make_terms(kind, **more)


def test_validity_is_of_its_kind() -> None:
    with pytest.raises(ValidationError, match="a first and a last day"):
        rules.Validity(kind="FIXED", starts_on=TODAY)
    with pytest.raises(ValidationError, match="for how many days"):
        rules.Validity(kind="DELAYED")
    with pytest.raises(ValidationError, match="not before the first"):
        fixed(TODAY, TODAY - timedelta(days=1))
    with pytest.raises(ValidationError, match="closes after it opens"):
        delayed(1, hours=[{"weekday": 1, "opens": "12:00", "closes": "12:00"}])


def test_days_are_fixed_or_counted_from_the_issue() -> None:
    first, last = date(2018, 1, 20), date(2018, 1, 31)
    assert rules.days_of(fixed(first, last), TODAY) == Days(first, last)
    assert rules.days_of(fixed(first, last), last) == Days(first, last)
    assert rules.days_of(fixed(first, last), last + timedelta(days=1)) is None
    assert rules.days_of(delayed(1), TODAY) == HELD
    assert rules.days_of(delayed(7, after_days=3), TODAY) == Days(
        date(2018, 1, 13), date(2018, 1, 19)
    )


def test_terms_come_back_from_their_document_as_they_were() -> None:
    terms = make_terms(
        CouponKind.PERCENT, at_most=5_000, tiers=["V2"], validity=delayed(3, hours=[{"weekday": 7}])
    )
    assert rules.Terms.model_validate(terms.document()) == terms


# --- what fits -------------------------------------------------------------------------------


def reasons(terms: rules.Terms, days: Days = HELD, **more: Any) -> list[CouponReason]:
    return rules.applicable(terms, days, basket(Line(10_000), **more))


def test_coupon_holds_on_its_first_and_last_day_and_not_beside_them() -> None:
    terms, days = make_terms(), Days(TODAY, TODAY + timedelta(days=1))
    assert reasons(terms, days, at=at(0, 0)) == []
    assert reasons(terms, days, at=at(23, 59, day=11)) == []
    assert reasons(terms, days, at=at(23, 59, day=9)) == [CouponReason.NOT_YET]
    assert reasons(terms, days, at=at(0, 0, day=12)) == [CouponReason.EXPIRED]


def test_coupon_holds_by_weekday_and_hour_where_the_chain_is() -> None:
    hours = [{"weekday": 3, "opens": "14:00", "closes": "16:30"}]  # 10 January is a Wednesday
    terms, days = make_terms(validity=delayed(9, hours=hours)), Days(TODAY, date(2018, 1, 18))
    assert reasons(terms, days, at=at(14, 0)) == []
    assert reasons(terms, days, at=at(16, 29)) == []
    assert reasons(terms, days, at=at(16, 30)) == [CouponReason.HOUR]
    assert reasons(terms, days, at=at(14, 0, day=11)) == [CouponReason.WEEKDAY]


def test_coupon_asks_for_its_store_channel_tier_and_categories() -> None:
    assert reasons(make_terms(store_ids=["s1"]), places=frozenset({"s1", "region"})) == []
    assert reasons(make_terms(unit_ids=["region"]), places=frozenset({"s1", "region"})) == []
    assert reasons(make_terms(unit_ids=["other"]), places=frozenset({"s1"})) == [CouponReason.STORE]
    assert reasons(make_terms(channels=["MALL"]), channel="STORE") == [CouponReason.CHANNEL]
    assert reasons(make_terms(tiers=["V3"]), tier="V2") == [CouponReason.TIER]
    assert reasons(make_terms(tiers=["V3"]), tier="V3") == []
    assert reasons(make_terms(categories=["tea"])) == [CouponReason.CATEGORY]


def test_every_reason_is_told_at_once() -> None:
    terms = make_terms(CouponKind.THRESHOLD, threshold=20_000, tiers=["V6"], channels=["MALL"])
    assert reasons(terms, at=at(8, day=11)) == [
        CouponReason.EXPIRED,
        CouponReason.CHANNEL,
        CouponReason.TIER,
        CouponReason.THRESHOLD,
    ]


def test_threshold_is_met_by_what_comes_to_it_exactly_in_its_categories() -> None:
    terms = make_terms(CouponKind.THRESHOLD, categories=["snacks"])
    tea = Line(5_000, category="tea")
    assert rules.applicable(terms, HELD, basket(Line(10_000), tea)) == []
    found = rules.applicable(terms, HELD, basket(Line(9_999), tea))
    assert found == [CouponReason.THRESHOLD]


def test_exchange_asks_for_its_item_and_free_shipping_for_something_to_send() -> None:
    assert reasons(make_terms(CouponKind.EXCHANGE)) == [CouponReason.ITEM]
    assert reasons(make_terms(CouponKind.GIFT)) == []
    assert reasons(make_terms(CouponKind.FREE_SHIPPING)) == [CouponReason.SHIPPING]
    assert reasons(make_terms(CouponKind.FREE_SHIPPING), shipping=800) == []


# --- what it takes off -----------------------------------------------------------------------


def test_what_each_kind_takes_off() -> None:
    tea = Line(2_999, item_id="tea", quantity=3)
    assert off(CouponKind.AMOUNT, Line(5_000)) == 1_000
    assert off(CouponKind.AMOUNT, Line(600)) == 600
    assert off(CouponKind.AMOUNT, Line(5_000), Line(400, "tea"), categories=["tea"]) == 400
    assert off(CouponKind.THRESHOLD, Line(10_000)) == 1_000
    assert off(CouponKind.PERCENT, Line(999)) == 99
    assert off(CouponKind.PERCENT, Line(100_000), percent=50, at_most=2_000) == 2_000
    assert off(CouponKind.EXCHANGE, Line(5_000), tea) == 999
    assert off(CouponKind.GIFT, Line(5_000), tea) == 999
    assert off(CouponKind.GIFT, Line(5_000)) == 0
    assert off(CouponKind.FREE_SHIPPING, Line(5_000), shipping=800) == 800
    assert off(CouponKind.FREE_SHIPPING, Line(5_000), shipping=800, at_most=500) == 500


amounts = st.integers(0, 50_000)
lines = st.lists(
    st.builds(
        Line,
        amounts,
        st.sampled_from(["snacks", "tea"]),
        st.sampled_from(["nuts", "tea"]),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=6,
)
terms_of_any_kind = st.one_of(
    st.builds(
        lambda kind, more: make_terms(kind, stackable=True, **more),
        st.sampled_from(CouponKind),
        st.fixed_dictionaries(
            {"categories": st.sampled_from([[], ["tea"]]), "group": st.sampled_from([None, "A"])}
        ),
    ),
)


@given(terms_of_any_kind, lines, st.integers(0, 2_000))
def test_nothing_is_taken_off_but_what_there_is(
    terms: rules.Terms, bought: list[Line], shipping: int
) -> None:
    taken = rules.discount_of(terms, bought, shipping=shipping)
    assert 0 <= taken <= sum(line.amount for line in bought) + shipping
    if terms.kind is not CouponKind.FREE_SHIPPING:
        assert taken <= sum(bought[n].amount for n in rules.discount_lines(terms, bought))


# --- stacking --------------------------------------------------------------------------------


def candidate(name: str, **more: Any) -> Candidate:
    return Candidate(name, make_terms(**more))


def test_what_goes_alone_goes_with_nothing_and_a_group_gives_one() -> None:
    a, b = candidate("a", stackable=True, group="节日"), candidate("b", stackable=True)
    c, alone = candidate("c", stackable=True, group="节日"), candidate("d")
    assert rules.clashes([a, b, c, alone]) == {
        "c": CouponReason.SAME_GROUP,
        "d": CouponReason.NOT_STACKABLE,
    }
    assert rules.clashes([alone, a]) == {"a": CouponReason.NOT_STACKABLE}
    many = [candidate(str(n), stackable=True) for n in range(11)]
    assert rules.clashes(many) == {"10": CouponReason.TOO_MANY}


def test_coupons_apply_by_kind_and_the_greater_amount_first() -> None:
    kinds = {
        "p": make_terms(CouponKind.PERCENT),
        "a": make_terms(amount=500),
        "b": make_terms(amount=700),
        "t": make_terms(CouponKind.THRESHOLD),
        "s": make_terms(CouponKind.FREE_SHIPPING),
        "x": make_terms(CouponKind.EXCHANGE),
    }
    ordered = rules.in_sequence(Candidate(name, terms) for name, terms in kinds.items())
    assert [one.id for one in ordered] == ["x", "t", "b", "a", "p", "s"]


# --- states ----------------------------------------------------------------------------------


@dataclass
class Held:
    """A coupon as it is stored."""

    state: CouponState
    valid_until: date = TODAY
    locked_until: datetime | None = None


def test_what_fell_due_has_happened() -> None:
    tomorrow, hour = TODAY + timedelta(days=1), timedelta(hours=1)
    issued = Held(CouponState.ISSUED)
    assert rules.state_at(issued, NOW, TODAY) is CouponState.ISSUED
    assert rules.state_at(issued, NOW, tomorrow) is CouponState.EXPIRED
    locked = Held(CouponState.LOCKED, locked_until=NOW + hour)
    assert rules.state_at(locked, NOW, tomorrow) is CouponState.LOCKED
    assert rules.state_at(locked, NOW + hour, TODAY) is CouponState.ISSUED
    assert rules.state_at(locked, NOW + hour, tomorrow) is CouponState.EXPIRED
    used = Held(CouponState.REDEEMED)
    assert rules.state_at(used, NOW, tomorrow) is CouponState.REDEEMED


def test_every_state_says_what_may_become_of_it() -> None:
    assert set(TRANSITIONS) == set(CouponState)
    ends = {state for state, then in TRANSITIONS.items() if not then}
    assert ends == {CouponState.RECYCLED, CouponState.GIFTED}
    for state in CouponState:
        assert state in rules.stored_as(state)


# --- limits and codes ------------------------------------------------------------------------


def test_limits_count_the_member_and_the_member_in_a_store() -> None:
    limits = Limits(per_member=3, per_member_and_store=1)
    taken = Taken().and_one("s1")
    assert rules.limit_problem(limits, taken, "s1") is rules.ClaimProblem.MEMBER_LIMIT
    assert rules.limit_problem(limits, taken, "s2") is None
    assert rules.limit_problem(limits, taken, None) is None
    full = taken.and_one("s2").and_also(Taken().and_one(None))
    assert full == Taken(3, {"s1": 1, "s2": 1})
    assert rules.limit_problem(limits, full, "s3") is rules.ClaimProblem.MEMBER_LIMIT
    assert rules.limit_problem(Limits(), full, "s1") is None


bodies = st.text(rules.ALPHABET, min_size=rules.LENGTH, max_size=rules.LENGTH)


@given(bodies, st.integers(0, rules.LENGTH), st.sampled_from(rules.ALPHABET))
def test_code_with_one_wrong_character_is_none(body: str, place: int, wrong: str) -> None:
    code = rules.with_check(body)
    assert rules.read_code(f" {code[:4].lower()}-{code[4:]} ") == code
    slip = code[:place] + wrong + code[place + 1 :]
    assert rules.read_code(slip) == (code if slip == code else None)


@given(bodies, st.integers(0, rules.LENGTH - 1))
def test_code_with_two_neighbours_swapped_is_none(body: str, place: int) -> None:
    code = rules.with_check(body)
    slip = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert rules.read_code(slip) == (code if slip == code else None)


def test_what_cannot_be_a_code_is_none() -> None:
    assert rules.read_code("") is None
    assert rules.read_code("O" * 13) is None
    assert rules.read_code("2" * 14) is None
