"""Access paths of requests."""

from datetime import datetime
from typing import Any

from pynamodb.exceptions import DeleteError, PutError, PynamoDBException, UpdateError

from graphql_api.errors import AppError
from graphql_api.kit.dynamo import Transaction, batch_get
from graphql_api.requests.models import SOLE, Request
from graphql_api.requests.rules import State


def get(request_id: str) -> Request | None:
    """A request as it is now (strongly consistent), to decide on."""
    return batch_get(Request, [(request_id, SOLE)], consistent=True)[0]


def start(request: Request, *, over: Request | None = None) -> bool:
    """Take a key that nobody has, or `over` what was found there; False when somebody else did."""
    condition = Request.id.does_not_exist() if over is None else _still(over)
    return _done(lambda: request.save(condition=condition), PutError)


def write_along(tx: Transaction, request: Request, *, lost: AppError) -> None:
    """Mark a request as written, with what it writes; `lost` where another attempt has its key."""
    tx.update(
        request,
        [Request.state.set(State.WRITTEN)],
        condition=Request.lease == request.lease,
        lost=lost,
    )


def keep_answer(request: Request, sealed: str) -> bool:
    """Keep the answer of a request; False when its key has been taken over."""
    actions: list[Any] = [Request.state.set(State.ANSWERED), Request.answer.set(sealed)]
    mine = Request.lease == request.lease
    return _done(lambda: request.update(actions=actions, condition=mine), UpdateError)


def end_lease(request: Request, at: datetime) -> bool:
    """Nobody works on a request any more, and it has no answer; False when it is not ours."""
    mine = Request.lease == request.lease
    actions: list[Any] = [Request.leased_until.set(at)]
    return _done(lambda: request.update(actions=actions, condition=mine), UpdateError)


def release(request: Request) -> bool:
    """Give a key back that nothing was written under; False when it is not ours to give."""
    mine = (Request.lease == request.lease) & (Request.state == State.STARTED)
    return _done(lambda: request.delete(condition=mine), DeleteError)


def _still(found: Request) -> Any:
    return (Request.lease == found.lease) & (Request.state == found.state)


def _done(write: Any, lost: type[PynamoDBException]) -> bool:
    try:
        write()
    except lost as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True
