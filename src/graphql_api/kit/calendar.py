"""Days and months as plain numbers, for rules that decide on many members a second.

A day is `date.toordinal()`; a month is counted from year 0, as `kit.time.month_number` does.
"""

from datetime import date

_FIRST_YEAR, _LAST_YEAR = 1850, 2500
_OFFSET = _FIRST_YEAR * 12
_STARTS = [
    date(year, month, 1).toordinal()
    for year in range(_FIRST_YEAR, _LAST_YEAR + 1)
    for month in range(1, 13)
]


def month_start(month: int) -> int:
    """The first day of a month."""
    return _STARTS[month - _OFFSET]


def month_end(month: int) -> int:
    """The last day of a month."""
    return _STARTS[month - _OFFSET + 1] - 1


def month_at(day: int) -> int:
    """The month that a day is in."""
    on = date.fromordinal(day)
    return on.year * 12 + on.month - 1


def months_after(month: int, day_of_month: int, months: int) -> int:
    """The same day of the month so many months later, or the last one of that month."""
    at = month + months - _OFFSET
    first = _STARTS[at]
    length = _STARTS[at + 1] - first
    return first + (day_of_month if day_of_month < length else length) - 1


def add_months(day: int, months: int) -> int:
    """A day so many months later; 30 November and three months are 28 or 29 February."""
    on = date.fromordinal(day)
    return months_after(on.year * 12 + on.month - 1, on.day, months)


def whole_months(month: int, day_of_month: int, on: date) -> int:
    """How many months since a day of a month are over: the most whose `months_after` has come."""
    now = on.year * 12 + on.month - 1
    short = on.day < day_of_month and on.toordinal() < _STARTS[now - _OFFSET + 1] - 1
    return now - month - short
