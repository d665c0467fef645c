"""HTTP answers: the map of statuses, and the headers that every answer has."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from graphql_api.edge import negotiation
from graphql_api.edge.execution import Answer
from graphql_api.edge.faults import NotExecuted, shown_errors

STATUS = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "THROTTLED": 429,
    "INTERNAL_SERVER_ERROR": 500,
}
"""Where nothing was executed, by the code of the first error; any other code is 400."""

TOLD_IN_THE_BODY = frozenset(
    {
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "OPERATION_RESOLUTION_FAILURE",
        "BAD_USER_INPUT",
        "PERSISTED_QUERY_NOT_FOUND",
        "QUERY_TOO_COMPLEX",
    }
)
"""Faults of a document. Clients of the older media type read a body on 200 only."""


def status_of(code: str | None, media_type: str) -> int:
    """The status of an answer: 200 when executed."""
    if code is None or (code in TOLD_IN_THE_BODY and media_type == negotiation.JSON):
        return 200
    return STATUS.get(code, 400)


def answered(answer: Answer, media_type: str, request_id: str) -> Response:
    """The answer of an operation."""
    return _response(answer.body, status_of(answer.code, media_type), media_type, request_id, {})


def refused(fault: NotExecuted, media_type: str, request_id: str) -> Response:
    """Errors alone."""
    body: dict[str, Any] = {"errors": shown_errors(fault.errors, request_id)}
    if fault.extensions:
        body["extensions"] = fault.extensions
    status = fault.status or status_of(body["errors"][0]["extensions"]["code"], media_type)
    return _response(body, status, media_type, request_id, fault.headers)


def _response(
    body: Any, status: int, media_type: str, request_id: str, headers: Mapping[str, str]
) -> Response:
    always = {
        "content-type": f"{media_type}; charset=utf-8",
        "cache-control": "no-store",
        "vary": "Accept, Authorization",
        "x-content-type-options": "nosniff",
        "x-request-id": request_id,
    }
    if status == 401:
        always["www-authenticate"] = "Bearer"
    return Response(orjson.dumps(body), status, headers={**always, **headers})
