"""Documents: which one a request means, parsed and validated once, with what its parts select."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from graphql_api.edge.faults import MAX_ERRORS, NotExecuted, bad_request, coded
from graphql_api.edge.requests import Asked
from graphql_api.kit.graphql.access import Rule, rule_of
from graphql_api.kit.graphql.keys import KeyOnMutation
from graphql_api.viewer import Viewer

# Strawberry knows two things of the schema that graphql-core does not.
_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule, KeyOnMutation)

MAX_DOCUMENTS = 512
MAX_KEPT_LENGTH = 20_000
MAX_TOKENS = 2_500  # validation compares fields in pairs: ten thousand of them take seconds


def text_of(asked: Asked, _viewer: Viewer) -> str:
    """The one place that decides which document a request means."""
    if not asked.query:
        raise bad_request(400, "`query` is a string and not empty")
    return asked.query


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A field that a document selects, with the rule that it carries."""

    coordinate: str
    node: FieldNode
    rule: Rule


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document, and every field that it selects, its fragments' too."""

    node: OperationDefinitionNode
    uses: list[FieldUse]

    @property
    def name(self) -> str | None:
        """The name of the operation, if it has one."""
        return self.node.name.value if self.node.name else None


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document: its validation errors, or its operations by name."""

    text: str
    node: DocumentNode
    errors: tuple[GraphQLError, ...]
    operations: dict[str | None, Operation]


def operation_of(document: Document, name: str | None) -> Operation:
    """The operation that is meant by a name, or by its absence; raises NotExecuted."""
    if document.errors:
        raise NotExecuted(document.errors)
    if name is None and len(document.operations) == 1:
        return next(iter(document.operations.values()))
    if name is None or name not in document.operations:
        message = "`operationName` names one operation of the document"
        raise NotExecuted([coded("OPERATION_RESOLUTION_FAILURE", message)])
    return document.operations[name]


def read(graph: GraphQLSchema, text: str) -> Document:
    """The document of a text, read anew only when it is not among the latest.

    Raises NotExecuted where it cannot be parsed.
    """
    document = _documents.get(text)
    if document is None:
        try:
            node = parse(text, max_tokens=MAX_TOKENS)
        except (GraphQLError, RecursionError, UnicodeError) as error:
            raise NotExecuted([_unparsed(error)]) from None
        document = read_document(graph, node, text)
        _documents.keep(text, document)
    return document


def _unparsed(error: Exception) -> GraphQLError:
    if isinstance(error, GraphQLError):
        return error
    return coded("GRAPHQL_PARSE_FAILED", "The document cannot be read")


@dataclass(slots=True)
class _Part:
    """What one operation or fragment selects by itself."""

    node: OperationDefinitionNode | FragmentDefinitionNode
    uses: list[FieldUse] = field(default_factory=list)
    spreads: set[str] = field(default_factory=set)


class _Collect(Visitor):
    """Collects per definition, so that shared fragments are walked once."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.operations: dict[str | None, _Part] = {}
        self.fragments: dict[str, _Part] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        self._part = self.operations[node.name.value if node.name else None] = _Part(node)

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self._part = self.fragments[node.name.value] = _Part(node)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self._part.spreads.add(node.name.value)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, definition = self.info.get_parent_type(), self.info.get_field_def()
        if definition is None or parent is None:
            return
        if rule := rule_of(definition):
            self._part.uses.append(FieldUse(f"{parent.name}.{node.name.value}", node, rule))


def read_document(graph: GraphQLSchema, node: DocumentNode, text: str = "") -> Document:
    """Validate a document and collect the rules of its fields: one walk, linear in its size."""
    errors = tuple(validate(graph, node, _RULES, max_errors=MAX_ERRORS))
    if errors:
        return Document(text, node, errors, {})
    info = TypeInfo(graph)
    collected = _Collect(info)
    visit(node, TypeInfoVisitor(info, collected))
    operations = {}
    for name, part in collected.operations.items():
        assert isinstance(part.node, OperationDefinitionNode)
        operations[name] = Operation(part.node, _reachable(part, collected.fragments))
    return Document(text, node, errors, operations)


def _reachable(part: _Part, fragments: dict[str, _Part]) -> list[FieldUse]:
    uses, seen, waiting = list(part.uses), set[str](), set(part.spreads)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        uses += fragments[name].uses
        waiting |= fragments[name].spreads - seen
    return uses


class _Memo:
    """The latest documents by text, for the life of the process."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._lock = Lock()

    def get(self, text: str) -> Document | None:
        with self._lock:
            if found := self._known.get(text):
                self._known.move_to_end(text)
            return found

    def keep(self, text: str, document: Document) -> None:
        if len(text) > MAX_KEPT_LENGTH:
            return
        with self._lock:
            self._known[text] = document
            if len(self._known) > MAX_DOCUMENTS:
                self._known.popitem(last=False)


_documents = _Memo()
