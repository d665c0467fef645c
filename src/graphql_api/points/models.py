"""What is stored of points: accounts, ledgers, marks by key, counts of the program."""

import zlib
from datetime import date
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.points import rules
from graphql_api.points.rules import Draw, EntryKind, Figures, Hold, Lot
from graphql_api.viewer import Role

SOLE = "@"
ENTRY = "entry#"
KEY = "key#"
SHARDS = tuple(f"{n:02d}" for n in range(16))
PARTS = 16


class DueIndex(GlobalSecondaryIndex["PointsItem"]):
    """Accounts in which time changes or announces something, by day, in 16 shards."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_key = UnicodeAttribute(range_key=True)


class PointsItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("points")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    due_shard = UnicodeAttribute(null=True)
    due_key = UnicodeAttribute(null=True)

    by_due = DueIndex()


class Account(PointsItem):
    """What a member has in points: written with the member, whose figures it explains."""

    id_prefix = "mbr"

    lot_document = JsonAttribute(attr_name="lots", default=list)
    hold_document = JsonAttribute(attr_name="holds", default=list)
    debt = NumberAttribute(default=0)
    earned = JsonAttribute(default=dict)
    active_on = DayAttribute(null=True)
    noticed_until = DayAttribute(null=True)
    version = VersionAttribute()

    @property
    def held(self) -> rules.Account:
        """The account as rules take it, as it was written."""
        return rules.Account(
            lots=tuple(Lot.of_row(row) for row in self.lot_document),
            holds=tuple(Hold.of_row(row) for row in self.hold_document),
            debt=int(self.debt),
            earned=self.earned,
            active_on=self.active_on,
            noticed_until=self.noticed_until,
        )

    def is_due(self, day: date | None) -> bool:
        """Whether the account stands in the index on a day, or in no place without one."""
        return self.due_key == (due_key_of(self.id, day) if day else None)

    def hold(self, account: rules.Account, *, due_on: date | None) -> None:
        """Take an account on, and the day on which somebody has to look at it."""
        self.lot_document = [lot.row for lot in account.lots]
        self.hold_document = [hold.row for hold in account.holds]
        self.debt = account.debt
        self.earned = dict(account.earned)
        self.active_on = account.active_on
        self.noticed_until = account.noticed_until
        self.due_shard = shard_of(self.id) if due_on else None
        self.due_key = due_key_of(self.id, due_on) if due_on else None


class Entry(PointsItem):
    """One line of a member's ledger; never written again."""

    id_prefix = "mbr"

    kind = UnicodeEnumAttribute(EntryKind)
    at = InstantAttribute()
    on = DayAttribute()
    balance_moved = NumberAttribute(default=0)
    pending_moved = NumberAttribute(default=0)
    frozen_moved = NumberAttribute(default=0)
    balance = NumberAttribute()
    draw_document = JsonAttribute(attr_name="draws", default=list)
    ref = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    policy_version = NumberAttribute()
    origin = UnicodeEnumAttribute(Origin)
    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute(null=True)

    @property
    def moved(self) -> Figures:
        """By how much each figure moved."""
        return Figures(int(self.balance_moved), int(self.pending_moved), int(self.frozen_moved))

    @property
    def draws(self) -> list[Draw]:
        """From or to which lots."""
        return [Draw.of_row(row) for row in self.draw_document]


class Mark(PointsItem):
    """Something was done to points under a key, once: what was taken, and what became of it."""

    id_prefix = "mbr"

    points = NumberAttribute()
    draw_document = JsonAttribute(attr_name="draws", default=list)
    at = InstantAttribute()
    given_back_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def draws(self) -> list[Draw]:
        """What was taken, to be given back."""
        return [Draw.of_row(row) for row in self.draw_document]


class ProgramPart(PointsItem):
    """A part of what purchases of a month have earned, where the program is capped."""

    given = NumberAttribute(default=0)


def figures_of(member: Member) -> Figures:
    """The figures that stand on a member."""
    return Figures(int(member.points), int(member.points_pending), int(member.points_frozen))


def entry_sort(member: Member, number: int) -> str:
    """By the version of the member that the entry makes: the order in which things happened."""
    return f"{ENTRY}{int(member.version or 0) + 1:010d}#{number:02d}"


def mark_sort(kind: EntryKind, key: str) -> str:
    """The place of a key: each kind of thing has its own."""
    return f"{KEY}{kind}#{key}"


def shard_of(member_id: str) -> str:
    """Which of the 16 shards an account is in; the same for ever."""
    return SHARDS[zlib.crc32(member_id.encode()) % len(SHARDS)]


def due_key_of(member_id: str, due_on: date) -> str:
    """By the day; the id makes the key unique."""
    return f"{due_on.isoformat()}#{member_id}"


def program_id(month: str) -> str:
    """The partition of a month of the program."""
    return f"program#{month}"


def part_sort(number: int) -> str:
    """The place of one of the parts."""
    return f"part#{number:02d}"


def entry_of(member: Member, number: int, entry: rules.Entry, **more: Any) -> Entry:
    """A line of the ledger as it is stored."""
    balance, pending, frozen = entry.moved
    return Entry(
        member.id,
        entry_sort(member, number),
        kind=entry.kind,
        on=entry.on,
        balance_moved=balance,
        pending_moved=pending,
        frozen_moved=frozen,
        balance=entry.balance,
        draw_document=[draw.row for draw in entry.draws],
        ref=entry.ref,
        **more,
    )
