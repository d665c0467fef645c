"""The engine for tests: one for each worker, one account for each test.

An account is a name space: nothing is reset between tests, and none sees another's tables. A test
that is about one engine says so: `pytest.mark.engine(name, reason)`.
"""

import itertools
import os
import secrets
import sys
from collections.abc import Callable, Iterator

import boto3
import pytest

from scripts import engines
from scripts.processes import SECRET, Running

# How many accounts one is given: DynamoDB Local keeps four threads and a database for each.
ACCOUNTS = {"ministack": sys.maxsize, "dynamodb-local": 200}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is about another engine, with the reason that it gives."""
    for item in items:
        for mark in item.iter_markers("engine"):
            engine, reason = mark.args
            if engine != engines.name():
                item.add_marker(pytest.mark.skip(reason=f"only on {engine}: {reason}"))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """Gives the address of an engine for one more account; EMULATOR_URL names one that runs."""
    chosen = engines.chosen()
    if url := os.environ.get("EMULATOR_URL"):
        if not chosen.healthy(url):
            pytest.exit(f"EMULATOR_URL is {url}, but no {engines.name()} answers.", returncode=1)
        yield lambda: url
        return
    chosen.ensure_environment()
    taken = itertools.count()
    running: list[Running] = []

    def take() -> str:
        if next(taken) % ACCOUNTS[engines.name()] == 0:
            while running:
                running.pop().stop()
            running.append(chosen.start(tmp_path_factory.mktemp("engine"), persist=False))
        return running[0].url

    yield take
    for one in running:
        one.stop()


@pytest.fixture
def aws_account(engine: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty account, to which every AWS client made from now on belongs."""
    from graphql_api.kit import aws
    from graphql_api.kit.dynamo import reset_connections

    account = f"{secrets.randbelow(10**12):012d}"
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", engine())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # The default session and PynamoDB remember the first credentials that they find.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    reset_connections()
    aws.forget_clients()
    yield account
    reset_connections()
    aws.forget_clients()


@pytest.fixture
def bucket(aws_account: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket for files, in the account; names of buckets are shared by all accounts."""
    from graphql_api.config import settings
    from graphql_api.kit import files

    monkeypatch.setenv("APP_FILES_BUCKET", f"files-{aws_account}")
    settings.cache_clear()
    files.create_bucket()
    yield settings().files_bucket
    settings.cache_clear()
