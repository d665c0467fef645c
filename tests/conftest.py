"""A fresh AWS account with the tables, a clock that stands still, and a client that speaks HTTP."""

import asyncio
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from graphql_api import auth
from graphql_api.config import settings
from graphql_api.connectors.service import known_shops
from graphql_api.edge import persisted
from graphql_api.edge.negotiation import GRAPHQL
from graphql_api.kit.dynamo import reset_connections
from graphql_api.kit.time import Clock
from graphql_api.standing import repository as standing
from graphql_api.stores import service as stores
from graphql_api.viewer import SCOPES, Role
from tests import asgi
from tests.emulator_fixtures import aws_account, bucket, engine, pytest_collection_modifyitems
from tests.lazy_tables import tables_on_demand
from tests.logins import stand_in_server, stand_ins
from tests.seeded import seeded

__all__ = [
    "aws_account",
    "bucket",
    "engine",
    "pytest_collection_modifyitems",
    "seeded",
    "stand_in_server",
    "stand_ins",
]

os.environ.setdefault("APP_THROTTLED", "false")  # tests of the edge charge whom they are about
settings.cache_clear()

# A machine that is busy with something else makes no law untrue.
hypothesis_settings.register_profile(
    "any-pace", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("any-pace")

NOW = datetime(2018, 1, 10, 4, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    """Noon of 10 January 2018 in Shanghai, always."""
    return Clock(wall=lambda: NOW)


@pytest.fixture
def database(aws_account: str) -> Iterator[str]:
    """Empty tables in an account of their own."""
    from graphql_api.edge.execution import chain_clock

    chain_clock.forget()
    stores.forget_reaches()
    persisted.known.forget()
    standing.forget()
    known_shops.forget()
    reset_connections()
    with tables_on_demand():
        yield aws_account
    reset_connections()


@pytest.fixture
def chain(database: str, clock: Clock) -> str:
    """A chain with its headquarters."""
    stores.set_up_chain("测试连锁", zone="Asia/Shanghai", offset_days=0, clock=clock)
    return database


class Client:
    """Sends documents as a viewer and gives the decoded answer."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}

    def request(self, method: str, path: str, *, body: bytes = b"", **headers: str) -> bytes:
        """One HTTP request to the application, without a server; keeps status and headers."""
        from graphql_api.app import app

        asked = asgi.request(app, method, path, body, headers)
        self.status, self.headers, answer = asyncio.run(asked)
        return answer

    def post(self, document: str, *, token: str | None, **variables: Any) -> dict[str, Any]:
        """The whole answer, errors included."""
        headers = {"content-type": "application/json", "accept": GRAPHQL}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        body = json.dumps({"query": document, "variables": variables}).encode()
        answer: dict[str, Any] = json.loads(self.request("POST", "/graphql", body=body, **headers))
        return answer

    def __call__(self, document: str, *, token: str | None, **variables: Any) -> dict[str, Any]:
        """The data; the test fails on any error."""
        answer = self.post(document, token=token, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data


@pytest.fixture
def send() -> Client:
    """Ask the API."""
    return Client()


@pytest.fixture
def operator() -> str:
    """A token of headquarters that may see personal data."""
    return auth.issue(Role.OPERATOR, "opr_1", scopes=frozenset({"members:pii"}))


@pytest.fixture
def integration() -> str:
    """A token of a key with every scope."""
    return auth.issue(Role.INTEGRATION, "key_1", scopes=SCOPES)
