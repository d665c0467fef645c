"""Points pay for a part: what they are worth, how much of an order, and how many at least."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.checkout.rules.payment import PointsTerms, pay
from graphql_api.checkout.rules.results import Reason

SHIPPED = {"per_yuan": 100, "greatest_share": 50, "least": 0, "balance": 5_000}


def terms(**more: int) -> PointsTerms:
    return PointsTerms(**{**SHIPPED, **more})


@pytest.mark.parametrize(
    ("asked", "goods", "given_", "points", "fen", "reason"),
    [
        (1_000, 20_000, {}, 1_000, 1_000, None),
        (6_000, 20_000, {}, 5_000, 5_000, Reason.POINTS_SHORT),
        (6_000, 2_001, {}, 1_000, 1_000, Reason.POINTS_CAPPED),
        (6_000, 20_000, {"balance": -20}, 0, 0, Reason.POINTS_SHORT),
        (99, 20_000, {"least": 100}, 0, 0, Reason.TOO_FEW_POINTS),
        (100, 20_000, {"least": 100}, 100, 100, None),
        (6_000, 100, {"least": 100}, 0, 0, Reason.POINTS_CAPPED),
        (6_000, 20_000, {"least": 5_001}, 0, 0, Reason.POINTS_SHORT),
        (0, 20_000, {}, 0, 0, Reason.TOO_FEW_POINTS),
        (100, 0, {}, 0, 0, Reason.POINTS_CAPPED),
        (5, 20_000, {"per_yuan": 300}, 3, 1, None),
        (2, 20_000, {"per_yuan": 300}, 0, 0, Reason.TOO_FEW_POINTS),
        (10, 20_000, {"per_yuan": 7}, 10, 142, None),
        (1_000, 20_000, {"greatest_share": 0}, 0, 0, Reason.POINTS_CAPPED),
    ],
)
def test_points_pay(
    asked: int, goods: int, given_: dict[str, int], points: int, fen: int, reason: Reason | None
) -> None:
    step = pay(asked, (goods,), terms(**given_))
    assert (step.points, step.amount, step.reason) == (points, fen, reason)


@given(
    st.integers(0, 10**6),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=10),
    st.builds(
        PointsTerms, st.integers(1, 1_000), st.integers(0, 100), st.integers(0, 500),
        st.integers(-100, 10**6),
    ),
)  # fmt: skip
def test_points_pay_no_more_than_asked_held_and_allowed_and_none_is_wasted(
    asked: int, amounts: list[int], given_: PointsTerms
) -> None:
    step = pay(asked, tuple(amounts), given_)
    assert 0 <= step.points <= max(0, min(asked, given_.balance))
    assert step.amount * 100 <= sum(amounts) * given_.greatest_share
    assert sum(step.shares) == step.amount == step.points * 100 // given_.per_yuan
    assert not step.points or (step.points - 1) * 100 // given_.per_yuan < step.amount
    assert not step.points or step.points >= given_.least
