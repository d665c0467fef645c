"""The gate: whether a viewer may run an operation, and how Strawberry is handed what may run."""

from collections.abc import Iterator

from graphql import GraphQLError
from strawberry.extensions import SchemaExtension

from graphql_api.config import settings
from graphql_api.edge.survey import FieldUse
from graphql_api.kit.graphql.access import Verdict
from graphql_api.permissions import ANYONE, INSIDERS, NOBODY
from graphql_api.viewer import Role, Viewer

_INTROSPECTION = {"everyone": ANYONE, "insiders": INSIDERS, "nobody": NOBODY}


def refusals(uses: list[FieldUse], viewer: Viewer) -> list[GraphQLError]:
    """One error per field that the viewer may not select."""
    schema_rule = _INTROSPECTION[settings().introspection]
    denied = {
        use.coordinate: use
        for use in uses
        if (use.rule or schema_rule).verdict(viewer) is Verdict.DENY
    }
    code = "UNAUTHENTICATED" if viewer.role is Role.ANONYMOUS else "FORBIDDEN"
    return [
        GraphQLError(
            f"{use.coordinate} is not for {viewer.role}", use.node, extensions={"code": code}
        )
        for use in denied.values()
    ]


class Gate(SchemaExtension):
    """Gives Strawberry the document that the edge has read, validated and let through."""

    def on_parse(self) -> Iterator[None]:
        """Nothing is parsed again."""
        context = self.execution_context
        context.graphql_document = context.context.document.node
        yield

    def on_validate(self) -> Iterator[None]:
        """Nothing is validated again."""
        self.execution_context.pre_execution_errors = []
        yield
