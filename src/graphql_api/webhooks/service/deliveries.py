"""Deliveries: made of events, tried out, and made anew."""

from datetime import datetime

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict

from graphql_api.errors import ForbiddenTransition, Invalid, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import InstantAttribute, Transaction, transact
from graphql_api.viewer import Viewer
from graphql_api.webhooks import messages, repository, rules
from graphql_api.webhooks.messages import Wake
from graphql_api.webhooks.models import Delivery, Endpoint
from graphql_api.webhooks.rules import DeliveryState, EndpointState, Event, Topic
from graphql_api.webhooks.service.endpoints import endpoint_of, require_manager

_INSTANT = InstantAttribute()
_UNDELIVERED = [DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.DEAD]


class EndpointReplay(BaseModel):
    """Deliveries of an endpoint since an instant, to be made anew: the undelivered, or all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    since: AwareDatetime
    undelivered_only: bool = True


def test(endpoint_id: str, *, viewer: Viewer, at: datetime) -> Delivery:
    """A delivery that says nothing, tried once, of a paused endpoint too."""
    endpoint = endpoint_of(endpoint_id, viewer, ("id",))
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

    require_manager(viewer)
    delivery = transact(attempt)
    messages.try_soon([delivery])
    return delivery


def replay_since(given: EndpointReplay, *, viewer: Viewer, at: datetime) -> Endpoint:
    """Have an endpoint's deliveries since an instant made anew, one after another."""
    endpoint = endpoint_of(given.id, viewer, ("input", "id"))
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
