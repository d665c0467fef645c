"""Access paths of merges and of what they moved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from graphql_api.kit.dynamo import Transaction, batch_get
from graphql_api.merges import models
from graphql_api.merges.models import RECORD, SOLE, Merge, Record
from graphql_api.merges.rules import MergePart


def get_many(merge_ids: Sequence[str]) -> list[Merge | None]:
    """Merges by id."""
    return batch_get(Merge, [(id_, SOLE) for id_ in merge_ids])


def get(merge_id: str) -> Merge | None:
    """One merge as it is now (strongly consistent), to decide on."""
    return batch_get(Merge, [(merge_id, SOLE)], consistent=True)[0]


def create(tx: Transaction, job: Merge) -> None:
    """Add a new merge; stale when somebody began the same."""
    tx.create(job)


def save(tx: Transaction, job: Merge) -> None:
    """Write a merge over the version that was read."""
    tx.save(job)


def record(tx: Transaction, job: Merge, part: MergePart, document: Any, *, at: datetime) -> None:
    """Put down what the transaction moves, as the merge's next record; the caller writes the merge.

    The version of the merge, in the same transaction, has the condition.
    """
    job.records = int(job.records) + 1
    sort = models.record_sort(job.records)
    tx.put(Record(job.id, sort, part=part, at=at, document=document))


def records(merge_id: str) -> list[Record]:
    """Everything that a merge moved, in the sequence in which it did (strongly consistent)."""
    of_records = Record.sort.startswith(RECORD)
    return list(Record.query(merge_id, of_records, consistent_read=True))
