"""Access paths of commissions."""

from collections.abc import Sequence
from datetime import date

from pynamodb.expressions.update import Action

from graphql_api.commissions import models
from graphql_api.commissions.models import (
    FIRST,
    SOLE,
    SUM_OF,
    CommissionRow,
    CommissionsItem,
    FirstOrder,
    MonthSum,
    OrderLedger,
)
from graphql_api.commissions.rules import CommissionState
from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.kit.time import month_of

Owner = tuple[str, str]
"""A guide or a store, and a month as YYYY-MM."""


def ledger_of(order_id: str) -> OrderLedger | None:
    """The books of an order as they are now (strongly consistent), to decide on."""
    return ledgers_of([order_id])[0]


def ledgers_of(order_ids: Sequence[str]) -> list[OrderLedger | None]:
    """The same of several orders."""
    return batch_get(OrderLedger, [(id_, SOLE) for id_ in order_ids], consistent=True)


def all_rows_of(guide_id: str) -> list[CommissionRow]:
    """Every row of a guide as it is now (strongly consistent), by day."""
    begins = CommissionRow.sort.startswith(models.ROW)
    return list(CommissionRow.query(guide_id, begins, consistent_read=True))


def all_months_of(owner: str) -> list[MonthSum]:
    """The sums of a guide or a store as they are now (strongly consistent), by month."""
    begins = MonthSum.sort.startswith(models.MONTH)
    return list(MonthSum.query(owner, begins, consistent_read=True))


def months(owners: Sequence[Owner]) -> list[MonthSum]:
    """The sums of guides or stores by (owner, month): one batch; what has no row comes to 0."""
    keys = [(owner, models.month_sort(month)) for owner, month in owners]
    found = batch_get(MonthSum, keys)
    return [row or MonthSum(*key) for row, key in zip(found, keys, strict=True)]


def page_of_month(
    owner: Owner, *, first: int, after: str | None, reverse: bool
) -> Page[CommissionRow]:
    """The rows of a guide in a month, by day: one Query."""
    guide_id, month = owner
    return key_page(
        CommissionRow,
        guide_id,
        CommissionRow.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=f"{models.ROW}{month}",
    )


def rows_of(keys: Sequence[tuple[str, str]]) -> list[CommissionRow | None]:
    """Rows by key as they are now (strongly consistent)."""
    return batch_get(CommissionRow, keys, consistent=True)


def first_order_of(member_ids: Sequence[str]) -> str | None:
    """The order that gave a bonus as the first of a member, under any id (strongly consistent)."""
    found = batch_get(FirstOrder, [(id_, FIRST) for id_ in member_ids], consistent=True)
    return next((str(mark.order_id) for mark in found if mark), None)


def due_in(shard: str, as_of: date, *, first: int, after: str | None) -> Page[CommissionsItem]:
    """Keys of the books of a shard that wait and are due by a day, longest due first: one Query."""
    last, due_key = models.due_key_of(as_of, "~"), CommissionsItem.due_key
    return key_page(CommissionsItem.by_due, shard, due_key, first=first, after=after, up_to=last)


def save(tx: Transaction, ledger: OrderLedger) -> None:
    """Write the books over the version that was read, or for the first time."""
    waits = bool(ledger.waiting)
    ledger.due_shard = models.due_shard_of(ledger.id) if waits else None
    ledger.due_key = models.due_key_of(ledger.settles_on, ledger.id) if waits else None
    if ledger.version is None:
        tx.create(ledger)
    else:
        tx.save(ledger)


def add_row(tx: Transaction, row: CommissionRow) -> None:
    """Add a row of which there is none yet; its order's books have the condition too."""
    tx.create(row)


def settle_row(tx: Transaction, row: CommissionRow, as_of: date) -> None:
    """Settle a row that waits; stale where it does not."""
    actions: list[Action] = [
        CommissionRow.state.set(CommissionState.SETTLED),
        CommissionRow.settled_on.set(as_of),
    ]
    waits = CommissionRow.state == CommissionState.PENDING
    tx.update(CommissionRow(*row.key), actions, condition=waits)


class Sums:
    """By how much the sums of guides and stores move in one transaction."""

    def __init__(self) -> None:
        self._moved: dict[tuple[str, str], dict[CommissionState, int]] = {}

    def add(self, row: CommissionRow, state: CommissionState, fen: int) -> None:
        """Add to the month of a row, for its guide and for its store."""
        for owner in (row.guide_id, row.store_id):
            states = self._moved.setdefault((owner, month_of(row.day)), {})
            states[state] = states.get(state, 0) + fen

    def write(self, tx: Transaction) -> None:
        """Add all of it to the transaction."""
        for (owner, month), states in sorted(self._moved.items()):
            actions = [SUM_OF[state].add(fen) for state, fen in states.items() if fen]
            if actions:
                tx.update(MonthSum(owner, models.month_sort(month)), actions)


def note_first(tx: Transaction, member_id: str, order_id: str) -> None:
    """Note the order that was a member's first; stale where there is one."""
    tx.create(FirstOrder(member_id, FIRST, order_id=order_id))
