"""The embedded AWS for tests: one emulator for each worker, one account for each test.

An account is a name space: nothing is reset between tests, and none sees another's tables.
"""

import os
import secrets
from collections.abc import Iterator

import boto3
import pytest

from scripts import emulator as embedded


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an emulator; EMULATOR_URL names one that runs already."""
    if url := os.environ.get("EMULATOR_URL"):
        if not embedded.healthy(url):
            pytest.exit(f"EMULATOR_URL is {url}, but no emulator answers there.", returncode=1)
        yield url
        return
    embedded.ensure_environment()
    with embedded.start(tmp_path_factory.mktemp("emulator"), persist=False) as running:
        yield running.url


@pytest.fixture
def aws_account(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty account, to which every AWS client made from now on belongs."""
    from graphql_api.kit.dynamo import reset_connections

    account = f"{secrets.randbelow(10**12):012d}"
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # The default session and PynamoDB remember the first credentials that they find.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    reset_connections()
    yield account
    reset_connections()
