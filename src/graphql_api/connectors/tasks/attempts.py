"""What an attempt came to when it did not succeed, the same for messages and for copies."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from graphql_api.connectors.errors import Later, NotLinked, NotSetUp, Unclear, VendorRefused
from graphql_api.connectors.rules import Problem
from graphql_api.connectors.service.links import detail_of
from graphql_api.connectors.told import Unreadable
from graphql_api.errors import AppError, Conflict, Unavailable
from graphql_api.observability import log_failure


@dataclass(slots=True)
class Attempt:
    """The problem of an attempt, None where it succeeded; whether it passes by itself, and when.

    `detail` is a code or a key, nothing of a person.
    """

    problem: Problem | None = None
    detail: str | None = None
    passes: bool = False
    seconds: float = 0


@contextmanager
def attempted(what: str, **fields: str) -> Iterator[Attempt]:
    """Note what is raised inside in place of raising it."""
    attempt = Attempt()
    try:
        yield attempt
    except Later as later:
        attempt.problem, attempt.passes, attempt.seconds = Problem.BUSY, True, later.seconds
    except NotLinked as missing:
        attempt.problem = Problem.NOT_LINKED
        attempt.detail = detail_of(missing.kind, missing.vendor_key)
    except Unreadable as error:
        attempt.problem, attempt.detail = Problem.UNREADABLE, str(error)
    except VendorRefused as refusal:
        attempt.problem, attempt.detail = Problem.VENDOR_REFUSED, refusal.code
    except Unclear:
        attempt.problem, attempt.detail = Problem.BUSY, "UNCLEAR"
    except NotSetUp as missing:
        attempt.problem, attempt.detail, attempt.passes = Problem.NOT_SET_UP, str(missing), True
    except (Conflict, Unavailable) as refusal:
        attempt.problem, attempt.detail, attempt.passes = Problem.BUSY, _code(refusal), True
    except AppError as refusal:
        attempt.problem, attempt.detail = Problem.REFUSED, _code(refusal)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is kept with what it is about
        log_failure(what, error, **fields)
        attempt.problem, attempt.detail, attempt.passes = (
            Problem.FAILED,
            type(error).__name__,
            True,
        )


def _code(refusal: AppError) -> str:
    return type(refusal).__name__
