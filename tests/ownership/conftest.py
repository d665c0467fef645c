"""A chain with two stores, and the guides who work there."""

from collections.abc import Callable, Iterator

import pytest

from graphql_api.config import settings
from graphql_api.edge.execution import chain_clock
from graphql_api.guides.models import Guide
from graphql_api.kit.time import Clock
from graphql_api.stores.models import Store
from tests.factories import make_guide, make_store
from tests.ownership.storage import on_day

SetDay = Callable[[int], None]


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


@pytest.fixture
def other_store(chain: str) -> Store:
    """Another store of the chain."""
    return make_store("S2")


@pytest.fixture
def ann(store: Store) -> Guide:
    """A guide at work in the store."""
    return make_guide(store, "安")


@pytest.fixture
def bob(store: Store) -> Guide:
    """Another guide at work in the store."""
    return make_guide(store, "波")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Transactions give up after a tenth of a second."""
    monkeypatch.setenv("APP_TRANSACTION_DEADLINE_SECONDS", "0.1")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def set_day(monkeypatch: pytest.MonkeyPatch) -> SetDay:
    """Has the API answer at noon of a day, so many after the others; of the first until then."""

    def set_to(days: int) -> None:
        async def read() -> Clock:
            return on_day(days)

        monkeypatch.setattr(chain_clock, "read", read)

    set_to(0)
    return set_to
