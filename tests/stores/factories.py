"""Stores and org units to test with."""

from datetime import UTC, datetime
from typing import Any

from graphql_api.kit.time import Clock
from graphql_api.stores import service
from graphql_api.stores.models import HEADQUARTERS_ID, OrgUnit, Store
from graphql_api.stores.rules import UnitKind
from graphql_api.viewer import SYSTEM

CREATED = datetime(2018, 1, 9, 2, 0, tzinfo=UTC)
_CLOCK = Clock(wall=lambda: CREATED)


def make_unit(
    name: str = "华东", *, under: str = HEADQUARTERS_ID, kind: UnitKind = UnitKind.REGION
) -> OrgUnit:
    """A stored region; the chain is set up already."""
    new = service.UnitCreate(kind=kind, name=name, parent_id=under)
    return service.create_unit(new, viewer=SYSTEM, clock=_CLOCK)


def make_store(code: str = "S1", *, under: str = HEADQUARTERS_ID, **more: Any) -> Store:
    """A stored store; the chain is set up already."""
    new = service.StoreCreate(**{"code": code, "name": f"{code} 店", "parent_id": under, **more})
    return service.create_store(new, viewer=SYSTEM, clock=_CLOCK)
