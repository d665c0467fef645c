"""Documents, read once: parsed, surveyed and validated."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from graphql_api.edge.faults import MAX_ERRORS, NotExecuted, coded
from graphql_api.edge.limits import MAX_TOKENS, excess
from graphql_api.edge.prices import Prices
from graphql_api.edge.survey import Operation, survey
from graphql_api.kit.graphql.keys import KeyOnMutation

# Strawberry knows two things of the schema that graphql-core does not.
_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule, KeyOnMutation)

MAX_DOCUMENTS = 512
MAX_KEPT_LENGTH = 20_000


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document: what is wrong with it, and its operations by name."""

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
        document = read_document(graph, parsed(text), text)
        _documents.keep(text, document)
    return document


def parsed(text: str) -> DocumentNode:
    """The syntax tree of a text; raises NotExecuted where there is none."""
    try:
        return parse(text, max_tokens=MAX_TOKENS)
    except (GraphQLError, RecursionError, UnicodeError) as error:
        raise NotExecuted([_unparsed(error)]) from None


def _unparsed(error: Exception) -> GraphQLError:
    if isinstance(error, GraphQLError):
        return error
    return coded("GRAPHQL_PARSE_FAILED", "The document cannot be read")


def read_document(graph: GraphQLSchema, node: DocumentNode, text: str = "") -> Document:
    """Survey a document and, unless it is too large, validate it; both linear in its size."""
    operations = survey(graph, node, _prices)
    errors = [error for operation in operations for error in excess(operation.size)]
    if not errors:
        errors = validate(graph, node, _RULES, max_errors=MAX_ERRORS, hide_suggestions=True)
    return Document(text, node, tuple(errors), {each.name: each for each in operations})


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


_prices = Prices()
_documents = _Memo()
