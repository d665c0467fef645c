"""What stands under one key, page by page: to show all of it, or to forget it."""

from typing import Any, TypeVar

from pynamodb.attributes import UnicodeAttribute
from pynamodb.constants import DELETE_REQUEST

from graphql_api.kit.dynamo.item import Item
from graphql_api.kit.dynamo.reads import Page, key_page, send_all

Stored = TypeVar("Stored", bound=Item)


def page_under(
    model: type[Stored], key: str, prefix: str, *, first: int, after: str | None
) -> Page[Stored]:
    """The items under a hash key whose range key begins so, in its order: one Query."""
    return key_page(model, key, _range_of(model), first=first, after=after, starts_with=prefix)


def forget_under(model: type[Item], key: str, prefix: str, *, first: int) -> int:
    """Delete up to `first` items under a hash key whose range key begins so; how many there were.

    Unconditional, and again for what is left: for what nobody writes any more.
    """
    condition = _range_of(model).startswith(prefix)
    found = list(model.query(key, condition, consistent_read=True, limit=first, page_size=first))
    delete_all(model, [item.key for item in found])
    return len(found)


def delete_all(model: type[Item], keys: list[tuple[Any, Any]]) -> None:
    """Delete items of one table without conditions, 25 at a time; absent ones stay absent."""
    send_all(model, [{DELETE_REQUEST: {"Key": model.raw_key(key)}} for key in keys])


def _range_of(model: type[Item]) -> UnicodeAttribute:
    attribute = model.get_attributes()[str(model._range_keyname)]  # noqa: SLF001 - no public name
    assert isinstance(attribute, UnicodeAttribute)
    return attribute
