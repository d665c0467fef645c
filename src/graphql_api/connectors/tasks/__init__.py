"""What queues bring: messages followed, copies told, reconciliations carried on."""

from graphql_api.connectors import queueing
from graphql_api.connectors.queueing import Follow, Tell, Wake
from graphql_api.connectors.tasks.handling import Early, handle, sweep, wake
from graphql_api.connectors.tasks.noticing import notice
from graphql_api.connectors.tasks.reconciling import step
from graphql_api.connectors.tasks.telling import compare, sweep_copies, tell


def follow(text: str) -> None:
    """Do what a message of the queue of messages asks for."""
    match queueing.read(text):
        case Follow() as wanted:
            handle(wanted)
        case Wake() as wanted:
            wake(wanted)
        case wanted:
            step(wanted)


def follow_out(text: str) -> None:
    """Do what a message of the queue of copies asks for."""
    wanted = queueing.read_out(text)
    if isinstance(wanted, Tell):
        tell(wanted)
    else:
        compare(wanted)


__all__ = [
    "Early",
    "compare",
    "follow",
    "follow_out",
    "handle",
    "notice",
    "step",
    "sweep",
    "sweep_copies",
    "tell",
    "wake",
]
