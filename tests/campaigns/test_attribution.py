"""Which campaigns an order is credited to, and that rows come to what its last version brought."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.campaigns.rules import (
    MAX_CREDITED,
    Brought,
    Converted,
    Credits,
    ParticipationState,
    Touch,
    credited,
    follow_credits,
    united,
)
from graphql_api.policies.rules import AttributionPolicy, CountedPart, Credit
from tests.factories import PAID_AT

DAY = timedelta(days=1)
INVITED, JOINED = ParticipationState.INVITED, ParticipationState.JOINED
CONVERTED, EXCLUDED = ParticipationState.CONVERTED, ParticipationState.EXCLUDED
ALL = AttributionPolicy(credit=Credit.ALL)


def touch(name: str, at: datetime, state: ParticipationState = JOINED) -> Touch:
    return Touch(name, state, at, at.date())


def brought_by(*touches: Touch, policy: AttributionPolicy | None = None) -> tuple[str, ...]:
    return credited(touches, PAID_AT, PAID_AT.date(), policy or AttributionPolicy())


def test_the_last_campaign_before_the_order_is_credited() -> None:
    first, last = touch("a", PAID_AT - 2 * DAY), touch("b", PAID_AT - DAY)
    assert brought_by(last, first) == ("b",)
    assert brought_by(last, first, policy=ALL) == ("a", "b")
    assert brought_by() == ()


@pytest.mark.parametrize(("days", "counts"), [(0, True), (14, True), (15, False), (-1, False)])
def test_order_comes_within_the_window_and_not_before(days: int, counts: bool) -> None:
    assert bool(brought_by(touch("a", PAID_AT - days * DAY))) is counts


def test_who_is_kept_out_brings_nothing_and_the_policy_says_who_counts() -> None:
    at = PAID_AT - DAY
    assert brought_by(touch("a", at, EXCLUDED), policy=ALL) == ()
    some = AttributionPolicy(credit=Credit.ALL, parts=(CountedPart.JOINED,))
    touches = touch("a", at, INVITED), touch("b", at, JOINED), touch("c", at, CONVERTED)
    assert brought_by(*touches, policy=some) == ("b",)
    assert brought_by(*touches, policy=ALL) == ("a", "b", "c")


def test_of_many_campaigns_the_last_twelve_are_credited() -> None:
    touches = [touch(f"{n:02d}", PAID_AT - DAY + n * timedelta(minutes=1)) for n in range(20)]
    assert brought_by(*touches, policy=ALL) == tuple(f"{n:02d}" for n in range(8, 20))
    assert len(brought_by(*touches, policy=ALL)) == MAX_CREDITED


def test_refund_takes_back_what_an_order_brought() -> None:
    held, moved = follow_credits(Credits(), 1, ["a"], Brought(1, 10_000))
    assert moved == {"a": Brought(1, 10_000)}
    held, moved = follow_credits(held, 2, ["a"], Brought(1, 4_000))
    assert moved == {"a": Brought(0, -6_000)}
    held, moved = follow_credits(held, 3, ["a"], Brought())
    assert (moved, held.brought) == ({"a": Brought(-1, -4_000)}, {})


def test_order_that_comes_to_another_member_is_credited_to_their_campaigns() -> None:
    held, _ = follow_credits(Credits(), 1, ["a", "b"], Brought(1, 100))
    _, moved = follow_credits(held, 2, ["b", "c"], Brought(1, 100))
    assert moved == {"a": Brought(-1, -100), "c": Brought(1, 100)}


versions = st.lists(
    st.tuples(st.lists(st.sampled_from("abc"), unique=True), st.integers(0, 300)),
    min_size=1,
    max_size=5,
)


@given(st.data(), versions)
def test_rows_come_to_the_last_version_in_any_sequence_and_however_often(
    data: st.DataObject, told: list[tuple[list[str], int]]
) -> None:
    numbers = st.sampled_from(range(1, len(told) + 1))
    delivered = [*data.draw(st.lists(numbers, max_size=8)), len(told)]
    delivered += data.draw(st.lists(numbers, max_size=4))
    held = Credits()
    nets: Counter[str] = Counter()
    orders: Counter[str] = Counter()
    for version in delivered:
        campaigns, net = told[version - 1]
        order = Brought(1, net) if net else Brought()
        held, moved = follow_credits(held, version, campaigns, order)
        nets.update({id_: one.net for id_, one in moved.items()})
        orders.update({id_: one.orders for id_, one in moved.items()})
    campaigns, net = told[-1]
    due = set(campaigns) if net else set()
    assert {id_: n for id_, n in nets.items() if n} == dict.fromkeys(due, net)
    assert {id_: n for id_, n in orders.items() if n} == dict.fromkeys(due, 1)


def test_part_is_converted_while_an_order_is_credited() -> None:
    joined = Converted(JOINED)
    once = joined.after(1)
    assert once == Converted(CONVERTED, 1, JOINED)
    assert once.after(1).after(-1) == once
    assert once.after(-1) == joined
    by_hand = Converted(CONVERTED)
    assert by_hand.after(1).after(-1) == by_hand


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Converted(INVITED), Converted(JOINED), Converted(JOINED)),
        (Converted(INVITED).after(1), Converted(JOINED), Converted(JOINED).after(1)),
        (Converted(JOINED).after(2), Converted(INVITED).after(1), Converted(JOINED).after(3)),
        (Converted(CONVERTED), Converted(INVITED).after(1), Converted(CONVERTED).after(1)),
    ],
)
def test_parts_of_two_who_are_one_are_united_whoever_comes_first(
    one: Any, other: Any, both: Any
) -> None:
    assert united(one, other) == united(other, one) == both


def test_day_of_the_order_is_the_business_day() -> None:
    """A part late in the evening of the chain lies on the day before by universal time."""
    late = Touch("a", JOINED, PAID_AT - timedelta(hours=8), date(2018, 1, 5))
    zero = AttributionPolicy(window_days=0)
    assert credited([late], PAID_AT, date(2018, 1, 5), zero) == ("a",)
    assert credited([late], PAID_AT, date(2018, 1, 6), zero) == ()
