"""Staff accounts: store managers and operators, made and unmade by headquarters."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from graphql_api.access import repository, rules
from graphql_api.access.models import StaffAccount
from graphql_api.access.rules import Scopes
from graphql_api.access.service import sessions
from graphql_api.errors import (
    AppError,
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Taken,
)
from graphql_api.guides.service import WecomUserId
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.stores import repository as stores
from graphql_api.stores.models import HEADQUARTERS_ID
from graphql_api.viewer import MANAGE_STAFF, Role, Viewer

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
StaffRole = Literal[Role.STORE_MANAGER, Role.OPERATOR]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StaffAccountCreate(_Command):
    """A new account: a store manager of a store, or an operator of an org unit."""

    name: Name
    wecom_user_id: WecomUserId
    role: StaffRole
    unit_id: str
    scopes: Scopes = Field(default_factory=frozenset)


class StaffAccountUpdate(_Command):
    """What changes of an account; what is not set stays."""

    id: str
    name: Name | None = None
    wecom_user_id: WecomUserId | None = None
    role: StaffRole | None = None
    unit_id: str | None = None
    scopes: Scopes | None = None
    expected_version: int | None = None


def create(new: StaffAccountCreate, *, viewer: Viewer, clock: Clock) -> StaffAccount:
    """A new account. Refuses a WeCom user id in use, and a store or unit that does not work."""
    _require_headquarters(viewer)
    account = StaffAccount(
        ids.new_id("stf"),
        number=repository.next_account_number(),
        name=new.name,
        wecom_user_id=new.wecom_user_id,
        role=new.role,
        unit_id=new.unit_id,
        scopes=sorted(new.scopes),
        created_at=clock.now(),
    )

    def attempt(tx: Transaction) -> StaffAccount:
        _require_live_unit(tx, account)
        repository.create_account(tx, account, wecom_taken=_wecom_taken())
        return account

    return transact(attempt)


def update(change: StaffAccountUpdate, *, viewer: Viewer) -> StaffAccount:
    """An account with its changes, which hold from the holder's next request on."""
    _require_headquarters(viewer)

    def attempt(tx: Transaction) -> StaffAccount:
        account = _account(change.id, ("input", "id"))
        if change.expected_version not in {None, account.version}:
            text = f"It is at version {account.version}, not {change.expected_version}"
            raise Conflict(text, field=("input", "expected_version"))
        old_wecom_user_id = account.wecom_user_id
        moved = _set_fields(account, change) & {"role", "unit_id"}
        if moved:
            _require_live_unit(tx, account)
        repository.move_claim(tx, old_wecom_user_id, account, wecom_taken=_wecom_taken())
        repository.save_account(tx, account)
        return account

    return transact(attempt)


def disable(account_id: str, *, viewer: Viewer, clock: Clock, at: datetime) -> StaffAccount:
    """An account that lets nobody in: its tokens stop working at once. Again changes nothing.

    Nobody disables themselves, so that somebody is left to undo it.
    """
    _require_headquarters(viewer)
    if account_id == viewer.id:
        raise ForbiddenTransition("Nobody disables themselves", field=("id",))

    def attempt(tx: Transaction) -> StaffAccount:
        account = _account(account_id, ("id",))
        if account.disabled_at is None:
            account.disabled_at = clock.now()
            repository.save_account(tx, account)
            sessions.end_all(tx, account.id, at)
        return account

    return transact(attempt)


def enable(account_id: str, *, viewer: Viewer) -> StaffAccount:
    """A disabled account that lets its holder in again; again changes nothing."""
    _require_headquarters(viewer)

    def attempt(tx: Transaction) -> StaffAccount:
        account = _account(account_id, ("id",))
        if account.disabled_at is not None:
            _require_live_unit(tx, account, ("id",))
            account.disabled_at = None
            repository.save_account(tx, account)
        return account

    return transact(attempt)


def _set_fields(account: StaffAccount, change: StaffAccountUpdate) -> set[str]:
    """Take the changes over; the names of what was given."""
    names = change.model_fields_set - {"id", "expected_version"}
    for name in names:
        value = getattr(change, name)
        if value is None:
            raise Invalid("This cannot be null", field=("input", name))
        setattr(account, name, sorted(value) if name == "scopes" else value)
    return set(names)


def _account(account_id: str, field: tuple[str, ...]) -> StaffAccount:
    account = repository.get_account(account_id)
    if account is None:
        raise NotFound("There is no such staff account", field=field)
    return account


def _require_headquarters(viewer: Viewer) -> None:
    if not rules.manages(viewer, MANAGE_STAFF):
        raise Forbidden("Headquarters manage staff accounts")


def _require_live_unit(
    tx: Transaction, account: StaffAccount, field: tuple[str, ...] = ("input", "unit_id")
) -> None:
    """Hold the transaction to a store that works, or for an operator to such an org unit.

    Headquarters never close, and their first operator comes before the chain is set up.
    """
    if account.unit_id == HEADQUARTERS_ID and account.role is Role.OPERATOR:
        return
    is_manager = account.role is Role.STORE_MANAGER
    find = stores.get if is_manager else stores.get_unit
    unit = find(account.unit_id)
    if unit is None:
        raise NotFound(f"There is no such {'store' if is_manager else 'org unit'}", field=field)
    archived = ForbiddenTransition("It is archived", field=field)
    if unit.archived_at is not None:
        raise archived
    require = stores.require_live_store if is_manager else stores.require_live_unit
    require(tx, account.unit_id, gone=archived)


def _wecom_taken() -> AppError:
    text = "This WeCom user id has a staff account, perhaps a disabled one"
    return Taken(text, field=("input", "wecom_user_id"))
