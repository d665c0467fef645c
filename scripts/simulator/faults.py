"""What goes wrong between a vendor and us, by a seed: the same seed, the same faults."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass
class Faults:
    """Shares from 0 to 1, but for `reach`, by how many places a push may come too late.

    `busy` is answered with an error that passes, `unheard` is done and its answer lost.
    """

    seed: int = 1
    lost: float = 0
    doubled: float = 0
    reach: int = 0
    forged: float = 0
    failing: float = 0
    busy: float = 0
    unheard: float = 0
    slow_seconds: float = 0
    tokens_last: int | None = None
    is_down: bool = False
    _random: random.Random = field(init=False, repr=False)
    _answers: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable
        # Of their own: how often is asked must not decide which pushes are lost.
        self._answers = random.Random(self.seed)  # noqa: S311 - repeatable

    def fails(self) -> bool:
        """Whether a question is answered with an error now."""
        return self.is_down or (self.failing > 0 and self._answers.random() < self.failing)

    def is_busy(self) -> bool:
        """Whether a question is answered now with: ask again."""
        return self.busy > 0 and self._answers.random() < self.busy

    def is_unheard(self) -> bool:
        """Whether what was done now is answered with nothing that arrives."""
        return self.unheard > 0 and self._answers.random() < self.unheard

    def happens(self, share: float) -> bool:
        """Whether something with this share happens now."""
        return share > 0 and self._random.random() < share

    def delivered(
        self, pushes: Sequence[T], is_spared: Callable[[T], bool] = lambda _: False
    ) -> list[T]:
        """Pushes as they arrive: some not at all, some twice, some behind later ones.

        What is spared is not lost: it stands for what comes again until it came.
        """
        kept = [push for push in pushes if not self.happens(self.lost) or is_spared(push)]
        doubled = [p for push in kept for p in ([push] * (2 if self.happens(self.doubled) else 1))]
        places = [(n + self._random.uniform(0, self.reach), n) for n in range(len(doubled))]
        return [doubled[n] for _, n in sorted(places)]
