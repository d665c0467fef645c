"""Days and months as numbers are those of the calendar."""

from calendar import monthrange
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.kit import calendar

DAYS = st.dates(date(1900, 1, 1), date(2400, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2017-11-30", 3, "2018-02-28"),
        ("2019-11-30", 3, "2020-02-29"),
        ("2020-02-29", 12, "2021-02-28"),
        ("2020-02-29", 48, "2024-02-29"),
        ("2017-12-31", 1, "2018-01-31"),
        ("2018-01-31", 1, "2018-02-28"),
        ("2017-07-01", 6, "2018-01-01"),
        ("2018-08-31", 6, "2019-02-28"),
    ],
)
def test_months_later_is_the_same_day_or_the_last_of_the_month(
    day: str, months: int, later: str
) -> None:
    found = calendar.add_months(date.fromisoformat(day).toordinal(), months)
    assert date.fromordinal(found).isoformat() == later


@given(DAYS, st.integers(0, 60))
def test_whole_months_are_over_exactly_when_the_day_so_many_later_has_come(
    day: date, months: int
) -> None:
    due = date.fromordinal(calendar.add_months(day.toordinal(), months))
    month = day.year * 12 + day.month - 1
    assert calendar.whole_months(month, day.day, due) >= months
    before = date.fromordinal(due.toordinal() - 1)
    assert calendar.whole_months(month, day.day, before) < max(months, 1)


@given(DAYS)
def test_month_begins_and_ends_as_in_the_calendar(day: date) -> None:
    month = calendar.month_at(day.toordinal())
    assert date.fromordinal(calendar.month_start(month)) == day.replace(day=1)
    length = monthrange(day.year, day.month)[1]
    assert date.fromordinal(calendar.month_end(month)) == day.replace(day=length)
