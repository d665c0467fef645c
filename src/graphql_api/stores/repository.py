"""Access paths of the chain, the organisation tree and the stores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pynamodb.exceptions import PutError

from graphql_api.errors import AppError
from graphql_api.kit.dynamo import Page, Transaction, batch_get, batch_write, key_page
from graphql_api.kit.dynamo.blocks import block_of, block_page, place_of
from graphql_api.kit.positions import Position, cell_of, cells_within, metres_between
from graphql_api.stores import models, rules
from graphql_api.stores.models import SOLE, Chain, CodeClaim, Counter, OrgUnit, Store, StoresItem

Kept = TypeVar("Kept", OrgUnit, Store)

_COUNTER_ID = "counter"
_PLACE_IN_TREE = ("id", "sort", "parent_id")


def get_many(store_ids: Sequence[str]) -> list[Store | None]:
    """Stores by id."""
    return batch_get(Store, [(id_, SOLE) for id_ in store_ids])


def get_units(unit_ids: Sequence[str]) -> list[OrgUnit | None]:
    """Org units by id."""
    return batch_get(OrgUnit, [(id_, SOLE) for id_ in unit_ids])


def get(store_id: str) -> Store | None:
    """One store as it is now (strongly consistent), to decide on."""
    return batch_get(Store, [(store_id, SOLE)], consistent=True)[0]


def get_unit(unit_id: str) -> OrgUnit | None:
    """One org unit as it is now (strongly consistent), to decide on."""
    return batch_get(OrgUnit, [(unit_id, SOLE)], consistent=True)[0]


def id_by_code(code: str) -> str | None:
    """Who holds a store code, read from its claim."""
    claim = batch_get(CodeClaim, [(models.code_claim_id(code), SOLE)], consistent=True)[0]
    return claim.store_id if claim else None


def chain() -> Chain | None:
    """The chain's own settings, None before it is set up."""
    return batch_get(Chain, [(models.CHAIN_ID, SOLE)], consistent=True)[0]


def page_of_all(*, first: int, after: str | None, reverse: bool) -> Page[Store]:
    """All stores that are not archived, by number."""
    keys = block_page(
        lambda block, **page: key_page(StoresItem.by_block, block, StoresItem.place, **page),
        _newest_number,
        first=first,
        after=after,
        reverse=reverse,
    )
    return _with_items(Store, keys)


@dataclass(frozen=True, slots=True)
class Near:
    """A store, and how far it is from a position."""

    store: Store
    metres: int


def nearest(centre: Position, *, within_metres: int, first: int) -> list[Near]:
    """Stores by their distance from a position: a Query for each cell of the map, one BatchGetItem.

    Cells are a quarter of a degree high and wide; a circle of 20 km touches 18 of them at most.
    """
    away = [
        (metres_between(centre, models.position_at(str(key.cell_place))), key.id)
        for cell in cells_within(centre, within_metres)
        for key in StoresItem.by_cell.query(cell)
    ]
    near = sorted((metres, id_) for metres, id_ in away if metres <= within_metres)[:first]
    found = zip(near, get_many([id_ for _, id_ in near]), strict=True)
    return [Near(store, round(metres)) for (metres, _), store in found if store is not None]


def page_under(unit_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Store]:
    """Stores directly under an org unit, by name."""
    return _with_items(Store, _children(unit_id, "1#", first, after, reverse))


def units_under(unit_id: str, *, first: int, after: str | None, reverse: bool) -> Page[OrgUnit]:
    """Org units directly under one, by name."""
    return _with_items(OrgUnit, _children(unit_id, "0#", first, after, reverse))


def inner_tree() -> dict[str, str | None]:
    """Every org unit that is not a store, with its parent: one Query per unit, top down."""
    tree: dict[str, str | None] = {}
    level: list[tuple[str, str | None]] = [(models.HEADQUARTERS_ID, None)]
    while level:
        tree |= dict(level)
        level = [(c.id, unit) for unit, _ in level for c in _all_children(unit, "0#")]
    return tree


def store_ids_under(unit_ids: Sequence[str]) -> frozenset[str]:
    """The ids of all stores directly under any of these units: one Query per unit."""
    return frozenset(c.id for unit in unit_ids for c in _all_children(unit, "1#"))


def lineages(ids: Sequence[str]) -> list[tuple[str, ...]]:
    """The org units above each of these stores and units, nearest first; one batch a level."""
    parents: dict[str, str | None] = {}
    wanted = list(dict.fromkeys(ids))
    while wanted:
        found = batch_get(StoresItem, [(id_, SOLE) for id_ in wanted], only=_PLACE_IN_TREE)
        parents |= {id_: i.parent_id if i else None for id_, i in zip(wanted, found, strict=True)}
        above = {parents[id_] for id_ in wanted} - {None}
        wanted = sorted(str(id_) for id_ in above if id_ not in parents)
    return [tuple(rules.ancestors(id_, parents)) for id_ in ids]


def way_up(unit: OrgUnit) -> list[OrgUnit]:
    """A unit and those above it as they are now, nearest first."""
    way = [unit]
    while way[-1].parent_id is not None and len(way) <= rules.MAX_DEPTH:
        above = get_unit(way[-1].parent_id)
        if above is None:
            break
        way.append(above)
    return way


def has_children(unit_id: str) -> bool:
    """Whether anything that is not archived stands directly under a unit."""
    return bool(list(StoresItem.children.query(unit_id, limit=1)))


def next_store_number() -> int:
    """A store number that nobody else gets."""
    counter = Counter(_COUNTER_ID)
    counter.update(actions=[Counter.last.add(1)])
    return int(counter.last)


def create_store(tx: Transaction, store: Store, *, code_taken: AppError) -> None:
    """Add a new store and its claim on its code; `code_taken` refuses a code in use."""
    _index(store)
    tx.create(store)
    claim = CodeClaim(models.code_claim_id(store.code), store_id=store.id)
    tx.create(claim, lost=code_taken)


def move_code(tx: Transaction, old: str, store: Store, *, code_taken: AppError) -> None:
    """Give up the claim on a store's old code and take its new one."""
    tx.delete(CodeClaim(models.code_claim_id(old)))
    claim = CodeClaim(models.code_claim_id(store.code), store_id=store.id)
    tx.create(claim, lost=code_taken)


def create_unit(tx: Transaction, unit: OrgUnit, *, exists: AppError) -> None:
    """Add a new org unit."""
    _index(unit)
    tx.create(unit, lost=exists)


def save(tx: Transaction, item: Kept, *, stale: AppError | None = None) -> None:
    """Write a store or unit over the version that was read; archived ones leave the lists."""
    _index(item)
    tx.save(item, lost=stale)


def require_live_unit(tx: Transaction, unit_id: str, *, gone: AppError) -> None:
    """Hold the transaction to a parent that exists and is not archived."""
    live = OrgUnit.id.exists() & OrgUnit.archived_at.does_not_exist()
    tx.check(OrgUnit, (unit_id, SOLE), live, lost=gone)


def require_in_place(tx: Transaction, unit: OrgUnit) -> None:
    """Hold the transaction to a unit that works where it was read; stale when it was moved."""
    parent = OrgUnit.parent_id
    stays = parent == unit.parent_id if unit.parent_id else parent.does_not_exist()
    live = OrgUnit.id.exists() & OrgUnit.archived_at.does_not_exist()
    tx.check(OrgUnit, (unit.id, SOLE), live & stays)


def require_live_store(tx: Transaction, store_id: str, *, gone: AppError) -> None:
    """Hold the transaction to a store that exists and is not archived."""
    live = Store.id.exists() & Store.archived_at.does_not_exist()
    tx.check(Store, (store_id, SOLE), live, lost=gone)


def put_all(units: Sequence[OrgUnit], stores: Sequence[Store]) -> None:
    """Write a whole organisation with its claims, unconditionally; for a first import only."""
    claims = [CodeClaim(models.code_claim_id(s.code), store_id=s.id) for s in stores]
    newest = max((int(store.number) for store in stores), default=0)
    for unit in units:
        _index(unit)
        unit.version = 1
    for store in stores:
        _index(store)
        store.version = 1
    batch_write(StoresItem, [*units, *stores, *claims, Counter(_COUNTER_ID, last=newest)])


def create_chain(tx: Transaction, item: Chain) -> None:
    """Set the chain up, once."""
    tx.create(item)


def save_chain(item: Chain) -> bool:
    """Write the chain's settings over the version that was read; False when it has moved on."""
    try:
        item.save()
    except PutError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _index(item: OrgUnit | Store) -> None:
    """Set the keys of the lists; an archived item has none."""
    listed = item.archived_at is None
    item.child_key = models.child_key_of(item) if listed and item.parent_id else None
    if isinstance(item, Store):
        item.block = block_of(int(item.number)) if listed else None
        item.place = place_of(int(item.number)) if listed else None
        at = item.position if listed else None
        item.cell = cell_of(at) if at else None
        item.cell_place = models.cell_place_of(at) if at else None


def _newest_number() -> int:
    counter = batch_get(Counter, [(_COUNTER_ID, SOLE)])[0]
    return int(counter.last) if counter else 0


def _children(
    unit_id: str, kind: str, first: int, after: str | None, reverse: bool
) -> Page[StoresItem]:
    return key_page(
        StoresItem.children,
        unit_id,
        StoresItem.child_key,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=kind,
    )


def _all_children(unit_id: str, kind: str) -> list[StoresItem]:
    return list(StoresItem.children.query(unit_id, StoresItem.child_key.startswith(kind)))


def _with_items(model: type[Kept], keys: Page[StoresItem]) -> Page[Kept]:
    """The items behind a page of index keys, in the same order: one BatchGetItem."""
    return keys.showing(batch_get(model, [key.key for key in keys.items]))
