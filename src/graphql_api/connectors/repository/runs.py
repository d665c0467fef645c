"""Access paths of reconciliations, and of what holds for all vendors."""

from collections.abc import Sequence

from graphql_api.connectors import models
from graphql_api.connectors.models import (
    SETUP,
    SOLE,
    Run,
    Setup,
)
from graphql_api.connectors.repository.ways import listed
from graphql_api.kit.dynamo import Page, Transaction, batch_get


def get_run(run_id: str) -> Run | None:
    """A run as it is now (strongly consistent), to decide on."""
    return batch_get(Run, [(run_id, SOLE)], consistent=True)[0]


def get_runs(run_ids: Sequence[str]) -> list[Run | None]:
    """Runs by id."""
    return batch_get(Run, [(id_, SOLE) for id_ in run_ids])


def create_run(tx: Transaction, run: Run) -> None:
    """Add a run that is not there."""
    run.listed = models.runs_key(run.shop_id)
    run.place = models.place_of(run.started_at, run.id)
    tx.create(run)


def save_run(tx: Transaction, run: Run) -> None:
    """Write a run over the version that was read."""
    tx.save(run)


def page_of_runs(shop_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Run]:
    """The runs of a shop by time."""
    return listed(Run, models.runs_key(shop_id), first=first, after=after, reverse=reverse)


def get_setup() -> Setup | None:
    """What holds for all vendors (strongly consistent); None before anybody said so."""
    return batch_get(Setup, [(SETUP, SOLE)], consistent=True)[0]


def save_setup(tx: Transaction, setup: Setup) -> None:
    """Write it over the version that was read."""
    if setup.version is None:
        tx.create(setup)
    else:
        tx.save(setup)
