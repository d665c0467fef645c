"""Policies to test with."""

from typing import Any

from graphql_api.kit.time import Clock
from graphql_api.policies import service
from graphql_api.policies.models import Policy
from graphql_api.policies.rules import PolicyKind
from graphql_api.viewer import Role, Viewer
from tests.factories import CLOCK

HEADQUARTERS = Viewer(Role.OPERATOR, id="opr_1")


def make_draft(
    kind: PolicyKind = PolicyKind.GROWTH,
    document: dict[str, Any] | None = None,
    *,
    clock: Clock = CLOCK,
) -> Policy:
    """An open draft; of a growth policy of a point for every two yuan unless told otherwise."""
    given = {"fenPerPoint": 200} if document is None else document
    draft = service.PolicyDraft(kind=kind, document=given)
    return service.draft(draft, viewer=HEADQUARTERS, clock=clock)


def publish(draft: Policy, *, viewer: Viewer = HEADQUARTERS, clock: Clock = CLOCK) -> Policy:
    """The draft in force."""
    given = service.PolicyPublish(kind=draft.kind, draft_version=int(draft.version))
    return service.publish(given, viewer=viewer, clock=clock)
