"""Whose points are right: one master 积分主账 for a chain."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from graphql_api.connectors import queueing, repository
from graphql_api.connectors.models import SETUP, Setup
from graphql_api.connectors.queueing import Compare
from graphql_api.connectors.rules import CopyKind, PointsMaster
from graphql_api.connectors.service.shops import require_manager
from graphql_api.errors import Conflict
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.viewer import Viewer


def setup() -> Setup:
    """What holds for all vendors now; ours is the master until somebody says otherwise."""
    return repository.get_setup() or Setup(SETUP)


def master() -> PointsMaster:
    """Whose word on points counts now."""
    return setup().points_master


class MasterSet(BaseModel):
    """Whose points are right from now on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    master: PointsMaster
    expected_version: int | None = None


def set_master(given: MasterSet, *, viewer: Viewer, at: datetime) -> Setup:
    """Have another's points be right from now on; every shop that is not theirs is compared.

    Conflict when `expected_version` has passed.
    """
    require_manager(viewer)
    new = given.master

    def attempt(tx: Transaction) -> Setup:
        known = setup()
        if given.expected_version not in (None, known.version):
            text = f"It is at version {known.version}, not {given.expected_version}"
            raise Conflict(text, field=("input", "expected_version"))
        if known.version is None or known.points_master is not new:
            known.points_master, known.changed_at = new, at
            repository.save_setup(tx, known)
        return known

    changed = transact(attempt)
    for shop in repository.all_shops():
        if CopyKind.POINTS in shop.tells and new is not PointsMaster(shop.vendor.value):
            queueing.compare(Compare(compare=shop.id))
    return changed
