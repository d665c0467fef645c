"""Access paths of orders."""

from collections.abc import Sequence

from graphql_api.kit.dynamo import Page, Stale, Transaction, batch_get, batch_write, key_page
from graphql_api.members.models import Member
from graphql_api.orders import models
from graphql_api.orders.models import SOLE, Order, OrdersItem, Pointer, Waiting


def get_many(order_ids: Sequence[str]) -> list[Order | None]:
    """Orders by id: one batch of pointers, one of orders."""
    return _behind(batch_get(Pointer, [(id_, SOLE) for id_ in order_ids]), consistent=False)


def get(order_id: str) -> Order | None:
    """One order as it is now (strongly consistent), to decide on; Stale when it moved meanwhile."""
    pointer = batch_get(Pointer, [(order_id, SOLE)], consistent=True)[0]
    if pointer is None:
        return None
    order = batch_get(Order, [(pointer.at_owner, pointer.at_place)], consistent=True)[0]
    if order is None:
        raise Stale
    return order


def get_now(order_ids: Sequence[str]) -> list[Order | None]:
    """Orders as they are now (strongly consistent), to decide on."""
    pointers = batch_get(Pointer, [(id_, SOLE) for id_ in order_ids], consistent=True)
    return _behind(pointers, consistent=True)


def places_of(order_ids: Sequence[str]) -> list[tuple[str, str] | None]:
    """Where the pointers of orders lead (strongly consistent)."""
    pointers = batch_get(Pointer, [(id_, SOLE) for id_ in order_ids], consistent=True)
    return [(p.at_owner, p.at_place) if p else None for p in pointers]


def all_of_member(member: Member) -> list[Order]:
    """Every order of a member as it is now (strongly consistent), by time.

    While a merge is under way some stand under an alias yet. Orders only go from there to the
    member, so whoever reads in this sequence misses none.
    """
    owners = [*member.alias_ids, member.id]
    found = [order for id_ in owners for order in Order.query(id_, consistent_read=True)]
    return sorted({order.id: order for order in found}.values(), key=lambda order: order.place)


def some_of_member(member_id: str, *, at_most: int) -> list[Order]:
    """The first orders that stand under an id as they are now (strongly consistent)."""
    return list(Order.query(member_id, consistent_read=True, limit=at_most))


def page_of_member(member_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Order]:
    """Orders of a member by time of payment: one Query."""
    return key_page(Order, member_id, Order.place, first=first, after=after, reverse=reverse)


def page_of_store_month(
    store_id: str, month: str, *, first: int, after: str | None, reverse: bool
) -> Page[Order]:
    """Orders of a store in a calendar month by time of payment: one Query, one BatchGetItem."""
    keys = key_page(
        OrdersItem.by_store_month,
        models.store_month_of(store_id, month),
        OrdersItem.paid_key,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(batch_get(Order, [key.key for key in keys.items]))


def waiting_for(claim: str) -> list[str]:
    """Ids of the orders that wait for an identity (strongly consistent)."""
    found = Waiting.query(models.waiting_owner(claim), consistent_read=True)
    return [row.place for row in found]


def create(tx: Transaction, order: Order) -> None:
    """Add an order that was not known, with its pointer."""
    tx.create(order)
    tx.create(_pointer(order))


def save(tx: Transaction, order: Order, *, was_at: tuple[str, str]) -> None:
    """Write an order over the version that was read, moving it where its owner or day changed."""
    if order.key == was_at:
        tx.save(order)
        return
    tx.move(order, was_at=was_at)
    tx.put(_pointer(order))


def put_all(orders: Sequence[Order]) -> None:
    """Write many orders of one member with their pointers, unconditionally: under its lock only.

    Pointers go first: whoever died in between finds no order behind them, and writes both again.
    """
    for order in orders:
        order.version = order.version or 1
    batch_write(OrdersItem, [*(_pointer(order) for order in orders), *orders])


def wait(tx: Transaction, claim: str, order_id: str) -> None:
    """Have an order wait for an identity."""
    tx.put(Waiting(models.waiting_owner(claim), order_id))


def stop_waiting(tx: Transaction, claim: str, order_id: str) -> None:
    """Have an order no longer wait for an identity."""
    tx.delete(Waiting(models.waiting_owner(claim), order_id))


def _pointer(order: Order) -> Pointer:
    return Pointer(order.id, SOLE, at_owner=order.owner, at_place=order.place)


def _behind(pointers: Sequence[Pointer | None], *, consistent: bool) -> list[Order | None]:
    keys = [(p.at_owner, p.at_place) for p in pointers if p]
    found = iter(batch_get(Order, keys, consistent=consistent))
    return [next(found) if p else None for p in pointers]
