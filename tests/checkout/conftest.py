"""A chain with a store and a member, and no more tables than a checkout needs."""

import pytest

from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from tests.factories import make_member, make_store


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


@pytest.fixture
def member(store: Store) -> Member:
    """A member of the store."""
    return make_member(store)
