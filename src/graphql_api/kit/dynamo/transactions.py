"""Composed transactions: a service opens one, repositories add to it, all of it happens or nothing.

An attempt gathers, decides and adds its writes. Losing a race is an outcome: a write whose
condition failed either says why the command is refused (`lost`), or makes the attempt stale, and
then the whole attempt runs again on fresh reads until the deadline.
"""

import random
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeVar

from pynamodb.constants import ITEM
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from graphql_api.config import settings
from graphql_api.errors import AppError, Conflict
from graphql_api.kit.dynamo.item import Item

T = TypeVar("T")

STALE: Final = None
"""The outcome of a lost condition that is worth another attempt."""

MAX_OPERATIONS = 80
_IN_DOUBT_TRIES = 10
_IN_DOUBT_SECONDS = 0.2


class Stale(Exception):
    """Raised inside an attempt that read something it must not decide on; it runs again."""


_PASSING = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "ThrottlingError",
        "ThrottlingException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    }
)

Kind = Literal["condition_check_items", "delete_items", "put_items", "update_items"]
_ORDER: tuple[Kind, ...] = ("condition_check_items", "delete_items", "put_items", "update_items")


@dataclass(frozen=True, slots=True)
class _Operation:
    kind: Kind
    request: dict[str, Any]
    lost: AppError | None


class Companion(Protocol):
    """What goes along with each transaction of a request, such as the key that it came with."""

    def join(self, tx: "Transaction") -> None:
        """Add to a transaction that is about to be sent."""

    def joined(self) -> None:
        """It was written."""


companion: ContextVar[Companion | None] = ContextVar("companion", default=None)


class Transaction:
    """The writes of one attempt; an operation's `lost` is the refusal when its condition fails."""

    def __init__(self) -> None:
        self._operations: list[_Operation] = []
        self._connection: Any = None
        self._versioned: list[Item] = []

    def _add(
        self, kind: Kind, item: type[Item] | Item, request: Any, lost: AppError | None
    ) -> None:
        self._connection = self._connection or item._get_connection().connection  # noqa: SLF001
        self._operations.append(_Operation(kind, request, lost))

    @property
    def size(self) -> int:
        """How many items it holds by now."""
        return len(self._operations)

    @property
    def room(self) -> int:
        """How many more it may hold."""
        return max(0, MAX_OPERATIONS - self.size)

    def create(self, item: Item, *, lost: AppError | None = STALE) -> None:
        """Put an item that must not exist yet."""
        absent = type(item).hash_attribute().does_not_exist()
        self._add("put_items", item, item.get_save_kwargs_from_instance(condition=absent), lost)
        self._versioned.append(item)

    def save(self, item: Item, *, lost: AppError | None = STALE) -> None:
        """Put an item over the version that was read."""
        self._add("put_items", item, item.get_save_kwargs_from_instance(), lost)
        self._versioned.append(item)

    def put(self, item: Item) -> None:
        """Put an item whatever is there; another item of the transaction has the condition."""
        request = item.get_save_kwargs_from_instance()
        self._add("put_items", item, request, STALE)

    def move(self, item: Item, *, was_at: tuple[Any, Any]) -> None:
        """Put an item at a new key and remove it from its old one, over the version that was read.

        Its version goes on rising: an item that comes back to an old key has none that was there.
        """
        old = type(item)(*was_at, version=item.version)  # type: ignore[attr-defined]  # versioned
        self.delete(old)
        absent = type(item).hash_attribute().does_not_exist()
        # The public way would make it version 1.
        [hash_key], more = item._get_save_args(condition=absent, add_version_condition=False)  # noqa: SLF001
        connection = item._get_connection()  # noqa: SLF001
        request = connection.get_operation_kwargs(hash_key, **more, key=ITEM)
        self._add("put_items", item, request, STALE)
        self._versioned.append(item)

    def update(
        self,
        item: Item,
        actions: list[Action],
        *,
        condition: Condition | None = None,
        lost: AppError | None = STALE,
    ) -> None:
        """Change some attributes of one item."""
        request = item.get_update_kwargs_from_instance(actions=actions, condition=condition)
        self._add("update_items", item, request, lost)

    def delete(
        self, item: Item, *, condition: Condition | None = None, lost: AppError | None = STALE
    ) -> None:
        """Remove an item."""
        request = item.get_delete_kwargs_from_instance(condition=condition)
        self._add("delete_items", item, request, lost)

    def check(
        self,
        model: type[Item],
        key: tuple[Any, Any],
        condition: Condition,
        *,
        lost: AppError | None = STALE,
    ) -> None:
        """Require a condition of an item that is not written."""
        request = model.get_operation_kwargs_from_class(*key, condition=condition)
        self._add("condition_check_items", model, request, lost)

    def commit(self) -> bool:
        """Write all; False when the attempt was stale. Raises the refusal of a lost write."""
        if not self._operations:
            return True
        if len(self._operations) > MAX_OPERATIONS:
            raise ValueError(f"{len(self._operations)} writes in one transaction")
        if with_it := companion.get():
            with_it.join(self)
        ordered = [op for kind in _ORDER for op in self._operations if op.kind == kind]
        groups = {k: [op.request for op in ordered if op.kind == k] for k in _ORDER}
        try:
            self._send(groups)
        except TransactWriteError as error:
            return _outcome(error, ordered)
        for item in self._versioned:
            item.update_local_version_attribute()  # type: ignore[no-untyped-call]  # PynamoDB
        if with_it:
            with_it.joined()
        return True

    def _send(self, groups: dict[Kind, list[dict[str, Any]]]) -> None:
        """Send under one token: while an earlier sending is in progress, ask what became of it."""
        token = uuid.uuid4().hex
        for attempt in range(_IN_DOUBT_TRIES):
            try:
                self._connection.transact_write_items(
                    client_request_token=token, return_consumed_capacity=None, **groups
                )
            except TransactWriteError as error:
                last = attempt == _IN_DOUBT_TRIES - 1
                if last or error.cause_response_code != "TransactionInProgressException":
                    raise
                time.sleep(_IN_DOUBT_SECONDS)
            else:
                return


def _outcome(error: TransactWriteError, ordered: list[_Operation]) -> Literal[False]:
    """False for what another attempt may mend; otherwise the refusal, or the error itself."""
    if error.cause_response_code in _PASSING:
        return False
    reasons = error.cancellation_reasons
    if error.cause_response_code != "TransactionCanceledException" or not reasons:
        raise error
    for operation, reason in zip(ordered, reasons, strict=True):
        if reason is None or reason.code in _PASSING:
            continue
        if reason.code != "ConditionalCheckFailed":
            raise error
        if operation.lost is not None:
            raise operation.lost from None
    return False


def transact(attempt: Callable[[Transaction], T], *, seconds: float | None = None) -> T:
    """Run `attempt` and commit what it added, again with jitter while stale, up to a deadline.

    Raises Conflict at the deadline and any refusal of the attempt, with nothing written.
    """
    allowed = settings().transaction_deadline_seconds if seconds is None else seconds
    deadline = time.monotonic() + allowed
    tries = 0
    while True:
        transaction = Transaction()
        with suppress(Stale):
            result = attempt(transaction)
            if transaction.commit():
                return result
        if time.monotonic() > deadline:
            raise Conflict("Others keep changing this at the same time; try again")
        time.sleep(random.uniform(0, min(0.5, 0.01 * 2**tries)))  # noqa: S311 - jitter
        tries += 1
