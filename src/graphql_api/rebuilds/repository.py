"""Access paths of runs over all members."""

from collections.abc import Iterator, Sequence
from typing import Any

from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.rebuilds import models
from graphql_api.rebuilds.models import LISTED, PIECES, SOLE, Piece, RebuildsItem, Run
from graphql_api.rebuilds.rules import RunState


def get_many(run_ids: Sequence[str]) -> list[Run | None]:
    """Runs by id."""
    return batch_get(Run, [(id_, SOLE) for id_ in run_ids])


def get(run_id: str) -> Run | None:
    """One run as it is now (strongly consistent), to decide on."""
    return batch_get(Run, [(run_id, SOLE)], consistent=True)[0]


def page_of_all(*, first: int, after: str | None, reverse: bool) -> Page[Run]:
    """Every run by time: one Query, one BatchGetItem."""
    keys = key_page(
        RebuildsItem.by_time, LISTED, RebuildsItem.place, first=first, after=after, reverse=reverse
    )
    return keys.showing(get_many([key.id for key in keys.items]))


def piece(run_id: str, number: int) -> Piece | None:
    """One piece as it is now (strongly consistent); None before it was looked at."""
    return batch_get(Piece, [(run_id, models.piece_sort(number))], consistent=True)[0]


def pieces(run_id: str) -> Iterator[Piece]:
    """The pieces that were looked at, in order (strongly consistent)."""
    begins = RebuildsItem.sort.startswith(PIECES)
    yield from Piece.query(run_id, begins, consistent_read=True)


def create(tx: Transaction, run: Run) -> None:
    """Add a new run."""
    run.listed, run.place = LISTED, models.place_of(run)
    tx.create(run)


def move(tx: Transaction, run: Run, state: RunState, **more: Any) -> None:
    """Bring a run into another state, with other attributes; stale when it is no longer in its own.

    The run then holds what was written.
    """
    unmoved = (Run.state == run.state) & (Run.attempt == run.attempt)
    changes = {"state": state, **more}
    actions = [getattr(Run, name).set(value) for name, value in changes.items()]
    tx.update(Run(run.id), actions, condition=unmoved)
    for name, value in changes.items():
        setattr(run, name, value)


def create_piece(tx: Transaction, item: Piece) -> None:
    """Add what was found of a piece, once."""
    tx.create(item)


def end_piece(tx: Transaction, item: Piece) -> None:
    """Write a piece that is over, and count it: both or neither."""
    tx.save(item)
    tx.update(
        Run(item.id),
        [
            Run.done.add(1),
            Run.members.add(int(item.members)),
            Run.changed.add(int(item.changed)),
            Run.failed.add(int(item.failed)),
        ],
        condition=Run.id.exists(),
    )
