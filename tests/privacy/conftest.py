"""A chain in which somebody has lived."""

from collections.abc import Iterator

import pytest

from graphql_api.config import settings
from tests.privacy.life import Life, live


@pytest.fixture
def life(chain: str) -> Life:
    """A member who has been through everything."""
    return live()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Transactions give up after a fifth of a second."""
    monkeypatch.setenv("APP_TRANSACTION_DEADLINE_SECONDS", "0.2")
    settings.cache_clear()
    yield
    settings.cache_clear()
