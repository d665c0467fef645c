"""What is stored of a person's rights: exports and erasures, as jobs in steps."""

from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.constants import STREAM_NEW_AND_OLD_IMAGE
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit import ids
from graphql_api.kit.dynamo import InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.privacy.rules import JobState
from graphql_api.viewer import Role

SOLE = "@"


class MemberIndex(GlobalSecondaryIndex["PrivacyItem"]):
    """Exports of a member, by time."""

    class Meta:
        index_name = "member"
        projection = KeysOnlyProjection()

    of_member = UnicodeAttribute(hash_key=True)
    member_place = UnicodeAttribute(range_key=True)


class PrivacyItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("privacy")
        billing_mode = "PAY_PER_REQUEST"
        stream_view_type = STREAM_NEW_AND_OLD_IMAGE

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    of_member = UnicodeAttribute(null=True)
    member_place = UnicodeAttribute(null=True)

    by_member = MemberIndex()


class _Job(PrivacyItem):
    """Something about a person under all ids that they have had, in steps."""

    state = UnicodeEnumAttribute(JobState, default=JobState.WAITING)
    member_id = UnicodeAttribute()
    member_ids = JsonAttribute()
    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute()
    created_at = InstantAttribute()
    started_at = InstantAttribute(null=True)
    finished_at = InstantAttribute(null=True)


class Export(_Job):
    """All that is held on a person, gathered into one file.

    `place` is where the next step goes on: part, number of the id, place in its list; None at the
    end. What was gathered waits in chunks.
    """

    id_prefix = "exp"

    place = JsonAttribute(null=True)
    chunks = NumberAttribute(default=0)
    rows = NumberAttribute(default=0)
    size = NumberAttribute(null=True)
    file_until = InstantAttribute(null=True)
    version = VersionAttribute()


class Erasure(_Job):
    """A person is erased: the member at once, with this job; the rest part by part, in rounds.

    It is done when a whole round has found nothing. `waiting_ids` are orders that waited for one
    of the person's identities.
    """

    id_prefix = "era"

    waiting_ids = JsonAttribute(default=list)
    part = NumberAttribute(default=0)
    round = NumberAttribute(default=1)
    found = BooleanAttribute(default=False)
    version = VersionAttribute()


def erasure_id(member_id: str) -> str:
    """The one erasure that a member has."""
    return ids.derived_id("era", member_id)


def chunk_key(export_id: str, number: int) -> str:
    """The file of some of what an export has gathered."""
    return f"exports/{export_id}/{number:05d}.json"


def file_key(export_id: str) -> str:
    """The file of an export."""
    return f"exports/{export_id}.json"
