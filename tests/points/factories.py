"""Policies, purchases and accounts for tests of points."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from graphql_api.points import rules
from graphql_api.points.rules import Account, Book, Entry, Lot, OrderPoints, Purchase, Source
from graphql_api.policies.rules import PointsPolicy

DAY = date(2018, 1, 10)


def policy(**given: Any) -> PointsPolicy:
    """The shipped policy, with other numbers."""
    return PointsPolicy.model_validate(given, strict=False)


def book(account: Account = rules.NOTHING, *, on: date = DAY, **given: Any) -> Book:
    """An account opened and settled on a day."""
    opened = Book(account, policy(**given), on)
    opened.settle()
    return opened


def lot(id: str, points: int, **given: Any) -> Lot:
    """Points that are active and do not run out."""
    more = {"source": Source.GRANT, "earned_on": DAY, "activates_on": DAY, **given}
    return Lot(id, points, **more)


def holding(*lots: Lot, **given: Any) -> Account:
    """An account of some lots."""
    return Account(lots=lots, **given)


def buy(order: str = "ord_1", yuan: int = 100, *, on: date = DAY, **given: Any) -> Purchase:
    """An order of so many yuan in a store, not refunded."""
    more = {"channel": "STORE", "share_refunded": (0, yuan * 100), **given}
    return Purchase(order, on, yuan * 100, **more)


def refunded(purchase: Purchase, yuan: int) -> Purchase:
    """The order with so many yuan of it refunded."""
    total = purchase.share_refunded[1]
    return replace(purchase, net=total - yuan * 100, share_refunded=(yuan * 100, total))


def terms(purchase: Purchase, percent: int = 100) -> OrderPoints:
    """What stands on an order of which nothing was followed yet."""
    return OrderPoints(0, purchase.order_id, purchase.day, percent)


def followed(
    opened: Book, purchase: Purchase, kept: OrderPoints | None = None, **given: Any
) -> OrderPoints:
    """Have an account follow an order."""
    return rules.follow(opened, purchase, kept or terms(purchase), **given)


def later(days: int, since: date = DAY) -> date:
    """So many days later."""
    return since + timedelta(days=days)


def kinds(entries: Iterable[Entry]) -> list[tuple[str, int, int, int]]:
    """What the ledger says: kind and what moved."""
    return [(entry.kind.value, *entry.moved) for entry in entries]
