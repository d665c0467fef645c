"""One at a time: messages of one type about one thing, in the order that the vendor gives them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from graphql_api.connectors import models, repository
from graphql_api.connectors.errors import Later
from graphql_api.kit.time import real_now

HELD_FOR = timedelta(seconds=90)
"""Longer than any attempt lasts; one that was killed is in nobody's way for more than this."""
_BUSY_SECONDS = 5.0


class Turn:
    """What its holder knows: whether something newer was applied before."""

    def __init__(self, *, is_stale: bool) -> None:
        self.is_stale = is_stale


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
        yield Turn(is_stale=is_stale)
        reached = None if is_stale else version
    finally:
        repository.let_go(position, holder, applied=reached)
