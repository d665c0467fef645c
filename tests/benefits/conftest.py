"""A chain with a store."""

import pytest

from graphql_api.stores.models import Store
from tests.factories import make_store


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")
