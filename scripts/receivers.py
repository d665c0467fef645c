"""What answers on a laptop: the API, and beside it what takes in the pushes of vendors.

In the cloud that is a function of its own behind API Gateway; here the same handler is called with
the event that API Gateway would make.
"""

import base64
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from graphql_api.app import app as api
from graphql_api.handlers import vendor_webhooks
from scripts.stream_pump import Context


async def receive(request: Request) -> Response:
    """A vendor's push, through the function that receives it."""
    event = event_of(request, await request.body())
    answer = await run_in_threadpool(vendor_webhooks.handler, event, Context())
    return Response(answer["body"], answer["statusCode"], answer["headers"])


def event_of(request: Request, raw: bytes) -> dict[str, Any]:
    """A request as API Gateway tells it (payload 2.0)."""
    return {
        "version": "2.0",
        "rawPath": request.url.path,
        "headers": dict(request.headers),
        "queryStringParameters": dict(request.query_params),
        "requestContext": {"stage": "$default", "http": {"method": request.method}},
        "body": base64.b64encode(raw).decode(),
        "isBase64Encoded": True,
    }


app = Starlette(
    routes=[
        *(Route(path, receive, methods=["GET", "POST"]) for path in vendor_webhooks.PLATFORMS),
        Route("/vendors/{vendor}", receive, methods=["POST"]),
        Mount("/", app=api),
    ]
)
