"""What `make audit` asks of commission and of the credit of campaigns: both follow the orders."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from graphql_api.campaigns import repository as campaigns
from graphql_api.campaigns import tasks as crediting
from graphql_api.commissions import repository as commissions
from graphql_api.commissions import tasks as earning
from graphql_api.commissions.models import SUM_OF, CommissionRow
from graphql_api.commissions.rules import Amounts
from graphql_api.guides import repository as guides
from graphql_api.kit.time import month_of
from graphql_api.stores import repository as stores
from scripts.audit_subject import Difference, Subject

_PAGE = 100
_SUMS = {state.value: attribute.attr_name for state, attribute in SUM_OF.items()}


def order_commission(subject: Subject) -> Iterator[Difference]:
    """The books of an order say what its newest version earns by the terms that they hold."""
    found = commissions.ledgers_of([order.id for order in subject.orders])
    for order, books in zip(subject.orders, found, strict=True):
        if books is None:
            if earning.opens_books(order):
                yield Difference("commission.followed", order.id, None, int(order.version))
        elif books.followed < order.version:
            yield Difference(
                "commission.followed", order.id, int(books.followed), int(order.version)
            )
        elif books.ledger.amounts != (due := earning.earned_by(order, books)):
            stored = books.ledger.amounts
            yield Difference("commission.amounts", order.id, _shown(stored), _shown(due))


def _shown(amounts: Amounts) -> dict[str, int]:
    return {f"{guide_id} {kind}": fen for (guide_id, kind), fen in sorted(amounts.items())}


def order_credit(subject: Subject) -> Iterator[Difference]:
    """What campaigns have of an order is what its newest version brings."""
    found = campaigns.all_credits_of([order.id for order in subject.orders])
    for order, item in zip(subject.orders, found, strict=True):
        if item is None:
            continue
        if item.followed < order.version:
            yield Difference("credit.followed", order.id, int(item.followed), int(order.version))
        elif item.credits.brought != (due := crediting.brought_by_terms(order, item)):
            yield Difference("credit.brought", order.id, item.credits.brought, due)


def books_of_guides() -> Iterator[Difference]:
    """Rows of guides come to the sums of their months, and to what the books of orders say.

    Of guides who have not left.
    """
    for store_id in _all_stores():
        for guide_id in _guides_of(store_id):
            rows = commissions.all_rows_of(guide_id)
            yield from _months(guide_id, rows)
            yield from _orders(guide_id, rows)


def _months(guide_id: str, rows: list[CommissionRow]) -> Iterator[Difference]:
    due: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        due[month_of(row.day)][_SUMS[row.state.value]] += int(row.amount)
    held = {one.month: one for one in commissions.all_months_of(guide_id)}
    for month in sorted({*due, *held}):
        for name in _SUMS.values():
            stored = int(getattr(held[month], name)) if month in held else 0
            if stored != due[month][name]:
                where = f"{guide_id} {month}"
                yield Difference(f"commission.{name}", where, stored, due[month][name])


def _orders(guide_id: str, rows: list[CommissionRow]) -> Iterator[Difference]:
    come_to: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        come_to[row.order_id] += int(row.amount)
    for order_id, books in zip(come_to, commissions.ledgers_of(list(come_to)), strict=True):
        amounts: dict[Any, int] = dict(books.ledger.amounts) if books else {}
        due = sum(fen for (whose, _kind), fen in amounts.items() if whose == guide_id)
        if come_to[order_id] != due:
            yield Difference("commission.rows", f"{guide_id} {order_id}", come_to[order_id], due)


def _all_stores() -> Iterator[str]:
    after: str | None = None
    while True:
        page = stores.page_of_all(first=_PAGE, after=after, reverse=False)
        yield from (store.id for store in page.items)
        if not page.more:
            return
        after = page.last


def _guides_of(store_id: str) -> Iterator[str]:
    after: str | None = None
    while True:
        page = guides.page_of_store(store_id, first=_PAGE, after=after, reverse=False)
        yield from (guide.id for guide in page.items)
        if not page.more:
            return
        after = page.last
