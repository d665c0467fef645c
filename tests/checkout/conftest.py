"""A chain with a store and a member, and no more tables than a checkout needs."""

from collections.abc import Sequence

import pytest

from graphql_api import tables
from graphql_api.audit.models import AuditItem
from graphql_api.checkout.models import CheckoutItem
from graphql_api.coupons.models import CouponsItem
from graphql_api.guides.models import GuidesItem
from graphql_api.kit.dynamo import Item
from graphql_api.members.models import Member, MembersItem
from graphql_api.ownership.models import OwnershipItem
from graphql_api.points.models import PointsItem
from graphql_api.policies.models import PoliciesItem
from graphql_api.standing.models import StandingItem
from graphql_api.stores.models import Store, StoresItem
from tests.factories import make_member, make_store


@pytest.fixture
def models(request: pytest.FixtureRequest) -> Sequence[type[Item]]:
    """All tables where a test asks the API or applies orders."""
    if {"send", "orders"} & set(request.fixturenames):
        return tables.TABLES
    return (
        CheckoutItem,
        PointsItem,
        CouponsItem,
        MembersItem,
        StoresItem,
        GuidesItem,
        AuditItem,
        OwnershipItem,
        PoliciesItem,
        StandingItem,
    )


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


@pytest.fixture
def member(store: Store) -> Member:
    """A member of the store."""
    return make_member(store)
