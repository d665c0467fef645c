"""From messages to attempts: what is due is posted, what came of it is written, the rest waits.

The message of the next attempt is sent before the attempt is noted: whoever dies in between is
followed by the same message again, and the receiver gets the same delivery a second time.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime

from graphql_api.access import repository as access
from graphql_api.access import rules as access_rules
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import real_now, to_the_millisecond
from graphql_api.observability import count, logger
from graphql_api.webhooks import messages, repository, rules, sending, service, signatures
from graphql_api.webhooks.messages import Attempt, Wake
from graphql_api.webhooks.models import Delivery, Endpoint
from graphql_api.webhooks.rules import (
    Answer,
    DeliveryState,
    EndpointState,
    Health,
    StopReason,
    Topic,
)

WOKEN_AT_ONCE = 40


class Early(Exception):
    """The message came before the attempt that sent it was noted; it comes again."""


async def follow(text: str, *, now: Callable[[], datetime] = real_now) -> None:
    """Do what a message asks for. Raises Early for one that is to come again."""
    message = messages.read(text)
    if isinstance(message, Wake):
        await asyncio.to_thread(wake, message)
        return
    due = await asyncio.to_thread(_ready, message, now())
    if due is None:
        return
    delivery, endpoint, health = due
    headers = signatures.headers(endpoint, delivery, now())
    answer = await sending.post(endpoint.url, headers, delivery.body)
    await asyncio.to_thread(_settle, message, delivery, health, answer, now())


def _ready(attempt: Attempt, at: datetime) -> tuple[Delivery, Endpoint, Health] | None:
    """What is to be posted now; None where there is nothing to do, or not yet."""
    due = repository.due(attempt.delivery, attempt.endpoint)
    delivery, endpoint = due.delivery, due.endpoint
    if delivery is None or endpoint is None or attempt.turn < delivery.turn:
        return None
    if attempt.turn > delivery.turn:
        raise Early
    if delivery.state is not DeliveryState.PENDING:
        return None
    if (state := _stopped(delivery, endpoint, at)) is not None:
        repository.end_unasked(delivery, state)
        return None
    wait = _wait(delivery, due.health, at)
    if wait > 0:
        messages.try_later(attempt, wait, turn=attempt.turn)
        return None
    return delivery, endpoint, due.health


def _stopped(delivery: Delivery, endpoint: Endpoint, at: datetime) -> DeliveryState | None:
    """What becomes of a delivery whose endpoint is not sent to; None where it is."""
    if endpoint.state is EndpointState.DISABLED:
        return DeliveryState.DEAD
    if not _key_holds(endpoint, at):
        service.stop(endpoint.id, EndpointState.PAUSED, StopReason.KEY_ENDED, at=at)
        return DeliveryState.HELD
    paused = endpoint.state is EndpointState.PAUSED and delivery.topic is not Topic.TEST
    return DeliveryState.HELD if paused else None


def _key_holds(endpoint: Endpoint, at: datetime) -> bool:
    """Whether the key that registered an endpoint still works and may read what it is told of."""
    key = access.get_key(endpoint.created_by)
    if key is None:
        return True  # somebody of headquarters
    needed = {rules.scope_of(topic) for topic in endpoint.topics}
    return access_rules.key_holds(key.revoked_at, key.ends_at, at) and needed <= set(key.scopes)


def _wait(delivery: Delivery, health: Health, at: datetime) -> float:
    """Seconds until a delivery may be tried: its own pause, and the rest of its endpoint."""
    due = [delivery.next_at] if delivery.next_at else []
    if health.rests_until and delivery.topic is not Topic.TEST:
        due.append(health.rests_until)
    return max(((instant - at).total_seconds() for instant in due), default=0)


def _settle(
    message: Attempt, delivery: Delivery, health: Health, answer: Answer, at: datetime
) -> None:
    """Write what an attempt came to, for the delivery and for its endpoint."""
    once = delivery.topic is Topic.TEST
    attempts = int(delivery.attempts) + 1
    jitter = random.random()  # noqa: S311 - not a secret
    state, next_at = rules.after_attempt(answer, attempts, delivery.begun_at, at, jitter, once=once)
    if answer.accepted or not once:
        _note_health(delivery.endpoint_id, health, answer, at)
    if next_at is not None:
        wait = (next_at - at).total_seconds()
        messages.try_later(message, wait, turn=message.turn + 1)
    repository.note_attempt(delivery, answer, state, at=at, next_at=next_at)
    count(f"WEBHOOK_{state.value}")
    logger.info(
        "webhook tried",
        delivery=delivery.id,
        endpoint=delivery.endpoint_id,
        state=state.value,
        status=answer.status,
        attempts=attempts,
    )


def _note_health(endpoint_id: str, health: Health, answer: Answer, at: datetime) -> None:
    after = rules.health_after(health, answer, at, random.random())  # noqa: S311 - not a secret
    if after != health:
        repository.note_health(endpoint_id, health, after)
    if rules.gone(answer):
        service.stop(endpoint_id, EndpointState.DISABLED, StopReason.GONE, at=at)
    elif after.given_up(at):
        service.stop(endpoint_id, EndpointState.PAUSED, StopReason.FAILING, at=at)
        logger.warning("webhook endpoint paused", endpoint=endpoint_id, failures=after.failures)


# --- waking ----------------------------------------------------------------------------------


def wake(wanted: Wake) -> None:
    """Make a page of an endpoint's deliveries anew and leave the next to another message.

    Done twice, they are at a later turn, and what was sent for the earlier one does nothing.
    """
    since = to_the_millisecond(wanted.since)  # as instants are stored
    page = repository.page_of_deliveries(
        wanted.wake,
        DeliveryState.DELIVERED not in wanted.states,
        since,
        first=WOKEN_AT_ONCE,
        after=wanted.after,
        reverse=False,
    )
    meant = [d.id for d in page.items if since <= d.created_at <= wanted.until]
    messages.try_soon(_begin_again(meant, wanted.states))
    over = any(delivery.created_at > wanted.until for delivery in page.items)
    if page.more and not over:
        messages.wake(wanted.model_copy(update={"after": page.last}))


def _begin_again(delivery_ids: Sequence[str], states: Sequence[DeliveryState]) -> list[Delivery]:
    def attempt(tx: Transaction) -> list[Delivery]:
        at = real_now()
        found = [d for d in repository.get_deliveries_now(delivery_ids) if d and d.state in states]
        for delivery in found:
            repository.begin_again(tx, delivery, at)
        return found

    return transact(attempt)


def wake_all() -> None:
    """Have everything that waits tried again, where a queue forgot its messages."""
    at = real_now()
    for endpoint in repository.all_endpoints():
        states = [DeliveryState.PENDING]
        messages.wake(Wake(wake=endpoint.id, states=states, since=at - rules.KEPT, until=at))
