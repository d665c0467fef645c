"""The ASGI application: its routes; edge/view.py answers.

GraphiQL's files are compressed here. Answers are not: API Gateway takes compressed bytes as base64
only, so that is left to the CDN in front.
"""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from graphql_api.edge import view

_COMPRESSED = Middleware(GZipMiddleware, minimum_size=4096)


async def health(_request: Request) -> Response:
    """Answers as soon as the process does."""
    return PlainTextResponse("ok")


app = Starlette(
    routes=[
        Route("/graphql", view.graphql, methods=["GET", "POST"]),
        Route("/graphiql/{name:path}", view.explorer_asset, middleware=[_COMPRESSED]),
        Route("/health", health),
    ],
    exception_handlers={HTTPException: view.no_such_route, Exception: view.unexpected},
)
