"""Counts that follow a stream: each record counts once, however often it is delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from graphql_api.kit.dynamo.transactions import Transaction, transact
from graphql_api.kit.time import real_now

_MARKS_KEPT = timedelta(days=3)  # a stream record lives for one day


@dataclass(frozen=True, slots=True)
class Told:
    """What a stream record says: by how much each count moves."""

    event_id: str
    differences: Mapping[str, int]


class Unmarked(Protocol):
    """Those stream records that were not counted (strongly consistent)."""

    def __call__(self, event_ids: Sequence[str], /) -> list[str]: ...


class Count(Protocol):
    """Adds to counts, and marks the records that say so; stale when one was marked before."""

    def __call__(
        self,
        tx: Transaction,
        differences: Mapping[str, int],
        event_ids: Sequence[str],
        /,
        *,
        until: datetime,
    ) -> None: ...


def count_once(records: Sequence[Told], *, at_once: int, unmarked: Unmarked, count: Count) -> int:
    """Add stream records to counts, so many in a transaction with their marks; how many were new.

    A transaction that dies leaves neither counts nor marks, so the batch may come again as a whole.
    """
    known = list({record.event_id: record for record in records}.values())
    stretches = range(0, len(known), at_once)
    return sum(_count(known[n : n + at_once], unmarked, count) for n in stretches)


def _count(records: Sequence[Told], unmarked: Unmarked, count: Count) -> int:
    until = real_now() + _MARKS_KEPT

    def attempt(tx: Transaction) -> int:
        new = set(unmarked([record.event_id for record in records]))
        total: dict[str, int] = {}
        for record in records:
            if record.event_id in new:
                for place, difference in record.differences.items():
                    total[place] = total.get(place, 0) + difference
        moved = {place: difference for place, difference in total.items() if difference}
        count(tx, moved, sorted(new), until=until)
        return len(new)

    return transact(attempt)
