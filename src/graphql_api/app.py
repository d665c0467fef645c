"""The ASGI application: request → viewer → context → schema → coded answer."""

import asyncio
import time
import uuid
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from graphql_api import auth, graphiql
from graphql_api.config import settings
from graphql_api.context import Context
from graphql_api.extensions import log_unexpected, shown_errors
from graphql_api.kit.time import Clock
from graphql_api.schema import schema
from graphql_api.stores import service as stores
from graphql_api.viewer import Viewer

MAX_BODY_BYTES = 1_000_000
_JSON = "application/json"
_PAGE = {
    "content-security-policy": graphiql.CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
}
_STATUS = {"UNAUTHENTICATED": 401, "FORBIDDEN": 403}
_OPTIONAL = {"variables": dict, "operationName": str, "extensions": dict}


class BadRequest(Exception):
    """A request that is not a GraphQL request; carries the HTTP status."""

    def __init__(self, status: int, message: str, code: str = "BAD_REQUEST") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


class _ChainClock:
    """The chain's clock, read again once a minute: its zone and offset hardly ever change."""

    SECONDS = 60.0

    def __init__(self) -> None:
        self._clock = Clock()
        self._good_until = 0.0

    async def read(self) -> Clock:
        """The clock as of the last minute."""
        if time.monotonic() > self._good_until:
            self._clock = await asyncio.to_thread(stores.clock)
            self._good_until = time.monotonic() + self.SECONDS
        return self._clock

    def forget(self) -> None:
        """Read it again at the next request."""
        self._good_until = 0.0


chain_clock = _ChainClock()


async def graphql(request: Request) -> Response:
    """POST executes; GET shows GraphiQL to browsers where it is switched on."""
    request_id = uuid.uuid4().hex
    try:
        if request.method == "GET":
            return _explorer(request)
        asked = await _read(request)
        viewer = await asyncio.to_thread(auth.viewer_of, _bearer(request))
        return await _execute(asked, viewer, request_id)
    except auth.BadToken:
        return _refused(401, "UNAUTHENTICATED", "The token is invalid or has expired")
    except BadRequest as refusal:
        return _refused(refusal.status, refusal.code, refusal.message)


async def _execute(asked: dict[str, Any], viewer: Viewer, request_id: str) -> Response:
    clock = await chain_clock.read()
    result = await schema.execute(
        asked["query"],
        variable_values=asked.get("variables"),
        operation_name=asked.get("operationName"),
        context_value=Context(viewer, clock, request_id),
    )
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = shown_errors(result.errors, request_id)
    started = result.data is not None or any(e.path for e in result.errors or ())
    if started:
        body["data"] = result.data
    status = 200
    if not started:
        status = _STATUS.get(body["errors"][0]["extensions"]["code"], 400)
    return Response(
        orjson.dumps(body), status, media_type=_JSON, headers={"x-request-id": request_id}
    )


async def _read(request: Request) -> dict[str, Any]:
    """The GraphQL request of a POST body; BadRequest for anything else."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _JSON:
        raise BadRequest(415, "Send application/json")
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY_BYTES:
            raise BadRequest(413, "The body is larger than 1,000,000 bytes")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise BadRequest(400, "The body is not JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("query"), str) or not body["query"]:
        raise BadRequest(400, "The body is an object with a `query` string")
    for name, kind in _OPTIONAL.items():
        if not isinstance(body.get(name), kind | None):
            raise BadRequest(400, f"`{name}` is of another type")
    return body


def _bearer(request: Request) -> str | None:
    header = request.headers.get("authorization")
    if header is None:
        return None
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer":
        raise auth.BadToken
    return token.strip()


def _refused(status: int, code: str, message: str) -> Response:
    error = {"message": message, "extensions": {"code": code}}
    return Response(orjson.dumps({"errors": [error]}), status, media_type=_JSON)


def _explorer(request: Request) -> Response:
    if "text/html" not in request.headers.get("accept", "") or not settings().graphiql:
        raise BadRequest(405, "Send POST")
    page = graphiql.page()
    if page is None:
        raise BadRequest(404, "GraphiQL has not been built; run `make graphiql`")
    return Response(page, media_type="text/html", headers={**_PAGE, "cache-control": "no-cache"})


async def explorer_asset(request: Request) -> Response:
    """A file of the GraphiQL bundle."""
    found = graphiql.asset(request.path_params["name"]) if settings().graphiql else None
    if found is None:
        return PlainTextResponse("not found", 404)
    body, media_type = found
    forever = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(body, media_type=media_type, headers={**_PAGE, **forever})


async def health(_request: Request) -> Response:
    """Answers as soon as the process does."""
    return PlainTextResponse("ok")


async def _no_such_route(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refused = _refused(error.status_code, "BAD_REQUEST", error.detail)
    refused.headers.update(error.headers or {})
    return refused


async def _unexpected(request: Request, error: Exception) -> Response:
    log_unexpected(error, "-", [request.url.path])
    return _refused(500, "INTERNAL_SERVER_ERROR", "Something went wrong on our side")


app = Starlette(
    middleware=[Middleware(GZipMiddleware, minimum_size=4096)],
    routes=[
        Route("/graphql", graphql, methods=["GET", "POST"]),
        Route("/graphiql/{name:path}", explorer_asset),
        Route("/health", health),
    ],
    exception_handlers={HTTPException: _no_such_route, Exception: _unexpected},
)
