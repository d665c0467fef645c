"""A chain with a region: one store in it, one elsewhere."""

import pytest

from graphql_api.stores.models import OrgUnit, Store
from tests.factories import make_store, make_unit


@pytest.fixture
def region(chain: str) -> OrgUnit:
    """A region of the chain."""
    return make_unit("华东")


@pytest.fixture
def store(region: OrgUnit) -> Store:
    """A store of the region."""
    return make_store("S1", under=region.id)


@pytest.fixture
def elsewhere(chain: str) -> Store:
    """A store directly under headquarters."""
    return make_store("S2")
