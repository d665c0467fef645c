"""What a field costs, written into the schema: an object is 1 unless `@cost` says otherwise."""

from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLInputField, GraphQLSchema
from strawberry.schema_directive import Location, StrawberrySchemaDirective

MUTATION = 10
LIST_SIZE = 10
"""How many items a list without `first` is taken to have, where `@listSize` says nothing."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.INPUT_FIELD_DEFINITION],
    name="cost",
    description="What an object of this field costs, or what giving this input adds. 查询成本",
)
class Cost:
    """Printed in the schema, read by the edge."""

    weight: int = strawberry.field(description="The points. 点数")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="How many items cost counts: so many, or as many as an argument has. 列表长度",
)
class ListSize:
    """Printed in the schema, read by the edge."""

    assumed: int | None = strawberry.field(
        name="assumedSize", default=strawberry.UNSET, description="So many. 估计条数"
    )
    argument: str | None = strawberry.field(
        name="slicingArgument",
        default=strawberry.UNSET,
        description="As many as this argument has. 决定条数的参数",
    )


LOOK_UP = Cost(weight=20)
"""Given with what is known of a person: asked at speed, it would say who is a member."""


def cost_of(definition: GraphQLField | GraphQLInputField) -> int | None:
    """The weight that is written on a field or an input, if any."""
    return next((d.weight for d in _directives(definition) if isinstance(d, Cost)), None)


def list_size_of(definition: GraphQLField) -> ListSize | None:
    """The size that is written on a list, if any."""
    return next((d for d in _directives(definition) if isinstance(d, ListSize)), None)


def priced(cost: int | None, size: int | None = None) -> list[Any]:
    """The directives of a field with this weight and assumed size."""
    sized = [] if size is None else [ListSize(assumed=size)]
    return sized if cost is None else [Cost(weight=cost), *sized]


def describe_arguments(graph: GraphQLSchema) -> None:
    """Put the descriptions of the arguments of schema directives, which Strawberry drops."""
    for directive in graph.directives:
        stored = directive.extensions.get("strawberry-definition")
        if isinstance(stored, StrawberrySchemaDirective):
            for field, argument in zip(stored.fields, directive.args.values(), strict=True):
                argument.description = field.description


def _directives(definition: GraphQLField | GraphQLInputField) -> list[Any]:
    stored = definition.extensions.get("strawberry-definition")
    return list(stored.directives) if stored is not None else []
