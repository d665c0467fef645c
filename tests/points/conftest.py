"""A chain with a store and a member of it."""

from collections.abc import Iterator, Sequence

import pytest

from graphql_api import tables
from graphql_api.audit.models import AuditItem
from graphql_api.config import settings
from graphql_api.guides.models import GuidesItem
from graphql_api.kit.dynamo import Item
from graphql_api.members.models import Member, MembersItem
from graphql_api.ownership.models import OwnershipItem
from graphql_api.points.models import PointsItem
from graphql_api.policies.models import PoliciesItem
from graphql_api.stores.models import Store, StoresItem
from tests.factories import make_member, make_store


@pytest.fixture
def models(request: pytest.FixtureRequest) -> Sequence[type[Item]]:
    """All tables where a test asks the API."""
    if "send" in request.fixturenames:
        return tables.TABLES
    return (PointsItem, MembersItem, StoresItem, GuidesItem, AuditItem, OwnershipItem, PoliciesItem)


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
