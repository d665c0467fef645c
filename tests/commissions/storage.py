"""Versions of orders as their stream tells them, and what is stored of commissions."""

from collections import Counter
from datetime import UTC, date, datetime, time
from typing import Any

from graphql_api.commissions import repository, tasks
from graphql_api.commissions.models import CommissionRow, CommissionsItem, MonthSum
from graphql_api.commissions.rules import Amounts, CommissionKind
from graphql_api.kit.time import Clock
from graphql_api.orders import service as orders
from graphql_api.orders.models import Order
from tests.factories import CLOCK


def on(day: str) -> Clock:
    """Noon of a day in Shanghai, always."""
    instant = datetime.combine(date.fromisoformat(day), time(4, 0, tzinfo=UTC))
    return Clock(wall=lambda: instant)


def applied(snapshot: orders.Snapshot, *, clock: Clock = CLOCK) -> Order:
    """The version of an order that a snapshot makes, as the stream tells it."""
    return image_of(orders.apply(snapshot, clock=clock).order)


def image_of(order: Order) -> Order:
    """An order as it is at this moment."""
    return Order.from_raw_data(order.serialize())


def followed(snapshot: orders.Snapshot, *, clock: Clock = CLOCK) -> Order:
    """The same, and what follows from it."""
    order = applied(snapshot, clock=clock)
    tasks.follow(order, clock=clock)
    return order


def rows() -> list[CommissionRow]:
    """Every row of every guide."""
    found = CommissionRow.scan(CommissionRow.sort.startswith("row#"), consistent_read=True)
    return sorted(found, key=lambda row: (row.day, row.order_version, row.kind, row.id))


def told() -> list[tuple[str, str, int, str]]:
    """The rows short: day, kind, fen, state."""
    return [(str(r.day), r.kind.value, int(r.amount), r.state.value) for r in rows()]


def summed(found: list[CommissionRow]) -> Amounts:
    """What rows come to, by guide and kind."""
    total: Counter[tuple[str, CommissionKind]] = Counter()
    for row in found:
        total[row.guide_id, row.kind] += int(row.amount)
    return {earned: fen for earned, fen in total.items() if fen}


def month(owner: str, of: str = "2018-01") -> tuple[int, int, int]:
    """What waits, is settled and was taken back of a month."""
    [found] = repository.months([(owner, of)])
    return int(found.pending), int(found.settled), int(found.reversed)


def drifted() -> dict[tuple[str, str], Any]:
    """Months whose sums are not what their rows come to; rows, for guides and for stores."""
    due: dict[tuple[str, str], Counter[str]] = {}
    for row in rows():
        for owner in (row.guide_id, row.store_id):
            due.setdefault((owner, str(row.day)[:7]), Counter())[row.state.value] += int(row.amount)
    held = {
        (item.id, item.month): Counter(
            PENDING=int(item.pending), SETTLED=int(item.settled), REVERSED=int(item.reversed)
        )
        for item in MonthSum.scan(MonthSum.sort.startswith("month#"), consistent_read=True)
    }
    keys = {*due, *held}
    return {
        key: (due.get(key), held.get(key))
        for key in keys
        if due.get(key, Counter()) != held.get(key, Counter())
    }


def everything() -> list[str]:
    """Every item of commissions."""
    return sorted(str(item.serialize()) for item in CommissionsItem.scan(consistent_read=True))
