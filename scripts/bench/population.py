"""Members made up for measuring: as many as wanted, always the same, one at a time.

A third of them left the chain some time ago. The rest buy once a month on the average, few of them
often and most of them seldom. Real purchases are in the imported year; these show how costs grow.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from graphql_api.kit.time import month_of
from graphql_api.members.rules import NOTHING_BOUGHT, Bucket, Facts
from scripts.bench.year import Arrival

FIRST_DAY = date(2018, 1, 1)
MONTHS = 24
LEFT = 1 / 3
ORDERS_A_MONTH = 1.0
FEN = 8_000


@dataclass(frozen=True, slots=True)
class Person:
    """A member on the evening before the first day, and what they buy from then on.

    A tier above the lowest has so many days to go as `tier_ends_in` says.
    """

    number: int
    joined_on: date
    facts: Facts
    arrivals: tuple[Arrival, ...]
    tier_ends_in: int


def people(count: int, days: int, seed: int = 7) -> Iterator[Person]:
    """So many members with their purchases of so many days; fewer are the first of more."""
    for number in range(1, count + 1):
        # Numbers of a large prime apart, so that neighbours have nothing in common.
        draw = Random(seed + number * 1_000_003)  # noqa: S311 - not a secret
        yield _person(number, days, draw)


def _person(number: int, days: int, draw: Random) -> Person:
    joined_months_ago = 1 + draw.randrange(48)
    joined_on = _months_before(joined_months_ago, draw.randint(1, 28))
    left_months_ago = draw.randrange(MONTHS) if draw.random() < LEFT else -1
    rate = draw.gammavariate(0.7, ORDERS_A_MONTH / 0.7)
    months: dict[str, Bucket] = {}
    last_on: date | None = None
    for ago in range(min(MONTHS - 1, joined_months_ago), max(0, left_months_ago), -1):
        if orders := _poisson(rate, draw):
            spend = round(orders * FEN * draw.lognormvariate(0, 0.5))
            last_on = _months_before(ago, draw.randint(1, 28))
            months[month_of(last_on)] = Bucket(orders, spend, spend // 100)
    return Person(
        number,
        joined_on,
        _facts(months, max(joined_on, last_on) if last_on else None),
        () if left_months_ago >= 0 else tuple(_arrivals(number, rate, days, draw)),
        draw.randrange(182),
    )


def _facts(months: dict[str, Bucket], last_on: date | None) -> Facts:
    if last_on is None:
        return NOTHING_BOUGHT
    spend = sum(bucket.spend for bucket in months.values())
    return Facts(
        months=months,
        newest_month=max(months),
        orders=sum(bucket.orders for bucket in months.values()),
        paid=spend,
        growth=sum(bucket.growth for bucket in months.values()),
        first_on=date.fromisoformat(f"{min(months)}-01"),
        last_on=last_on,
    )


def _arrivals(number: int, rate: float, days: int, draw: Random) -> Iterator[Arrival]:
    day = draw.expovariate(rate / 30)
    count = 0
    while day < days:
        count += 1
        on = FIRST_DAY + timedelta(days=int(day))
        at = datetime.combine(on, time(4), UTC)
        amount = round(FEN * draw.lognormvariate(0, 0.8))
        yield Arrival(at, on, number * 1_000 + count, amount, is_refund=False)
        day += draw.expovariate(rate / 30)


def _months_before(months: int, day: int) -> date:
    number = FIRST_DAY.year * 12 + FIRST_DAY.month - 1 - months
    return date(number // 12, number % 12 + 1, day)


def _poisson(mean: float, draw: Random) -> int:
    limit, product, count = math.exp(-mean), draw.random(), 0
    while product > limit:
        product *= draw.random()
        count += 1
    return count
