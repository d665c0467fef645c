"""One at a time: messages of one type about one thing, in the order that the vendor gives them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from graphql_api.connectors import models, repository
from graphql_api.connectors.errors import Later
from graphql_api.kit.time import real_now

HELD_FOR = timedelta(seconds=90)
"""Longer than any attempt lasts; one that was killed is in nobody's way for more than this."""
SAFE_FOR = timedelta(seconds=60)
"""For how long its holder may begin another call."""
_BUSY_SECONDS = 5.0
_RESTS_SECONDS = 1.0


class Turn:
    """What its holder knows: whether something newer was applied before, and since when it is."""

    def __init__(self, *, is_stale: bool, begun_at: datetime) -> None:
        self.is_stale = is_stale
        self._begun_at = begun_at

    def require_time(self) -> None:
        """Raise Later where another call may outlast the turn: for who has many to make."""
        if real_now() > self._begun_at + SAFE_FOR:
            raise Later(_RESTS_SECONDS)


@contextmanager
def turn_of(shop_id: str, type_: str, subject: str, version: int | None = None) -> Iterator[Turn]:
    """Be the only one at this type and subject; what ends well is applied up to its version.

    Raises Later while somebody else is at it. What raises inside leaves the version as it was, so
    that the same message can come again.
    """
    holder, now = secrets.token_hex(8), real_now()
    position_id = models.position_id(shop_id, type_, subject)
    position = repository.hold(position_id, holder, at=now, until=now + HELD_FOR)
    if position is None:
        raise Later(_BUSY_SECONDS)
    applied = None if position.applied is None else int(position.applied)
    is_stale = version is not None and applied is not None and version < applied
    reached: int | None = None
    try:
        yield Turn(is_stale=is_stale, begun_at=now)
        reached = None if is_stale else version
    finally:
        repository.let_go(position, holder, applied=reached)
