"""Shops at the vendors: linked, changed, unlinked; and found quickly by who receives."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from graphql_api.connectors import models, queueing, repository, rules
from graphql_api.connectors.known import known_shops
from graphql_api.connectors.models import Shop
from graphql_api.connectors.queueing import Wake
from graphql_api.connectors.rules import CopyKind, MessageState, Problem, Vendor
from graphql_api.errors import Conflict, Forbidden, NotFound, Taken
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.dynamo.partitions import forget_under
from graphql_api.stores import repository as stores
from graphql_api.viewer import MANAGE_VENDORS, Viewer

_FORGOTTEN_AT_ONCE = 100
KEY = r"^[\x21-\x7e]{1,64}$"


class ShopLink(BaseModel):
    """A shop to follow: the vendor's id of the chain's root, and the app that it trusts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vendor: Vendor
    vendor_key: str = Field(pattern=KEY)
    client_id: str = Field(pattern=KEY)
    name: str = Field(min_length=1, max_length=100)
    default_store_id: str | None = None
    tells: list[CopyKind] = Field(default_factory=list, max_length=len(CopyKind))


class ShopChange(BaseModel):
    """What changes of a shop; what is not given stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    client_id: str | None = Field(default=None, pattern=KEY)
    name: str | None = Field(default=None, min_length=1, max_length=100)
    default_store_id: str | None = None
    tells: list[CopyKind] | None = Field(default=None, max_length=len(CopyKind))
    paused: bool | None = None
    expected_version: int | None = None


def link(given: ShopLink, *, viewer: Viewer, at: datetime) -> Shop:
    """A shop that is followed from now on; the same again is the one that is there.

    Refuses a shop that is linked with another app, and a default store that is not there.
    """
    require_manager(viewer)
    shop = Shop(
        models.shop_id(given.vendor, given.vendor_key),
        vendor=given.vendor,
        vendor_key=given.vendor_key,
        client_id=given.client_id,
        name=given.name,
        default_store_id=given.default_store_id,
        told_kinds=_sorted(given.tells),
        created_at=at,
        created_by=viewer.id,
    )

    def attempt(tx: Transaction) -> Shop:
        known = repository.get_shop(shop.id)
        if known is not None and known.client_id == shop.client_id:
            return known
        if known is not None:
            raise Taken("This shop is linked with another app", field=("input", "vendor_key"))
        _require_store(given.default_store_id)
        repository.create_shop(tx, shop)
        return shop

    made = transact(attempt)
    known_shops.forget()
    return made


def change(given: ShopChange, *, viewer: Viewer, at: datetime) -> Shop:
    """A shop with its changes. One that goes on after a pause has what waited followed.

    One that gets a default store has that followed which lacked a store. Conflict when
    `expected_version` has passed.
    """
    require_manager(viewer)
    told = given.model_dump(exclude_unset=True, exclude={"id", "expected_version", "tells"})

    def attempt(tx: Transaction) -> tuple[Shop, bool]:
        shop = shop_of(given.id, ("input", "id"))
        _require_version(shop, given.expected_version)
        was_paused = shop.paused
        before = dict(shop.attribute_values)
        if "default_store_id" in told:
            _require_store(given.default_store_id)
        for name, value in told.items():
            if value is not None or name == "default_store_id":
                setattr(shop, name, value)
        if given.tells is not None:
            shop.told_kinds = _sorted(given.tells)
        if dict(shop.attribute_values) != before:
            repository.save_shop(tx, shop)
        return shop, bool(was_paused) and not shop.paused

    shop, goes_on = transact(attempt)
    known_shops.forget()
    if goes_on:
        queueing.wake(Wake(wake=shop.id, state=MessageState.WAITING, until=at))
    if given.default_store_id is not None:
        dead = MessageState.DEAD
        queueing.wake(Wake(wake=shop.id, state=dead, until=at, problem=Problem.NOT_LINKED))
    return shop


def unlink(shop_id: str, *, viewer: Viewer) -> Shop:
    """A shop that is no longer followed. Its links and its token go; messages stay their time."""
    require_manager(viewer)
    shop = shop_of(shop_id, ("id",))
    for prefix in ("link#", "back#", models.TOKEN):
        while forget_under(models.ConnectorsItem, shop.id, prefix, first=_FORGOTTEN_AT_ONCE):
            pass

    def attempt(tx: Transaction) -> None:
        repository.delete_shop(tx, shop)

    transact(attempt)
    known_shops.forget()
    return shop


def shop_of(shop_id: str, field: tuple[str, ...]) -> Shop:
    """A shop as it is now; NotFound where there is none."""
    if not Shop.owns((shop_id,)) or (shop := repository.get_shop(shop_id)) is None:
        raise NotFound("There is no such shop", field=field)
    return shop


def require_manager(viewer: Viewer) -> None:
    """Only who manages vendors sees and changes what is between us and them."""
    if not rules.manages(viewer):
        raise Forbidden(f"Headquarters with {MANAGE_VENDORS} see to vendors")


def _sorted(kinds: Sequence[CopyKind]) -> list[str]:
    return sorted({kind.value for kind in kinds})


def _require_store(store_id: str | None) -> None:
    if store_id is not None and stores.get(store_id) is None:
        raise NotFound("There is no such store", field=("input", "default_store_id"))


def _require_version(shop: Shop, expected: int | None) -> None:
    if expected is not None and expected != shop.version:
        text = f"It is at version {shop.version}, not {expected}"
        raise Conflict(text, field=("input", "expected_version"))
