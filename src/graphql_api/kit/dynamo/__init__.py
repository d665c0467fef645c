"""DynamoDB for the slices: items, batch reads, pages and composed transactions."""

from graphql_api.kit.dynamo.attributes import DayAttribute, InstantAttribute, JsonAttribute
from graphql_api.kit.dynamo.connection import reset_connections
from graphql_api.kit.dynamo.item import Item, table_name
from graphql_api.kit.dynamo.reads import (
    Page,
    Raw,
    batch_get,
    batch_get_raw,
    batch_write,
    get_together,
    key_page,
)
from graphql_api.kit.dynamo.transactions import STALE, Stale, Transaction, transact

__all__ = [
    "STALE",
    "DayAttribute",
    "InstantAttribute",
    "Item",
    "JsonAttribute",
    "Page",
    "Raw",
    "Stale",
    "Transaction",
    "batch_get",
    "batch_get_raw",
    "batch_write",
    "get_together",
    "key_page",
    "reset_connections",
    "table_name",
    "transact",
]
