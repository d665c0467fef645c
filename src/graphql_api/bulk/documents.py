"""From the query of a client to the documents that fetch it page by page.

A query is one field of the root that is a connection; connections may stand in its nodes, and in
theirs, which select their `id`. `first`, `after` and `pageInfo` are ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    NameNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    print_ast,
    visit,
)

from graphql_api.bulk.rules import Page, Shape
from graphql_api.edge import documents
from graphql_api.edge.faults import NotExecuted
from graphql_api.edge.gate import refusals
from graphql_api.errors import AppError, Forbidden, Invalid, Refused
from graphql_api.viewer import Viewer

MAX_LENGTH = 10_000
MAX_CONNECTIONS = 5
MAX_DEPTH = 2
ROOT_AT_ONCE = 100
ROOT_AT_ONCE_WITH_INNER = 20
INNER_AT_ONCE = 50
_OURS = {"first", "after"}
_NAME = "BulkOperation"
_FIELD = ("input", "query")


@dataclass(frozen=True, slots=True)
class Plan:
    """The connections of a query, the root first, and the document that asks for a page of each."""

    shapes: tuple[Shape, ...]
    texts: tuple[str, ...]

    def asked(self, page: Page) -> tuple[str, dict[str, Any]]:
        """The document and the variables that ask for a page."""
        variables: dict[str, Any] = {"after": page.after}
        if page.parent_id is not None:
            variables["id"] = page.parent_id
        return self.texts[page.connection], variables

    def found(self, page: Page, data: dict[str, Any]) -> dict[str, Any] | None:
        """The connection in the answer; None where its parent is gone or not visible any more."""
        key = self.shapes[page.connection].key
        if page.parent_id is None:
            found: dict[str, Any] = data[key]
            return found
        below: dict[str, Any] | None = (data["node"] or {}).get(key)
        return below


def read(graph: GraphQLSchema, query: str, viewer: Viewer) -> Plan:
    """The plan of a query that the viewer may run; a refusal says what is wrong with it."""
    if len(query) > MAX_LENGTH:
        raise Invalid(f"A query has at most {MAX_LENGTH} characters", field=_FIELD)
    try:
        document = documents.read(graph, query)
        operation = documents.operation_of(document, None)
    except NotExecuted as refused:
        raise Refused([Invalid(e.message, field=_FIELD) for e in refused.errors]) from None
    if denied := refusals(operation.uses, viewer):
        raise Refused([Forbidden(error.message, field=_FIELD) for error in denied])
    return _Planner(graph, document.node).plan(operation.node)


def _refusal(text: str) -> AppError:
    return Invalid(text, field=_FIELD)


@dataclass(slots=True)
class _Connection:
    """A connection being planned: the field, the type that has it, and what is in its nodes."""

    field: FieldNode
    parent: str
    by_edges: bool
    rest: FieldNode
    inner: "list[_Connection]"
    number: int = 0

    @property
    def key(self) -> str:
        return self.field.alias.value if self.field.alias else self.field.name.value


class _Planner:
    def __init__(self, graph: GraphQLSchema, document: DocumentNode) -> None:
        self._graph = graph
        self._fragments = [d for d in document.definitions if isinstance(d, FragmentDefinitionNode)]
        self._all: list[_Connection] = []

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        """The plan, once everything is as it must be."""
        if operation.operation is not OperationType.QUERY or operation.variable_definitions:
            raise _refusal("A bulk operation is a query without variables")
        if operation.directives:
            raise _refusal("A bulk operation has no directives")
        fields = list(operation.selection_set.selections)
        root = fields[0]
        if len(fields) != 1 or not isinstance(root, FieldNode):
            raise _refusal("A bulk operation asks for one field of the root")
        query = self._graph.query_type
        assert query is not None
        if _connection_of(query.fields.get(root.name.value)) is None:
            raise _refusal("The field of the root is a list with pages")
        for fragment in self._fragments:
            _require_no_list(fragment)
        made = self._connection(root, query, depth=0)
        self._number(made)
        return Plan(
            tuple(Shape(c.key, c.by_edges, tuple(i.number for i in c.inner)) for c in self._all),
            tuple(self._text(c) for c in self._all),
        )

    def _number(self, made: _Connection) -> None:
        made.number = len(self._all)
        self._all.append(made)
        if len(self._all) > MAX_CONNECTIONS:
            raise _refusal(f"A bulk operation has at most {MAX_CONNECTIONS} lists")
        for inner in made.inner:
            self._number(inner)

    def _connection(self, field: FieldNode, parent: GraphQLObjectType, depth: int) -> _Connection:
        """A connection field: what is asked of its nodes, the inner connections apart."""
        if depth > MAX_DEPTH:
            raise _refusal(f"Lists stand at most {MAX_DEPTH} deep in a list")
        if field.directives:
            raise _refusal("A list has no directives here")
        shown = _connection_of(parent.fields[field.name.value])
        assert shown is not None
        node, by_edges = _node_of(field)
        node_type: Any = get_named_type(shown.fields["nodes"].type)
        rest: list[Any] = []
        inner: list[_Connection] = []
        for selection in node.selection_set.selections if node.selection_set else ():
            if isinstance(selection, FieldNode) and _is_list(node_type, selection):
                inner.append(self._connection(selection, node_type, depth + 1))
                continue
            _require_no_list(selection)
            rest.append(selection)
        if inner and not any(_is_id(one) for one in rest):
            raise _refusal(f"Select `id` in `{field.name.value}`: the lists in it refer to it")
        kept = _with_selections(node, rest)
        return _Connection(field, parent.name, by_edges, kept, inner)

    # --- documents ---------------------------------------------------------------------------

    def _text(self, made: _Connection) -> str:
        asked = self._field(made, first=_first(made), after=VariableNode(name=_name("after")))
        fragments = "\n".join(print_ast(fragment) for fragment in self._used(asked))
        if made.number == 0:
            return f"query {_NAME}($after: String) {{ {print_ast(asked)} }}\n{fragments}"
        return (
            f"query {_NAME}($id: ID!, $after: String) {{ node(id: $id) {{ "
            f"... on {made.parent} {{ {print_ast(asked)} }} }} }}\n{fragments}"
        )

    def _field(self, made: _Connection, *, first: int, after: Any = None) -> FieldNode:
        """The field of a connection with our page, the first pages of the inner ones in it."""
        inner = [self._field(one, first=INNER_AT_ONCE) for one in made.inner]
        assert made.rest.selection_set is not None
        node = _with_selections(made.rest, [*made.rest.selection_set.selections, *inner])
        held = _field_of("edges", [node]) if made.by_edges else node
        info = _field_of("pageInfo", [_field_of("hasNextPage"), _field_of("endCursor")])
        ours = [_argument("first", IntValueNode(value=str(first)))]
        if after is not None:
            ours.append(_argument("after", after))
        given = [a for a in made.field.arguments or () if a.name.value not in _OURS]
        return FieldNode(
            name=made.field.name,
            alias=made.field.alias,
            arguments=(*given, *ours),
            directives=(),
            selection_set=SelectionSetNode(selections=(held, info)),
        )

    def _used(self, node: Node) -> list[FragmentDefinitionNode]:
        """The fragments that a field spreads, and those that these spread."""
        by_name = {fragment.name.value: fragment for fragment in self._fragments}
        used: dict[str, FragmentDefinitionNode] = {}
        waiting = list(_spreads(node))
        while waiting:
            name = waiting.pop()
            if name not in used:
                used[name] = by_name[name]
                waiting += _spreads(by_name[name])
        return list(used.values())


def _require_no_list(node: Node) -> None:
    """Refuses a list that stands elsewhere than directly in the nodes of a list."""
    if not {"pageInfo", "edges", "nodes"}.isdisjoint(_names(node)):
        raise _refusal("A list stands directly in the nodes of a list, in no fragment")


def _first(made: _Connection) -> int:
    if made.number:
        return INNER_AT_ONCE
    return ROOT_AT_ONCE_WITH_INNER if made.inner else ROOT_AT_ONCE


def _connection_of(field: GraphQLField | None) -> GraphQLObjectType | None:
    """The connection that a field gives; None for any other field."""
    named = get_named_type(field.type) if field else None
    if isinstance(named, GraphQLObjectType) and {"nodes", "pageInfo"} <= set(named.fields):
        return named
    return None


def _is_list(node_type: Any, field: FieldNode) -> bool:
    known = node_type.fields if isinstance(node_type, GraphQLObjectType) else {}
    return _connection_of(known.get(field.name.value)) is not None


def _node_of(field: FieldNode) -> tuple[FieldNode, bool]:
    """The `nodes` of a connection, or the `node` of its `edges`; cursors and page are left out."""
    found = []
    for selection in field.selection_set.selections if field.selection_set else ():
        if not isinstance(selection, FieldNode) or selection.directives or selection.alias:
            raise _refusal("A list is asked for by `nodes`, or by `edges { node }`, as they are")
        if selection.name.value == "nodes":
            found.append((selection, False))
        elif selection.name.value == "edges":
            found += [(node, True) for node in _fields(selection) if node.name.value == "node"]
    if len(found) != 1 or found[0][0].alias or found[0][0].directives:
        raise _refusal("A list is asked for by `nodes`, or by `edges { node }`, once")
    return found[0]


def _fields(node: FieldNode) -> Iterator[FieldNode]:
    for selection in node.selection_set.selections if node.selection_set else ():
        if not isinstance(selection, FieldNode):
            raise _refusal("There are no fragments in `edges`")
        yield selection


def _is_id(selection: Any) -> bool:
    plain = isinstance(selection, FieldNode) and not selection.alias and not selection.directives
    return bool(plain and selection.name.value == "id")


def _with_selections(node: FieldNode, selections: list[Any]) -> FieldNode:
    return FieldNode(
        name=node.name,
        alias=node.alias,
        arguments=node.arguments,
        directives=node.directives,
        selection_set=SelectionSetNode(selections=tuple(selections)),
    )


def _field_of(name: str, selections: list[Any] | None = None) -> FieldNode:
    below = SelectionSetNode(selections=tuple(selections)) if selections else None
    return FieldNode(name=_name(name), arguments=(), directives=(), selection_set=below)


def _argument(name: str, value: Any) -> ArgumentNode:
    return ArgumentNode(name=_name(name), value=value)


def _name(text: str) -> NameNode:
    return NameNode(value=text)


class _Look(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.fields: list[str] = []
        self.spreads: list[str] = []

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.fields.append(node.name.value)

    def enter_fragment_spread(self, node: Any, *_: Any) -> None:
        self.spreads.append(node.name.value)


def _names(node: Node) -> list[str]:
    look = _Look()
    visit(node, look)
    return look.fields


def _spreads(node: Node) -> list[str]:
    look = _Look()
    visit(node, look)
    return look.spreads
