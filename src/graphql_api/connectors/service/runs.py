"""Reconciliations 对账: asked for by a day or by people, one of a shop for a window."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from graphql_api.connectors import queueing, repository
from graphql_api.connectors.models import Run
from graphql_api.connectors.rules import RunState
from graphql_api.connectors.service.shops import require_manager, shop_of
from graphql_api.errors import Invalid
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.viewer import SYSTEM, Viewer

STILL = timedelta(minutes=30)
"""After how long a run without a step is taken for one whose step was lost."""
LONGEST = timedelta(days=89)
"""Youzan tells of three months at once."""
BY_ITSELF = timedelta(days=3)


class RunBegin(BaseModel):
    """A shop, and the window in which its orders changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shop_id: str
    since: AwareDatetime
    until: AwareDatetime


def begin(given: RunBegin, *, viewer: Viewer, at: datetime) -> Run:
    """A reconciliation of a window, on its way; the same window again is the one that there is."""
    require_manager(viewer)
    shop = shop_of(given.shop_id, ("input", "shop_id"))
    if given.until > at:
        raise Invalid("A window ends in the past", field=("input", "until"))
    if not timedelta() < given.until - given.since <= LONGEST:
        text = f"A window has {LONGEST.days} days at most"
        raise Invalid(text, field=("input", "since"))
    window = given.since.isoformat(), given.until.isoformat()
    return _begun(ids.derived_id("vrc", shop.id, *window), shop.id, given, at)


def begin_day(shop_id: str, day_end: datetime, at: datetime) -> Run:
    """The reconciliation of the three days up to an instant, once for a shop."""
    window = RunBegin(shop_id=shop_id, since=day_end - BY_ITSELF, until=day_end)
    return begin(window, viewer=SYSTEM, at=at)


def _begun(run_id: str, shop_id: str, given: RunBegin, at: datetime) -> Run:
    run = Run(
        run_id, shop_id=shop_id, since=given.since, until=given.until, started_at=at, moved_at=at
    )

    def attempt(tx: Transaction) -> Run:
        known = repository.get_run(run_id)
        if known is None:
            repository.create_run(tx, run)
        return known or run

    begun = transact(attempt)
    is_still = begun.state is RunState.RUNNING and at - begun.moved_at > STILL
    if begun is run or is_still:
        queueing.step(begun.id, int(begun.step))
    return begun
