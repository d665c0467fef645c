"""What can be done to bulk operations: begin one, cancel it, note how far it got."""

from datetime import datetime

from graphql_api.bulk import repository, rules
from graphql_api.bulk.models import BulkOperation
from graphql_api.bulk.rules import BulkProblem, BulkState, Page
from graphql_api.errors import ForbiddenTransition, LimitExceeded, NotFound
from graphql_api.kit import files, ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.viewer import Viewer


def run(query: str, *, viewer: Viewer, at: datetime) -> BulkOperation:
    """A new operation that begins by itself. Refuses a second one while the viewer's last runs.

    One that nobody has carried on for an hour fails, and gives way.
    """
    operation = BulkOperation(
        ids.new_id("blk"),
        text=query,
        by_role=viewer.role,
        by_id=viewer.id,
        unit_id=viewer.unit_id,
        scopes=sorted(viewer.scopes),
        created_at=at,
        noted_at=at,
    )
    operation.left = [Page(0)]

    def attempt(tx: Transaction) -> BulkOperation:
        last = repository.last_of(viewer.id)
        running = repository.get(last.operation_id) if last else None
        if running is not None and running.state not in rules.OVER:
            if not rules.is_abandoned(running.noted_at, at):
                raise LimitExceeded("Your last bulk operation is still running")
            _end(running, BulkState.FAILED, at, BulkProblem.ABANDONED, "Nobody carried it on")
            repository.save(tx, running)
        repository.create(tx, operation, last, at)
        return operation

    return transact(attempt)


def cancel(operation_id: str, *, viewer: Viewer, at: datetime) -> BulkOperation:
    """An operation that stops where it is, without a file; again changes nothing."""

    def attempt(tx: Transaction) -> BulkOperation:
        operation = repository.get(operation_id)
        if operation is None or not rules.sees(viewer, operation.by_id):
            raise NotFound("There is no such bulk operation", field=("id",))
        if operation.state is BulkState.CANCELLED:
            return operation
        if operation.state in rules.OVER:
            raise ForbiddenTransition("This bulk operation is over", field=("id",))
        _end(operation, BulkState.CANCELLED, at)
        repository.save(tx, operation)
        return operation

    operation = transact(attempt)
    if operation.upload:
        files.abandon(operation.file, operation.upload)
    return operation


def note(operation: BulkOperation) -> bool:
    """Write how far an operation got; False when it was cancelled or carried on meanwhile."""

    def attempt(tx: Transaction) -> bool:
        now = repository.get(operation.id)
        if now is None or now.version != operation.version:
            return False
        repository.save(tx, operation)
        return True

    return transact(attempt)


def fail(operation: BulkOperation, problem: BulkProblem, text: str, *, at: datetime) -> None:
    """End an operation that cannot go on, and forget what was put of its file."""
    _end(operation, BulkState.FAILED, at, problem, text)
    if note(operation) and operation.upload:
        files.abandon(operation.file, operation.upload)


def _end(
    operation: BulkOperation,
    state: BulkState,
    at: datetime,
    problem: BulkProblem | None = None,
    text: str | None = None,
) -> None:
    operation.state, operation.problem, operation.problem_text = state, problem, text
    operation.finished_at = operation.noted_at = at
    operation.left = []
