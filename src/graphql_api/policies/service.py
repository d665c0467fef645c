"""What can be done with policies: draft, check, publish, discard."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from graphql_api.errors import (
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    Refused,
)
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.policies import models, repository, rules
from graphql_api.policies.models import Head, Policy
from graphql_api.policies.rules import PolicyDocument, PolicyKind, PolicyState
from graphql_api.viewer import Viewer


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PolicyDraft(_Command):
    """A document that may become the policy of its kind.

    `expected_version` is that of the version which it was made from: the open draft, or else the
    policy in force.
    """

    kind: PolicyKind
    document: dict[str, Any]
    expected_version: int | None = None


class PolicyPublish(_Command):
    """Which kind, and the version of the draft that was looked at."""

    kind: PolicyKind
    draft_version: int


class PolicyDraftDiscard(_Command):
    """Which kind; `expected_version` is that of the draft."""

    kind: PolicyKind
    expected_version: int | None = None


def problems(kind: PolicyKind, document: Mapping[str, Any]) -> list[Invalid]:
    """Everything that is wrong with a document, each with its path under `document`."""
    read = rules.read(kind, document)
    wrong = read if isinstance(read, list) else []
    return [Invalid(problem.message, field=("document", *problem.path)) for problem in wrong]


def draft(given: PolicyDraft, *, viewer: Viewer, clock: Clock) -> Policy:
    """The open draft of a kind, with a version of its own; the draft before it is gone.

    The same document again changes nothing. Refuses a document with anything wrong in it.
    """
    _require_whole_chain(viewer)
    document = _valid(given).document()

    def attempt(tx: Transaction) -> Policy:
        head = repository.head(given.kind)
        open_ = _open_draft(head, given.kind)
        _require_version(given.expected_version, head.draft or head.in_force)
        if open_ is not None:
            if open_.document == document:
                return open_
            repository.delete(tx, open_)
        head.last = head.draft = int(head.last) + 1
        policy = Policy(
            models.policy_id(given.kind, head.last),
            kind=given.kind,
            version=head.last,
            state=PolicyState.DRAFT,
            document=document,
            drafted_by=viewer.id,
            drafted_at=clock.now(),
        )
        repository.create(tx, policy)
        repository.save_head(tx, head)
        return policy

    return transact(attempt)


def publish(given: PolicyPublish, *, viewer: Viewer, clock: Clock) -> Policy:
    """The draft that was looked at, in force; what was in force before is superseded.

    What is in force already stays as it was published. Conflict when the draft is another by now.
    """
    _require_whole_chain(viewer)
    field = ("input", "draft_version")

    def attempt(tx: Transaction) -> Policy:
        head = repository.head(given.kind)
        before = repository.version_of(given.kind, int(head.in_force))
        if given.draft_version == head.in_force != models.SHIPPED_VERSION:
            return before
        policy = _open_draft(head, given.kind)
        if policy is None:
            raise ForbiddenTransition("There is no open draft", field=field)
        if given.draft_version != head.draft:
            raise Conflict(f"The open draft is version {int(head.draft)}", field=field)
        if wrong := problems(policy.kind, policy.document):
            raise Invalid(f"This draft is no longer valid: {wrong[0].message}", field=field)
        now = clock.now()
        policy.state, policy.published_by, policy.published_at = (
            PolicyState.PUBLISHED,
            viewer.id,
            now,
        )
        repository.save(tx, policy)
        if before.state is not PolicyState.SHIPPED:
            before.state, before.superseded_at = PolicyState.SUPERSEDED, now
            repository.save(tx, before)
        head.in_force, head.draft = head.draft, None
        repository.save_head(tx, head)
        return policy

    return transact(attempt)


def discard(given: PolicyDraftDiscard, *, viewer: Viewer) -> Policy:
    """The policy in force, now that no draft of its kind is open; again changes nothing."""
    _require_whole_chain(viewer)

    def attempt(tx: Transaction) -> Policy:
        head = repository.head(given.kind)
        open_ = _open_draft(head, given.kind)
        if open_ is None and given.expected_version is not None:
            raise Conflict("There is no open draft", field=("input", "expected_version"))
        if open_ is not None:
            _require_version(given.expected_version, head.draft)
            repository.delete(tx, open_)
            head.draft = None
            repository.save_head(tx, head)
        return repository.version_of(given.kind, int(head.in_force))

    return transact(attempt)


def _valid(given: PolicyDraft) -> PolicyDocument:
    read = rules.read(given.kind, given.document)
    if isinstance(read, list):
        found = problems(given.kind, given.document)
        raise Refused([Invalid(one.message, field=("input", *one.field)) for one in found])
    return read


def _open_draft(head: Head, kind: PolicyKind) -> Policy | None:
    return None if head.draft is None else repository.version_of(kind, int(head.draft))


def _require_version(expected: int | None, stored: float) -> None:
    if expected is not None and expected != stored:
        text = f"It is at version {int(stored)}, not {expected}"
        raise Conflict(text, field=("input", "expected_version"))


def _require_whole_chain(viewer: Viewer) -> None:
    if viewer.store_ids is not None:
        raise Forbidden("Only headquarters make policies")
