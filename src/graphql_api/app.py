"""The ASGI application: its routes; edge/view.py answers."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from graphql_api.edge import view


async def health(_request: Request) -> Response:
    """Answers as soon as the process does."""
    return PlainTextResponse("ok")


app = Starlette(
    middleware=[Middleware(GZipMiddleware, minimum_size=4096)],
    routes=[
        Route("/graphql", view.graphql, methods=["GET", "POST"]),
        Route("/graphiql/{name:path}", view.explorer_asset),
        Route("/health", health),
    ],
    exception_handlers={HTTPException: view.no_such_route, Exception: view.unexpected},
)
