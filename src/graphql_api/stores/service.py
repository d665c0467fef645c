"""What can be done to the chain, its organisation tree and its stores."""

import time
from collections.abc import Callable
from datetime import date
from typing import Annotated, Self, TypeVar
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from graphql_api.errors import (
    AppError,
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Taken,
)
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import DEFAULT_ZONE, Clock
from graphql_api.stores import models, repository, rules
from graphql_api.stores.models import Chain, OrgUnit, Store
from graphql_api.stores.rules import Opening, StoreFormat, UnitKind
from graphql_api.viewer import Role, Viewer

Kept = TypeVar("Kept", OrgUnit, Store)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

REACH_SECONDS = 60.0

_reaches: dict[str, tuple[float, frozenset[str]]] = {}
_FIELDS_OF_A_STORE_MANAGER = {"phone", "hours", "pickup", "expected_version", "id"}


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hours(_Command):
    """One interval of one weekday."""

    weekday: int = Field(ge=1, le=7)
    opens: str
    closes: str

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if not self.opens < self.closes:
            raise ValueError("a store opens before it closes; split an interval at midnight")
        return self


class Position(_Command):
    """Degrees north and east."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError("this is no time zone of the IANA list, such as Asia/Shanghai")
    return zone


class ChainSetUp(_Command):
    """What a new chain is called, and the zone in which its business days begin."""

    name: Name
    zone: Annotated[str, AfterValidator(_known_zone)] = DEFAULT_ZONE


class UnitCreate(_Command):
    """A new region or agent under an existing unit."""

    kind: UnitKind
    name: Name
    parent_id: str
    partner_level: int | None = Field(default=None, ge=1, le=20)
    partner_growth: int | None = Field(default=None, ge=0)


class UnitUpdate(_Command):
    """What changes of a unit; what is not set stays."""

    id: str
    name: Name | None = None
    partner_level: int | None = Field(default=None, ge=1, le=20)
    partner_growth: int | None = Field(default=None, ge=0)
    expected_version: int | None = None


class _StoreFields(_Command):
    format: StoreFormat | None = None
    city: Name | None = None
    address: Text | None = None
    phone: str | None = None
    position: Position | None = None
    hours: list[Hours] | None = Field(default=None, max_length=28)
    pickup: bool | None = None
    opened_on: date | None = None

    @model_validator(mode="after")
    def _hours_are_apart(self) -> Self:
        rows = [Opening(h.weekday, h.opens, h.closes) for h in self.hours or ()]
        if clash := rules.overlapping(rows):
            raise ValueError(f"two openings of weekday {clash.weekday} overlap at {clash.opens}")
        return self


class StoreCreate(_StoreFields):
    """A new store under an org unit."""

    code: Code
    name: Name
    parent_id: str


class StoreUpdate(_StoreFields):
    """What changes of a store; what is not set stays, what is null is cleared."""

    id: str
    code: Code | None = None
    name: Name | None = None
    parent_id: str | None = None
    expected_version: int | None = None


def set_up_chain(name: str, *, zone: str, offset_days: int, clock: Clock) -> Chain:
    """The chain and its headquarters; a second call changes nothing and gives what is there."""
    if existing := repository.chain():
        return existing
    chain = Chain(models.CHAIN_ID, name=name, zone=zone, clock_offset_days=offset_days)
    root = OrgUnit(models.HEADQUARTERS_ID, kind=UnitKind.HQ, name=name, created_at=clock.now())

    def attempt(tx: Transaction) -> Chain:
        repository.create_chain(tx, chain)
        repository.create_unit(tx, root, exists=Taken("The chain is set up already"))
        return chain

    return transact(attempt)


def begin(new: ChainSetUp, *, viewer: Viewer, clock: Clock) -> OrgUnit:
    """The headquarters of a chain that begins; the same again changes nothing.

    Refuses another name or zone once the chain stands: its days have begun.
    """
    _require_whole_chain(viewer)
    chain = set_up_chain(new.name, zone=new.zone, offset_days=0, clock=clock)
    if (chain.name, chain.zone) != (new.name, new.zone):
        raise ForbiddenTransition("The chain is set up already", field=("input", "name"))
    return _unit(models.HEADQUARTERS_ID)


def clock() -> Clock:
    """The chain's clock; before the chain is set up, the default zone without an offset."""
    if chain := repository.chain():
        return Clock(zone=chain.zone, offset_days=int(chain.clock_offset_days))
    return Clock()


def reach(role: Role, unit_id: str | None) -> frozenset[str] | None:
    """The stores that a principal of a unit reaches: its own, those under it; None for all.

    What stands under a unit is read again after a minute, and after a change by this process.
    """
    if role in {Role.GUIDE, Role.STORE_MANAGER}:
        return frozenset({unit_id or ""})
    if role is not Role.OPERATOR or unit_id is None or unit_id == models.HEADQUARTERS_ID:
        return None
    good_until, below = _reaches.get(unit_id, (0.0, frozenset()))
    if time.monotonic() >= good_until:
        good_until = time.monotonic() + REACH_SECONDS
        below = repository.store_ids_under(rules.subtree(unit_id, repository.inner_tree()))
        _reaches[unit_id] = (good_until, below)
    return below


def forget_reaches() -> None:
    """Read what stands under a unit again when it is next asked for."""
    _reaches.clear()


def create_unit(new: UnitCreate, *, viewer: Viewer, clock: Clock) -> OrgUnit:
    """A new region or agent. Refuses an unknown parent and a kind that may not stand there."""
    _require_whole_chain(viewer)

    def attempt(tx: Transaction) -> OrgUnit:
        parent = _live_parent(tx, new.parent_id)
        if not rules.may_stand_under(new.kind, parent.kind):
            text = f"{new.kind} may not stand under {parent.kind}"
            raise Invalid(text, field=("input", "kind"))
        if len(rules.ancestors(parent.id, repository.inner_tree())) + 1 >= rules.MAX_DEPTH:
            text = f"The tree is at most {rules.MAX_DEPTH} units deep"
            raise Invalid(text, field=("input", "parent_id"))
        unit = OrgUnit(
            ids.new_id("org"),
            kind=new.kind,
            name=new.name,
            parent_id=parent.id,
            partner_level=new.partner_level,
            partner_growth=new.partner_growth,
            created_at=clock.now(),
        )
        repository.create_unit(tx, unit, exists=Taken("The id is taken"))
        return unit

    return transact(attempt)


def update_unit(change: UnitUpdate, *, viewer: Viewer) -> OrgUnit:
    """A unit with its changes; Conflict when `expected_version` has passed."""
    _require_whole_chain(viewer)

    def attempt(tx: Transaction) -> OrgUnit:
        unit = _unit(change.id)
        _require_version(unit, change.expected_version)
        given = change.model_dump(include=change.model_fields_set - {"id", "expected_version"})
        if given.get("name", unit.name) is None:
            raise Invalid("A unit has a name", field=("input", "name"))
        for name, value in given.items():
            setattr(unit, name, value)
        repository.save(tx, unit)
        return unit

    return transact(attempt)


def archive_unit(unit_id: str, *, viewer: Viewer, clock: Clock) -> OrgUnit:
    """Close a region or agent that has nothing left under it; again changes nothing."""
    _require_whole_chain(viewer)

    def attempt(tx: Transaction) -> OrgUnit:
        unit = _unit(unit_id, field=("id",))
        if unit.kind is UnitKind.HQ:
            raise ForbiddenTransition("Headquarters stay", field=("id",))
        if unit.archived_at is None:
            if repository.has_children(unit_id):
                text = "Move or archive what stands under this unit first"
                raise ForbiddenTransition(text, field=("id",))
            unit.archived_at = clock.now()
            repository.save(tx, unit)
        return unit

    return transact(attempt)


def create_store(new: StoreCreate, *, viewer: Viewer, clock: Clock) -> Store:
    """A new store with a number of its own. Refuses a code in use and an unknown parent."""
    _require_whole_chain(viewer)
    if repository.id_by_code(new.code):
        raise _code_taken()
    store = Store(
        ids.new_id("sto"),
        number=repository.next_store_number(),
        code=new.code,
        name=new.name,
        parent_id=new.parent_id,
        format=new.format or StoreFormat.STREET,
        created_at=clock.now(),
    )
    _set_fields(store, new)

    def attempt(tx: Transaction) -> Store:
        _live_parent(tx, new.parent_id)
        repository.create_store(tx, store, code_taken=_code_taken())
        return store

    return _changed(attempt)


def update_store(change: StoreUpdate, *, viewer: Viewer) -> Store:
    """A store with its changes; a manager may change phone, hours and pick-up of their own."""
    _require_reach(viewer, change.id, field=("input", "id"))
    if viewer.role is Role.STORE_MANAGER:
        beyond = sorted(change.model_fields_set - _FIELDS_OF_A_STORE_MANAGER)
        if beyond:
            raise Forbidden("Headquarters decide this field", field=("input", beyond[0]))

    def attempt(tx: Transaction) -> Store:
        store = _store(change.id)
        _require_version(store, change.expected_version)
        old_code = store.code
        if change.parent_id is not None and change.parent_id != store.parent_id:
            store.parent_id = _live_parent(tx, change.parent_id).id
        _set_fields(store, change)
        if change.code is not None and change.code != old_code:
            store.code = change.code
            repository.move_code(tx, old_code, store, code_taken=_code_taken())
        if change.name is not None:
            store.name = change.name
        repository.save(tx, store)
        return store

    return _changed(attempt)


def archive_store(store_id: str, *, viewer: Viewer, clock: Clock) -> Store:
    """Take a store out of every list; its orders and members keep it. Again changes nothing."""
    return _mark_store(store_id, viewer, archived=True, clock=clock)


def restore_store(store_id: str, *, viewer: Viewer, clock: Clock) -> Store:
    """Bring an archived store back; again changes nothing."""
    return _mark_store(store_id, viewer, archived=False, clock=clock)


def _mark_store(store_id: str, viewer: Viewer, *, archived: bool, clock: Clock) -> Store:
    _require_whole_chain(viewer)

    def attempt(tx: Transaction) -> Store:
        store = _store(store_id, field=("id",))
        if (store.archived_at is not None) == archived:
            return store
        if not archived:
            _live_parent(tx, str(store.parent_id))
        store.archived_at = clock.now() if archived else None
        repository.save(tx, store)
        return store

    return _changed(attempt)


def _changed(attempt: Callable[[Transaction], Kept]) -> Kept:
    """Write a change of the tree, which this process sees at once."""
    kept = transact(attempt)
    forget_reaches()
    return kept


def _set_fields(store: Store, given: _StoreFields) -> None:
    simple = {"format", "city", "address", "phone", "pickup", "opened_on"}
    for name, value in given.model_dump(include=given.model_fields_set & simple).items():
        if value is not None or name not in {"format", "pickup"}:
            setattr(store, name, value)
    if "position" in given.model_fields_set:
        store.latitude = given.position.latitude if given.position else None
        store.longitude = given.position.longitude if given.position else None
    if "hours" in given.model_fields_set:
        rows = [[h.weekday, h.opens, h.closes] for h in given.hours or ()]
        store.hours_document = sorted(rows)


def _code_taken() -> AppError:
    return Taken("This store code is in use", field=("input", "code"))


def _require_whole_chain(viewer: Viewer) -> None:
    if viewer.store_ids is not None:
        raise Forbidden("Only headquarters change the organisation")


def _require_reach(viewer: Viewer, store_id: str, *, field: tuple[str, ...]) -> None:
    if not viewer.reaches_store(store_id):
        raise NotFound("There is no such store", field=field)


def _require_version(item: OrgUnit | Store, expected: int | None) -> None:
    if expected is not None and expected != item.version:
        text = f"It is at version {item.version}, not {expected}"
        raise Conflict(text, field=("input", "expected_version"))


def _unit(unit_id: str, *, field: tuple[str, ...] = ("input", "id")) -> OrgUnit:
    unit = repository.get_unit(unit_id) if ids.prefix_of(unit_id) == "org" else None
    if unit is None:
        raise NotFound("There is no such org unit", field=field)
    return unit


def _store(store_id: str, *, field: tuple[str, ...] = ("input", "id")) -> Store:
    store = repository.get(store_id) if ids.prefix_of(store_id) == "sto" else None
    if store is None:
        raise NotFound("There is no such store", field=field)
    return store


def _live_parent(tx: Transaction, unit_id: str) -> OrgUnit:
    field = ("input", "parent_id")
    unit = _unit(unit_id, field=field)
    gone = ForbiddenTransition("This org unit is archived", field=field)
    if unit.archived_at is not None:
        raise gone
    repository.require_live_unit(tx, unit.id, gone=gone)
    return unit
