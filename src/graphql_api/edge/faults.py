"""Faults: what is wrong with a request, and how an error leaves: coded, masked, at most a few."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError

from graphql_api.errors import AppError, ErrorCode, Refused
from graphql_api.observability import log_failure

MAX_ERRORS = 5

# What graphql-core and Strawberry add for the programmer: Python's words, and the value itself.
_FOR_THE_PROGRAMMER = re.compile(
    r",? [Ff]ound: .*|\s*Use 'Maybe\[.*|(?<=cannot represent)(?: a)? (non[ -]\w+ value)\b.*",
    re.DOTALL,
)
_CODES = {
    ErrorCode.FORBIDDEN: "FORBIDDEN",
    ErrorCode.CONFLICT: "CONFLICT",
    ErrorCode.NOT_FOUND: "NOT_FOUND",
}


class NotExecuted(Exception):
    """A request of which nothing runs; its answer holds these errors and no data.

    `status` is for what is wrong with the HTTP request; else the code of the first error says it.
    """

    def __init__(
        self,
        errors: Sequence[GraphQLError],
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = list(errors)
        self.status = status
        self.headers = dict(headers or {})
        self.extensions = dict(extensions or {})


def coded(code: str, message: str, **extensions: Any) -> GraphQLError:
    """An error of the request, with the code that clients switch on."""
    return GraphQLError(message, extensions={"code": code, **extensions})


def bad_request(status: int, message: str, **headers: str) -> NotExecuted:
    """What is no GraphQL request; header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return NotExecuted([coded("BAD_REQUEST", message)], status=status, headers=named)


def shown_errors(errors: Sequence[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """Errors as clients may see them: each with a code, the unexpected masked, at most five."""
    return [_shown(error, request_id) for error in errors[:MAX_ERRORS]]


def _shown(error: GraphQLError, request_id: str) -> dict[str, Any]:
    code, message = _code_and_message(error, request_id)
    shown: dict[str, Any] = {"message": message, "extensions": {"code": code}}
    if error.original_error is None:
        shown["extensions"] |= error.extensions or {}
    elif isinstance(error.original_error, AppError) and error.original_error.field:
        shown["extensions"]["field"] = list(error.original_error.field)
    if code == "INTERNAL_SERVER_ERROR":
        shown["extensions"]["requestId"] = request_id
    if error.locations:
        shown["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        shown["path"] = error.path
    return shown


def _code_and_message(error: GraphQLError, request_id: str) -> tuple[str, str]:
    original = error.original_error
    if isinstance(original, AppError):
        first = original.problems[0] if isinstance(original, Refused) else original
        return _CODES.get(first.code, "BAD_USER_INPUT"), original.message
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED", error.message
    if code := (error.extensions or {}).get("code"):
        return str(code), error.message
    if original is None and error.path is None:
        return "GRAPHQL_VALIDATION_FAILED", _for_clients(error.message)
    if isinstance(original, GraphQLError):
        return "BAD_USER_INPUT", _for_clients(error.message)
    log_unexpected(original or error, request_id, [str(part) for part in error.path or ()])
    return "INTERNAL_SERVER_ERROR", "Something went wrong on our side"


def _for_clients(message: str) -> str:
    return _FOR_THE_PROGRAMMER.sub(lambda found: f" a {found[1]}" if found[1] else "", message)


def log_unexpected(error: Exception, request_id: str, path: list[str]) -> None:
    """Where an unexpected error came from, and in which field."""
    log_failure("unexpected error", error, request_id=request_id, path=path)
