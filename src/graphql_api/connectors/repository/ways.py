"""How this table is written and read."""

from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition

from graphql_api.connectors.models import (
    ConnectorsItem,
)
from graphql_api.kit.dynamo import Item, Page, batch_get, key_page


def set_or_remove(attribute: Attribute[Any], value: Any) -> Any:
    """Set an attribute; remove it for None."""
    return attribute.remove() if value is None else attribute.set(value)


def updated(item: Item, actions: list[Any], condition: Condition) -> bool:
    """Change an item if a condition holds; whether it did."""
    try:
        item.update(actions=actions, condition=condition, add_version_condition=False)
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def listed(model: Any, key: str, **page: Any) -> Page[Any]:
    """A page of what is listed under a key: one Query, one BatchGetItem."""
    return with_items(model, key_page(ConnectorsItem.by_list, key, ConnectorsItem.place, **page))


def opened(model: Any, key: str, **page: Any) -> Page[Any]:
    """A page of what is open under a key: the same."""
    return with_items(model, key_page(ConnectorsItem.by_open, key, ConnectorsItem.place, **page))


def with_items(model: Any, keys: Page[Any]) -> Page[Any]:
    """The items of a page of keys."""
    return keys.showing(batch_get(model, [key.key for key in keys.items]))
