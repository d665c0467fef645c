"""When what failed is tried again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from graphql_api.connectors.rules import GIVEN_UP_AFTER, next_try

BEGUN = datetime(2018, 6, 1, tzinfo=UTC)


def test_pauses_grow_to_a_quarter_of_an_hour() -> None:
    pauses = [next_try(n, BEGUN, BEGUN, 0) for n in (1, 2, 3, 4, 5, 6, 7, 50)]
    seconds = [(at - BEGUN).total_seconds() for at in pauses if at]
    assert seconds == [30, 60, 120, 300, 600, 900, 900, 900]


def test_after_a_day_nothing_is_tried_again() -> None:
    last = BEGUN + GIVEN_UP_AFTER - timedelta(seconds=900)
    assert next_try(9, BEGUN, last, 0) == BEGUN + GIVEN_UP_AFTER
    assert next_try(9, BEGUN, last + timedelta(seconds=1), 0) is None


@given(st.integers(1, 200), st.integers(0, 86_400), st.floats(0, 1))
def test_a_try_is_within_the_day_and_never_sooner_than_half_a_minute(
    attempts: int, seconds: int, jitter: float
) -> None:
    at = BEGUN + timedelta(seconds=seconds)
    tried = next_try(attempts, BEGUN, at, jitter)
    if tried is not None:
        assert at + timedelta(seconds=30) <= tried <= at + timedelta(seconds=1080)
        assert tried <= BEGUN + GIVEN_UP_AFTER
