"""The one view: Accept, the request, the viewer, the answer."""

import asyncio
import uuid

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from graphql_api import auth, graphiql
from graphql_api.config import settings
from graphql_api.edge import answers, execution, negotiation, requests
from graphql_api.edge.faults import NotExecuted, bad_request, coded, log_unexpected
from graphql_api.observability import logged_with

_PAGE = {
    "content-security-policy": graphiql.CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
}


async def graphql(request: Request) -> Response:
    """POST and GET execute; browsers that ask for a page get GraphiQL where it is switched on."""
    request_id = uuid.uuid4().hex
    accept = request.headers.get("accept")
    media_type = negotiation.answer_type(accept)
    with logged_with(correlation_id=request_id):
        return await _answered(request, accept, media_type, request_id)


async def _answered(
    request: Request, accept: str | None, media_type: str | None, request_id: str
) -> Response:
    try:
        if request.method != "POST" and negotiation.wants_page(accept) and settings().graphiql:
            return _page(request_id)
        return await _answer(request, media_type, request_id)
    except NotExecuted as fault:
        return answers.refused(fault, media_type or negotiation.JSON, request_id)
    except auth.BadToken:
        error = coded("UNAUTHENTICATED", "The token is invalid or has expired")
        return answers.refused(NotExecuted([error]), media_type or negotiation.JSON, request_id)
    except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a coded answer
        return _unexpected(error, request_id, request.url.path)


async def _answer(request: Request, media_type: str | None, request_id: str) -> Response:
    if media_type is None:
        raise bad_request(406, f"Answers are {negotiation.GRAPHQL} or {negotiation.JSON}")
    asked = await requests.read(request)
    viewer = await asyncio.to_thread(auth.viewer_of, _bearer(request))
    address = request.client.host if request.client else None
    answer = await execution.answer(asked, viewer, address, request_id)
    return answers.answered(answer, media_type, request_id)


def _bearer(request: Request) -> str | None:
    header = request.headers.get("authorization")
    if header is None:
        return None
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer":
        raise auth.BadToken
    return token.strip()


def _page(request_id: str) -> Response:
    page = graphiql.page()
    if page is None:
        raise bad_request(404, "GraphiQL has not been built; run `make graphiql`")
    headers = {**_PAGE, "cache-control": "no-cache", "vary": "Accept", "x-request-id": request_id}
    return Response(page, media_type="text/html", headers=headers)


async def explorer_asset(request: Request) -> Response:
    """A file of the GraphiQL bundle."""
    found = graphiql.asset(request.path_params["name"]) if settings().graphiql else None
    if found is None:
        return PlainTextResponse("not found", 404)
    body, media_type = found
    forever = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(body, media_type=media_type, headers={**_PAGE, **forever})


async def no_such_route(_request: Request, error: Exception) -> Response:
    """Another path or method than ours."""
    assert isinstance(error, HTTPException)
    fault = NotExecuted(
        [coded("BAD_REQUEST", error.detail)], status=error.status_code, headers=error.headers
    )
    return answers.refused(fault, negotiation.JSON, uuid.uuid4().hex)


async def unexpected(request: Request, error: Exception) -> Response:
    """What no route has answered."""
    return _unexpected(error, uuid.uuid4().hex, request.url.path)


def _unexpected(error: Exception, request_id: str, path: str) -> Response:
    log_unexpected(error, request_id, [path])
    told = coded("INTERNAL_SERVER_ERROR", "Something went wrong on our side", requestId=request_id)
    return answers.refused(NotExecuted([told]), negotiation.JSON, request_id)
