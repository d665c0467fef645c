"""What is stored of forecasts: counts by place, in parts, and marks of stream records."""

import json
from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute

from graphql_api.kit.dynamo import Item, table_name

SOLE = "@"
SHARDS = tuple(range(8))


class ForecastsItem(Item):
    """The table of this slice; every item has the base key (id, sort).

    DynamoDB removes items whose `forget_at` has passed.
    """

    class Meta:
        table_name = table_name("forecasts")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    forget_at = TTLAttribute(null=True)


class ForecastCount(ForecastsItem):
    """A part of the number of members who foresee the same; `sort` is the place: day#part#state."""

    members = NumberAttribute(default=0)


class Mark(ForecastsItem):
    """A stream record was counted."""


def shard_id(shard: int) -> str:
    """The partition of a part of all counts."""
    return f"forecast#{shard}"


def mark_id(event_id: str) -> str:
    """The key of the mark of a stream record."""
    return f"mark#{event_id}"


def told_by(image: Mapping[str, Any] | None) -> list[str]:
    """The places at which a member is counted, by the image of the item.

    Who is archived or merged is counted nowhere: nobody decides on them.
    """
    if not image or image.get("archived_at") is not None:
        return []
    places: list[str] = json.loads(image.get("foreseen") or "[]")
    return places
