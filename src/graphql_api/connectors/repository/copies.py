"""Access paths of what vendors have."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from graphql_api.connectors import models
from graphql_api.connectors.models import (
    SOLE,
    ConnectorsItem,
    Copy,
)
from graphql_api.connectors.repository.ways import opened, set_or_remove, updated
from graphql_api.connectors.rules import (
    CopyKind,
    CopyState,
    Problem,
)
from graphql_api.kit.dynamo import Page, batch_get
from graphql_api.kit.dynamo.partitions import delete_all


def get_copies(copy_ids: Sequence[str]) -> list[Copy | None]:
    """Copies as they are now (strongly consistent), to decide on."""
    return batch_get(Copy, [(id_, SOLE) for id_ in copy_ids], consistent=True)


def page_of_open_copies(
    shop_id: str, state: CopyState, *, first: int, after: str | None, reverse: bool
) -> Page[Copy]:
    """What a shop has to be told, or was not told in a day of trying."""
    key = models.open_key(shop_id, "copy", state)
    return opened(Copy, key, first=first, after=after, reverse=reverse)


def delete_copies(copy_ids: Sequence[str]) -> None:
    """Delete copies, without conditions; absent ones stay absent."""
    delete_all(Copy, [(id_, SOLE) for id_ in copy_ids])


def mark_due(shop_id: str, kind: CopyKind, subject_id: str, at: datetime) -> Copy:
    """Have a copy be compared from the start, at a turn of its own; it is made where it is not."""
    copy = _copy(shop_id, kind, subject_id, CopyState.DUE, at)
    actions: list[Any] = [
        *_whose(copy),
        Copy.state.set(CopyState.DUE),
        Copy.turn.add(1),
        Copy.attempts.set(0),
        Copy.begun_at.set(at),
        Copy.next_at.set(at),
        ConnectorsItem.open_in.set(copy.open_in),
        ConnectorsItem.place.set(copy.place),
        Copy.problem.remove(),
        Copy.detail.remove(),
    ]
    copy.update(actions=actions, add_version_condition=False)
    return copy


def note_heard(
    shop_id: str, kind: CopyKind, subject_id: str, known: Copy | None, told: Any, at: datetime
) -> bool:
    """Write what a vendor has, over what was known; False when somebody else wrote meanwhile."""
    copy = known or _copy(shop_id, kind, subject_id, CopyState.TOLD, at)
    actions: list[Any] = [set_or_remove(Copy.told, told)]
    if known is None:
        actions += [*_whose(copy), Copy.state.set(copy.state), Copy.begun_at.set(at)]
        actions += [Copy.turn.set(0), Copy.attempts.set(0)]
        return updated(copy, actions, ConnectorsItem.id.does_not_exist())
    same = Copy.told.does_not_exist() if known.told is None else Copy.told == known.told
    return updated(copy, actions, same)


def note_told(copy: Copy, told: Any, *, at: datetime) -> bool:
    """Write that a vendor has what we had; False when it became due again, and is told anew."""
    actions: list[Any] = [
        set_or_remove(Copy.told, told),
        Copy.state.set(CopyState.TOLD),
        Copy.told_at.set(at),
        Copy.turn.set(int(copy.turn) + 1),
        Copy.next_at.remove(),
        Copy.problem.remove(),
        Copy.detail.remove(),
        ConnectorsItem.open_in.remove(),
    ]
    return updated(copy, actions, Copy.turn == copy.turn)


def note_untold(
    copy: Copy, problem: Problem, detail: str | None, *, next_at: datetime | None
) -> bool:
    """Write that an attempt failed, and when the next is; with None the copy is given up."""
    copy.move(CopyState.DUE if next_at else CopyState.DEAD)
    actions: list[Any] = [
        Copy.state.set(copy.state),
        Copy.turn.set(int(copy.turn) + 1),
        Copy.attempts.set(int(copy.attempts) + 1),
        set_or_remove(Copy.next_at, next_at),
        Copy.problem.set(problem),
        set_or_remove(Copy.detail, detail),
        ConnectorsItem.open_in.set(copy.open_in),
    ]
    return updated(copy, actions, Copy.turn == copy.turn)


def note_asked(copy: Copy, told: Any) -> bool:
    """Write what is being asked for, before it is; False when the copy moved."""
    return updated(copy, [set_or_remove(Copy.told, told)], Copy.turn == copy.turn)


def _copy(shop_id: str, kind: CopyKind, subject_id: str, state: CopyState, at: datetime) -> Copy:
    copy = Copy(
        models.copy_id(shop_id, kind, subject_id),
        shop_id=shop_id,
        kind=kind,
        subject_id=subject_id,
        begun_at=at,
    )
    copy.move(state)
    return copy


def _whose(copy: Copy) -> list[Any]:
    return [
        Copy.shop_id.set(copy.shop_id),
        Copy.kind.set(copy.kind),
        Copy.subject_id.set(copy.subject_id),
    ]
