"""What is stored of codes: the codes, their scenes, and who came through them."""

from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.codes.rules import Came
from graphql_api.kit import ids
from graphql_api.kit.dynamo import InstantAttribute, Item, table_name

SOLE = "@"
CAME = "came#"
VISIT = "visit#"
CHAIN = "chain"
_INSTANT = InstantAttribute()


class ListIndex(GlobalSecondaryIndex["CodesItem"]):
    """The codes of a store, of a guide, and of the chain, by time."""

    class Meta:
        index_name = "list"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class CodesItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("codes")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    listed = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)

    by_list = ListIndex()


class Code(CodesItem):
    """A code for a guide, a store or a campaign; the same target has the same code.

    `scene` is what stands in the picture and in WeCom's State: short, and says nothing.
    """

    id_prefix = "cde"

    scene = UnicodeAttribute()
    store_id = UnicodeAttribute(null=True)
    guide_id = UnicodeAttribute(null=True)
    campaign_id = UnicodeAttribute(null=True)
    created_at = InstantAttribute()
    created_by = UnicodeAttribute()
    drawn_at = InstantAttribute(null=True)
    retired_at = InstantAttribute(null=True)
    version = VersionAttribute()


class Scene(CodesItem):
    """A scene leads to one code, for ever."""

    code_id = UnicodeAttribute()


class Visit(CodesItem):
    """A member came through a code: under their id, once for each code and way of coming."""

    id_prefix = "mbr"

    code_id = UnicodeAttribute()
    how = UnicodeEnumAttribute(Came)
    at = InstantAttribute()


class Arrival(CodesItem):
    """The same in the list of the code, by time."""

    id_prefix = "cde"

    member_id = UnicodeAttribute()
    how = UnicodeEnumAttribute(Came)
    at = InstantAttribute()


class Tally(CodesItem):
    """How many came through a code, by how."""

    id_prefix = "cde"

    enrolled = NumberAttribute(default=0)
    returned = NumberAttribute(default=0)
    friended = NumberAttribute(default=0)


TALLY = "tally"
COUNTS = {
    Came.ENROLLED: Tally.enrolled,
    Came.RETURNED: Tally.returned,
    Came.FRIENDED: Tally.friended,
}


def code_id(store_id: str | None, guide_id: str | None, campaign_id: str | None) -> str:
    """The id of the code for a target; a guide's does not change with their store."""
    parts = ("" if guide_id else store_id or "", guide_id or "", campaign_id or "")
    return ids.derived_id("cde", *parts)


def scene_id(scene: str) -> str:
    """The key of a scene."""
    return f"scene#{scene}"


def list_key(store_id: str | None, guide_id: str | None) -> str:
    """The key of the list that a code stands in: its guide's, its store's, or the chain's."""
    return guide_id or store_id or CHAIN


def visit_sort(of_code: str, how: Came) -> str:
    """The range key of a visit."""
    return f"{VISIT}{of_code}#{how.value}"


def arrival_sort(at: datetime, member_id: str, how: Came) -> str:
    """The range key of an arrival: by time, and unique."""
    return f"{CAME}{_INSTANT.serialize(at)}#{member_id}#{how.value}"


def place_of(code: Code) -> str:
    """By time; the id makes the key unique."""
    return f"{_INSTANT.serialize(code.created_at)}#{code.id}"


def picture_key(code: Code) -> str:
    """The name of the picture's file."""
    return f"codes/{code.id}.png"
