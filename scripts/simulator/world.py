"""What a vendor knows: customers, orders and refunds, and what happened to them, in its order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass
class Customer:
    """A customer of the shop; `became` is who they are since two were merged."""

    key: str
    name: str
    gender: int
    birthday: date | None
    joined_at: datetime
    updated_at: datetime
    is_member: bool = True
    points: int = 0
    tags: set[str] = field(default_factory=set)
    guide: str | None = None
    became: str | None = None
    is_closed: bool = False


@dataclass
class Line:
    """A line of an order: how many of what, and its share of what was paid, in fen."""

    id: str
    title: str
    quantity: int
    paid: int


@dataclass
class Refund:
    """Money back for one line, in fen."""

    id: str
    line_id: str
    amount: int
    at: datetime


@dataclass
class Order:
    """A paid order; `settled_at` is when the buyer had it for good."""

    no: str
    customer: str
    store: str
    guide: str | None
    lines: list[Line]
    paid_at: datetime
    updated_at: datetime
    at_the_till: bool = False
    settled_at: datetime | None = None
    refunds: list[Refund] = field(default_factory=list)

    @property
    def paid(self) -> int:
        """Fen."""
        return sum(line.paid for line in self.lines)

    @property
    def refunded(self) -> int:
        """Fen."""
        return sum(refund.amount for refund in self.refunds)


@dataclass(frozen=True)
class Event:
    """Something happened: what, to whom or what, when, and what else there is to say."""

    what: str
    subject: str
    at: datetime
    more: dict[str, Any] = field(default_factory=dict)


class World:
    """One shop. Every change gives the events that a vendor would push.

    `serial` is where its numbers begin: two worlds of one shop must not have the same.
    """

    def __init__(self, serial: int = 0) -> None:
        self.customers: dict[str, Customer] = {}
        self.orders: dict[str, Order] = {}
        self.keys_used: dict[str, Any] = {}
        self.coupons: dict[str, dict[str, str]] = {}
        self._serial = serial

    # --- what happens --------------------------------------------------------------------

    def join(
        self, key: str, name: str, at: datetime, *, gender: int = 0, birthday: date | None = None
    ) -> Iterator[Event]:
        """Somebody becomes a member."""
        self.customers[key] = Customer(key, name, gender, birthday, at, at)
        yield Event("customer", key, at, {"is_new": True})

    def rename(self, key: str, name: str, at: datetime) -> Iterator[Event]:
        """A member is called otherwise."""
        customer = self.customers[key]
        customer.name, customer.updated_at = name, at
        yield Event("customer", key, at)

    def buy(self, order: Order) -> Iterator[Event]:
        """Somebody buys, and gets a point a yuan."""
        self.orders[order.no] = order
        yield Event("order", order.no, order.paid_at)
        yield from self.earn(order.customer, order.paid // 100, order.paid_at, order.no)

    def settle(self, no: str, at: datetime) -> Iterator[Event]:
        """The buyer has it for good."""
        order = self.orders[no]
        order.settled_at = order.updated_at = at
        yield Event("settled", no, at)

    def refund(self, no: str, line: int, amount: int, at: datetime) -> Iterator[Event]:
        """Some money of a line goes back, and its points go."""
        order = self.orders[no]
        refund = Refund(f"R{no}{len(order.refunds) + 1}", order.lines[line].id, amount, at)
        order.refunds.append(refund)
        order.updated_at = at
        yield Event("refund", no, at, {"refund_id": refund.id})
        yield from self.earn(order.customer, -(amount // 100), at, no)

    def earn(self, key: str, points: int, at: datetime, why: str) -> Iterator[Event]:
        """Points come or go; nobody has less than none."""
        customer = self.whoever(key)
        if customer is None or not points:
            return
        before = customer.points
        customer.points = max(0, before + points)
        yield Event(
            "points",
            customer.key,
            at,
            {"change": customer.points - before, "total": customer.points, "why": why},
        )

    def tag(self, key: str, tag: str, *, is_on: bool, at: datetime) -> Iterator[Event]:
        """A tag comes or goes."""
        tags = self.customers[key].tags
        (tags.add if is_on else tags.discard)(tag)
        yield Event("tag", key, at, {"tag": tag, "is_on": is_on})

    def look_after(self, key: str, guide: str | None, at: datetime) -> Iterator[Event]:
        """Another guide looks after a customer, or nobody does."""
        customer = self.customers[key]
        before, customer.guide = customer.guide, guide
        yield Event("guide", key, at, {"before": before, "after": guide})

    def merge(self, from_key: str, to_key: str, at: datetime) -> Iterator[Event]:
        """Two turn out to be one: points and tags go to who stays."""
        gone, stays = self.customers[from_key], self.customers[to_key]
        gone.became = to_key
        stays.tags |= gone.tags
        yield Event("merge", to_key, at, {"from": from_key})
        yield from self.earn(to_key, gone.points, at, f"merge {from_key}")

    def close(self, key: str, at: datetime) -> Iterator[Event]:
        """Somebody closes their account."""
        self.customers[key].is_closed = True
        yield Event("closed", key, at)

    # --- what is asked -------------------------------------------------------------------

    def whoever(self, key: str) -> Customer | None:
        """Who a customer is by now; None for nobody, or who closed the account."""
        customer = self.customers.get(key)
        while customer is not None and customer.became:
            customer = self.customers.get(customer.became)
        return None if customer is None or customer.is_closed else customer

    def changed(self, since: datetime, until: datetime) -> list[Order]:
        """The orders that changed in a window, the last that did first."""
        found = [o for o in self.orders.values() if since <= o.updated_at < until]
        return sorted(found, key=lambda order: (order.updated_at, order.no), reverse=True)

    def next_number(self) -> int:
        """One that nobody had."""
        self._serial += 1
        return self._serial

    def totals(self) -> dict[str, dict[str, Any]]:
        """What each living member comes to, by key: money in fen, names sorted."""
        living = [c for c in self.customers.values() if not c.became and not c.is_closed]
        return {customer.key: self._total(customer) for customer in living}

    def _total(self, customer: Customer) -> dict[str, Any]:
        bought = [o for o in self.orders.values() if self.whoever(o.customer) is customer]
        return {
            "name": customer.name,
            "orders": sum(1 for order in bought if order.paid > order.refunded),
            "net": sum(order.paid - order.refunded for order in bought),
            "points": customer.points,
            "tags": sorted(customer.tags),
            "guide": customer.guide,
        }
