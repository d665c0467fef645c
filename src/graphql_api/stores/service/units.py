"""What can be done to the units above the stores."""

from collections.abc import Mapping

from pydantic import Field

from graphql_api.errors import ForbiddenTransition, Invalid, Taken
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction
from graphql_api.kit.time import Clock
from graphql_api.stores import repository, rules
from graphql_api.stores.models import OrgUnit
from graphql_api.stores.rules import UnitKind
from graphql_api.stores.service.chain import changed
from graphql_api.stores.service.commands import (
    Command,
    Name,
    live_parent,
    require_version,
    require_whole_chain,
    unit_now,
)
from graphql_api.viewer import Viewer


class UnitCreate(Command):
    """A new region or agent under an existing unit."""

    kind: UnitKind
    name: Name
    parent_id: str
    partner_level: int | None = Field(default=None, ge=1, le=20)
    partner_growth: int | None = Field(default=None, ge=0)


class UnitUpdate(Command):
    """What changes of a unit; what is not set stays."""

    id: str
    name: Name | None = None
    parent_id: str | None = None
    partner_level: int | None = Field(default=None, ge=1, le=20)
    partner_growth: int | None = Field(default=None, ge=0)
    expected_version: int | None = None


def create_unit(new: UnitCreate, *, viewer: Viewer, clock: Clock) -> OrgUnit:
    """A new region or agent. Refuses an unknown parent and a kind that may not stand there."""
    require_whole_chain(viewer)

    def attempt(tx: Transaction) -> OrgUnit:
        parent = live_parent(tx, new.parent_id)
        _require_place(new.kind, 1, parent, repository.inner_tree())
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

    return changed(attempt)


def update_unit(change: UnitUpdate, *, viewer: Viewer) -> OrgUnit:
    """A unit with its changes, moved with all that stands under it where the parent changes.

    Conflict when `expected_version` has passed; refuses a parent under which it may not stand.
    """
    require_whole_chain(viewer)

    def attempt(tx: Transaction) -> OrgUnit:
        unit = unit_now(change.id)
        require_version(unit, change.expected_version)
        given = change.model_dump(include=change.model_fields_set - {"id", "expected_version"})
        for name in ("name", "parent_id"):
            if given.get(name, getattr(unit, name)) is None and name in given:
                raise Invalid("A unit has a name and a parent", field=("input", name))
        if given.get("parent_id", unit.parent_id) != unit.parent_id:
            _move(tx, unit, given["parent_id"])
        for name, value in given.items():
            setattr(unit, name, value)
        repository.save(tx, unit)
        return unit

    return changed(attempt)


def _move(tx: Transaction, unit: OrgUnit, parent_id: str) -> None:
    """Hold the transaction to a place in the tree where a unit may stand with all below it.

    The way up from the new parent is read as it is now and may not change meanwhile: two moves at
    once cannot put each unit under the other.
    """
    field = ("input", "parent_id")
    if unit.kind is UnitKind.HQ:
        raise ForbiddenTransition("Headquarters stay", field=field)
    way = repository.way_up(unit_now(parent_id, field=field))
    if any(one.archived_at for one in way):
        raise ForbiddenTransition("This org unit is archived", field=field)
    if any(one.id == unit.id for one in way):
        raise ForbiddenTransition("A unit does not stand under itself", field=field)
    tree = repository.inner_tree()
    _require_place(unit.kind, rules.height(unit.id, tree), way[0], tree)
    for one in way:
        repository.require_in_place(tx, one)


def _require_place(
    kind: UnitKind, height: int, parent: OrgUnit, tree: Mapping[str, str | None]
) -> None:
    if not rules.may_stand_under(kind, parent.kind):
        text = f"{kind} may not stand under {parent.kind}"
        raise Invalid(text, field=("input", "kind"))
    if len(rules.ancestors(parent.id, tree)) + 1 + height > rules.MAX_DEPTH:
        text = f"The tree is at most {rules.MAX_DEPTH} units deep"
        raise Invalid(text, field=("input", "parent_id"))


def archive_unit(unit_id: str, *, viewer: Viewer, clock: Clock) -> OrgUnit:
    """Close a region or agent that has nothing left under it; again changes nothing."""
    require_whole_chain(viewer)

    def attempt(tx: Transaction) -> OrgUnit:
        unit = unit_now(unit_id, field=("id",))
        if unit.kind is UnitKind.HQ:
            raise ForbiddenTransition("Headquarters stay", field=("id",))
        if unit.archived_at is None:
            if repository.has_children(unit_id):
                text = "Move or archive what stands under this unit first"
                raise ForbiddenTransition(text, field=("id",))
            unit.archived_at = clock.now()
            repository.save(tx, unit)
        return unit

    return changed(attempt)


def restore_unit(unit_id: str, *, viewer: Viewer) -> OrgUnit:
    """Bring a closed region or agent back under its parent; again changes nothing."""
    require_whole_chain(viewer)

    def attempt(tx: Transaction) -> OrgUnit:
        unit = unit_now(unit_id, field=("id",))
        if unit.archived_at is not None:
            live_parent(tx, str(unit.parent_id), field=("id",))
            unit.archived_at = None
            repository.save(tx, unit)
        return unit

    return changed(attempt)
