"""Counts what is asked of DynamoDB."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from graphql_api.kit.dynamo.connection import shared_client
from tests.lazy_tables import MAKE_A_TABLE


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """The calls by name of operation, counted until the block ends."""
    calls: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        if model.name not in MAKE_A_TABLE:
            calls[model.name] += 1

    events = shared_client().meta.events
    events.register("before-call.dynamodb", count)
    try:
        yield calls
    finally:
        events.unregister("before-call.dynamodb", count)
