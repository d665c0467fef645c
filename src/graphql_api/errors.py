"""Refusals: what the business says no to, each with a code that clients can switch on."""

from collections.abc import Mapping, Sequence
from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a command was refused; the closed list that clients see."""

    INVALID = "INVALID"
    REQUIRED = "REQUIRED"
    NOT_FOUND = "NOT_FOUND"
    TAKEN = "TAKEN"
    CONFLICT = "CONFLICT"
    FORBIDDEN = "FORBIDDEN"
    FORBIDDEN_TRANSITION = "FORBIDDEN_TRANSITION"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    INSUFFICIENT_POINTS = "INSUFFICIENT_POINTS"
    UNAVAILABLE = "UNAVAILABLE"
    SESSION_ENDED = "SESSION_ENDED"
    TOKEN_REUSED = "TOKEN_REUSED"  # noqa: S105 - a code
    IDEMPOTENCY_CONCURRENT_REQUEST = "IDEMPOTENCY_CONCURRENT_REQUEST"
    IDEMPOTENCY_KEY_PARAMETER_MISMATCH = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    IDEMPOTENCY_ANSWER_LOST = "IDEMPOTENCY_ANSWER_LOST"


class AppError(Exception):
    """A command was refused and nothing was written; `field` is the path into its input.

    `beside` is what a payload shows with the refusal, by the names of its fields.
    """

    code = ErrorCode.INVALID
    beside: Mapping[str, object] = {}

    def __init__(self, message: str, *, field: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(AppError):
    """A value cannot be right, whatever is stored."""


class Required(AppError):
    """A value that this command needs is missing."""

    code = ErrorCode.REQUIRED


class NotFound(AppError):
    """What the command names does not exist, or is outside the viewer's scope."""

    code = ErrorCode.NOT_FOUND


class Taken(AppError):
    """A value that must be unique belongs to another item."""

    code = ErrorCode.TAKEN


class Conflict(AppError):
    """Somebody else changed the item first; read it again and decide again."""

    code = ErrorCode.CONFLICT


class Forbidden(AppError):
    """The viewer may see this item but not do this to it."""

    code = ErrorCode.FORBIDDEN


class ForbiddenTransition(AppError):
    """The item's present state does not allow this."""

    code = ErrorCode.FORBIDDEN_TRANSITION


class LimitExceeded(AppError):
    """A limit of the service would be passed."""

    code = ErrorCode.LIMIT_EXCEEDED


class InsufficientPoints(AppError):
    """Fewer points can be spent than this takes."""

    code = ErrorCode.INSUFFICIENT_POINTS


class Unavailable(AppError):
    """Another system that this needs does not answer, or is not set up; try again later."""

    code = ErrorCode.UNAVAILABLE


class SessionEnded(AppError):
    """The session is over, or was never one of ours; log in again."""

    code = ErrorCode.SESSION_ENDED


class TokenReused(AppError):
    """A refresh token came a second time, so somebody else has it: its session was ended."""

    code = ErrorCode.TOKEN_REUSED


class RequestInProgress(AppError):
    """A request with this key is being worked on, by an attempt that may still succeed."""

    code = ErrorCode.IDEMPOTENCY_CONCURRENT_REQUEST


class KeyReused(AppError):
    """The key came with another request before."""

    code = ErrorCode.IDEMPOTENCY_KEY_PARAMETER_MISMATCH


class AnswerLost(AppError):
    """The request was done before, and nobody knows its answer any more."""

    code = ErrorCode.IDEMPOTENCY_ANSWER_LOST


class Refused(AppError):
    """Several problems at once."""

    def __init__(self, problems: Sequence[AppError]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems
