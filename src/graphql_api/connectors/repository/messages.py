"""Access paths of messages, and of how far the messages about a thing were applied."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pynamodb.exceptions import PutError

from graphql_api.connectors import models, rules
from graphql_api.connectors.models import (
    SOLE,
    ConnectorsItem,
    Message,
    Position,
)
from graphql_api.connectors.repository.ways import opened, set_or_remove, updated, with_items
from graphql_api.connectors.rules import (
    MessageState,
    Outcome,
    Problem,
)
from graphql_api.kit.dynamo import Page, batch_get, key_page
from graphql_api.kit.dynamo.blocks import key_walk


def receive(message: Message) -> Message | None:
    """Keep a message that is not there; the one that is, if it was sent before."""
    absent = ConnectorsItem.id.does_not_exist()
    try:
        message.save(condition=absent)
    except PutError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        return get_message(message.id)
    return None


def get_messages(message_ids: Sequence[str]) -> list[Message | None]:
    """Messages by id."""
    return batch_get(Message, [(id_, SOLE) for id_ in message_ids])


def get_message(message_id: str) -> Message | None:
    """A message as it is now (strongly consistent), to decide on."""
    return batch_get(Message, [(message_id, SOLE)], consistent=True)[0]


def page_of_messages(
    shop_id: str,
    since: datetime,
    until: datetime,
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Message]:
    """A shop's messages by time of arrival, of whole days: one Query for each that it touches."""
    days = (until.date() - since.date()).days
    keys = key_walk(
        lambda day, **page: key_page(ConnectorsItem.by_list, day, ConnectorsItem.place, **page),
        [models.day_key(shop_id, since + timedelta(days=n)) for n in range(days + 1)],
        first=first,
        after=after,
        reverse=reverse,
    )
    return with_items(Message, keys)


def page_of_open_messages(
    shop_id: str, state: MessageState, *, first: int, after: str | None, reverse: bool
) -> Page[Message]:
    """A shop's messages that wait, or that were given up, by time of arrival."""
    key = models.open_key(shop_id, "message", state)
    return opened(Message, key, first=first, after=after, reverse=reverse)


def settle(message: Message, outcome: Outcome, note: str | None, *, at: datetime) -> bool:
    """Write that a message is done with; False when another attempt of its turn was faster."""
    message.move(MessageState.HANDLED)
    actions: list[Any] = [
        Message.state.set(message.state),
        Message.outcome.set(outcome),
        set_or_remove(Message.note, note),
        Message.turn.set(int(message.turn) + 1),
        Message.attempts.set(int(message.attempts) + 1),
        Message.handled_at.set(at),
        Message.next_at.remove(),
        Message.problem.remove(),
        Message.detail.remove(),
        ConnectorsItem.open_in.remove(),
    ]
    return updated(message, actions, Message.turn == message.turn)


def fail(
    message: Message, problem: Problem, detail: str | None, *, next_at: datetime | None
) -> bool:
    """Write that an attempt failed, and when the next is; with None the message is given up.

    False when another attempt of its turn was faster.
    """
    message.move(MessageState.WAITING if next_at else MessageState.DEAD)
    actions: list[Any] = [
        Message.state.set(message.state),
        Message.turn.set(int(message.turn) + 1),
        Message.attempts.set(int(message.attempts) + 1),
        set_or_remove(Message.next_at, next_at),
        Message.problem.set(problem),
        set_or_remove(Message.detail, detail),
        ConnectorsItem.open_in.set(message.open_in),
    ]
    return updated(message, actions, Message.turn == message.turn)


def begin_again(message: Message, at: datetime) -> bool:
    """Have a message handled from the start; False when it moved since it was read."""
    turn = int(message.turn)
    message.move(MessageState.WAITING)
    message.turn, message.attempts = turn + 1, 0
    message.begun_at = message.next_at = at
    actions: list[Any] = [
        Message.state.set(message.state),
        Message.turn.set(turn + 1),
        Message.attempts.set(0),
        Message.begun_at.set(at),
        Message.next_at.set(at),
        ConnectorsItem.open_in.set(message.open_in),
    ]
    return updated(message, actions, Message.turn == turn)


def hold(position_id: str, holder: str, *, at: datetime, until: datetime) -> Position | None:
    """Take a position for a time; None while somebody else has it."""
    position = Position(position_id)
    free = Position.held_until.does_not_exist() | (Position.held_until < at)
    actions: list[Any] = [Position.held_by.set(holder), Position.held_until.set(until)]
    # What a position is for outlives the messages that could still be replayed.
    actions.append(ConnectorsItem.forget_at.set(at + 2 * rules.KEPT))
    return position if updated(position, actions, free) else None


def let_go(position: Position, holder: str, *, applied: int | None) -> bool:
    """Give a position up, with how far was applied; False when it was lost before."""
    actions: list[Any] = [Position.held_by.remove(), Position.held_until.remove()]
    if applied is not None:
        actions.append(Position.applied.set(applied))
    return updated(position, actions, Position.held_by == holder)
