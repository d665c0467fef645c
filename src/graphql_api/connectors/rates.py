"""How often a shop may be asked: so many calls of an API in a second, whoever asks."""

import time
from collections.abc import Callable
from datetime import datetime

from graphql_api.connectors import repository
from graphql_api.connectors.errors import Later
from graphql_api.kit.time import real_now

_TRIES = 2
_AGAIN_AFTER = 2.0


def take(
    shop_id: str,
    api: str,
    per_second: int,
    *,
    now: Callable[[], datetime] = real_now,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait for a place among the calls of this second or the next; Later where both are full."""
    for left in reversed(range(_TRIES)):
        at = now()
        if repository.count_call(shop_id, api, at, at_most=per_second):
            return
        if left:
            sleep(1 - at.microsecond / 1_000_000)
    raise Later(_AGAIN_AFTER)
