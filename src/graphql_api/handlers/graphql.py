"""The API behind API Gateway."""

from mangum import Mangum

from graphql_api.app import app

TEXT = [
    "application/json",
    "application/graphql-response+json",
    "image/svg+xml",
    "text/",
]

handler = Mangum(app, lifespan="off", text_mime_types=TEXT)
