"""The chain itself, its clock, and how far a principal reaches in its tree."""

import time
from collections.abc import Callable
from typing import Annotated, TypeVar
from zoneinfo import available_timezones

from pydantic import AfterValidator

from graphql_api.errors import ForbiddenTransition, Taken
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import DEFAULT_ZONE, Clock
from graphql_api.stores import models, repository, rules
from graphql_api.stores.models import Chain, OrgUnit, Store
from graphql_api.stores.rules import UnitKind
from graphql_api.stores.service.commands import Command, Name, require_whole_chain, unit_now
from graphql_api.viewer import Role, Viewer

Kept = TypeVar("Kept", OrgUnit, Store)

REACH_SECONDS = 60.0

_reaches: dict[str, tuple[float, frozenset[str]]] = {}


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError("this is no time zone of the IANA list, such as Asia/Shanghai")
    return zone


class ChainSetUp(Command):
    """What a new chain is called, and the zone in which its business days begin."""

    name: Name
    zone: Annotated[str, AfterValidator(_known_zone)] = DEFAULT_ZONE


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
    require_whole_chain(viewer)
    chain = set_up_chain(new.name, zone=new.zone, offset_days=0, clock=clock)
    if (chain.name, chain.zone) != (new.name, new.zone):
        raise ForbiddenTransition("The chain is set up already", field=("input", "name"))
    return unit_now(models.HEADQUARTERS_ID)


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


def changed(attempt: Callable[[Transaction], Kept]) -> Kept:
    """Write a change of the tree, which this process sees at once."""
    kept = transact(attempt)
    forget_reaches()
    return kept
