"""A vendor's way of delivering: what is not acknowledged comes again, by its schedule."""

import heapq
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from scripts.simulator.faults import Faults
from scripts.simulator.pushes import Push, Sent

_YOUZAN = (10, 30, *range(60, 601, 60), 1200, 1800, 3600, 7200)
SCHEDULES: dict[str, tuple[int, ...]] = {"youzan": _YOUZAN, "weimob": (10, 30, 60, 300, 900)}
"""After how many seconds a vendor tries again, and how often."""


@dataclass
class Courier:
    """Delivers pushes with their faults; `pace` is how long a second of the schedule takes."""

    send: Callable[[Push], Sent]
    faults: Faults
    schedule: Sequence[float]
    pace: float = 1.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    made: int = 0
    lost: int = 0
    sent: int = 0
    acknowledged: int = 0
    given_up: int = 0
    milliseconds: list[float] = field(default_factory=list)
    _again: list[tuple[float, int, Push, int]] = field(default_factory=list)
    _serial: Any = field(default_factory=itertools.count)

    def deliver(self, pushes: Sequence[Push]) -> None:
        """These, and what is due again by now."""
        arriving = self.faults.delivered(pushes)
        self.made += len(pushes)
        self.lost += len(pushes) - len({id(push) for push in arriving})
        for push in arriving:
            self._try(push, 0)
        while self._again and self._again[0][0] <= self.clock():
            self._try_again()

    def finish(self) -> None:
        """Go on until everything is acknowledged or given up."""
        while self._again:
            self.sleep(max(0.0, self._again[0][0] - self.clock()))
            self._try_again()

    def report(self) -> dict[str, Any]:
        """How it went: counts, and how long an acknowledgement took in milliseconds."""
        cuts = quantiles(self.milliseconds, n=100) if len(self.milliseconds) > 1 else [0.0] * 99
        return {
            "made": self.made,
            "lost": self.lost,
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "given_up": self.given_up,
            "p50_ms": round(cuts[49], 1),
            "p99_ms": round(cuts[98], 1),
        }

    def _try_again(self) -> None:
        _, _, push, tries = heapq.heappop(self._again)
        self._try(push, tries)

    def _try(self, push: Push, tries: int) -> None:
        is_forged = tries == 0 and self.faults.happens(self.faults.forged)
        answer = self.send(push.forged() if is_forged else push)
        self.sent += 1
        if answer.is_acknowledged:
            self.acknowledged += 1
            self.milliseconds.append(answer.milliseconds)
        elif tries == len(self.schedule):
            self.given_up += 1
        else:
            due = self.clock() + self.schedule[tries] * self.pace
            heapq.heappush(self._again, (due, next(self._serial), push, tries + 1))
