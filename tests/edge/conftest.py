"""Clients that are charged, at a time that stands still."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from graphql_api.config import settings
from graphql_api.edge.throttle import throttle


@dataclass
class Time:
    """Microseconds, moved by hand."""

    now: int = 1_800_000_000_000_000

    def __call__(self) -> int:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.now += int(seconds * 1_000_000)


@pytest.fixture
def paying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Time]:
    """Everybody is charged, and nobody has been yet."""
    time = Time()
    monkeypatch.setenv("APP_THROTTLED", "true")
    monkeypatch.setattr(throttle, "_now", time)
    settings.cache_clear()
    throttle.forget()
    yield time
    throttle.forget()
    settings.cache_clear()
