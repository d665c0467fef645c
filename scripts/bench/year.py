"""The Complete Journey year as each member lived it: what arrived, on which day, in which order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import NamedTuple

from graphql_api.kit.time import DEFAULT_ZONE, business_day
from scripts.complete_journey import Dataset, Refund, Visit


class Arrival(NamedTuple):
    """A basket that is paid, or money given back for one; `amount` in fen.

    One that arrives late was bought on an earlier day than `on`.
    """

    at: datetime
    on: date
    basket_id: int
    amount: int
    is_refund: bool
    bought_on: date | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A household from the business day of its first basket on."""

    household_id: int
    joined_on: date
    arrivals: tuple[Arrival, ...]


def histories(dataset: Dataset) -> Iterator[History]:
    """Every household by id, its arrivals by instant; of one instant, baskets come first."""
    for household_id, rows in groupby(dataset.purchases(), key=lambda row: row[0].household_id):
        arrivals: list[Arrival] = []
        for visit, amount, refund in rows:
            arrivals.append(_paid(visit, amount))
            if refund is not None:
                arrivals.append(_given_back(refund))
        arrivals.sort(key=lambda a: (a.at, a.is_refund, a.basket_id))
        yield History(household_id, arrivals[0].on, tuple(arrivals))


def _paid(visit: Visit, amount: int) -> Arrival:
    at = datetime.fromtimestamp(visit.paid_at, UTC)
    return Arrival(at, business_day(at, DEFAULT_ZONE), visit.basket_id, amount, is_refund=False)


def _given_back(refund: Refund) -> Arrival:
    on = business_day(refund.at, DEFAULT_ZONE)
    return Arrival(refund.at, on, refund.basket_id, refund.amount, is_refund=True)
