"""Things that happen at the same time."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(work: Sequence[Callable[[], T]]) -> list[T]:
    """All of it at the same time, each in a thread of its own; the results in order."""
    ready = threading.Barrier(len(work))

    def one(do: Callable[[], T]) -> T:
        ready.wait()
        return do()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))
