"""Tokens and viewers of the people in the tests of ownership."""

from graphql_api import auth
from graphql_api.guides.models import Guide
from graphql_api.stores.models import Store
from graphql_api.viewer import Role

OPERATOR = auth.issue(Role.OPERATOR, "opr_1")
READER = auth.issue(Role.INTEGRATION, "key_2", scopes=frozenset({"members:read", "stores:read"}))


def manager_of(store: Store) -> str:
    """A token of the manager of a store."""
    return auth.issue(Role.STORE_MANAGER, "stf_1", unit_id=store.id)


def as_guide(guide: Guide, *scopes: str) -> str:
    """A token of a guide."""
    return auth.issue(Role.GUIDE, guide.id, unit_id=guide.store_id, scopes=frozenset(scopes))
