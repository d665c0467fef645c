"""What commands on the organisation and its stores share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from graphql_api.errors import Conflict, Forbidden, ForbiddenTransition, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction
from graphql_api.stores import repository
from graphql_api.stores.models import OrgUnit, Store
from graphql_api.viewer import Viewer

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]


class Command(BaseModel):
    """What comes from outside: closed, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def require_whole_chain(viewer: Viewer) -> None:
    """Forbidden to who reaches a part of the chain only."""
    if viewer.store_ids is not None:
        raise Forbidden("Only headquarters change the organisation")


def require_version(item: OrgUnit | Store, expected: int | None) -> None:
    """Conflict when somebody changed the item since."""
    if expected is not None and expected != item.version:
        text = f"It is at version {item.version}, not {expected}"
        raise Conflict(text, field=("input", "expected_version"))


def unit_now(unit_id: str, *, field: tuple[str, ...] = ("input", "id")) -> OrgUnit:
    """An org unit as it is now, to decide on; NotFound where there is none."""
    unit = repository.get_unit(unit_id) if ids.prefix_of(unit_id) == "org" else None
    if unit is None:
        raise NotFound("There is no such org unit", field=field)
    return unit


def live_parent(
    tx: Transaction, unit_id: str, *, field: tuple[str, ...] = ("input", "parent_id")
) -> OrgUnit:
    """A unit that works, which the transaction is held to."""
    unit = unit_now(unit_id, field=field)
    gone = ForbiddenTransition("This org unit is archived", field=field)
    if unit.archived_at is not None:
        raise gone
    repository.require_live_unit(tx, unit.id, gone=gone)
    return unit
