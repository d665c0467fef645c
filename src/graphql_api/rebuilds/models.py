"""What is stored of runs over all members: the run itself, and what became of each piece."""

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.constants import STREAM_NEW_AND_OLD_IMAGE
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit import ids
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.policies.rules import PolicyKind
from graphql_api.rebuilds.rules import Measured, RunKind, RunState, Tally

SOLE = "@"
LISTED = "runs"
PIECES = "piece#"
_INSTANT = InstantAttribute()


class ListIndex(GlobalSecondaryIndex["RebuildsItem"]):
    """Runs by time."""

    class Meta:
        index_name = "list"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class RebuildsItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("rebuilds")
        billing_mode = "PAY_PER_REQUEST"
        stream_view_type = STREAM_NEW_AND_OLD_IMAGE

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    listed = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)

    by_time = ListIndex()


class Run(RebuildsItem):
    """A run over all members in `total` pieces, of which `done` are over.

    `document` is what a preview tries, under the `policy_version` that it would get. `attempt`
    counts how often it was set going. Pieces add to its counts, so nobody writes it as a whole.
    """

    id_prefix = "run"

    kind = UnicodeEnumAttribute(RunKind)
    state = UnicodeEnumAttribute(RunState, default=RunState.WAITING)
    policy_kind = UnicodeEnumAttribute(PolicyKind)
    policy_version = NumberAttribute()
    document = JsonAttribute(null=True)
    as_of = DayAttribute()
    total = NumberAttribute()
    done = NumberAttribute(default=0)
    members = NumberAttribute(default=0)
    changed = NumberAttribute(default=0)
    failed = NumberAttribute(default=0)
    move_rows = JsonAttribute(attr_name="moves", null=True)
    drafted_version = NumberAttribute(null=True)
    attempt = NumberAttribute(default=1)
    created_by = UnicodeAttribute()
    created_at = InstantAttribute()
    ended_at = InstantAttribute(null=True)

    @property
    def tally(self) -> Tally:
        """What moved, once the run is over."""
        return Tally.of(int(self.members), int(self.changed), self.move_rows or [])


class Piece(RebuildsItem):
    """A piece of a run: what was found before anything was written, and whether it is over."""

    id_prefix = "run"

    members = NumberAttribute(default=0)
    changed = NumberAttribute(default=0)
    failed = NumberAttribute(default=0)
    move_rows = JsonAttribute(attr_name="moves", default=list)
    measured_document = JsonAttribute(attr_name="measured", null=True)
    ended_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def tally(self) -> Tally:
        """What was found."""
        return Tally.of(int(self.members), int(self.changed), self.move_rows)

    @property
    def measured(self) -> Measured | None:
        """What was measured, where that was asked for."""
        return None if self.measured_document is None else Measured.of(self.measured_document)


def rebuild_id(kind: PolicyKind, version: int) -> str:
    """The id of the run that a version's publication sets going: there is one."""
    return ids.derived_id("run", "rebuild", kind, str(version))


def piece_sort(number: int) -> str:
    """The place of a piece in its run; sorts as the numbers do."""
    return f"{PIECES}{number:06d}"


def place_of(run: Run) -> str:
    """By the time it was made, and unique."""
    return f"{_INSTANT.serialize(run.created_at)}#{run.id}"


def found(tally: Tally, measured: Measured | None) -> dict[str, Any]:
    """The attributes of a piece for what was found."""
    return {
        "members": tally.members,
        "changed": tally.changed,
        "move_rows": tally.rows(),
        "measured_document": None if measured is None else measured.document(),
    }
