"""What the tests of access share."""

from datetime import datetime

import pytest

from graphql_api.guides.models import Guide
from graphql_api.kit.time import real_now
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from tests.factories import make_guide, make_identity, make_member, make_store


@pytest.fixture
def at() -> datetime:
    """Now, by the clock that tokens go by."""
    return real_now()


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


@pytest.fixture
def member(store: Store) -> Member:
    """A member with an openid."""
    return make_member(store, make_identity("openid-1"))


@pytest.fixture
def guide(store: Store) -> Guide:
    """A guide at work."""
    return make_guide(store, "王芳", wecom_user_id="WangFang")
