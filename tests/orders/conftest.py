"""A chain with a store, and ways to interfere."""

import secrets
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from graphql_api.config import settings
from graphql_api.stores.models import Store
from tests.factories import make_store

Meanwhile = Callable[[ModuleType, str, Callable[[], object]], None]


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Transactions give up after a fifth of a second."""
    monkeypatch.setenv("APP_TRANSACTION_DEADLINE_SECONDS", "0.2")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Transactions go on for half a minute, so that a busy machine loses no race for good."""
    monkeypatch.setenv("APP_TRANSACTION_DEADLINE_SECONDS", "30")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def three_hash_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Phones are hashed under three keys."""
    ring = ",".join(f"k{n}:{secrets.token_hex(32)}" for n in range(3))
    monkeypatch.setenv("APP_PHONE_HASH_KEYS", ring)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Have something happen once, right after a function has read or written."""

    def arrange(module: ModuleType, name: str, happens: Callable[[], object]) -> None:
        original = getattr(module, name)
        left = [happens]

        def interrupted(*args: Any, **kwargs: Any) -> Any:
            answer = original(*args, **kwargs)
            if left:
                left.pop()()
            return answer

        monkeypatch.setattr(module, name, interrupted)

    return arrange
