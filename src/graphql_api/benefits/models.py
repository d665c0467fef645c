"""What is stored of benefits: the gifts of members, given or failed."""

import zlib
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.benefits.rules import GiftKind, GiftProblem, GiftState, Occasion
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name

GIFT = "gift#"
SHARDS = tuple(f"{n:02d}" for n in range(16))
_INSTANT = InstantAttribute()


class FailedIndex(GlobalSecondaryIndex["BenefitsItem"]):
    """Gifts that failed, by when they first did, in 16 shards; others are not in it."""

    class Meta:
        index_name = "failed"
        projection = KeysOnlyProjection()

    failed_shard = UnicodeAttribute(hash_key=True)
    failed_place = UnicodeAttribute(range_key=True)


class BenefitsItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("benefits")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)
    failed_shard = UnicodeAttribute(null=True)
    failed_place = UnicodeAttribute(null=True)

    by_failed = FailedIndex()


class Gift(BenefitsItem):
    """A gift of a member: one for each occasion, under the id that the member had on it."""

    id_prefix = "mbr"

    kind = UnicodeEnumAttribute(GiftKind)
    level = UnicodeAttribute()
    tier = UnicodeAttribute()
    state = UnicodeEnumAttribute(GiftState)
    problem = UnicodeEnumAttribute(GiftProblem, null=True)
    points = NumberAttribute(default=0)
    template_ids = JsonAttribute(default=list)
    coupon_ids = JsonAttribute(default=list)
    policy_version = NumberAttribute()
    decided_on = DayAttribute()
    at = InstantAttribute()
    version = VersionAttribute()

    @property
    def member_id(self) -> str:
        """The member, from the key."""
        return str(self.id)

    @property
    def occasion(self) -> Occasion:
        """What it is for."""
        return Occasion(self.kind, self.level)


def gift_sort(occasion: Occasion) -> str:
    """The range key of a gift: a second one for the same occasion has no place."""
    return f"{GIFT}{occasion.kind}#{occasion.level}"


def shard_of(member_id: str) -> str:
    """One of 16, always the same for a member."""
    return SHARDS[zlib.crc32(member_id.encode()) % len(SHARDS)]


def failed_place(at: datetime, member_id: str, sort: str) -> str:
    """By when it failed, and unique."""
    return f"{_INSTANT.serialize(at)}#{member_id}#{sort}"
