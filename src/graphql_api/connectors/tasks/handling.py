"""From messages that were kept to what follows from them; what fails is tried again, or given up.

The message of the next attempt is sent before the attempt is noted: whoever dies in between is
followed by the same message again, and what was done is found done.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from graphql_api.connectors import queueing, repository, rules
from graphql_api.connectors.adapters import Handled, adapter_of
from graphql_api.connectors.models import Message, Shop
from graphql_api.connectors.queueing import Follow, Wake
from graphql_api.connectors.rules import LinkKind, MessageState, Outcome, Problem
from graphql_api.connectors.tasks.attempts import Attempt, attempted
from graphql_api.kit.time import Clock, real_now
from graphql_api.observability import count, logger
from graphql_api.stores import service as stores

WOKEN_AT_ONCE = 40
FORGOTTEN_AFTER = timedelta(minutes=30)
"""How long a message may lie before the sweep takes its queue's message for lost."""


class Early(Exception):
    """The message came before the attempt that sent it was noted; it comes again."""


def handle(
    follow: Follow,
    *,
    now: Callable[[], datetime] = real_now,
    clock: Callable[[], Clock] = stores.clock,
) -> None:
    """Follow a vendor's message that is at this turn. Raises Early for one that is not yet."""
    message = repository.get_message(follow.message)
    if message is None or follow.turn < message.turn:
        return
    if follow.turn > message.turn:
        raise Early
    if message.state is not MessageState.WAITING:
        return
    shop = repository.get_shop(message.shop_id)
    if shop is None:
        repository.settle(message, Outcome.IGNORED, "shop", at=now())
        return
    if shop.paused:
        return
    if message.next_at is not None and now() < message.next_at:
        wait = (message.next_at - now()).total_seconds()
        queueing.follow_later(follow, wait, turn=follow.turn)
        return
    handled = Handled(Outcome.IGNORED)
    with attempted("message failed", message_id=message.id, type=message.type) as attempt:
        handled = adapter_of(shop.vendor).apply(
            shop, message.raw, message.event_type, clock=clock()
        )
    if attempt.problem is None:
        _settle(shop, message, handled, now())
    else:
        _fail(follow, message, attempt, now())


def _settle(shop: Shop, message: Message, handled: Handled, at: datetime) -> None:
    repository.settle(message, handled.outcome, handled.note, at=at)
    count(f"VENDOR_{handled.outcome.value}")
    logger.info(
        "message handled",
        vendor=shop.vendor.value,
        message_id=message.id,
        type=message.type,
        outcome=handled.outcome.value,
    )


def _fail(follow: Follow, message: Message, attempt: Attempt, at: datetime) -> None:
    next_at = next_of(attempt, int(message.attempts) + 1, message.begun_at, at)
    if next_at is not None:
        wait = (next_at - at).total_seconds()
        queueing.follow_later(follow, wait, turn=follow.turn + 1)
    assert attempt.problem is not None
    repository.fail(message, attempt.problem, attempt.detail, next_at=next_at)
    count("VENDOR_MESSAGE_FAILED" if next_at else "VENDOR_MESSAGE_DEAD")
    logger.warning(
        "message not handled",
        message_id=message.id,
        type=message.type,
        problem=attempt.problem.value,
        detail=attempt.detail,
        again=next_at is not None,
    )
    # A link that was set while this was given up found nothing to wake.
    was_missed = attempt.problem is Problem.NOT_LINKED and _is_linked_by_now(message, attempt)
    if was_missed and repository.begin_again(message, at):
        queueing.follow_soon([message])


def _is_linked_by_now(message: Message, attempt: Attempt) -> bool:
    kind, _, vendor_key = (attempt.detail or "").partition(" ")
    if repository.get_link(message.shop_id, LinkKind(kind), vendor_key) is not None:
        return True
    shop = repository.get_shop(message.shop_id)
    return kind == LinkKind.STORE and shop is not None and shop.default_store_id is not None


def next_of(attempt: Attempt, attempts: int, begun_at: datetime, at: datetime) -> datetime | None:
    """When what failed is tried again, not sooner than it asked for; None if it will not help."""
    if not attempt.passes:
        return None
    jitter = random.random()  # noqa: S311 - not a secret
    next_at = rules.next_try(attempts, begun_at, at, jitter)
    return max(next_at, at + timedelta(seconds=attempt.seconds)) if next_at else None


def wake(wanted: Wake, *, now: Callable[[], datetime] = real_now) -> None:
    """Have a page of a shop's messages followed from the start, and leave the next to another.

    Done twice, they are at a later turn, and what was sent for the earlier one does nothing.
    """
    page = repository.page_of_open_messages(
        wanted.wake, wanted.state, first=WOKEN_AT_ONCE, after=wanted.after, reverse=False
    )
    begun = []
    for message in page.items:
        now_is = repository.get_message(message.id)
        if now_is and _is_meant(now_is, wanted) and repository.begin_again(now_is, now()):
            begun.append(now_is)
    queueing.follow_soon(begun)
    is_over = any(message.received_at > wanted.until for message in page.items)
    if page.more and not is_over:
        queueing.wake(wanted.model_copy(update={"after": page.last}))


def _is_meant(message: Message, wanted: Wake) -> bool:
    return (
        message.state is wanted.state
        and message.received_at <= wanted.until
        and (wanted.since is None or message.received_at >= wanted.since)
        and (wanted.problem is None or message.problem is wanted.problem)
        and (wanted.detail is None or message.detail == wanted.detail)
    )


def sweep(*, now: Callable[[], datetime] = real_now) -> int:
    """Have messages followed that wait and that no queue knows of any more; how many.

    Such are those whose receiver died between keeping and queueing.
    """
    swept = 0
    for shop in repository.all_shops():
        if shop.paused:
            continue
        after: str | None = None
        while True:
            page = repository.page_of_open_messages(
                shop.id, MessageState.WAITING, first=WOKEN_AT_ONCE, after=after, reverse=False
            )
            swept += _swept([m.id for m in page.items if _is_lost(m, now())], now())
            if not page.more:
                break
            after = page.last
    return swept


def _is_lost(message: Message, at: datetime) -> bool:
    due = message.next_at or message.received_at
    return at - due > FORGOTTEN_AFTER


def _swept(message_ids: list[str], at: datetime) -> int:
    """Queue them at the turn that they have: what is late in its queue keeps its place there."""
    lost = []
    for message_id in message_ids:
        message = repository.get_message(message_id)
        if message and message.state is MessageState.WAITING and _is_lost(message, at):
            lost.append(message)
    queueing.follow_soon(lost)
    return len(lost)
