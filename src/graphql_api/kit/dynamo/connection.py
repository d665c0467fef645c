"""One DynamoDB client for all models, with answers read by orjson and not walked shape by shape.

botocore visits ten possible members for every attribute value; DynamoDB's JSON is already what
PynamoDB reads, so the walk is nine tenths of a read for nothing. Item data has no timestamps and
we store no binary values; control-plane answers and errors keep the stock parser.
"""

from threading import Lock
from typing import Any

import botocore.config
import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.session
import orjson
from botocore.client import BaseClient

_ITEM_ANSWERS = frozenset(
    {
        "GetItemOutput",
        "BatchGetItemOutput",
        "QueryOutput",
        "ScanOutput",
        "TransactGetItemsOutput",
        "PutItemOutput",
        "UpdateItemOutput",
        "DeleteItemOutput",
        "BatchWriteItemOutput",
        "TransactWriteItemsOutput",
    }
)

# Service descriptions are read once, however often the client is made anew.
_descriptions = botocore.loaders.create_loader()
_lock = Lock()
_shared: list[BaseClient] = []


class _ItemParser(botocore.parsers.JSONParser):
    def _handle_json_body(self, raw_body: bytes, shape: botocore.model.Shape | None) -> Any:
        if shape is not None and shape.name in _ITEM_ANSWERS:
            return orjson.loads(raw_body) if raw_body else {}
        return super()._handle_json_body(raw_body, shape)  # type: ignore[misc]  # not in the stubs


class _ParserFactory(botocore.parsers.ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> Any:
        if protocol_name == "json":
            return _ItemParser(**self._defaults)  # type: ignore[attr-defined]  # not in the stubs
        return super().create_parser(protocol_name)


def shared_client() -> BaseClient:
    """The process's DynamoDB client; thread-safe, created on first use."""
    with _lock:
        if not _shared:
            session = botocore.session.get_session()
            session.register_component("response_parser_factory", _ParserFactory())
            session.register_component("data_loader", _descriptions)
            config = botocore.config.Config(
                parameter_validation=False,
                connect_timeout=3,
                read_timeout=10,
                max_pool_connections=32,
                retries={"total_max_attempts": 4, "mode": "standard"},
            )
            region = session.get_config_variable("region") or "us-east-1"
            _shared.append(session.create_client("dynamodb", region, config=config))
        return _shared[0]


def reset_connections() -> None:
    """Forget the client, so that the next call reads endpoint and credentials again."""
    from graphql_api.kit.dynamo.item import forget_connections

    with _lock:
        _shared.clear()
    forget_connections()
