"""GraphQL for the slices: fields with rules, relations, connections, mutations, scalars."""

from graphql_api.kit.graphql.access import Rule, field, rule_of
from graphql_api.kit.graphql.connections import Connection, Edge, PageInfo, connection, paged
from graphql_api.kit.graphql.mutations import (
    UserError,
    changed_field,
    command,
    errors_field,
    mutation,
)
from graphql_api.kit.graphql.nodes import Node
from graphql_api.kit.graphql.relations import relation, relations

__all__ = [
    "Connection",
    "Edge",
    "Node",
    "PageInfo",
    "Rule",
    "UserError",
    "changed_field",
    "command",
    "connection",
    "errors_field",
    "field",
    "mutation",
    "paged",
    "relation",
    "relations",
    "rule_of",
]
