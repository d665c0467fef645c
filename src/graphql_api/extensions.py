"""The gate every operation passes: parsed and validated once per document, its fields checked
against the viewer, and every error given a code before it leaves."""

import re
import traceback
from collections import OrderedDict
from collections.abc import Iterator
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
    GraphQLSyntaxError,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    specified_rules,
    visit,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from graphql_api.errors import AppError, ErrorCode, Refused
from graphql_api.kit.graphql.access import Rule, Verdict, rule_of
from graphql_api.observability import logger
from graphql_api.viewer import Role, Viewer

MAX_DOCUMENTS = 512
MAX_KEPT_LENGTH = 20_000
MAX_TOKENS = 2_500  # validation compares fields in pairs: ten thousand of them take seconds
MAX_ERRORS = 5

# What graphql-core and Strawberry add for the programmer: Python's words, and the value itself.
_FOR_THE_PROGRAMMER = re.compile(
    r",? [Ff]ound: .*|\s*Use 'Maybe\[.*|(?<=cannot represent)(?: a)? (non[ -]\w+ value)\b.*",
    re.DOTALL,
)
_CODES = {
    ErrorCode.FORBIDDEN: "FORBIDDEN",
    ErrorCode.CONFLICT: "CONFLICT",
    ErrorCode.NOT_FOUND: "NOT_FOUND",
}


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A field that a document selects, with the rule that it carries."""

    coordinate: str
    node: FieldNode
    rule: Rule


@dataclass(slots=True)
class _Part:
    """What one operation or fragment selects by itself."""

    uses: list[FieldUse] = field(default_factory=list)
    spreads: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document, its validation errors, and what its parts select."""

    node: DocumentNode
    errors: tuple[GraphQLError, ...]
    operations: dict[str | None, list[FieldUse]]


class _Collect(Visitor):
    """Collects per definition, so that shared fragments are walked once."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.parts: dict[str, _Part] = {}
        self._part = _Part()

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        self._part = self.parts[f"operation:{node.name.value if node.name else ''}"] = _Part()

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self._part = self.parts[node.name.value] = _Part()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self._part.spreads.add(node.name.value)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, definition = self.info.get_parent_type(), self.info.get_field_def()
        if definition is None or parent is None:
            return
        if rule := rule_of(definition):
            self._part.uses.append(FieldUse(f"{parent.name}.{node.name.value}", node, rule))


def read_document(schema: GraphQLSchema, node: DocumentNode) -> Document:
    """Validate a document and collect the rules of its fields: one walk, linear in its size."""
    errors = tuple(validate_document(schema, node, tuple(specified_rules)))
    if errors:
        return Document(node, errors, {})
    info = TypeInfo(schema)
    collected = _Collect(info)
    visit(node, TypeInfoVisitor(info, collected))
    operations = {
        name.removeprefix("operation:") or None: _reachable(part, collected.parts)
        for name, part in collected.parts.items()
        if name.startswith("operation:")
    }
    return Document(node, errors, operations)


def _reachable(part: _Part, parts: dict[str, _Part]) -> list[FieldUse]:
    uses, seen, waiting = list(part.uses), set[str](), set(part.spreads)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        uses += parts[name].uses
        waiting |= parts[name].spreads - seen
    return uses


def refusals(uses: list[FieldUse], viewer: Viewer) -> list[GraphQLError]:
    """One error per field that the viewer may not select."""
    denied = {use.coordinate: use for use in uses if use.rule.verdict(viewer) is Verdict.DENY}
    code = "UNAUTHENTICATED" if viewer.role is Role.ANONYMOUS else "FORBIDDEN"
    return [
        GraphQLError(
            f"{use.coordinate} is not for {viewer.role}", use.node, extensions={"code": code}
        )
        for use in denied.values()
    ]


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


class Gate(SchemaExtension):
    """Parses, validates and checks a document once; checks the viewer at every request."""

    def on_operation(self) -> Iterator[None]:
        """A document has at most 2,500 tokens."""
        self.execution_context.parse_options["max_tokens"] = MAX_TOKENS
        yield

    def on_parse(self) -> Iterator[None]:
        """A known document is not parsed again; the request says which operation is meant."""
        context = self.execution_context
        known = _documents.get(context.query or "")
        if known is not None:
            context.graphql_document = known.node
        yield
        if context.graphql_document is not None:
            # Without a name Strawberry takes the first of several, and says that it was named.
            asked = context._provided_operation_name  # noqa: SLF001 - the only place that knows
            _require_one_operation(context.graphql_document, asked)

    def on_validate(self) -> Iterator[None]:
        """A known document is not validated again; then the viewer's rights are checked."""
        context = self.execution_context
        text = context.query or ""
        document = _documents.get(text)
        if document is None:
            assert context.graphql_document is not None
            document = read_document(context.schema._schema, context.graphql_document)  # noqa: SLF001
            _documents.keep(text, document)
        context.pre_execution_errors = list(document.errors) or self._refusals(document) or []
        yield

    def _refusals(self, document: Document) -> list[GraphQLError]:
        context = self.execution_context
        return refusals(document.operations[context.operation_name], context.context.viewer)


def _require_one_operation(document: DocumentNode, name: str | None) -> None:
    """Raise unless the name, or its absence, means exactly one operation."""
    names = [
        d.name.value if d.name else None
        for d in document.definitions
        if isinstance(d, OperationDefinitionNode)
    ]
    if len(names) != 1 if name is None else name not in names:
        message = "`operationName` names one operation of the document"
        raise GraphQLError(message, extensions={"code": "OPERATION_RESOLUTION_FAILURE"})


def shown_errors(errors: list[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """Errors as clients may see them: each with a code, the unexpected masked, at most five."""
    return [_shown(error, request_id) for error in errors[:MAX_ERRORS]]


def _shown(error: GraphQLError, request_id: str) -> dict[str, Any]:
    code, message = _code_and_message(error, request_id)
    shown: dict[str, Any] = {"message": message, "extensions": {"code": code}}
    if isinstance(error.original_error, AppError) and error.original_error.field:
        shown["extensions"]["field"] = list(error.original_error.field)
    if code == "INTERNAL_SERVER_ERROR":
        shown["extensions"]["requestId"] = request_id
    if error.locations:
        shown["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        shown["path"] = error.path
    return shown


def _code_and_message(error: GraphQLError, request_id: str) -> tuple[str, str]:
    original = error.original_error
    if isinstance(original, AppError):
        first = original.problems[0] if isinstance(original, Refused) else original
        return _CODES.get(first.code, "BAD_USER_INPUT"), original.message
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED", error.message
    if code := (error.extensions or {}).get("code"):
        return str(code), error.message
    if original is None and error.path is None:
        return "GRAPHQL_VALIDATION_FAILED", _for_clients(error.message)
    if isinstance(original, GraphQLError):
        return "BAD_USER_INPUT", _for_clients(error.message)
    log_unexpected(original or error, request_id, [str(part) for part in error.path or ()])
    return "INTERNAL_SERVER_ERROR", "Something went wrong on our side"


def _for_clients(message: str) -> str:
    return _FOR_THE_PROGRAMMER.sub(lambda found: f" a {found[1]}" if found[1] else "", message)


def log_unexpected(error: Exception, request_id: str, path: list[str]) -> None:
    """Where an unexpected error came from, without its text, which may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    logger.error(
        "unexpected error",
        request_id=request_id,
        path=path,
        kind=type(error).__qualname__,
        frames=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    )
