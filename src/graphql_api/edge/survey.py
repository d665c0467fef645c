"""One walk over a document, before it is validated: how large it is, what it selects and costs.

Every definition is walked once, however often it is spread; what it comes to where it is spread is
then summed up over the fragments, each after those that it spreads. The walk takes invalid
documents too: it counts all, and prices what the schema knows.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from graphql_api.edge.cost import NOTHING, Plan, Priced, Selection
from graphql_api.edge.prices import Prices
from graphql_api.kit.graphql.access import Rule, rule_of

INTROSPECTION = frozenset({"__schema", "__type"})
_MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A field that a document selects, with the rule that it carries; None for introspection."""

    coordinate: str
    node: FieldNode
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class Size:
    """How large an operation is, its fragments counted wherever they are spread.

    `depth` counts fields below each other, `nesting` fragments too; `repeats` is how often one
    key stands in a selection set.
    """

    depth: int = 0
    nesting: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    repeats: int = 0


@dataclass(slots=True)
class Part:
    """What one operation or fragment is by itself."""

    node: OperationDefinitionNode | FragmentDefinitionNode
    size: Size = field(default_factory=Size)
    uses: list[FieldUse] = field(default_factory=list)
    spreads: list[tuple[str, int, int]] = field(default_factory=list)
    selection: Selection = NOTHING


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document, with everything that it reaches through fragments."""

    node: OperationDefinitionNode
    size: Size
    uses: list[FieldUse]
    plan: Plan

    @property
    def name(self) -> str | None:
        """The name of the operation, if it has one."""
        return self.node.name.value if self.node.name else None


def survey(graph: GraphQLSchema, document: DocumentNode, prices: Prices) -> list[Operation]:
    """Every operation of a document."""
    parts = [
        _Walk(graph, prices, definition).part
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    fragments = {
        part.node.name.value: part
        for part in parts
        if isinstance(part.node, FragmentDefinitionNode)
    }
    order = _each_after_what_it_spreads(fragments)
    sizes: dict[str, Size] = {}
    for name in order:
        sizes[name] = _whole(fragments[name], sizes)
    return [
        _surveyed(part.node, part, fragments, order, sizes)
        for part in parts
        if isinstance(part.node, OperationDefinitionNode)
    ]


def _surveyed(
    node: OperationDefinitionNode,
    part: Part,
    fragments: Mapping[str, Part],
    order: list[str],
    sizes: Mapping[str, Size],
) -> Operation:
    reached = _reached(part, fragments)
    uses = [use for name in reached for use in fragments[name].uses]
    selections = {name: fragments[name].selection for name in order if name in reached}
    plan = Plan(part.selection, selections, _defaults(node))
    return Operation(node, _whole(part, sizes), part.uses + uses, plan)


class _Walk:
    """The walk over one definition."""

    def __init__(
        self,
        graph: GraphQLSchema,
        prices: Prices,
        node: OperationDefinitionNode | FragmentDefinitionNode,
    ) -> None:
        self._graph = graph
        self._prices = prices
        self._counts: Counter[str] = Counter()
        self.part = Part(node)
        if isinstance(node, FragmentDefinitionNode):
            parent = graph.get_type(node.type_condition.name.value)
        else:
            parent = graph.get_root_type(node.operation)
        self._count("directives", len(node.directives or ()))
        self.part.selection = self._set(node.selection_set, parent, 1, 1)
        self.part.size = Size(**self._counts)

    def _count(self, what: str, number: int = 1) -> None:
        self._counts[what] += number

    def _at_least(self, what: str, number: int) -> None:
        self._counts[what] = max(self._counts[what], number)

    def _set(
        self, node: SelectionSetNode, parent: GraphQLNamedType | None, depth: int, nesting: int
    ) -> Selection:
        """Walk one selection set; `depth` and `nesting` are those of what stands in it."""
        self._at_least("nesting", nesting)
        keys: Counter[str] = Counter()
        fields: list[Priced] = []
        spreads: list[str] = []
        for selection in node.selections:
            self._count("directives", len(selection.directives or ()))
            if isinstance(selection, FieldNode):
                keys[(selection.alias or selection.name).value] += 1
                fields += self._field(selection, parent, depth, nesting)
            elif isinstance(selection, FragmentSpreadNode):
                if selection.name.value in spreads:
                    continue  # executed once
                self.part.spreads.append((selection.name.value, depth, nesting))
                spreads.append(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                inner = self._inline(selection, parent, depth, nesting)
                fields += inner.fields
                spreads += inner.spreads
        self._at_least("repeats", max(keys.values(), default=0))
        return Selection(tuple(fields), tuple(spreads)) if fields or spreads else NOTHING

    def _inline(
        self,
        node: InlineFragmentNode,
        parent: GraphQLNamedType | None,
        depth: int,
        nesting: int,
    ) -> Selection:
        condition = node.type_condition
        named = self._graph.get_type(condition.name.value) if condition else parent
        return self._set(node.selection_set, named, depth, nesting + 1)

    def _field(
        self, node: FieldNode, parent: GraphQLNamedType | None, depth: int, nesting: int
    ) -> Iterator[Priced]:
        self._count("fields")
        self._count("aliases", node.alias is not None)
        self._at_least("depth", depth)
        definition = self._definition(parent, node.name.value)
        if definition and parent:
            self._use(definition, parent, node)
        inner = NOTHING
        if node.selection_set:
            below = get_named_type(definition.type) if definition else None
            inner = self._set(node.selection_set, below, depth + 1, nesting + 1)
        if definition and parent and (priced := self._prices.of(parent, definition, node, inner)):
            yield priced

    def _definition(self, parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return None
        definition: GraphQLField | None = self._graph.get_field(parent, name)
        return definition

    def _use(self, definition: GraphQLField, parent: GraphQLNamedType, node: FieldNode) -> None:
        rule = rule_of(definition)
        if rule is not None or node.name.value in INTROSPECTION:
            self.part.uses.append(FieldUse(f"{parent.name}.{node.name.value}", node, rule))


def _whole(part: Part, sizes: Mapping[str, Size]) -> Size:
    """The size of a part with that of everything it spreads, wherever it spreads it."""
    own = part.size
    depth, nesting, repeats = own.depth, own.nesting, own.repeats
    fields, aliases, directives = own.fields, own.aliases, own.directives
    for name, at_depth, at_nesting in part.spreads:
        spread = sizes.get(name, Size())
        depth = max(depth, at_depth - 1 + spread.depth)
        nesting = max(nesting, at_nesting + spread.nesting)
        repeats = max(repeats, spread.repeats)
        fields = min(fields + spread.fields, _MOST)
        aliases = min(aliases + spread.aliases, _MOST)
        directives = min(directives + spread.directives, _MOST)
    return Size(depth, nesting, fields, aliases, directives, repeats)


def _each_after_what_it_spreads(fragments: Mapping[str, Part]) -> list[str]:
    """The fragments in an order to sum them up in; one in a circle comes before its own end."""
    order: dict[str, None] = {}
    entered: set[str] = set()
    waiting = list(fragments)
    while waiting:
        name = waiting[-1]
        if name in entered:
            order.setdefault(waiting.pop())
            continue
        entered.add(name)
        spread = {name for name, _, _ in fragments[name].spreads}
        waiting += [name for name in spread if name in fragments and name not in entered]
    return list(order)


def _reached(part: Part, fragments: Mapping[str, Part]) -> dict[str, None]:
    """The fragments that a part spreads, and those that they spread."""
    reached: dict[str, None] = {}
    waiting = [name for name, _, _ in part.spreads]
    while waiting:
        name = waiting.pop()
        if name in fragments and name not in reached:
            reached[name] = None
            waiting += [spread for spread, _, _ in fragments[name].spreads]
    return reached


def _defaults(node: OperationDefinitionNode) -> dict[str, Any]:
    """The defaults of variables, as far as sizes follow from them."""
    found: dict[str, Any] = {}
    for definition in node.variable_definitions or ():
        match definition.default_value:
            case IntValueNode(value=value):
                found[definition.variable.name.value] = int(value)
            case ListValueNode(values=values):
                found[definition.variable.name.value] = list(values)
    return found
