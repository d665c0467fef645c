"""Whose points are right: one master 积分主账 for a chain."""

from datetime import datetime

from graphql_api.connectors import queueing, repository
from graphql_api.connectors.models import SETUP, Setup
from graphql_api.connectors.queueing import Compare
from graphql_api.connectors.rules import CopyKind, PointsMaster
from graphql_api.connectors.service.shops import require_manager
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.viewer import Viewer


def master() -> PointsMaster:
    """Whose word on points counts now: ours, until somebody says otherwise."""
    setup = repository.get_setup()
    return setup.points_master if setup else PointsMaster.OURS


def set_master(new: PointsMaster, *, viewer: Viewer, at: datetime) -> Setup:
    """Have another's points be right from now on. Where ours are, every shop is compared."""
    require_manager(viewer)

    def attempt(tx: Transaction) -> Setup:
        setup = repository.get_setup() or Setup(SETUP)
        if setup.version is None or setup.points_master is not new:
            setup.points_master, setup.changed_at = new, at
            repository.save_setup(tx, setup)
        return setup

    setup = transact(attempt)
    if new is PointsMaster.OURS:
        for shop in repository.all_shops():
            if CopyKind.POINTS in shop.tells:
                queueing.compare(Compare(compare=shop.id))
    return setup
