"""What is stored of the chain, its organisation tree and its stores."""

from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit import ids
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.kit.positions import Position
from graphql_api.kit.time import DEFAULT_ZONE
from graphql_api.stores.rules import Opening, OperatingStage, StoreFormat, StoreGrade, UnitKind

SOLE = "@"
HEADQUARTERS_ID = ids.derived_id("org", "headquarters")
CHAIN_ID = "chain"


class ChildrenIndex(GlobalSecondaryIndex["StoresItem"]):
    """What stands directly under an org unit: units first, then stores, each by name."""

    class Meta:
        index_name = "children"
        projection = KeysOnlyProjection()

    parent_id = UnicodeAttribute(hash_key=True)
    child_key = UnicodeAttribute(range_key=True)


class BlockIndex(GlobalSecondaryIndex["StoresItem"]):
    """Stores by number, 256 to a key, so that no key holds a whole chain."""

    class Meta:
        index_name = "block"
        projection = KeysOnlyProjection()

    block = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class CellIndex(GlobalSecondaryIndex["StoresItem"]):
    """Stores by where they stand: a cell of the map, and the position in it."""

    class Meta:
        index_name = "cell"
        projection = KeysOnlyProjection()

    cell = UnicodeAttribute(hash_key=True)
    cell_place = UnicodeAttribute(range_key=True)


class StoresItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("stores")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    parent_id = UnicodeAttribute(null=True)
    child_key = UnicodeAttribute(null=True)
    block = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    cell = UnicodeAttribute(null=True)
    cell_place = UnicodeAttribute(null=True)

    children = ChildrenIndex()
    by_block = BlockIndex()
    by_cell = CellIndex()


class Chain(StoresItem):
    """The chain itself: its zone, and its clock's offset where it lives in the past."""

    name = UnicodeAttribute()
    zone = UnicodeAttribute(default=DEFAULT_ZONE)
    clock_offset_days = NumberAttribute(default=0)
    version = VersionAttribute()


class OrgUnit(StoresItem):
    """Headquarters, a region or an agent; stores stand below them."""

    id_prefix = "org"

    kind = UnicodeEnumAttribute(UnitKind)
    name = UnicodeAttribute()
    partner_level = NumberAttribute(null=True)
    partner_growth = NumberAttribute(null=True)
    created_at = InstantAttribute()
    archived_at = InstantAttribute(null=True)
    version = VersionAttribute()


class Store(StoresItem):
    """A shop where members buy."""

    id_prefix = "sto"

    number = NumberAttribute()
    code = UnicodeAttribute()
    name = UnicodeAttribute()
    format = UnicodeEnumAttribute(StoreFormat)
    city = UnicodeAttribute(null=True)
    address = UnicodeAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    latitude = NumberAttribute(null=True)
    longitude = NumberAttribute(null=True)
    hours_document = JsonAttribute(attr_name="hours", default=list)
    pickup = BooleanAttribute(default=False)
    opened_on = DayAttribute(null=True)
    grade = UnicodeEnumAttribute(StoreGrade, null=True)
    stage = UnicodeEnumAttribute(OperatingStage, default=OperatingStage.ACQUIRING)
    created_at = InstantAttribute()
    archived_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def hours(self) -> list[Opening]:
        """The opening hours, by weekday and time."""
        return [Opening(*row) for row in self.hours_document]

    @property
    def position(self) -> Position | None:
        """Where it stands, if that is known."""
        if self.latitude is None or self.longitude is None:
            return None
        return Position(float(self.latitude), float(self.longitude))


class CodeClaim(StoresItem):
    """A store code is taken by one store."""

    store_id = UnicodeAttribute()


class Counter(StoresItem):
    """The last store number that was given."""

    last = NumberAttribute(default=0)


def code_claim_id(code: str) -> str:
    """The key of the claim on a store code."""
    return f"code#{code}"


def child_key_of(item: OrgUnit | Store) -> str:
    """Units sort before stores, then by name; the id makes the key unique."""
    return f"{'0' if isinstance(item, OrgUnit) else '1'}#{item.name}#{item.id}"


def cell_place_of(at: Position) -> str:
    """A position as a place in its cell, to a tenth of a metre."""
    return f"{at.latitude:.6f},{at.longitude:.6f}"


def position_at(cell_place: str) -> Position:
    """The position that a place in a cell tells."""
    latitude, longitude = cell_place.split(",")
    return Position(float(latitude), float(longitude))
