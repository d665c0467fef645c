"""What follows from a write to a merge: its next steps, whose last write leads here again."""

from graphql_api.kit.time import Clock
from graphql_api.merges import repository, service
from graphql_api.merges.rules import MergeState


def follow_merge(merge_id: str, version: int, *, clock: Clock) -> None:
    """Carry a merge on after the write that made this version; an older one has a newer behind it.

    One that failed waits until somebody asks for it again.
    """
    job = repository.get(merge_id)
    if job is not None and job.version == version and job.state is MergeState.IN_PROGRESS:
        service.go_on(merge_id, clock=clock, steps=service.STEPS_AT_ONCE)
