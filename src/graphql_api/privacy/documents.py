"""Stored items as plain documents, complete without anybody listing their fields."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import orjson

from graphql_api.kit.dynamo import Item


def shown(item: Item, *, without: Collection[str] = ()) -> dict[str, Any]:
    """What an item holds that its table does not hold for its own sake, in the words of the API.

    Keys, and what indexes are made of, are attributes of the table's model, and left out.
    """
    names = [name for name in item.get_attributes() if not _is_of_table(type(item), name)]
    values = {name: getattr(item, name) for name in names if name not in without}
    return {_shown_name(name): value for name, value in values.items() if value is not None}


def document(sections: dict[str, list[Any]], *, at: datetime) -> bytes:
    """The file of an export: JSON that people can read, a list for each part."""
    told = {"format": 1, "exportedAt": at, **sections}
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)


def _is_of_table(model: type[Item], name: str) -> bool:
    table = next(base for base in model.__mro__ if Item in base.__bases__)
    return name in table.get_attributes()  # type: ignore[attr-defined]  # a class of PynamoDB


def _shown_name(name: str) -> str:
    first, *rest = name.removesuffix("_document").split("_")
    return first + "".join(map(str.capitalize, rest))
