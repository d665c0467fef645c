"""The table of campaigns, its indexes, and keys that several items share."""

import zlib
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from graphql_api.kit.dynamo import InstantAttribute, Item, table_name

SOLE = "@"
SHARDS = 8
"""Over how many keys what belongs to a campaign, and what falls due, is spread."""

_INSTANT = InstantAttribute()


class BlockIndex(GlobalSecondaryIndex["CampaignsItem"]):
    """Campaigns by number, 256 to a key."""

    class Meta:
        index_name = "block"
        projection = KeysOnlyProjection()

    block = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class DueIndex(GlobalSecondaryIndex["CampaignsItem"]):
    """Campaigns whose state time alone will change, by when; others are not in it."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_key = UnicodeAttribute(range_key=True)


class MemberIndex(GlobalSecondaryIndex["CampaignsItem"]):
    """Participations of a member, by time."""

    class Meta:
        index_name = "member"
        projection = KeysOnlyProjection()

    of_member = UnicodeAttribute(hash_key=True)
    member_place = UnicodeAttribute(range_key=True)


class CampaignsItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("campaigns")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    block = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_key = UnicodeAttribute(null=True)
    of_member = UnicodeAttribute(null=True)
    member_place = UnicodeAttribute(null=True)

    by_block = BlockIndex()
    by_due = DueIndex()
    by_member = MemberIndex()


def shard_of(id_: str) -> int:
    """The shard of an id; always the same."""
    return zlib.crc32(id_.encode()) % SHARDS


def due_shard_id(shard: int) -> str:
    """The key of a shard of what falls due."""
    return f"due#{shard}"


def due_key_of(at: datetime, campaign_id: str = "") -> str:
    """By when it falls due, and unique."""
    return f"{_INSTANT.serialize(at)}#{campaign_id}"
