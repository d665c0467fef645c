"""What follows from orders and from time: rows of guides, and that they are settled."""

import time
from dataclasses import dataclass, replace
from datetime import date

from graphql_api.commissions import models, repository, rules
from graphql_api.commissions.models import CommissionRow, OrderLedger
from graphql_api.commissions.repository import Sums
from graphql_api.commissions.rules import (
    Amounts,
    CommissionState,
    Difference,
    Ledger,
    Sale,
    Terms,
)
from graphql_api.guides import repository as guides
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.orders import repository as orders
from graphql_api.orders.models import Order
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import CommissionPolicy, PolicyKind

SHARDS = models.SHARDS
SETTLED_AT_ONCE = 20  # each moves two sums at most
_PAGE = 100


def follow(order: Order, *, clock: Clock) -> int:
    """Bring the books of an order to a version of it; gives how many rows that took.

    Again, or after a newer version, it changes nothing. What came from a back-fill gives nothing,
    whatever comes of it later.
    """
    if order.state.body is None:
        return 0
    sale = rules.sale_of(order.state, order.exclusive_guide_id)

    def attempt(tx: Transaction) -> int:
        stored = repository.ledger_of(order.id)
        if stored is None and not opens_books(order):
            return 0
        ledger = stored.ledger if stored else Ledger(_terms(order))
        if order.version <= ledger.followed:
            return 0
        ledger = replace(ledger, terms=_completed(tx, ledger.terms, order, sale))
        policy = _policy(ledger.terms.policy_version)
        ledger, found = rules.follow(ledger, int(order.version), sale, policy, clock.today())
        books = stored or OrderLedger(order.id)
        books.hold(ledger)
        _write(tx, books, [_row(order, ledger, one, clock) for one in found])
        return len(found)

    return transact(attempt)


def opens_books(order: Order) -> bool:
    """Whether books are opened for an order that has none.

    The first version of an order that nobody earns by needs none; a later one does, so that an
    earlier one which comes after it finds them.
    """
    earns = bool(order.guide_id or order.exclusive_guide_id or order.version > 1)
    return order.state.body is not None and order.came_live and earns


def earned_by(order: Order, books: OrderLedger) -> Amounts:
    """What a version of an order earns by the terms on its books."""
    terms = books.ledger.terms
    sale = rules.sale_of(order.state, order.exclusive_guide_id)
    policy = _policy(terms.policy_version)
    return rules.commission_of(sale, policy, terms.levels, first=bool(terms.first))


def _terms(order: Order) -> Terms:
    version, policy = policies.remembered(PolicyKind.COMMISSION)
    assert isinstance(policy, CommissionPolicy)
    return rules.terms_of(str(order.store_id), order.day, version, policy)


def _policy(version: int) -> CommissionPolicy:
    policy = policies.document_of(PolicyKind.COMMISSION, version)
    assert isinstance(policy, CommissionPolicy)
    return policy


def _completed(tx: Transaction, terms: Terms, order: Order, sale: Sale) -> Terms:
    """The terms with what was not decided yet: levels of guides who are new, the first purchase."""
    new = [id_ for id_ in sale.guides if id_ not in terms.levels]
    found = zip(new, guides.get_many(new), strict=True)
    levels = {id_: int(g.level) if g and g.level is not None else None for id_, g in found}
    first = terms.first
    if first is None and order.member_id is not None:
        first = _is_first(tx, order, order.member_id)
    return replace(terms, levels={**terms.levels, **levels}, first=first)


def _is_first(tx: Transaction, order: Order, member_id: str) -> bool:
    """Whether an order is the first of its member's by time of payment, and none was before.

    An earlier one that becomes known later does not give the bonus once more.
    """
    [member] = members.get_now([member_id])
    if member is None or repository.first_order_of(member.lives) is not None:
        return False
    earliest = [o for id_ in member.lives for o in orders.some_of_member(id_, at_most=1)]
    if any(o.id != order.id for o in earliest):
        return False
    repository.note_first(tx, member.id, order.id)
    return True


def _row(order: Order, ledger: Ledger, one: Difference, clock: Clock) -> CommissionRow:
    terms, version = ledger.terms, int(order.version)
    waits = one.state is CommissionState.PENDING
    return CommissionRow(
        one.guide_id,
        models.row_sort(one.day, order.id, version, one.kind),
        order_id=order.id,
        order_version=version,
        store_id=terms.store_id,
        kind=one.kind,
        amount=one.amount,
        day=one.day,
        state=one.state,
        level=terms.levels.get(one.guide_id),
        policy_version=terms.policy_version,
        settles_on=terms.settles_on,
        settled_on=None if waits else clock.today(),
        recorded_at=clock.now(),
    )


def _write(tx: Transaction, books: OrderLedger, rows: list[CommissionRow]) -> None:
    sums = Sums()
    for row in rows:
        repository.add_row(tx, row)
        sums.add(row, row.state, int(row.amount))
    waiting = [list(row.key) for row in rows if row.state is CommissionState.PENDING]
    books.waiting = [*books.waiting, *waiting]
    repository.save(tx, books)
    sums.write(tx)


# --- what time brings ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settled:
    """How many orders were looked at, how far that got, and whether there is more."""

    orders: int = 0
    after: str | None = None
    more: bool = False


def settle(as_of: date) -> int:
    """Settle what waits on the books of every order that is due by a day; again changes nothing."""
    return sum(settle_shard(shard, as_of).orders for shard in SHARDS)


def settle_shard(
    shard: str, as_of: date, *, after: str | None = None, seconds: float | None = None
) -> Settled:
    """The same for one of the shards, from a place on, for so long."""
    ends = None if seconds is None else time.monotonic() + seconds
    total = Settled(after=after, more=True)
    while total.more:
        page = repository.due_in(shard, as_of, first=_PAGE, after=total.after)
        for books in page.items:
            while settle_some(books.id, as_of):
                pass
        total = Settled(total.orders + len(page.items), page.last, page.more)
        if ends is not None and time.monotonic() >= ends:
            break
    return total


def settle_some(order_id: str, as_of: date) -> bool:
    """Settle the next rows of an order, up to 20 in one transaction; False when none is left."""

    def attempt(tx: Transaction) -> bool:
        books = repository.ledger_of(order_id)
        if books is None or not books.waiting or books.settles_on > as_of:
            return False
        now, later = books.waiting[:SETTLED_AT_ONCE], books.waiting[SETTLED_AT_ONCE:]
        sums = Sums()
        for row in repository.rows_of([(id_, sort) for id_, sort in now]):
            assert row is not None, "the books name a row that is not there"
            repository.settle_row(tx, row, as_of)
            sums.add(row, CommissionState.PENDING, -int(row.amount))
            sums.add(row, CommissionState.SETTLED, int(row.amount))
        books.waiting = later
        if not later:
            books.settled_on = books.settled_on or as_of
        repository.save(tx, books)
        sums.write(tx)
        return bool(later)

    return transact(attempt)
