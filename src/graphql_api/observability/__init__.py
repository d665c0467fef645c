"""Logs and metrics: events with fields and counts of what happened, never personal data.

Every line of an invocation has its `correlation_id`; in a batch, those of a record name it.
"""

import gc
import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

Answer = TypeVar("Answer")

SERVICE = "member-operations"
NAMESPACE = "MemberOperations"

logger = Logger(service=SERVICE, log_uncaught_exceptions=False)

_metrics = Metrics(namespace=NAMESPACE, service=SERVICE)
_counted: Counter[str] = Counter()
_lock = Lock()


class InvocationFailed(Exception):
    """A function raised; its log says where. The text of the cause may hold personal data."""


def log_failure(message: str, error: BaseException, **fields: Any) -> None:
    """Where an error came from, without its text, which may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    logger.error(
        message,
        kind=type(error).__qualname__,
        frames=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        **fields,
    )


@contextmanager
def logged_with(**fields: Any) -> Iterator[None]:
    """Have every line that is logged in here say these too, in this task or thread alone."""
    before = logger.thread_safe_get_current_keys()
    logger.thread_safe_append_keys(**fields)
    try:
        yield
    finally:
        logger.thread_safe_clear_keys()
        logger.thread_safe_append_keys(**before)


def count(what: str, times: int = 1) -> None:
    """Add to a metric; the sums are told at the end of the invocation."""
    with _lock:
        _counted[what] += times


def tell_counts() -> None:
    """Write what was counted since the last time as one line, which CloudWatch makes metrics of."""
    with _lock:
        told = {what: times for what, times in sorted(_counted.items()) if times}
        _counted.clear()
        if not told:
            return
        _metrics.add_dimension(name="stage", value=os.environ.get("APP_STAGE", "local"))
        for what, times in told.items():
            _metrics.add_metric(name=what, unit=MetricUnit.Count, value=times)
        _metrics.flush_metrics()


def _collect_garbage_from_now_on() -> None:
    """What is there by now stays; see handlers/__init__.py, which switched the collector off."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def invocation(
    handler: Callable[[dict[str, Any], Any], Answer],
) -> Callable[[dict[str, Any], Any], Answer]:
    """What every handler is wrapped in: a correlation id, and the counts told at its end."""

    @wraps(handler)
    def observed(event: dict[str, Any], context: Any) -> Answer:
        with logged_with(correlation_id=getattr(context, "aws_request_id", None)):
            try:
                return handler(event, context)
            except InvocationFailed:
                raise
            except Exception as error:  # noqa: BLE001 - Lambda would log its text
                log_failure("invocation failed", error)
                raise InvocationFailed(type(error).__qualname__) from None
            finally:
                tell_counts()
                _collect_garbage_from_now_on()

    return observed
