"""What the tests of bulk operations share: two stores with members who bought."""

import gzip
import json
from typing import Any

import pytest

from graphql_api.bulk import repository
from graphql_api.bulk.models import BulkOperation
from graphql_api.kit import files
from graphql_api.members.models import Member
from graphql_api.orders import service as orders
from graphql_api.stores.models import Store
from tests.factories import CLOCK, make_member, make_snapshot, make_store


@pytest.fixture
def store(chain: str) -> Store:
    """A store."""
    return make_store("S1")


@pytest.fixture
def members(store: Store) -> list[Member]:
    """Three members of the store, of whom the second bought three times and the last once."""
    made = [make_member(store, name=f"会员{n}") for n in range(3)]
    for n, buyer in enumerate((1, 1, 1, 2)):
        snapshot = make_snapshot(store, external_id=f"W-{n}", member_id=made[buyer].id)
        orders.apply(snapshot, clock=CLOCK)
    return made


def operation_now(operation: BulkOperation) -> BulkOperation:
    """An operation as it is stored now."""
    found = repository.get(operation.id)
    assert found is not None
    return found


def lines(operation: BulkOperation) -> list[dict[str, Any]]:
    """What is in the file of an operation."""
    packed = files.get(operation.file)
    assert packed is not None
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()]
