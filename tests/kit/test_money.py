"""Money as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.kit.money import from_yuan, to_yuan

MOST = 10**15 - 1


@given(st.integers(-MOST, MOST))
def test_fen_come_back_from_yuan(fen: int) -> None:
    assert from_yuan(to_yuan(fen)) == fen


@pytest.mark.parametrize(
    ("fen", "yuan"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-100, "-1.00"), (1234, "12.34")]
)
def test_yuan_have_two_decimals(fen: int, yuan: str) -> None:
    assert to_yuan(fen) == yuan


@pytest.mark.parametrize(
    ("yuan", "fen"), [("12", 1200), ("12.3", 1230), ("-0.5", -50), ("007", 700), ("-0", 0)]
)
def test_fewer_decimals_are_read(yuan: str, fen: int) -> None:
    assert from_yuan(yuan) == fen


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.234",
        ".5",
        "5.",
        "+1",
        "1e3",
        "NaN",
        "inf",
        " 1",
        "1\n",
        "1,000",
        "１２",
        "٣",
        "1" * 14,
    ],
)
def test_anything_else_is_no_money(text: str) -> None:
    with pytest.raises(ValueError, match="decimal string"):
        from_yuan(text)
