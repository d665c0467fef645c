"""What headquarters do with items: offer, change, stop, and put more in stock."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from graphql_api.coupons import repository as coupon_templates
from graphql_api.errors import (
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    LimitExceeded,
    NotFound,
    Required,
)
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.shares import evenly
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.mall import repository, rules
from graphql_api.mall.models import MallItem
from graphql_api.mall.rules import STOCK_PARTS, ItemKind, ItemState
from graphql_api.viewer import Viewer

MAX_POINTS = 10**9
MAX_STOCK = 10**7
_FIRST_INSTANT, _LAST_INSTANT = (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 2200))

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Tier = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https://[\x21-\x7e]{4,500}$")]
Instant = Annotated[AwareDatetime, Field(ge=_FIRST_INSTANT, lt=_LAST_INSTANT)]

_CHANGED = frozenset(
    {"name", "description", "image_url", "points", "per_member", "tiers", "starts_at", "ends_at"}
)


class Command(BaseModel):
    """What comes from outside: closed, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Fields(Command):
    description: Text | None = None
    image_url: WebAddress | None = None
    per_member: int | None = Field(default=None, ge=1, le=10_000)
    tiers: list[Tier] = Field(default_factory=list, max_length=20)
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class ItemCreate(_Fields):
    """Something new to be had for points, as a draft; without `stock` there is no end of it."""

    kind: ItemKind
    name: Name
    points: int = Field(ge=1, le=MAX_POINTS)
    template_id: str | None = None
    stock: int | None = Field(default=None, ge=0, le=MAX_STOCK)


class ItemUpdate(_Fields):
    """What changes of an item; what is not set stays, what is null is cleared."""

    id: str
    name: Name | None = None
    points: int | None = Field(default=None, ge=1, le=MAX_POINTS)
    expected_version: int | None = None


class ItemStateSet(Command):
    """Offer an item, or stop."""

    id: str
    state: ItemState
    expected_version: int | None = None


class StockAdd(Command):
    """So many pieces more of an item, or fewer."""

    id: str
    quantity: int = Field(ge=-MAX_STOCK, le=MAX_STOCK)


def create(new: ItemCreate, *, viewer: Viewer, clock: Clock) -> MallItem:
    """A draft. Refuses a coupon without a template, and goods with one."""
    _require_whole_chain(viewer)
    _require_template(new)
    item = MallItem(
        ids.new_id("mit"),
        kind=new.kind,
        template_id=new.template_id,
        stock=new.stock,
        created_at=to_the_millisecond(clock.now()),
    )
    _set(item, new, _CHANGED)
    _require_window(item)

    def attempt(tx: Transaction) -> MallItem:
        parts = None if new.stock is None else evenly(new.stock, STOCK_PARTS)
        repository.create(tx, item, parts)
        return item

    return transact(attempt)


def update(change: ItemUpdate, *, viewer: Viewer) -> MallItem:
    """An item with its changes, which count for who redeems from now on."""
    _require_whole_chain(viewer)

    def attempt(tx: Transaction) -> MallItem:
        item = get(change.id)
        _require_version(item, change.expected_version)
        before = item.serialize()
        _set(item, change, change.model_fields_set & _CHANGED)
        _require_window(item)
        if item.serialize() != before:
            repository.save(tx, item)
        return item

    return transact(attempt)


def set_state(change: ItemStateSet, *, viewer: Viewer) -> MallItem:
    """An item that is offered, or no longer; the same state again changes nothing."""
    _require_whole_chain(viewer)

    def attempt(tx: Transaction) -> MallItem:
        item = get(change.id)
        _require_version(item, change.expected_version)
        if item.state is change.state:
            return item
        if change.state not in rules.ITEM_MOVES[item.state]:
            text = f"An item that is {item.state} does not become {change.state}"
            raise ForbiddenTransition(text, field=("input", "state"))
        item.state = change.state
        repository.save(tx, item)
        return item

    return transact(attempt)


def add_stock(change: StockAdd, *, viewer: Viewer) -> MallItem:
    """An item with more pieces, or fewer. Refuses to take away more than are left."""
    _require_whole_chain(viewer)
    field = ("input", "quantity")

    def attempt(tx: Transaction) -> MallItem:
        item = get(change.id)
        if item.stock is None:
            raise ForbiddenTransition("There is no end of this item", field=field)
        was = repository.stock_of(item.id)
        now = _moved(was, change.quantity)
        if now is None:
            raise LimitExceeded(f"{sum(was)} are left", field=field)
        if change.quantity:
            item.stock = int(item.stock) + change.quantity
            repository.set_stock(tx, item.id, was, now)
            repository.save(tx, item)
        return item

    return transact(attempt)


def get(item_id: str, *, field: tuple[str, ...] = ("input", "id")) -> MallItem:
    """An item as it is now, to decide on; NotFound where there is none."""
    item = repository.get(item_id) if ids.prefix_of(item_id) == "mit" else None
    if item is None:
        raise NotFound("There is no such item", field=field)
    return item


def _moved(was: list[int], quantity: int) -> list[int] | None:
    if quantity < 0:
        return rules.taken_out(was, -quantity)
    return [old + more for old, more in zip(was, evenly(quantity, len(was)), strict=True)]


def _set(item: MallItem, given: _Fields, names: Iterable[str]) -> None:
    for name in names:
        value: Any = getattr(given, name)
        if name in {"name", "points"} and value is None:
            raise Required("This cannot be cleared", field=("input", name))
        setattr(item, name, to_the_millisecond(value) if isinstance(value, datetime) else value)


def _require_template(new: ItemCreate) -> None:
    field = ("input", "template_id")
    if new.kind is ItemKind.GOODS:
        if new.template_id is not None:
            raise Invalid("Goods are no coupon", field=field)
        return
    if new.template_id is None:
        raise Required("Name the template of the coupon", field=field)
    known = ids.prefix_of(new.template_id) == "ctp"
    if not known or coupon_templates.get_template(new.template_id) is None:
        raise NotFound("There is no such coupon template", field=field)


def _require_window(item: MallItem) -> None:
    if item.starts_at and item.ends_at and item.starts_at >= item.ends_at:
        raise Invalid("It ends after it begins", field=("input", "ends_at"))


def _require_version(item: MallItem, expected: int | None) -> None:
    if expected is not None and expected != item.version:
        text = f"It is at version {item.version}, not {expected}"
        raise Conflict(text, field=("input", "expected_version"))


def _require_whole_chain(viewer: Viewer) -> None:
    if viewer.store_ids is not None:
        raise Forbidden("Only headquarters change the mall")
