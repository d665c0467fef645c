"""Clients are charged for what they ask: a bucket each, and what this process has in hand of it.

A bucket is one instant in DynamoDB, when it will be full again; a point is the time in which it is
restored. The process draws a little in advance, and keeps in hand what operations asked for and did
not need; from that it pays small operations without a write. What is too much to keep goes back
at once. What is in hand and what is in the bucket are spent once: in any stretch of time a client
gets the capacity, what was restored, and a twenty-fifth of the capacity for each process at most.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from graphql_api.access import repository
from graphql_api.edge.budgets import MICROSECONDS, Budget
from graphql_api.kit.time import real_now

MAX_CLIENTS = 10_000
ADVANCE = 50
"""A fiftieth of the bucket is drawn in advance; at most two of them stay in hand."""


def _now() -> int:
    """The time of day in microseconds."""
    return int(real_now().timestamp() * MICROSECONDS)


@dataclass(slots=True)
class _Hand:
    """What this process knows of a bucket, and has in hand of it; in microseconds."""

    full_at: int = 0
    left: int = 0

    def available(self, budget: Budget, now: int) -> int:
        """Points that the client has, as far as this process knows."""
        whole = budget.time_of(budget.capacity)
        free = whole - max(self.full_at - now, 0) + self.left
        return budget.points_of(min(max(free, 0), whole))


@dataclass(frozen=True, slots=True)
class Charge:
    """Whether an operation was paid for, what the client has left, and when to come again."""

    granted: bool
    available: int
    retry_after: int = 0


class Throttle:
    """The buckets of the clients that this process has seen lately."""

    def __init__(self, now: Callable[[], int] = _now) -> None:
        self._now = now
        self._hands: OrderedDict[str, _Hand] = OrderedDict()

    def forget(self) -> None:
        """Know nobody."""
        self._hands.clear()

    async def charge(self, client: str, points: int, budget: Budget) -> Charge:
        """Take the points from what is in hand, else from the bucket; all of them or none."""
        hand, now, cost = self._of(client), self._now(), budget.time_of(points)
        if cost <= hand.left:
            hand.left -= cost
            return Charge(True, hand.available(budget, now))
        own, hand.left = hand.left, 0
        whole, advance = budget.time_of(budget.capacity), _advance(budget)
        for more in (advance, 0) if cost - own + advance <= whole else (0,):
            if await self._draw(client, hand, cost - own + more, budget, now):
                hand.left += more
                return Charge(True, hand.available(budget, now))
        hand.left += own
        missing = hand.full_at + cost - own - now - whole
        return Charge(False, hand.available(budget, now), max(-(-missing // MICROSECONDS), 1))

    async def settle(self, client: str, points: int, budget: Budget) -> int:
        """Keep what was not needed in hand, or give it back; says what the client has then."""
        hand, now, most = self._of(client), self._now(), 2 * _advance(budget)
        hand.left += budget.time_of(points)
        if hand.left > most:
            much, hand.left = hand.left - most // 2, most // 2
            await self._draw(client, hand, -much, budget, now)
        return hand.available(budget, now)

    async def _draw(self, client: str, hand: _Hand, amount: int, budget: Budget, now: int) -> bool:
        whole, running = budget.time_of(budget.capacity), hand.full_at >= now
        drawn = await asyncio.to_thread(
            repository.draw, client, amount, whole, now, running=running
        )
        hand.full_at = drawn.full_at
        return drawn.granted

    def _of(self, client: str) -> _Hand:
        hand = self._hands.setdefault(client, _Hand())
        self._hands.move_to_end(client)
        if len(self._hands) > MAX_CLIENTS:
            self._hands.popitem(last=False)
        return hand


def _advance(budget: Budget) -> int:
    return budget.time_of(budget.capacity) // ADVANCE


throttle = Throttle()
