"""What can be done to stores."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from graphql_api.errors import AppError, Forbidden, NotFound, Taken
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction
from graphql_api.kit.time import Clock
from graphql_api.stores import repository, rules
from graphql_api.stores.models import Store
from graphql_api.stores.rules import Opening, OperatingStage, StoreFormat, StoreGrade
from graphql_api.stores.service.chain import changed
from graphql_api.stores.service.commands import (
    Command,
    Name,
    live_parent,
    require_version,
    require_whole_chain,
)
from graphql_api.viewer import Role, Viewer

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

_FIELDS_OF_A_STORE_MANAGER = {"phone", "hours", "pickup", "expected_version", "id"}


class Hours(Command):
    """One interval of one weekday."""

    weekday: int = Field(ge=1, le=7)
    opens: str
    closes: str

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if not self.opens < self.closes:
            raise ValueError("a store opens before it closes; split an interval at midnight")
        return self


class Position(Command):
    """Degrees north and east."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)


class _StoreFields(Command):
    format: StoreFormat | None = None
    city: Name | None = None
    address: Text | None = None
    phone: str | None = None
    position: Position | None = None
    hours: list[Hours] | None = Field(default=None, max_length=28)
    pickup: bool | None = None
    opened_on: date | None = None
    grade: StoreGrade | None = None
    stage: OperatingStage | None = None

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


def create_store(new: StoreCreate, *, viewer: Viewer, clock: Clock) -> Store:
    """A new store with a number of its own. Refuses a code in use and an unknown parent."""
    require_whole_chain(viewer)
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
        live_parent(tx, new.parent_id)
        repository.create_store(tx, store, code_taken=_code_taken())
        return store

    return changed(attempt)


def update_store(change: StoreUpdate, *, viewer: Viewer) -> Store:
    """A store with its changes; a manager may change phone, hours and pick-up of their own."""
    _require_reach(viewer, change.id, field=("input", "id"))
    if viewer.role is Role.STORE_MANAGER:
        beyond = sorted(change.model_fields_set - _FIELDS_OF_A_STORE_MANAGER)
        if beyond:
            raise Forbidden("Headquarters decide this field", field=("input", beyond[0]))

    def attempt(tx: Transaction) -> Store:
        store = _store(change.id)
        require_version(store, change.expected_version)
        old_code = store.code
        if change.parent_id is not None and change.parent_id != store.parent_id:
            store.parent_id = live_parent(tx, change.parent_id).id
        _set_fields(store, change)
        if change.code is not None and change.code != old_code:
            store.code = change.code
            repository.move_code(tx, old_code, store, code_taken=_code_taken())
        if change.name is not None:
            store.name = change.name
        repository.save(tx, store)
        return store

    return changed(attempt)


def archive_store(store_id: str, *, viewer: Viewer, clock: Clock) -> Store:
    """Take a store out of every list; its orders and members keep it. Again changes nothing."""
    return _mark_store(store_id, viewer, archived=True, clock=clock)


def restore_store(store_id: str, *, viewer: Viewer, clock: Clock) -> Store:
    """Bring an archived store back; again changes nothing."""
    return _mark_store(store_id, viewer, archived=False, clock=clock)


def _mark_store(store_id: str, viewer: Viewer, *, archived: bool, clock: Clock) -> Store:
    require_whole_chain(viewer)

    def attempt(tx: Transaction) -> Store:
        store = _store(store_id, field=("id",))
        if (store.archived_at is not None) == archived:
            return store
        if not archived:
            live_parent(tx, str(store.parent_id))
        store.archived_at = clock.now() if archived else None
        repository.save(tx, store)
        return store

    return changed(attempt)


def _set_fields(store: Store, given: _StoreFields) -> None:
    simple = {"format", "city", "address", "phone", "pickup", "opened_on", "grade", "stage"}
    for name, value in given.model_dump(include=given.model_fields_set & simple).items():
        if value is not None or name not in {"format", "pickup", "stage"}:
            setattr(store, name, value)
    if "position" in given.model_fields_set:
        store.latitude = given.position.latitude if given.position else None
        store.longitude = given.position.longitude if given.position else None
    if "hours" in given.model_fields_set:
        rows = [[h.weekday, h.opens, h.closes] for h in given.hours or ()]
        store.hours_document = sorted(rows)


def _code_taken() -> AppError:
    return Taken("This store code is in use", field=("input", "code"))


def _require_reach(viewer: Viewer, store_id: str, *, field: tuple[str, ...]) -> None:
    if not viewer.reaches_store(store_id):
        raise NotFound("There is no such store", field=field)


def _store(store_id: str, *, field: tuple[str, ...] = ("input", "id")) -> Store:
    store = repository.get(store_id) if ids.prefix_of(store_id) == "sto" else None
    if store is None:
        raise NotFound("There is no such store", field=field)
    return store
