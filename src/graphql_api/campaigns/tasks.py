"""What time makes of campaigns: they start and end when they are due."""

from datetime import datetime

from graphql_api.campaigns import repository, service
from graphql_api.kit.time import Clock


def move_due(as_of: datetime, *, clock: Clock) -> int:
    """Start and end every campaign that is due by `as_of`; again changes nothing.

    Gives how many changed. Readers need not wait for it: they see the state that is due.
    """
    return sum(service.move(id_, as_of=as_of, clock=clock) for id_ in repository.due(as_of))
