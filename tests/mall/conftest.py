"""A chain with a store, and a member with a thousand points."""

import pytest

from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from tests.factories import make_store
from tests.mall.factories import make_rich


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


@pytest.fixture
def member(store: Store) -> Member:
    """A member with 1,000 points."""
    return make_rich(store)
