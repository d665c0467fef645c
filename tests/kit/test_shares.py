"""Parts that sum to their whole."""

from hypothesis import given
from hypothesis import strategies as st

from graphql_api.kit.shares import evenly, share_out

MOST = 10**15 - 1


@given(st.integers(0, MOST), st.lists(st.integers(0, MOST), min_size=1, max_size=8))
def test_shares_sum_to_the_total_and_are_off_by_less_than_one(
    total: int, weights: list[int]
) -> None:
    shares = share_out(total, weights)
    assert sum(shares) == total
    due = sum(weights)
    assert all(abs(s * due - total * w) < due for s, w in zip(shares, weights, strict=True) if due)


def test_the_largest_remainder_comes_first_and_of_equals_the_first() -> None:
    assert share_out(100, [1, 1, 1]) == [34, 33, 33]
    assert share_out(10, [1, 2, 4]) == [1, 3, 6]
    assert share_out(5, [0, 0]) == [3, 2]


@given(st.integers(0, 10**7), st.integers(1, 16))
def test_even_parts_differ_by_one_at_most(total: int, parts: int) -> None:
    found = evenly(total, parts)
    assert (sum(found), len(found)) == (total, parts)
    assert max(found) - min(found) <= 1
    assert found == sorted(found, reverse=True)
