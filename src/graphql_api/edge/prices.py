"""What the schema says of costs, read once per field, and a field of a document priced by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from graphql_api.edge.cost import Count, Extra, Priced, Selection
from graphql_api.kit.graphql.connections import MAX_FIRST
from graphql_api.kit.graphql.costs import LIST_SIZE, cost_of, list_size_of

INTROSPECTION = {"__schema": 10, "__type": 5}
_ITEMS = frozenset({"nodes", "edges"})
_PAGE = "first"


@dataclass(frozen=True, slots=True)
class _Price:
    """What is known of a field before it is selected."""

    weight: int
    listed: bool
    assumed: int | None
    sliced_by: str | None
    page: int | None
    paged: bool
    inputs: Mapping[str, Mapping[str, int]]


class Prices:
    """The prices of a schema."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], _Price] = {}

    def of(
        self, parent: GraphQLNamedType, definition: GraphQLField, node: FieldNode, inner: Selection
    ) -> Priced | None:
        """A selected field with what is selected below it; None where it costs nothing."""
        name = node.name.value
        if name in INTROSPECTION:
            return Priced(_key(node), INTROSPECTION[name])
        price = self._known.get((parent.name, name))
        if price is None:
            price = self._known[parent.name, name] = _price(parent, name, definition)
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        weight, extras = _with_inputs(price, given)
        if not (weight or extras or inner):
            return None
        return Priced(
            _key(node),
            weight,
            extras,
            size=_size(price, given),
            page=None if price.page is None else _count(given.get(_PAGE), price.page, MAX_FIRST),
            paged=price.paged,
            children=inner,
        )


def _key(node: FieldNode) -> str:
    return (node.alias or node.name).value


def _price(parent: GraphQLNamedType, name: str, definition: GraphQLField) -> _Price:
    returned = get_named_type(definition.type)
    written = cost_of(definition)
    listed = isinstance(get_nullable_type(definition.type), GraphQLList)
    paged = _is_connection(parent) and name in _ITEMS
    first = definition.args.get(_PAGE)
    told = list_size_of(definition)
    usual = 0 if is_leaf_type(returned) else 1
    return _Price(
        weight=usual if written is None else written,
        listed=listed and not paged and not is_leaf_type(returned),
        assumed=told.assumed or None if told else None,
        sliced_by=told.argument or None if told else None,
        page=int(first.default_value) if first and _is_connection(returned) else None,
        paged=paged,
        inputs=_inputs(definition.args),
    )


def _is_connection(named: GraphQLNamedType) -> bool:
    return isinstance(named, GraphQLObjectType) and named.fields.keys() >= _ITEMS


def _inputs(arguments: Mapping[str, GraphQLArgument]) -> dict[str, dict[str, int]]:
    """By argument, the weights that stand on the fields of its input."""
    found = {}
    for name, argument in arguments.items():
        named = get_named_type(argument.type)
        if isinstance(named, GraphQLInputObjectType):
            weights = {key: cost_of(field) for key, field in named.fields.items()}
            found[name] = {key: weight for key, weight in weights.items() if weight}
    return {name: weights for name, weights in found.items() if weights}


def _with_inputs(price: _Price, given: Mapping[str, ValueNode]) -> tuple[int, tuple[Extra, ...]]:
    weight, extras = price.weight, []
    for name, weights in price.inputs.items():
        match given.get(name):
            case VariableNode(name=variable):
                extras.append(Extra(variable.value, weights))
            case ObjectValueNode(fields=fields):
                named = (f.name.value for f in fields if not isinstance(f.value, NullValueNode))
                weight += sum(weights.get(key, 0) for key in named)
    return weight, tuple(extras)


def _size(price: _Price, given: Mapping[str, ValueNode]) -> Count | None:
    if not price.listed:
        return None
    if price.sliced_by is None:
        assumed = LIST_SIZE if price.assumed is None else price.assumed
        return Count(assumed, most=assumed)
    return _count(given.get(price.sliced_by), LIST_SIZE, MAX_FIRST)


def _count(value: Any, usual: int, most: int) -> Count:
    match value:
        case VariableNode(name=variable):
            return Count(usual, variable.value, most)
        case IntValueNode(value=number):
            return Count(int(number), most=most)
        case ListValueNode(values=values):
            return Count(len(values), most=most)
        case _:
            return Count(usual, most=most)
