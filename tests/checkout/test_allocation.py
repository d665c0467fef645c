"""Amounts are divided to the fen."""

from hypothesis import given
from hypothesis import strategies as st

from graphql_api.checkout.rules.basket import shares, shares_within

WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=40)


@given(st.data(), WEIGHTS)
def test_shares_sum_to_the_amount_and_stay_within_their_weights(
    data: st.DataObject, weights: list[int]
) -> None:
    amount = data.draw(st.integers(0, sum(weights)))
    given_ = shares(amount, weights)
    assert sum(given_) == amount
    assert all(0 <= share <= weight for share, weight in zip(given_, weights, strict=True))


@given(st.data(), WEIGHTS)
def test_no_share_is_a_fen_away_from_its_part(data: st.DataObject, weights: list[int]) -> None:
    amount, whole = data.draw(st.integers(0, sum(weights))), sum(weights)
    for share, weight in zip(shares(amount, weights), weights, strict=True):
        assert abs(share * whole - amount * weight) < max(1, whole)


def test_the_largest_remainder_has_the_fen_and_of_equals_the_first() -> None:
    assert shares(100, [1, 1, 1]) == (34, 33, 33)
    assert shares(10, [33, 33, 34]) == (3, 3, 4)
    assert shares(0, [5, 0]) == (0, 0)
    assert shares(0, [0, 0]) == (0, 0)


def test_only_what_is_covered_takes_a_share() -> None:
    assert shares_within(5, (10, 20, 30), (True, False, True)) == (1, 0, 4)
