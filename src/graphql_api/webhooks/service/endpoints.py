"""Endpoints: registered, changed, given a new secret, stopped and begun again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from graphql_api.errors import Conflict, Forbidden, LimitExceeded, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.viewer import Role, Viewer
from graphql_api.webhooks import messages, repository, rules, sending, signatures
from graphql_api.webhooks.messages import Wake
from graphql_api.webhooks.models import Endpoint
from graphql_api.webhooks.rules import DeliveryState, EndpointState, Health, StopReason, Topic

LATE = timedelta(minutes=1)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Url = Annotated[str, StringConstraints(max_length=2048)]


def _subscribable(topics: list[Topic]) -> list[Topic]:
    if Topic.TEST in topics:
        raise ValueError("TEST is sent when it is asked for, to every endpoint")
    return sorted(set(topics))


Topics = Annotated[list[Topic], Field(min_length=1), AfterValidator(_subscribable)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EndpointCreate(_Command):
    """A new endpoint."""

    name: Name
    url: Url
    topics: Topics


class EndpointUpdate(_Command):
    """Changes of an endpoint; what is left out stays."""

    id: str
    name: Name | None = None
    url: Url | None = None
    topics: Topics | None = None
    expected_version: int | None = None


class SecretRotate(_Command):
    """An endpoint that gets a new secret; the present one signs too for so many hours more."""

    id: str
    grace_hours: int = Field(default=24, ge=0, le=rules.MAX_GRACE_HOURS)


@dataclass(frozen=True, slots=True)
class Registered:
    """A stored endpoint, and this once its secret."""

    endpoint: Endpoint
    secret: str = field(repr=False)


def create(new: EndpointCreate, *, viewer: Viewer, at: datetime) -> Registered:
    """A new endpoint with a secret. Refuses an address that is not on the public internet."""
    require_manager(viewer)
    _require_topics(viewer, new.topics)
    sending.require_allowed(new.url, field=("input", "url"))
    _require_room()
    secret = signatures.new_secret()
    endpoint = Endpoint(
        ids.new_id("whe"),
        name=new.name,
        url=new.url,
        topic_names=[topic.value for topic in new.topics],
        sealed_secret=signatures.seal(secret),
        created_at=at,
        created_by=viewer.id,
    )

    def attempt(tx: Transaction) -> Registered:
        repository.create_endpoint(tx, endpoint)
        return Registered(endpoint, secret)

    return transact(attempt)


def update(change: EndpointUpdate, *, viewer: Viewer) -> Endpoint:
    """An endpoint with another name, address or other topics."""
    _require_topics(viewer, change.topics or [])
    if change.url is not None:
        sending.require_allowed(change.url, field=("input", "url"))

    def decide(endpoint: Endpoint) -> bool:
        if change.expected_version not in {None, endpoint.version}:
            text = "The endpoint has changed since"
            raise Conflict(text, field=("input", "expected_version"))
        before = (endpoint.name, endpoint.url, endpoint.topic_names)
        endpoint.name = change.name or endpoint.name
        endpoint.url = change.url or endpoint.url
        if change.topics is not None:
            endpoint.topic_names = [topic.value for topic in change.topics]
        return before != (endpoint.name, endpoint.url, endpoint.topic_names)

    return _changed(change.id, decide, viewer, field=("input", "id"))


def rotate_secret(given: SecretRotate, *, viewer: Viewer, at: datetime) -> Registered:
    """An endpoint with a new secret; the old one signs too for the hours given."""
    secret = signatures.new_secret()

    def decide(endpoint: Endpoint) -> bool:
        lasts = given.grace_hours > 0
        endpoint.sealed_old_secret = endpoint.sealed_secret if lasts else None
        endpoint.old_secret_until = at + timedelta(hours=given.grace_hours) if lasts else None
        endpoint.sealed_secret = signatures.seal(secret)
        return True

    return Registered(_changed(given.id, decide, viewer, field=("input", "id")), secret)


def disable(endpoint_id: str, *, viewer: Viewer, at: datetime) -> Endpoint:
    """An endpoint that is told nothing any more; again changes nothing."""

    def decide(endpoint: Endpoint) -> bool:
        if endpoint.state is EndpointState.DISABLED:
            return False
        _stop(endpoint, EndpointState.DISABLED, StopReason.BY_HAND, at)
        return True

    return _changed(endpoint_id, decide, viewer)


def enable(endpoint_id: str, *, viewer: Viewer, at: datetime) -> Endpoint:
    """An endpoint that is told again, what was held for it first; again changes nothing."""
    if endpoint_of(endpoint_id, viewer, ("id",)).state is EndpointState.DISABLED:
        _require_room()
    _reset_health(endpoint_id)

    def decide(endpoint: Endpoint) -> bool:
        if endpoint.state is EndpointState.ACTIVE:
            return False
        endpoint.state = EndpointState.ACTIVE
        endpoint.stop_reason = endpoint.stopped_at = None
        return True

    endpoint = _changed(endpoint_id, decide, viewer)
    held, late = [DeliveryState.HELD], at + LATE
    messages.wake(Wake(wake=endpoint.id, states=held, since=at - rules.KEPT, until=late))
    # An attempt that still saw the endpoint stopped holds its delivery a moment after that.
    messages.wake(
        Wake(wake=endpoint.id, states=held, since=at - rules.KEPT, until=late), delay=LATE
    )
    return endpoint


def stop(endpoint_id: str, state: EndpointState, reason: StopReason, *, at: datetime) -> None:
    """Stop an endpoint that is sent to, because of what came of it."""

    def attempt(tx: Transaction) -> None:
        endpoint = repository.get_endpoint(endpoint_id)
        if endpoint is not None and endpoint.state is EndpointState.ACTIVE:
            _stop(endpoint, state, reason, at)
            repository.save_endpoint(tx, endpoint)

    transact(attempt)


def _stop(endpoint: Endpoint, state: EndpointState, reason: StopReason, at: datetime) -> None:
    endpoint.state, endpoint.stop_reason, endpoint.stopped_at = state, reason, at


def _reset_health(endpoint_id: str) -> None:
    [health] = repository.get_healths([endpoint_id])
    if health is not None:
        repository.note_health(endpoint_id, health.value, Health())


def _changed(
    endpoint_id: str,
    decide: Callable[[Endpoint], bool],
    viewer: Viewer,
    *,
    field: tuple[str, ...] = ("id",),
) -> Endpoint:
    """An endpoint as `decide` makes it, written if that says that it is another one."""

    def attempt(tx: Transaction) -> Endpoint:
        endpoint = endpoint_of(endpoint_id, viewer, field)
        if decide(endpoint):
            repository.save_endpoint(tx, endpoint)
        return endpoint

    return transact(attempt)


def endpoint_of(endpoint_id: str, viewer: Viewer, field: tuple[str, ...]) -> Endpoint:
    """An endpoint as it is now, which the viewer may manage; else a refusal."""
    require_manager(viewer)
    endpoint = repository.get_endpoint(endpoint_id)
    if endpoint is None or not rules.sees(viewer, endpoint.created_by):
        raise NotFound("There is no such endpoint", field=field)
    return endpoint


def require_manager(viewer: Viewer) -> None:
    """Refuses who may not manage endpoints."""
    if not rules.manages(viewer):
        raise Forbidden("Headquarters and keys with webhooks:manage manage endpoints")


def _require_room() -> None:
    """Refuses one more endpoint that is told of things."""
    live = [e for e in repository.all_endpoints() if e.state is not EndpointState.DISABLED]
    if len(live) >= rules.MAX_ENDPOINTS:
        raise LimitExceeded(f"There are at most {rules.MAX_ENDPOINTS} endpoints")


def _require_topics(viewer: Viewer, topics: list[Topic]) -> None:
    """A key is told only of what it may read."""
    denied = [t for t in topics if not viewer.holds(rules.scope_of(t))]
    if viewer.role is Role.INTEGRATION and denied:
        text = f"The key lacks {', '.join(sorted({rules.scope_of(t) for t in denied}))}"
        raise Forbidden(text, field=("input", "topics"))
