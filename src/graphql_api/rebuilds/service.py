"""What can be done with runs over all members: preview a policy, measure the base, stop, go on."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, NotFound, Refused
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.dynamo.blocks import SIZE
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.policies import repository as policies
from graphql_api.policies import service as policy_service
from graphql_api.policies.rules import PolicyKind
from graphql_api.rebuilds import models, repository, rules
from graphql_api.rebuilds.models import Run
from graphql_api.rebuilds.rules import OVER, RunKind, RunState
from graphql_api.standing.rules import KINDS
from graphql_api.viewer import SYSTEM, Viewer


class PolicyPreview(BaseModel):
    """Which kind of policy, and the document to try; the open draft without one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: PolicyKind
    document: dict[str, Any] | None = None


class PolicyMeasure(BaseModel):
    """For which kind of policy the base is measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal[PolicyKind.RFM] = PolicyKind.RFM


def preview(given: PolicyPreview, *, viewer: Viewer, clock: Clock) -> Run:
    """A run that counts who would move where under a policy, and writes nothing of members.

    Refuses a document with anything wrong in it, a kind by which no standing is decided, and no
    document where no draft is open.
    """
    _require_headquarters(viewer)
    _require_standing(given.kind)
    head = policies.head(given.kind)
    document, version = given.document, int(head.last) + 1
    if document is None:
        if head.draft is None:
            raise ForbiddenTransition("There is no open draft", field=("input", "document"))
        version = int(head.draft)
        document = policies.version_of(given.kind, version).document
    if wrong := policy_service.problems(given.kind, document):
        raise Refused([Invalid(one.message, field=("input", *one.field)) for one in wrong])
    run = _new(RunKind.PREVIEW, given.kind, version, viewer, clock)
    run.document = document
    return _created(run)


def measure(given: PolicyMeasure, *, viewer: Viewer, clock: Clock) -> Run:
    """A run that measures the base for RFM and the quadrant, and drafts the policy in force anew.

    Limits whose method is QUANTILE become the quintiles of members with a purchase.
    """
    _require_headquarters(viewer)
    version = int(policies.head(given.kind).in_force)
    return _created(_new(RunKind.MEASURE, given.kind, version, viewer, clock))


def begin_rebuild(kind: PolicyKind, version: int, *, clock: Clock, viewer: Viewer = SYSTEM) -> Run:
    """The run that brings a published version to every member; the same again gives the same."""
    run = _new(RunKind.REBUILD, kind, version, viewer, clock)
    run.id = models.rebuild_id(kind, version)
    known = repository.get(run.id)
    return known or _created(run)


def cancel(run_id: str, *, viewer: Viewer, clock: Clock) -> Run:
    """A run that stops after the members at hand; what it wrote stays. Again changes nothing."""

    def attempt(tx: Transaction) -> Run:
        run = _run(run_id)
        if run.state is RunState.CANCELLED:
            return run
        if run.state in OVER:
            raise ForbiddenTransition("This run is over", field=("id",))
        repository.move(tx, run, RunState.CANCELLED, ended_at=clock.now())
        return run

    _require_headquarters(viewer)
    return transact(attempt)


def retry(run_id: str, *, viewer: Viewer) -> Run:
    """A run that failed or was cancelled, going on where it got to."""

    def attempt(tx: Transaction) -> Run:
        run = _run(run_id)
        if run.state not in {RunState.FAILED, RunState.CANCELLED}:
            raise ForbiddenTransition("Only what failed or was cancelled goes on", field=("id",))
        repository.move(tx, run, RunState.WAITING, attempt=int(run.attempt) + 1)
        return run

    _require_headquarters(viewer)
    return transact(attempt)


def _new(kind: RunKind, of: PolicyKind, version: int, viewer: Viewer, clock: Clock) -> Run:
    return Run(
        ids.new_id("run"),
        kind=kind,
        policy_kind=of,
        policy_version=version,
        as_of=clock.today(),
        total=rules.pieces_of(members.newest_number(), SIZE),
        created_by=viewer.id,
        created_at=clock.now(),
    )


def _created(run: Run) -> Run:
    transact(lambda tx: repository.create(tx, run))
    return run


def _run(run_id: str) -> Run:
    run = repository.get(run_id) if ids.prefix_of(run_id) == "run" else None
    if run is None:
        raise NotFound("There is no such run", field=("id",))
    return run


def _require_headquarters(viewer: Viewer) -> None:
    if viewer.store_ids is not None:
        raise Forbidden("Only headquarters run policies over all members")


def _require_standing(kind: PolicyKind) -> None:
    if kind not in KINDS:
        text = f"No standing is decided by {kind}: there is nothing to preview"
        raise Invalid(text, field=("input", "kind"))
