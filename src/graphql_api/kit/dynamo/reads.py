"""Batch reads in key order, and pages along an index."""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pynamodb.attributes import UnicodeAttribute
from pynamodb.constants import PUT_REQUEST
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import Index

from graphql_api.kit.dynamo.item import Item

Stored = TypeVar("Stored", bound=Item)
T = TypeVar("T", covariant=True)
U = TypeVar("U")

Key = tuple[Any, ...]
Raw = dict[str, dict[str, Any]]
_GET_CHUNK = 100
_WRITE_CHUNK = 25
_ATTEMPTS = 8
_MAX_HASH_BYTES = 2048
_MAX_RANGE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A stretch of a list: the items, each one's place in it, and whether more follow.

    `end` is how far was read where that is no item's place, as in a page of which nothing is left.
    """

    items: Sequence[T] = ()
    places: Sequence[str] = field(default=())
    more: bool = False
    end: str | None = None

    @property
    def last(self) -> str | None:
        """The place after which the list goes on."""
        return self.places[-1] if self.places else self.end

    def showing(self, found: Iterable[U | None]) -> "Page[U]":
        """The same stretch with these for its items, one for each; what is None is left out."""
        pairs = [(i, p) for i, p in zip(found, self.places, strict=True) if i is not None]
        return Page([i for i, _ in pairs], [p for _, p in pairs], self.more, self.last)


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311 - jitter, not a secret


def batch_get(
    model: type[Stored],
    keys: Sequence[Key],
    *,
    consistent: bool = False,
    only: Sequence[str] | None = None,
) -> list[Stored | None]:
    """The items of these (hash, range) keys in the order asked, None for each absent one.

    One BatchGetItem per hundred different keys; what DynamoDB leaves unprocessed is asked again,
    and TimeoutError says that it still was after eight attempts. A key that DynamoDB cannot hold,
    or that belongs to another model of the table, is absent. `only` names stored attributes.
    """
    found: dict[Key, Stored] = {}
    wanted = [key for key in dict.fromkeys(keys) if model.owns(key) and _can_be(*key)]
    for start in range(0, len(wanted), _GET_CHUNK):
        for raw in _get_chunk(model, wanted[start : start + _GET_CHUNK], consistent, only):
            item = model.from_raw_data(raw)
            found[item.key] = item
    return [found.get(key) for key in keys]


def batch_get_raw(
    model: type[Stored], keys: Sequence[Key], *, only: Sequence[str], consistent: bool = False
) -> Iterator[Raw]:
    """The items of these keys as DynamoDB answers them, in its order; absent ones are left out.

    For reads of many that need little of each: `only` names the stored attributes.
    """
    wanted = [key for key in dict.fromkeys(keys) if model.owns(key) and _can_be(*key)]
    for start in range(0, len(wanted), _GET_CHUNK):
        yield from _get_chunk(model, wanted[start : start + _GET_CHUNK], consistent, only)


def _can_be(hash_value: Any, range_value: Any = "-") -> bool:
    """Whether DynamoDB could hold such a key; clients may ask for any text."""
    return _fits(hash_value, _MAX_HASH_BYTES) and _fits(range_value, _MAX_RANGE_BYTES)


def _fits(value: Any, limit: int) -> bool:
    return not isinstance(value, str) or 0 < len(value.encode()) <= limit


def _get_chunk(
    model: type[Stored], keys: list[Key], consistent: bool, only: Sequence[str] | None
) -> Iterator[Raw]:
    connection = model._get_connection()  # noqa: SLF001 - `Model.batch_get` hides unprocessed keys
    pending: list[Any] = [model.raw_key(key) for key in keys]
    for attempt in range(_ATTEMPTS):
        answer = connection.connection.client._make_api_call(  # noqa: SLF001 - as PynamoDB does
            "BatchGetItem",
            {"RequestItems": {connection.table_name: _request(pending, consistent, only)}},
        )
        yield from answer["Responses"].get(connection.table_name, ())
        pending = (answer.get("UnprocessedKeys") or {}).get(connection.table_name, {}).get("Keys")
        if not pending:
            return
        _pause(attempt)
    raise TimeoutError(f"DynamoDB left {len(pending)} keys unprocessed")


def get_together(
    wanted: Sequence[tuple[type[Item], Key, Sequence[str] | None]],
) -> list[Any]:
    """One item of each model as it is now, None for each absent one: one call for all tables.

    Each is named by its model, its key, and the stored attributes to read, None for all; models
    that share a table read the same attributes. Strongly consistent.
    """
    pending: dict[str, dict[str, Any]] = {}
    for model, key, only in wanted:
        if model.owns(key) and _can_be(*key):
            name = model.Meta.table_name
            request = pending.setdefault(name, _request([], consistent=True, only=only))
            request["Keys"].append(model.raw_key(key))
    raw: dict[str, list[Any]] = {name: [] for name in pending}
    for attempt in range(_ATTEMPTS):
        if not pending:
            break
        if attempt:
            _pause(attempt)
        connection = wanted[0][0]._get_connection()  # noqa: SLF001 - as in `_get_chunk`
        answer = connection.connection.client._make_api_call(  # noqa: SLF001 - as PynamoDB does
            "BatchGetItem", {"RequestItems": pending}
        )
        for name, items in answer["Responses"].items():
            raw[name] += items
        pending = answer.get("UnprocessedKeys") or {}
    if pending:
        left = sum(len(request["Keys"]) for request in pending.values())
        raise TimeoutError(f"DynamoDB left {left} keys unprocessed")
    return [_picked(model, key, raw.get(model.Meta.table_name, ())) for model, key, _ in wanted]


def _picked(model: type[Stored], key: Key, raw: Iterable[Any]) -> Stored | None:
    parts = model.raw_key(key).items()
    found = next((i for i in raw if all(i.get(name) == part for name, part in parts)), None)
    return None if found is None else model.from_raw_data(found)


def _request(keys: list[Any], consistent: bool, only: Sequence[str] | None) -> dict[str, Any]:
    request: dict[str, Any] = {"Keys": keys, "ConsistentRead": consistent}
    if only:
        names = {f"#{n}": name for n, name in enumerate(only)}
        request |= {"ProjectionExpression": ",".join(names), "ExpressionAttributeNames": names}
    return request


def batch_write(model: type[Stored], items: Sequence[Item]) -> None:
    """Put items of one table without conditions, 25 at a time; for bulk loads under a lock only.

    What DynamoDB leaves unprocessed is put again; TimeoutError after eight attempts.
    """
    send_all(model, [{PUT_REQUEST: {"Item": item.serialize()}} for item in items])


def send_all(model: type[Item], requests: Sequence[Any]) -> None:
    """Put and delete requests of one table, 25 to a call, until DynamoDB has processed all."""
    connection = model._get_connection()  # noqa: SLF001 - mixes models of one table
    for start in range(0, len(requests), _WRITE_CHUNK):
        pending: Any = requests[start : start + _WRITE_CHUNK]
        for attempt in range(_ATTEMPTS):
            answer = connection.connection.client._make_api_call(  # noqa: SLF001 - as PynamoDB
                "BatchWriteItem", {"RequestItems": {connection.table_name: pending}}
            )
            pending = (answer.get("UnprocessedItems") or {}).get(connection.table_name)
            if not pending:
                break
            _pause(attempt)
        else:
            raise TimeoutError(f"DynamoDB left {len(pending)} items unprocessed")


def key_page(
    index: Index[Stored] | type[Stored],
    hash_value: str,
    range_attribute: UnicodeAttribute,
    *,
    first: int,
    after: str | None = None,
    reverse: bool = False,
    starts_with: str | None = None,
    up_to: str | None = None,
) -> Page[Stored]:
    """One Query along an index whose range values are unique: `first` items after a place.

    The items hold what the index projects; a place is the range value. `starts_with` keeps to the
    range values with that beginning; `up_to`, forwards, to those up to it, and reads no other.
    Under a key that DynamoDB cannot hold there is nothing, nor next to a place or with a beginning
    that it cannot hold.
    """
    if not all(_can_be(hash_value, place) for place in (after or "-", starts_with or "-")):
        return Page()
    if up_to is not None and after is not None and after >= up_to:
        return Page()
    # DynamoDB has no range without its ends: the place itself comes along, and goes again.
    limit = first + 1 if up_to is None or after is None else first + 2
    found = list(
        index.query(
            hash_value,
            range_key_condition=_among(range_attribute, after, reverse, starts_with, up_to),
            limit=limit,
            page_size=limit,
            scan_index_forward=not reverse,
        )
    )
    name = range_attribute.attr_name
    if after is not None and starts_with is not None:
        found = [item for item in found if getattr(item, name).startswith(starts_with)]
    if up_to is not None:
        found = [item for item in found if getattr(item, name) != after]
    kept = found[:first]
    places = [str(getattr(item, name)) for item in kept]
    return Page(kept, places, len(found) > first)


def _among(
    attribute: UnicodeAttribute,
    after: str | None,
    reverse: bool,
    starts_with: str | None,
    up_to: str | None,
) -> Condition | None:
    if up_to is not None:
        return attribute <= up_to if after is None else attribute.between(after, up_to)
    if after is not None:
        return attribute < after if reverse else attribute > after
    return attribute.startswith(starts_with) if starts_with else None
