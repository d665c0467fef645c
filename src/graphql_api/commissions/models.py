"""What is stored of commissions: the books of an order, rows of guides, and sums of months."""

import zlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.commissions.rules import (
    CommissionKind,
    CommissionState,
    Earned,
    Ledger,
    Terms,
)
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name

SOLE = "@"
SHARDS = tuple(f"{n:02d}" for n in range(8))
FIRST = "first"
ROW = "row#"
MONTH = "month#"


class DueIndex(GlobalSecondaryIndex["CommissionsItem"]):
    """Orders with rows that wait, by the day on which they are settled; others are not in it."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_key = UnicodeAttribute(range_key=True)


class CommissionsItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("commissions")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    due_shard = UnicodeAttribute(null=True)
    due_key = UnicodeAttribute(null=True)

    by_due = DueIndex()


class OrderLedger(CommissionsItem):
    """The books of one order; `waiting` are the keys of its rows that are not settled yet."""

    id_prefix = "ord"

    followed = NumberAttribute(default=0)
    policy_version = NumberAttribute()
    store_id = UnicodeAttribute()
    day = DayAttribute()
    settles_on = DayAttribute()
    level_document = JsonAttribute(attr_name="levels", default=dict)
    first = BooleanAttribute(null=True)
    amount_document = JsonAttribute(attr_name="amounts", default=list)
    waiting = JsonAttribute(default=list)
    settled_on = DayAttribute(null=True)
    version = VersionAttribute()

    @property
    def ledger(self) -> Ledger:
        """The books, as rules take them."""
        terms = Terms(
            int(self.policy_version),
            self.store_id,
            self.day,
            self.settles_on,
            dict(self.level_document),
            self.first,
        )
        amounts: dict[Earned, int] = {
            (guide_id, CommissionKind(kind)): fen for guide_id, kind, fen in self.amount_document
        }
        return Ledger(terms, int(self.followed), amounts, self.settled_on is not None)

    def hold(self, ledger: Ledger) -> None:
        """Take the books on; whether they are settled stands in `settled_on`."""
        terms = ledger.terms
        self.followed = ledger.followed
        self.policy_version, self.store_id = terms.policy_version, terms.store_id
        self.day, self.settles_on = terms.day, terms.settles_on
        self.level_document, self.first = dict(terms.levels), terms.first
        self.amount_document = [[*earned, fen] for earned, fen in sorted(ledger.amounts.items())]


class CommissionRow(CommissionsItem):
    """What a guide earned by a version of an order, or what it took back; under the guide."""

    id_prefix = "gde"

    order_id = UnicodeAttribute()
    order_version = NumberAttribute()
    store_id = UnicodeAttribute()
    kind = UnicodeEnumAttribute(CommissionKind)
    amount = NumberAttribute()
    day = DayAttribute()
    state = UnicodeEnumAttribute(CommissionState)
    level = NumberAttribute(null=True)
    policy_version = NumberAttribute()
    settles_on = DayAttribute()
    settled_on = DayAttribute(null=True)
    recorded_at = InstantAttribute()

    @property
    def guide_id(self) -> str:
        """The guide, from the key."""
        return str(self.id)


class MonthSum(CommissionsItem):
    """What the rows of a month come to in fen: those of a guide, or those of a store's orders."""

    pending = NumberAttribute(default=0)
    settled = NumberAttribute(default=0)
    reversed = NumberAttribute(default=0)

    @property
    def month(self) -> str:
        """The month, from the key."""
        return str(self.sort).removeprefix(MONTH)

    @property
    def owner(self) -> tuple[str, str]:
        """Whose and of which month, as access paths take it."""
        return str(self.id), self.month

    @property
    def total(self) -> int:
        """All together."""
        return int(self.pending) + int(self.settled) + int(self.reversed)


class FirstOrder(CommissionsItem):
    """The order that was a member's first purchase gave a bonus; under the member, once."""

    id_prefix = "mbr"

    order_id = UnicodeAttribute()


SUM_OF: Mapping[CommissionState, Any] = {
    CommissionState.PENDING: MonthSum.pending,
    CommissionState.SETTLED: MonthSum.settled,
    CommissionState.REVERSED: MonthSum.reversed,
}
"""Which sum a row counts in."""


def row_sort(day: date, order_id: str, version: int, kind: CommissionKind) -> str:
    """The range key of a row, under the guide: by day, and the same for the same version."""
    return f"{ROW}{day.isoformat()}#{order_id}#{version}#{kind}"


def month_sort(month: str) -> str:
    """The range key of a month's sum, under a guide or a store."""
    return f"{MONTH}{month}"


def due_shard_of(order_id: str) -> str:
    """The shard in which an order falls due; always the same."""
    return SHARDS[zlib.crc32(order_id.encode()) % len(SHARDS)]


def due_key_of(day: date, order_id: str = "") -> str:
    """By when it falls due, and unique."""
    return f"{day.isoformat()}#{order_id}"
