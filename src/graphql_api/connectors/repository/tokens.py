"""Access paths of tokens, and the calls of a second."""

from datetime import datetime, timedelta
from typing import Any

from graphql_api.connectors import models
from graphql_api.connectors.models import (
    TOKEN,
    ConnectorsItem,
    Rate,
    Token,
)
from graphql_api.connectors.repository.ways import updated
from graphql_api.kit.dynamo import batch_get


def get_token(shop_id: str) -> Token | None:
    """A shop's token as it is now (strongly consistent)."""
    return batch_get(Token, [(shop_id, TOKEN)], consistent=True)[0]


def ask_token(
    shop_id: str, holder: str, *, seen: datetime | None, at: datetime, until: datetime
) -> bool:
    """Be the one who asks for a token, for a time; False while somebody else is, or got one."""
    free = Token.asked_until.does_not_exist() | (Token.asked_until < at)
    same = Token.got_at.does_not_exist() if seen is None else Token.got_at == seen
    actions: list[Any] = [Token.asked_by.set(holder), Token.asked_until.set(until)]
    return updated(Token(shop_id, TOKEN), actions, free & same)


def give_up_token(shop_id: str, holder: str) -> bool:
    """Let somebody else ask."""
    actions: list[Any] = [Token.asked_by.remove(), Token.asked_until.remove()]
    return updated(Token(shop_id, TOKEN), actions, Token.asked_by == holder)


def store_token(
    shop_id: str, holder: str, sealed: str, *, got_at: datetime, expires_at: datetime
) -> bool:
    """Keep a token that was got; False when its asker took too long and somebody else asks."""
    actions: list[Any] = [
        Token.sealed.set(sealed),
        Token.got_at.set(got_at),
        Token.expires_at.set(expires_at),
        Token.asked_by.remove(),
        Token.asked_until.remove(),
    ]
    return updated(Token(shop_id, TOKEN), actions, Token.asked_by == holder)


def end_token(shop_id: str, *, got_at: datetime, at: datetime) -> bool:
    """Have a token end now, unless there is another one by now."""
    actions: list[Any] = [Token.expires_at.set(at)]
    return updated(Token(shop_id, TOKEN), actions, Token.got_at == got_at)


def count_call(shop_id: str, api: str, at: datetime, *, at_most: int) -> bool:
    """Count a call of a shop's API within its second; False when so many were made."""
    rate = Rate(models.rate_id(shop_id, api, at))
    room = Rate.calls.does_not_exist() | (Rate.calls < at_most)
    actions: list[Any] = [
        Rate.calls.add(1),
        ConnectorsItem.forget_at.set(at + timedelta(minutes=10)),
    ]
    return updated(rate, actions, room)
