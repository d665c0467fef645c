"""What can be done to webhooks: endpoints registered, changed and stopped, deliveries replayed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from graphql_api.errors import (
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    LimitExceeded,
    NotFound,
)
from graphql_api.kit import ids
from graphql_api.kit.dynamo import InstantAttribute, Transaction, transact
from graphql_api.viewer import Role, Viewer
from graphql_api.webhooks import messages, repository, rules, sending, signatures
from graphql_api.webhooks.messages import Wake
from graphql_api.webhooks.models import Delivery, Endpoint
from graphql_api.webhooks.rules import (
    DeliveryState,
    EndpointState,
    Event,
    Health,
    StopReason,
    Topic,
)

LATE = timedelta(minutes=1)
_INSTANT = InstantAttribute()
_UNDELIVERED = [DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.DEAD]

Made = TypeVar("Made")
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


class EndpointReplay(_Command):
    """Deliveries of an endpoint since an instant, to be made anew: the undelivered, or all."""

    id: str
    since: AwareDatetime
    undelivered_only: bool = True


@dataclass(frozen=True, slots=True)
class Registered:
    """A stored endpoint, and this once its secret."""

    endpoint: Endpoint
    secret: str = field(repr=False)


# --- endpoints -------------------------------------------------------------------------------


def create(new: EndpointCreate, *, viewer: Viewer, at: datetime) -> Registered:
    """A new endpoint with a secret. Refuses an address that is not on the public internet."""
    _require_manager(viewer)
    _require_topics(viewer, new.topics)
    sending.require_allowed(new.url, field=("input", "url"))
    live = [e for e in repository.all_endpoints() if e.state is not EndpointState.DISABLED]
    if len(live) >= rules.MAX_ENDPOINTS:
        raise LimitExceeded(f"There are at most {rules.MAX_ENDPOINTS} endpoints")
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
    _endpoint(endpoint_id, viewer, ("id",))
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


# --- deliveries ------------------------------------------------------------------------------


def test(endpoint_id: str, *, viewer: Viewer, at: datetime) -> Delivery:
    """A delivery that says nothing, tried once, of a paused endpoint too."""
    endpoint = _endpoint(endpoint_id, viewer, ("id",))
    if endpoint.state is EndpointState.DISABLED:
        raise ForbiddenTransition("This endpoint is disabled", field=("id",))
    event = Event(ids.new_id("evt"), Topic.TEST, at, "WebhookEndpoint", endpoint.id)
    delivery = delivery_of(endpoint, event, at)

    def attempt(tx: Transaction) -> None:
        repository.create_delivery(tx, delivery)

    transact(attempt)
    messages.try_soon([delivery])
    return delivery


def replay(delivery_id: str, *, viewer: Viewer, at: datetime) -> Delivery:
    """A delivery made anew, under its own id, whatever became of it."""

    def attempt(tx: Transaction) -> Delivery:
        [delivery] = repository.get_deliveries_now([delivery_id])
        endpoint = repository.get_endpoint(delivery.endpoint_id) if delivery else None
        if delivery is None or endpoint is None or not rules.sees(viewer, endpoint.created_by):
            raise NotFound("There is no such delivery", field=("id",))
        if endpoint.state is not EndpointState.ACTIVE:
            raise ForbiddenTransition("The endpoint is not active", field=("id",))
        repository.begin_again(tx, delivery, at)
        return delivery

    _require_manager(viewer)
    delivery = transact(attempt)
    messages.try_soon([delivery])
    return delivery


def replay_since(given: EndpointReplay, *, viewer: Viewer, at: datetime) -> Endpoint:
    """Have an endpoint's deliveries since an instant made anew, one after another."""
    endpoint = _endpoint(given.id, viewer, ("input", "id"))
    if endpoint.state is not EndpointState.ACTIVE:
        raise ForbiddenTransition("The endpoint is not active", field=("input", "id"))
    if not at - rules.KEPT <= given.since <= at:
        text = f"Deliveries are kept for {rules.KEPT.days} days"
        raise Invalid(text, field=("input", "since"))
    states = _UNDELIVERED if given.undelivered_only else list(DeliveryState)
    messages.wake(Wake(wake=endpoint.id, states=states, since=given.since, until=at))
    return endpoint


def delivery_of(endpoint: Endpoint, event: Event, at: datetime) -> Delivery:
    """The delivery of an event to an endpoint, not stored; always the same id for the two."""
    delivery = Delivery(
        ids.derived_id("whd", event.id, endpoint.id),
        endpoint_id=endpoint.id,
        event_id=event.id,
        topic=event.topic,
        body=body_of(event),
        created_at=at,
        begun_at=at,
        next_at=at,
    )
    held = endpoint.state is EndpointState.PAUSED and event.topic is not Topic.TEST
    delivery.move(DeliveryState.HELD if held else DeliveryState.PENDING)
    return delivery


def body_of(event: Event) -> str:
    """An event as it is sent: ids and names of fields, nothing of a person."""
    document = {
        "id": event.id,
        "topic": event.topic.value,
        "occurredAt": _INSTANT.serialize(event.occurred_at),
        "object": {"type": event.type, "id": event.object_id, "version": event.version},
        **event.data,
    }
    return orjson.dumps(document).decode()


# --- guards ----------------------------------------------------------------------------------


def _changed(
    endpoint_id: str,
    decide: Callable[[Endpoint], bool],
    viewer: Viewer,
    *,
    field: tuple[str, ...] = ("id",),
) -> Endpoint:
    """An endpoint as `decide` makes it, written if that says that it is another one."""

    def attempt(tx: Transaction) -> Endpoint:
        endpoint = _endpoint(endpoint_id, viewer, field)
        if decide(endpoint):
            repository.save_endpoint(tx, endpoint)
        return endpoint

    return transact(attempt)


def _endpoint(endpoint_id: str, viewer: Viewer, field: tuple[str, ...]) -> Endpoint:
    _require_manager(viewer)
    endpoint = repository.get_endpoint(endpoint_id)
    if endpoint is None or not rules.sees(viewer, endpoint.created_by):
        raise NotFound("There is no such endpoint", field=field)
    return endpoint


def _require_manager(viewer: Viewer) -> None:
    if not rules.manages(viewer):
        raise Forbidden("Headquarters and keys with webhooks:manage manage endpoints")


def _require_topics(viewer: Viewer, topics: list[Topic]) -> None:
    """A key is told only of what it may read."""
    denied = [t for t in topics if not viewer.holds(rules.scope_of(t))]
    if viewer.role is Role.INTEGRATION and denied:
        text = f"The key lacks {', '.join(sorted({rules.scope_of(t) for t in denied}))}"
        raise Forbidden(text, field=("input", "topics"))
