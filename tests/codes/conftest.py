"""A store with a guide at work."""

import pytest

from graphql_api.guides.models import Guide
from graphql_api.stores.models import Store
from tests.factories import make_guide, make_store


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


@pytest.fixture
def guide(store: Store) -> Guide:
    """A guide of the store."""
    return make_guide(store)
