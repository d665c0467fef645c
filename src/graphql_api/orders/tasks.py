"""What follows from a claimed identity: orders that waited for it come to their member."""

from graphql_api.kit.time import Clock
from graphql_api.orders import repository, service


def attach_waiting(claim: str, *, clock: Clock) -> int:
    """Attach every order that waits for an identity; again changes nothing. Gives how many came."""
    applied = [service.attach(id_, clock=clock) for id_ in repository.waiting_for(claim)]
    return sum(1 for one in applied if one is not None and one.changed)
