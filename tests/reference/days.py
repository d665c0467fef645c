"""Calendar months as people count them: 30 November and 3 months is 28 February."""

import calendar
from datetime import date, timedelta


def months_after(day: date, months: int) -> date:
    """The same day of the month so many months later, or that month's last day."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    last = calendar.monthrange(year, month)[1]
    return date(year, month, min(day.day, last))


def first_of_window(as_of: date, months: int) -> date:
    """The first day of the current calendar month and the ones before, `months` in all."""
    year, month = as_of.year, as_of.month
    for _ in range(months - 1):
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    return date(year, month, 1)


def is_month_end(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
