"""The same schema behind the same packages, put together as their documentation has it."""

import boto3
import httpx
import strawberry.asgi
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities import idempotency, parameters
from mangum import Mangum
from pynamodb.connection import Connection

from graphql_api.schema import schema

logger = Logger(service="plain")
metrics = Metrics(namespace="plain", service="plain")
table = boto3.resource("dynamodb").Table("plain")
store = idempotency.DynamoDBPersistenceLayer(table_name="plain")
secrets = parameters.SecretsProvider()
client = httpx.Client()
connection = Connection().client

app: strawberry.asgi.GraphQL[object, object] = strawberry.asgi.GraphQL(schema)
handler = Mangum(app, lifespan="off")
