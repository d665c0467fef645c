"""Endpoints and deliveries to test with."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from graphql_api.kit import ids
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.kit.time import real_now
from graphql_api.viewer import SYSTEM
from graphql_api.webhooks import service, tasks
from graphql_api.webhooks.messages import Attempt
from graphql_api.webhooks.models import Delivery, Endpoint, WebhooksItem
from graphql_api.webhooks.rules import Event, Topic
from graphql_api.webhooks.service import EndpointCreate, Registered

ALL_TOPICS = sorted(set(Topic) - {Topic.TEST})


def register(url: str, *topics: Topic, viewer: Any = SYSTEM, name: str = "数据中台") -> Registered:
    """A stored endpoint that is told of these topics, or of all, with its secret."""
    new = EndpointCreate(name=name, url=url, topics=list(topics) or ALL_TOPICS)
    return service.create(new, viewer=viewer, at=real_now())


def make_event(topic: Topic = Topic.MEMBER_UPDATED, at: datetime | None = None) -> Event:
    """An event about somebody."""
    data = {"changed": ["name"]}
    return Event(ids.new_id("evt"), topic, at or real_now(), "Member", ids.new_id("mbr"), 2, data)


def make_delivery(endpoint: Endpoint, at: datetime | None = None, **event: Any) -> Delivery:
    """A stored delivery that nobody has tried."""
    delivery = service.delivery_of(endpoint, make_event(**event), at or real_now())
    delivery.save()
    return delivery


def attempt(
    delivery: Delivery, *, now: Callable[[], datetime] = real_now, turn: int = -1
) -> Delivery:
    """Do what the queue's message of a delivery's turn says, and give the delivery after it."""
    at_turn = int(delivery_now(delivery).turn) if turn < 0 else turn
    message = Attempt(delivery=delivery.id, endpoint=delivery.endpoint_id, turn=at_turn)
    asyncio.run(tasks.follow(message.model_dump_json(), now=now))
    return delivery_now(delivery)


def delivery_now(delivery: Delivery) -> Delivery:
    """A delivery as it is stored now."""
    return Delivery.get(delivery.id, "@", consistent_read=True)


def endpoint_now(endpoint: Endpoint) -> Endpoint:
    """An endpoint as it is stored now."""
    return Endpoint.get(endpoint.id, "@", consistent_read=True)


def deliveries() -> list[Delivery]:
    """All deliveries, by topic."""
    found = [Delivery.from_raw_data(raw) for raw in everything() if "event_id" in raw]
    return sorted(found, key=lambda one: (one.topic, one.id))


def everything() -> list[dict[str, Any]]:
    """Every item of the table as it is stored, in a fixed order."""
    client: Any = shared_client()
    found = client.scan(TableName=WebhooksItem.Meta.table_name, ConsistentRead=True)["Items"]
    return sorted(found, key=lambda item: (item["id"]["S"], item["sort"]["S"]))
