"""The API behind API Gateway."""

from mangum import Mangum

from graphql_api.app import app
from graphql_api.observability import invocation

TEXT = [
    "application/json",
    "application/graphql-response+json",
    "image/svg+xml",
    "text/",
]

handler = invocation(Mangum(app, lifespan="off", text_mime_types=TEXT))
