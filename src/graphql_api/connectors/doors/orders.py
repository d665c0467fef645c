"""Orders of a vendor, through the one door for orders."""

from graphql_api.connectors.rules import Outcome
from graphql_api.kit.time import Clock
from graphql_api.orders import service as orders
from graphql_api.orders.service import Snapshot


def apply(snapshot: Snapshot | None, *, clock: Clock) -> Outcome:
    """Take in an order as the vendor has it now; one that was never paid is of no concern."""
    if snapshot is None:
        return Outcome.IGNORED
    applied = orders.apply(snapshot, clock=clock)
    return Outcome.APPLIED if applied.changed else Outcome.UNCHANGED
