"""Access paths of endpoints and deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition

from graphql_api.kit.dynamo import Item, Page, Transaction, batch_get, get_together, key_page
from graphql_api.kit.dynamo.blocks import key_walk
from graphql_api.kit.time import real_now
from graphql_api.webhooks import models, rules
from graphql_api.webhooks.models import (
    ALL_ENDPOINTS,
    HEALTH,
    SOLE,
    Delivery,
    Endpoint,
    EndpointHealth,
    WebhooksItem,
)
from graphql_api.webhooks.rules import Answer, DeliveryState, Health, Problem

_ALL_AT_ONCE = 100


# --- endpoints -------------------------------------------------------------------------------


def get_endpoints(endpoint_ids: Sequence[str]) -> list[Endpoint | None]:
    """Endpoints by id."""
    return batch_get(Endpoint, [(id_, SOLE) for id_ in endpoint_ids])


def get_endpoint(endpoint_id: str) -> Endpoint | None:
    """One endpoint as it is now (strongly consistent), to decide on."""
    return batch_get(Endpoint, [(endpoint_id, SOLE)], consistent=True)[0]


def get_healths(endpoint_ids: Sequence[str]) -> list[EndpointHealth | None]:
    """How endpoints are doing; None for one that was never asked."""
    return batch_get(EndpointHealth, [(id_, HEALTH) for id_ in endpoint_ids])


def page_of_endpoints(*, first: int, after: str | None, reverse: bool) -> Page[Endpoint]:
    """All endpoints by time of creation: one Query, one BatchGetItem."""
    keys = key_page(
        WebhooksItem.by_list,
        ALL_ENDPOINTS,
        WebhooksItem.place,
        first=first,
        after=after,
        reverse=reverse,
    )
    return _with_items(Endpoint, keys)


def all_endpoints() -> list[Endpoint]:
    """Every endpoint; they are few."""
    found: list[Endpoint] = []
    after: str | None = None
    while True:
        page = page_of_endpoints(first=_ALL_AT_ONCE, after=after, reverse=False)
        found += page.items
        if not page.more:
            return found
        after = page.last


def create_endpoint(tx: Transaction, endpoint: Endpoint) -> None:
    """Add a new endpoint; ids sort by time of creation."""
    endpoint.listed, endpoint.place = ALL_ENDPOINTS, endpoint.id
    tx.create(endpoint)


def save_endpoint(tx: Transaction, endpoint: Endpoint) -> None:
    """Write an endpoint over the version that was read."""
    tx.save(endpoint)


def note_health(endpoint_id: str, old: Health, new: Health) -> bool:
    """Write how an endpoint is doing, unless somebody else did since `old` was read."""
    item = EndpointHealth(endpoint_id, HEALTH)
    known = EndpointHealth.failures == old.failures
    if not old.failures:
        known |= EndpointHealth.failures.does_not_exist()
    actions: list[Any] = [
        EndpointHealth.failures.set(new.failures),
        _set(EndpointHealth.failing_since, new.failing_since),
        _set(EndpointHealth.rests_until, new.rests_until),
    ]
    return _updated(item, actions, known)


# --- deliveries ------------------------------------------------------------------------------


def get_deliveries(delivery_ids: Sequence[str]) -> list[Delivery | None]:
    """Deliveries by id."""
    return batch_get(Delivery, [(id_, SOLE) for id_ in delivery_ids])


def get_deliveries_now(delivery_ids: Sequence[str]) -> list[Delivery | None]:
    """Deliveries as they are now (strongly consistent), to decide on."""
    return batch_get(Delivery, [(id_, SOLE) for id_ in delivery_ids], consistent=True)


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery as it is now, with its endpoint and how that is doing; None for what is gone."""

    delivery: Delivery | None
    endpoint: Endpoint | None
    health: Health


def due(delivery_id: str, endpoint_id: str) -> Due:
    """All that an attempt is decided on: one call, strongly consistent."""
    delivery, endpoint, health = get_together(
        [
            (Delivery, (delivery_id, SOLE), None),
            (Endpoint, (endpoint_id, SOLE), None),
            (EndpointHealth, (endpoint_id, HEALTH), None),
        ]
    )
    return Due(delivery, endpoint, health.value if health else Health())


def page_of_deliveries(
    endpoint_id: str,
    undelivered: bool,
    since: datetime | None = None,
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Delivery]:
    """Deliveries to an endpoint by time, of the days that are kept: one Query for each it touches.

    Those that were not delivered, or all.
    """
    index = WebhooksItem.by_open if undelivered else WebhooksItem.by_log
    keys = key_walk(
        lambda day, **page: key_page(index, day, WebhooksItem.place, **page),
        _days(endpoint_id, since),
        first=first,
        after=after,
        reverse=reverse,
    )
    return _with_items(Delivery, keys)


def _days(endpoint_id: str, since: datetime | None) -> list[str]:
    now = real_now()
    oldest = now - rules.KEPT
    start = max(since, oldest) if since else oldest
    days = (now.date() - start.date()).days
    return [models.day_key(endpoint_id, start + timedelta(days=n)) for n in range(days + 1)]


def create_delivery(tx: Transaction, delivery: Delivery) -> None:
    """Add a delivery that is not there."""
    tx.create(delivery)


def begin_again(tx: Transaction, delivery: Delivery, at: datetime) -> None:
    """Have a delivery made from the start, over the turn that was read."""
    turn = delivery.turn
    delivery.move(DeliveryState.PENDING)
    delivery.turn, delivery.attempts = int(turn) + 1, 0
    delivery.begun_at = delivery.next_at = at
    actions: list[Any] = [
        Delivery.state.set(delivery.state),
        Delivery.turn.set(delivery.turn),
        Delivery.attempts.set(0),
        Delivery.begun_at.set(at),
        Delivery.next_at.set(at),
        WebhooksItem.open_day.set(delivery.open_day),
    ]
    tx.update(delivery, actions, condition=Delivery.turn == turn)


def note_attempt(
    delivery: Delivery,
    answer: Answer,
    state: DeliveryState,
    *,
    at: datetime,
    next_at: datetime | None,
) -> bool:
    """Write what an attempt came to; False when another one of the same turn was faster."""
    delivery.move(state)
    actions: list[Any] = [
        Delivery.state.set(state),
        Delivery.turn.set(int(delivery.turn) + 1),
        Delivery.attempts.set(int(delivery.attempts) + 1),
        Delivery.last_at.set(at),
        Delivery.last_milliseconds.set(answer.milliseconds),
    ]
    actions += [
        _set(Delivery.next_at, next_at),
        _set(Delivery.last_status, answer.status),
        _set(Delivery.last_problem, answer.problem),
        _set(Delivery.last_answer, answer.text or None),
        _set(WebhooksItem.open_day, delivery.open_day),
    ]
    return _updated(delivery, actions, Delivery.turn == delivery.turn)


def end_unasked(delivery: Delivery, state: DeliveryState) -> bool:
    """Hold a delivery whose endpoint is paused, or give one up whose endpoint is disabled."""
    actions: list[Any] = [
        Delivery.state.set(state),
        Delivery.turn.set(int(delivery.turn) + 1),
        Delivery.last_problem.set(Problem.STOPPED),
        Delivery.next_at.remove(),
    ]
    return _updated(delivery, actions, Delivery.turn == delivery.turn)


def _set(attribute: Attribute[Any], value: Any) -> Any:
    return attribute.remove() if value is None else attribute.set(value)


def _updated(item: Item, actions: list[Any], condition: Condition) -> bool:
    try:
        item.update(actions=actions, condition=condition, add_version_condition=False)
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _with_items(model: Any, keys: Page[Any]) -> Page[Any]:
    return keys.showing(batch_get(model, [key.key for key in keys.items]))
