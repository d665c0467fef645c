"""Business time."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.kit.time import Clock, business_day, month_number, month_of, real_now, start_of

SHANGHAI = "Asia/Shanghai"


def test_business_day_begins_at_midnight_of_the_zone() -> None:
    assert business_day(datetime(2017, 12, 31, 15, 59, 59, tzinfo=UTC), SHANGHAI) == date(
        2017, 12, 31
    )
    assert business_day(datetime(2017, 12, 31, 16, 0, tzinfo=UTC), SHANGHAI) == date(2018, 1, 1)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/New_York"])
@given(day=st.dates(date(1970, 1, 2), date(2199, 12, 30)))
def test_first_instant_of_a_day_is_in_it_and_the_moment_before_is_not(day: date, zone: str) -> None:
    first = start_of(day, zone)
    assert (first.tzinfo, business_day(first, zone)) == (UTC, day)
    assert business_day(first - timedelta(microseconds=1), zone) == day - timedelta(days=1)


def test_offset_of_the_instant_does_not_move_the_day() -> None:
    in_tokyo = datetime(2018, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=9)))
    assert business_day(in_tokyo, SHANGHAI) == date(2017, 12, 31)


def test_naive_instant_has_no_day() -> None:
    with pytest.raises(ValueError, match="offset"):
        business_day(datetime(2018, 1, 1), SHANGHAI)  # noqa: DTZ001 - what is refused


def test_month_of_a_day_is_its_key() -> None:
    assert month_of(date(2018, 1, 31)) == "2018-01"


@given(st.dates())
def test_next_month_is_one_number_up(day: date) -> None:
    month = day.replace(day=1)
    following = (month + timedelta(days=31) if month.year < 9999 else month).replace(day=1)
    step = 1 if month.year < 9999 else 0
    assert month_number(month_of(following)) == month_number(month_of(month)) + step


def test_clock_with_an_offset_moves_whole_days() -> None:
    wall = datetime(2026, 3, 31, 17, 0, tzinfo=UTC)
    clock = Clock(zone=SHANGHAI, offset_days=-3000, wall=lambda: wall)
    assert clock.now() == datetime(2018, 1, 12, 17, 0, tzinfo=UTC)
    assert clock.today() == date(2018, 1, 13)


def test_clock_reads_the_wall_by_default() -> None:
    before = real_now()
    assert before <= Clock().now() <= real_now()
