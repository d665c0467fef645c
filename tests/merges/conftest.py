"""A chain with two stores, and two members who are one person."""

from collections.abc import Iterator

import pytest

from graphql_api.config import settings
from graphql_api.stores.models import Store
from tests.factories import make_store
from tests.merges.storage import Dump, Scene, dump, put, set_the_scene

SET: list[tuple[Scene, Dump]] = []


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


@pytest.fixture
def other_store(chain: str) -> Store:
    """Another store of the chain."""
    return make_store("S2")


@pytest.fixture
def scene(chain: str) -> Scene:
    """Two members who are one person, each with everything that a member can have.

    Set once; the other tests get the same items in tables of their own.
    """
    if not SET:
        SET.append((set_the_scene(), dump()))
    else:
        put(SET[0][1])
    return SET[0][0]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Transactions give up after a tenth of a second."""
    monkeypatch.setenv("APP_TRANSACTION_DEADLINE_SECONDS", "0.1")
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
