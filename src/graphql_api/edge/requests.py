"""The GraphQL request in an HTTP request: a JSON body of POST, or the parameters of GET."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request

from graphql_api.edge import negotiation
from graphql_api.edge.faults import bad_request

MAX_BODY_BYTES = 1_000_000
MAX_VALUES = 20_000
_MAX_PARAMETERS = 20
_KINDS: dict[str, type] = {
    "query": str,
    "variables": dict,
    "operationName": str,
    "extensions": dict,
    "documentId": str,
}
# Any of these makes a browser ask first whether another site may send the request.
_ASKED_FIRST = (
    "authorization",
    "graphql-require-preflight",
    "apollo-require-preflight",
    "x-requested-with",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks: the members of a GraphQL request, each None when left out or null."""

    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any] | None
    document_id: str | None = None
    by_get: bool = False
    key: str | None = None


async def read(request: Request) -> Asked:
    """What is asked; raises NotExecuted for anything that is no GraphQL request."""
    if request.method == "POST":
        _require_json(request)
        asked = _asked(_parsed(await _body(request), "The body"))
        return replace(asked, key=_key(request))
    asked = _asked(_parameters(request), by_get=True)
    if asked.query:
        _require_intent(request)
    return asked


def _require_json(request: Request) -> None:
    """Forms and plain text are what another site can make a browser send."""
    media_type, *parameters = request.headers.get("content-type", "").lower().split(";")
    charsets = {p.strip().removeprefix("charset=").strip('"') for p in parameters if "charset" in p}
    if media_type.strip() != negotiation.JSON or charsets - {"utf-8", "utf8"}:
        raise bad_request(415, "Send application/json in UTF-8", accept=negotiation.JSON)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise bad_request(415, "Send the body as it is, without an encoding")


def _require_intent(request: Request) -> None:
    """A GET is a program's: JSON by name, a script's fetch, or a header that browsers ask about.

    A link, form or image of another site brings none of these. What is asked for by its id alone is
    a query that this server knows.
    """
    if any(name in request.headers for name in _ASKED_FIRST):
        return
    elsewhere = request.headers.get("sec-fetch-site", "") in {"cross-site", "same-site"}
    fetched = request.headers.get("sec-fetch-mode") == "cors"
    if elsewhere or not (fetched or negotiation.names_json(request.headers.get("accept"))):
        raise bad_request(
            400, f"Name {negotiation.JSON} in Accept, or send GraphQL-Require-Preflight: 1"
        )


async def _body(request: Request) -> bytes:
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BODY_BYTES:
                raise bad_request(413, "The body is larger than 1,000,000 bytes")
    except ClientDisconnect:
        raise bad_request(400, "The body is not whole") from None
    return bytes(raw)


def _key(request: Request) -> str | None:
    """`Idempotency-Key`; a structured string, or as it is."""
    header = request.headers.get("idempotency-key", "").strip()
    quoted = len(header) > 1 and header[0] == header[-1] == '"'
    return (header[1:-1] if quoted else header) or None


def _parameters(request: Request) -> dict[str, Any]:
    """The parameters of a URL; `variables` and `extensions` are JSON, what is empty is left out."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError:
        raise bad_request(400, "The parameters are not percent-encoded UTF-8") from None
    if len({name for name, _ in pairs}) < len(pairs):
        raise bad_request(400, "A parameter comes twice")
    given: dict[str, Any] = dict(pairs)
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = _parsed(given[name], f"`{name}`")
    return given


def _parsed(raw: bytes | str, what: str) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise bad_request(400, f"{what} is not JSON") from None


def _asked(given: Any, *, by_get: bool = False) -> Asked:
    if not isinstance(given, dict):
        raise bad_request(400, "The body is an object with a `query` string")
    for name, kind in _KINDS.items():
        if not isinstance(given.get(name), kind | None):
            raise bad_request(400, f"`{name}` is of another type")
    _require_few_values(given.get("variables"))
    return Asked(
        given.get("query"),
        given.get("variables"),
        given.get("operationName"),
        given.get("extensions"),
        given.get("documentId"),
        by_get,
    )


def _require_few_values(variables: Any) -> None:
    """Count the values of variables, as deep as they go, and stop at the limit."""
    waiting, seen = [variables], 0
    while waiting:
        value = waiting.pop()
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list):
            seen += len(value)
            if seen > MAX_VALUES:
                raise bad_request(400, "`variables` hold more than 20,000 values")
            waiting.extend(v for v in inner if isinstance(v, dict | list))
