"""The base of every stored model."""

from typing import Any, ClassVar, Self

from pynamodb.attributes import Attribute
from pynamodb.connection import TableConnection
from pynamodb.models import Model

from graphql_api.config import settings
from graphql_api.kit import ids
from graphql_api.kit.dynamo import hydration
from graphql_api.kit.dynamo.connection import shared_client

_connected: set[type["Item"]] = set()


def table_name(noun: str) -> str:
    """The name of a slice's table in this deployment."""
    return f"{settings().table_prefix}{noun}"


class Item(Model):
    """A PynamoDB model that shares the process's one client; its key is (hash, range).

    `id_prefix` is that of the ids in its hash key: what other text leads to is not of this model.
    """

    id_prefix: ClassVar[str | None] = None

    @property
    def key(self) -> tuple[Any, Any]:
        """The base key, as `batch_get` takes it."""
        return getattr(self, str(self._hash_keyname)), getattr(self, str(self._range_keyname))

    @classmethod
    def owns(cls, key: tuple[Any, ...]) -> bool:
        """Whether an item under this key would be of this model and of no other in the table."""
        return cls.id_prefix is None or ids.prefix_of(key[0]) == cls.id_prefix

    @classmethod
    def hash_attribute(cls) -> Attribute[Any]:
        """The attribute of the hash key."""
        attribute: Attribute[Any] = cls.get_attributes()[str(cls._hash_keyname)]
        return attribute

    @classmethod
    def raw_key(cls, key: tuple[Any, Any]) -> dict[str, dict[str, Any]]:
        """The base key as DynamoDB's JSON."""
        names = (str(cls._hash_keyname), str(cls._range_keyname))
        attributes = [cls.get_attributes()[name] for name in names]
        pairs = zip(attributes, key, strict=True)
        return {a.attr_name: {a.attr_type: a.serialize(value)} for a, value in pairs}

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """The item of an answer, as PynamoDB makes it and refuses to."""
        item = cls.__new__(cls)
        try:
            item.attribute_values = hydration.values_of(cls, data)
        except KeyError:
            return super().from_raw_data(data)
        return item

    @classmethod
    def _get_connection(cls) -> TableConnection:
        connection = super()._get_connection()
        if cls not in _connected:
            client: Any = shared_client()
            connection.connection._client = client  # noqa: SLF001 - PynamoDB has no public way in
            _connected.add(cls)
        return connection


def forget_connections() -> None:
    """Drop every model's connection."""
    for model in _connected:
        model._connection = None  # noqa: SLF001 - PynamoDB has no public way in
    _connected.clear()
