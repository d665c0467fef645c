"""Access paths of bulk operations."""

from collections.abc import Sequence
from datetime import datetime

from graphql_api.bulk import models, rules
from graphql_api.bulk.models import SOLE, BulkOperation, LastOperation
from graphql_api.kit.dynamo import Transaction, batch_get


def get_many(operation_ids: Sequence[str]) -> list[BulkOperation | None]:
    """Operations by id."""
    return batch_get(BulkOperation, [(id_, SOLE) for id_ in operation_ids])


def get(operation_id: str) -> BulkOperation | None:
    """One operation as it is now (strongly consistent), to decide on."""
    return batch_get(BulkOperation, [(operation_id, SOLE)], consistent=True)[0]


def get_last(viewer_ids: Sequence[str]) -> list[BulkOperation | None]:
    """The last operation of each of some viewers."""
    known = batch_get(
        LastOperation, [(models.last_id(id_), SOLE) for id_ in viewer_ids], consistent=True
    )
    found = iter(get_many([last.operation_id for last in known if last]))
    return [next(found) if last else None for last in known]


def last_of(viewer_id: str) -> LastOperation | None:
    """Which operation of a viewer is the last, as it is now."""
    return batch_get(LastOperation, [(models.last_id(viewer_id), SOLE)], consistent=True)[0]


def create(
    tx: Transaction, operation: BulkOperation, last: LastOperation | None, at: datetime
) -> None:
    """Add an operation that is its viewer's last, unless another one became that meanwhile."""
    operation.forget_at = at + rules.KEPT
    tx.create(operation)
    if last is None:
        tx.create(LastOperation(models.last_id(operation.by_id), operation_id=operation.id))
        return
    last.operation_id = operation.id
    tx.save(last)


def save(tx: Transaction, operation: BulkOperation) -> None:
    """Write an operation over the version that was read."""
    tx.save(operation)
