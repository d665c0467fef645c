"""Guides to test with."""

from datetime import UTC, datetime
from typing import Any

from graphql_api.guides import service
from graphql_api.guides.models import Guide
from graphql_api.kit.time import Clock
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM

CREATED = datetime(2018, 1, 9, 3, 0, tzinfo=UTC)


def make_guide(store: Store, name: str = "王芳", **more: Any) -> Guide:
    """A stored guide of a store."""
    given = {"store_id": store.id, "name": name, "wecom_user_id": name.encode().hex(), **more}
    clock = Clock(wall=lambda: CREATED)
    return service.create(service.GuideCreate(**given), viewer=SYSTEM, clock=clock)
