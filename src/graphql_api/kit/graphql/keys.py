"""The idempotency key of a mutation field: `@idempotent(key:)`, and what the mutation is told."""

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from graphql import (
    DirectiveLocation,
    FieldNode,
    GraphQLArgument,
    GraphQLDirective,
    GraphQLError,
    GraphQLNonNull,
    GraphQLString,
    ValidationRule,
)

from graphql_api.errors import AppError

IDEMPOTENT = GraphQLDirective(
    "idempotent",
    [DirectiveLocation.FIELD],
    {
        "key": GraphQLArgument(
            GraphQLNonNull(GraphQLString),
            description="8 to 255 printable ASCII characters, new for each thing done. 幂等键",
        )
    },
    description=(
        "Do this mutation once, however often it is sent; the same request under the same key "
        "gets the same answer for 48 hours. 幂等执行"
    ),
)


class KeyOnMutation(ValidationRule):
    """A key stands on a field of the mutation type and nowhere else."""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """One error where it does not."""
        root = self.context.schema.mutation_type
        named = any(d.name.value == IDEMPOTENT.name for d in node.directives or ())
        if named and self.context.get_parent_type() is not root:
            self.report_error(GraphQLError("`@idempotent` belongs on a mutation", node))


class KeyUse(StrEnum):
    """What a mutation makes of a key."""

    OFFERED = "OFFERED"
    REQUIRED = "REQUIRED"
    """It moves points, coupons, money or messages."""
    SHOWN_ONCE = "SHOWN_ONCE"
    """Its answer holds a secret, and is not kept."""


@dataclass(slots=True)
class GivenKey:
    """The key that a mutation field came with.

    Whoever executes says why it is refused; the mutation says whether it refused, and whether the
    answer may be kept.
    """

    refusal: AppError | None = None
    refused: bool = False
    kept: bool = True


given_key: ContextVar[GivenKey | None] = ContextVar("given_key", default=None)
