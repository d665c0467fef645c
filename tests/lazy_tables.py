"""Tables for a test: each is made at the first request that names it.

A test touches a few of all tables, and making one costs an engine as much as several requests.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient

from graphql_api import tables

MAKE_A_TABLE = frozenset({"CreateTable"})
"""Operations that no test asks for by itself."""


@contextmanager
def tables_on_demand() -> Iterator[None]:
    """Whatever client of this process asks for a table of ours, until the block ends, it is there.

    They forget nothing: a test's clock stands in a past that the engine's own is far beyond. Who
    lists tables or reads their streams finds all of them.
    """
    missing = {model.Meta.table_name: model for model in tables.TABLES}
    making = RLock()
    send = BaseClient._make_api_call  # type: ignore[attr-defined]  # not in the stubs

    def sent(client: Any, operation: str, request: Mapping[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        if service.startswith("dynamodb") and operation not in MAKE_A_TABLE:
            with making:
                for name in missing.keys() & _named(request, missing):
                    tables.create(missing.pop(name), forgetting=False)
        return send(client, operation, request)

    with patch.object(BaseClient, "_make_api_call", sent):
        yield


def _named(request: Mapping[str, Any], every: Mapping[str, Any]) -> set[str]:
    if "RequestItems" in request:
        return set(request["RequestItems"])
    if "TransactItems" in request:
        return {each["TableName"] for item in request["TransactItems"] for each in item.values()}
    return {request["TableName"]} if "TableName" in request else set(every)
