"""Lanes measured side by side: one round each in turn, on one core, in CPU time.

Two runs on a shared machine differ by half and more; the ratios of one run do not.
"""

import gc
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Lane:
    """A way to do the same work: `work` goes through all records once and says how many."""

    name: str
    work: Callable[[], int]
    seconds: list[float] = field(default_factory=list)
    records: int = 0

    @property
    def rate(self) -> float:
        """Records in a second of one core, in the best round."""
        return self.records / min(self.seconds)

    def times(self, other: "Lane") -> float:
        """How many times as fast as another lane a record is, as the median of the rounds."""
        pairs = zip(self.seconds, other.seconds, strict=True)
        return statistics.median(
            (theirs / other.records) / (mine / self.records) for mine, theirs in pairs
        )


def interleave(lanes: Sequence[Lane], rounds: int = 7) -> None:
    """Run every lane in turn, so many times; the first round warms up and is not counted."""
    _stay_on_one_core()
    for round_ in range(rounds + 1):
        for lane in lanes:
            seconds, lane.records = _timed(lane.work)
            if round_:
                lane.seconds.append(seconds)


def _timed(work: Callable[[], int]) -> tuple[float, int]:
    gc.collect()
    gc.disable()
    began = time.process_time()
    records = work()
    seconds = time.process_time() - began
    gc.enable()
    return seconds, records


def _stay_on_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
