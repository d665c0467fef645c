"""A chain with a store and a member of it."""

from collections.abc import Iterator

import pytest

from graphql_api.config import settings
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from tests.factories import make_member, make_store


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


@pytest.fixture
def member(store: Store) -> Member:
    """A member of the store who has no points."""
    return make_member(store)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Transactions go on for half a minute, so that a busy machine loses no race for good."""
    monkeypatch.setenv("APP_TRANSACTION_DEADLINE_SECONDS", "30")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Transactions give up after a fifth of a second."""
    monkeypatch.setenv("APP_TRANSACTION_DEADLINE_SECONDS", "0.2")
    settings.cache_clear()
    yield
    settings.cache_clear()
