"""What is stored of merges: which two members, how far it got, and what was moved."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.constants import STREAM_NEW_AND_OLD_IMAGE
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit import ids
from graphql_api.kit.dynamo import InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.members.rules import shown_number
from graphql_api.merges.rules import MergePart, MergeSource, MergeState
from graphql_api.viewer import Role

SOLE = "@"
RECORD = "record#"


class MergesItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("merges")
        billing_mode = "PAY_PER_REQUEST"
        stream_view_type = STREAM_NEW_AND_OLD_IMAGE

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)


@dataclass(frozen=True, slots=True)
class Moved:
    """How much of something a merge moved."""

    part: MergePart
    count: int


class Merge(MergesItem):
    """A member becomes another: who, by whom, and how far it got.

    A member is merged into another once at most, so the id is that of the loser: see `merge_id`.
    """

    id_prefix = "mrg"

    survivor_id = UnicodeAttribute()
    loser_id = UnicodeAttribute()
    loser_number = NumberAttribute()
    store_id = UnicodeAttribute()
    state = UnicodeEnumAttribute(MergeState, default=MergeState.IN_PROGRESS)
    problem = UnicodeAttribute(null=True)
    source = UnicodeEnumAttribute(MergeSource)
    source_ref = UnicodeAttribute(null=True)
    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    part = UnicodeEnumAttribute(MergePart)
    records = NumberAttribute(default=0)
    moved_document = JsonAttribute(attr_name="moved", default=dict)
    created_at = InstantAttribute()
    ended_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def loser_member_no(self) -> str:
        """The number of the member who was merged, as people read it."""
        return shown_number(int(self.loser_number))

    @property
    def moved(self) -> list[Moved]:
        """How much of what was moved so far, in the sequence of the steps."""
        counts = self.moved_document
        return [Moved(part, counts[part]) for part in MergePart if part in counts]

    def note(self, counts: Counter[MergePart]) -> None:
        """Add what was moved to the counts."""
        known = Counter({moved.part: moved.count for moved in self.moved})
        self.moved_document = {part.value: n for part, n in (known + counts).items()}


class Record(MergesItem):
    """What one transaction of a merge moved, and what stood in its place: the undo record."""

    id_prefix = "mrg"

    part = UnicodeEnumAttribute(MergePart)
    at = InstantAttribute()
    document: JsonAttribute = JsonAttribute()

    @property
    def number(self) -> int:
        """The place in the sequence, from 1."""
        return int(self.sort.removeprefix(RECORD))


def merge_id(loser_id: str) -> str:
    """The id of the merge that ends a member, known before there is one."""
    return ids.derived_id("mrg", loser_id)


def record_sort(number: int) -> str:
    """The range key of a record; sorts as the numbers do."""
    return f"{RECORD}{number:06d}"


def image(item: Item) -> dict[str, Any]:
    """An item as it is stored, in DynamoDB's JSON."""
    stored: dict[str, Any] = item.serialize()
    return stored
