"""Walks through what a vendor lists by time: part after part, window after window, page after page.

A walk is text between two steps, so that whoever takes the next one needs nothing else.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

import orjson

_SHORTEST = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Walk:
    """Which page of which window of which part comes next, of all from `begin` to `end`."""

    begin: datetime
    end: datetime
    since: datetime
    until: datetime
    part: int = 0
    page: int = 1

    @classmethod
    def at(cls, text: str | None, begin: datetime, end: datetime) -> Self:
        """Where a walk is by its text; without one, at its beginning."""
        if text is None:
            return cls(begin, end, begin, end)
        part, page, since, until = orjson.loads(text)
        times = datetime.fromisoformat(since), datetime.fromisoformat(until)
        return cls(begin, end, *times, part, page)

    @property
    def text(self) -> str:
        """How it is told."""
        times = self.since.isoformat(), self.until.isoformat()
        return orjson.dumps([self.part, self.page, *times]).decode()

    @property
    def can_halve(self) -> bool:
        """Whether the window is longer than a vendor's times can tell apart."""
        return self.until - self.since >= _SHORTEST

    def halved(self) -> Self:
        """At the beginning of the first half of the window; the second follows."""
        return replace(self, until=self.since + (self.until - self.since) / 2, page=1)

    def on(self, is_last: bool) -> Self:
        """Behind a page: at the next one, the next window, or the next part."""
        if not is_last:
            return replace(self, page=self.page + 1)
        if self.until < self.end:
            return replace(self, since=self.until, until=self.end, page=1)
        return replace(self, since=self.begin, until=self.end, part=self.part + 1, page=1)
