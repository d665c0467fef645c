"""Attribute types that PynamoDB lacks."""

from datetime import UTC, date, datetime
from typing import Any

import orjson
from pynamodb.attributes import Attribute
from pynamodb.constants import STRING


class InstantAttribute(Attribute[datetime]):
    """A UTC instant as `2017-01-01T11:53:26.000Z`: sorts as text, to the millisecond."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        """Refuses naive instants."""
        if value.tzinfo is None:
            raise ValueError("an instant needs an offset")
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def deserialize(self, value: str) -> datetime:
        """The aware instant."""
        return datetime.fromisoformat(value)


class DayAttribute(Attribute[date]):
    """A business day as `2017-01-01`."""

    attr_type = STRING

    def serialize(self, value: date) -> str:
        """The ISO date."""
        return value.isoformat()

    def deserialize(self, value: str) -> date:
        """The date."""
        return date.fromisoformat(value)


class JsonAttribute(Attribute[Any]):
    """A small document stored as compact JSON text: one attribute value, however deep."""

    attr_type = STRING

    def serialize(self, value: Any) -> str:
        """Keys sorted, so that equal documents are equal text."""
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()

    def deserialize(self, value: str) -> Any:
        """The document."""
        return orjson.loads(value)
