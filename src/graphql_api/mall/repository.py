"""Access paths of the mall: items, stock, redemptions."""

from collections.abc import Sequence

from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.kit.dynamo.blocks import key_walk, one_after_another
from graphql_api.kit.dynamo.partitions import delete_all
from graphql_api.mall import models
from graphql_api.mall.models import (
    REDEMPTION,
    SOLE,
    MallItem,
    MallTableItem,
    Redemption,
    RedemptionPointer,
    Stock,
    Taken,
)
from graphql_api.mall.rules import STOCK_PARTS, ItemState, RedemptionState

MemberItem = tuple[Sequence[str], str]
"""The ids of a member, and an item."""


def get_many(item_ids: Sequence[str]) -> list[MallItem | None]:
    """Items by id."""
    return batch_get(MallItem, [(id_, SOLE) for id_ in item_ids])


def get(item_id: str) -> MallItem | None:
    """One item as it is now (strongly consistent), to decide on."""
    return batch_get(MallItem, [(item_id, SOLE)], consistent=True)[0]


def page_of_items(
    states: tuple[ItemState, ...], *, first: int, after: str | None, reverse: bool
) -> Page[MallItem]:
    """Items in some states: state after state, each by time."""
    keys: Page[MallTableItem] = key_walk(
        lambda key, **page: key_page(MallTableItem.by_list, key, MallTableItem.list_place, **page),
        [models.listed_as(state) for state in states],
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(get_many([key.id for key in keys.items]))


def create(tx: Transaction, item: MallItem, parts: Sequence[int] | None) -> None:
    """Add a new item, with its stock where that has an end."""
    _index(item)
    tx.create(item)
    for number, left in enumerate(parts or ()):
        tx.create(Stock(item.id, models.stock_sort(number), left=left))


def save(tx: Transaction, item: MallItem) -> None:
    """Write an item over the version that was read."""
    _index(item)
    tx.save(item)


# --- stock -----------------------------------------------------------------------------------


def stock_of(item_id: str) -> list[int]:
    """What is left in each part as it is now (strongly consistent)."""
    keys = [(item_id, models.stock_sort(n)) for n in range(STOCK_PARTS)]
    return [int(part.left) if part else 0 for part in batch_get(Stock, keys, consistent=True)]


def left_of(item_ids: Sequence[str]) -> list[int]:
    """How many are left of each item, 0 where nothing was ever there: one batch."""
    keys = [(id_, models.stock_sort(n)) for id_ in item_ids for n in range(STOCK_PARTS)]
    found = [int(part.left) if part else 0 for part in batch_get(Stock, keys)]
    return [sum(found[n : n + STOCK_PARTS]) for n in range(0, len(found), STOCK_PARTS)]


def take(tx: Transaction, item_id: str, number: int) -> None:
    """Take one out of a part; stale when the last one went meanwhile."""
    part = Stock(item_id, models.stock_sort(number))
    tx.update(part, [Stock.left.add(-1)], condition=Stock.left >= 1)


def give_back(tx: Transaction, item_id: str, part: str) -> None:
    """Put one back into a part."""
    tx.update(Stock(item_id, part), [Stock.left.add(1)], condition=Stock.id.exists())


def set_stock(tx: Transaction, item_id: str, was: Sequence[int], now: Sequence[int]) -> None:
    """Have the parts hold so much; stale where one does not hold what was read."""
    for number, (old, new) in enumerate(zip(was, now, strict=True)):
        if old != new:
            part = Stock(item_id, models.stock_sort(number))
            tx.update(part, [Stock.left.set(new)], condition=Stock.left == old)


# --- redemptions -----------------------------------------------------------------------------


def redemptions(redemption_ids: Sequence[str]) -> list[Redemption | None]:
    """Redemptions by id, to be shown: pointers, then items."""
    return _behind(redemption_ids, consistent=False)


def redemption(redemption_id: str) -> Redemption | None:
    """One redemption as it is now (strongly consistent), to decide on."""
    return _behind([redemption_id], consistent=True)[0]


def page_of_member(
    member_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Redemption]:
    """What a member had for points, by time: one Query."""
    return key_page(
        Redemption,
        member_id,
        Redemption.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=REDEMPTION,
    )


def page_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Redemption]:
    """The same of a member who was several: id after id."""
    return one_after_another(page_of_member, member_ids, first=first, after=after, reverse=reverse)


def page_of_waiting(
    store_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Redemption]:
    """What waits in a store to be handed over, by time: one Query, one BatchGetItem."""
    keys = key_page(
        MallTableItem.by_list,
        models.waiting_at(store_id),
        MallTableItem.list_place,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(batch_get(Redemption, [key.key for key in keys.items]))


def add(tx: Transaction, new: Redemption) -> None:
    """Add a redemption with the pointer of its id."""
    _index_redemption(new)
    tx.create(new)
    tx.create(RedemptionPointer(new.redemption_id, member_id=new.member_id))


def save_redemption(tx: Transaction, changed: Redemption) -> None:
    """Write a redemption over the version that was read."""
    _index_redemption(changed)
    tx.save(changed)


def taken_by(wanted: Sequence[MemberItem]) -> list[int]:
    """How many times each member had each item, under all ids (strongly consistent): one batch."""
    keys = [(id_, models.taken_sort(item_id)) for lives, item_id in wanted for id_ in lives]
    found = iter(batch_get(Taken, keys, consistent=True))
    counts = ([next(found) for _ in lives] for lives, _ in wanted)
    return [sum(int(one.times) for one in each if one) for each in counts]


def count_taken(tx: Transaction, member_id: str, item_id: str, by: int) -> None:
    """Count what a member had of an item; the member of the transaction has the condition."""
    tx.update(Taken(member_id, models.taken_sort(item_id)), [Taken.times.add(by)])


def forget(member_id: str, *, first: int) -> int:
    """Delete some redemptions of a member with their pointers; how many there were."""
    mine = Redemption.sort.startswith(REDEMPTION)
    found = list(Redemption.query(member_id, mine, consistent_read=True, limit=first))
    pointers = [(one.redemption_id, SOLE) for one in found]
    delete_all(MallTableItem, [*pointers, *(one.key for one in found)])
    return len(found)


def _behind(redemption_ids: Sequence[str], *, consistent: bool) -> list[Redemption | None]:
    keys = [(id_, SOLE) for id_ in redemption_ids]
    pointers = batch_get(RedemptionPointer, keys, consistent=consistent)
    places = [(p.member_id, models.redemption_sort(p.id)) for p in pointers if p is not None]
    found = iter(batch_get(Redemption, places, consistent=consistent))
    return [None if pointer is None else next(found) for pointer in pointers]


def _index(item: MallItem) -> None:
    item.listed, item.list_place = models.listed_as(item.state), item.id


def _index_redemption(one: Redemption) -> None:
    """Set the keys of the list of what waits in a store; others leave it."""
    waits = one.state is RedemptionState.WAITING
    one.listed = models.waiting_at(str(one.store_id)) if waits else None
    one.list_place = one.redemption_id if waits else None
