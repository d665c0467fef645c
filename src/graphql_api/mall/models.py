"""What is stored of the mall: items with their stock, and what members redeemed."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit.dynamo import InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.mall.rules import ItemKind, ItemState, Offer, RedemptionState
from graphql_api.viewer import Role

SOLE = "@"
REDEMPTION = "redemption#"
TAKEN = "taken#"


class ListIndex(GlobalSecondaryIndex["MallTableItem"]):
    """Items by state, and redemptions that wait in a store, each by time."""

    class Meta:
        index_name = "list"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    list_place = UnicodeAttribute(range_key=True)


class MallTableItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("mall")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    listed = UnicodeAttribute(null=True)
    list_place = UnicodeAttribute(null=True)

    by_list = ListIndex()


class MallItem(MallTableItem):
    """What members can have for points; `stock` is how many there were in all, None for no end."""

    id_prefix = "mit"

    kind = UnicodeEnumAttribute(ItemKind)
    name = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    image_url = UnicodeAttribute(null=True)
    template_id = UnicodeAttribute(null=True)
    points = NumberAttribute()
    stock = NumberAttribute(null=True)
    per_member = NumberAttribute(null=True)
    tiers = JsonAttribute(default=list)
    starts_at = InstantAttribute(null=True)
    ends_at = InstantAttribute(null=True)
    state = UnicodeEnumAttribute(ItemState, default=ItemState.DRAFT)
    created_at = InstantAttribute()
    version = VersionAttribute()

    @property
    def offer(self) -> Offer:
        """What decides who can have it, and when."""
        return Offer(
            state=self.state,
            points=int(self.points),
            per_member=None if self.per_member is None else int(self.per_member),
            tiers=frozenset(self.tiers),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


class Stock(MallTableItem):
    """A part of what is left of an item."""

    left = NumberAttribute(default=0)


class Redemption(MallTableItem):
    """What a member had for points; under the id that the member had then."""

    redemption_id = UnicodeAttribute()
    item_id = UnicodeAttribute()
    item_name = UnicodeAttribute()
    kind = UnicodeEnumAttribute(ItemKind)
    points = NumberAttribute()
    state = UnicodeEnumAttribute(RedemptionState)
    coupon_id = UnicodeAttribute(null=True)
    store_id = UnicodeAttribute(null=True)
    stock_part = UnicodeAttribute(null=True)
    at = InstantAttribute()
    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute()
    ended_at = InstantAttribute(null=True)
    ended_by_role = UnicodeEnumAttribute(Role, null=True)
    ended_by_id = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    version = VersionAttribute()

    @property
    def member_id(self) -> str:
        """The member, from the key."""
        return str(self.id)


class RedemptionPointer(MallTableItem):
    """Whose redemption has an id."""

    id_prefix = "mrd"

    member_id = UnicodeAttribute()


class Taken(MallTableItem):
    """How many times a member had an item, less what was cancelled; under the member's id."""

    times = NumberAttribute(default=0)


def stock_sort(number: int) -> str:
    """The range key of a part of the stock, under the item's id."""
    return f"stock#{number}"


def redemption_sort(redemption_id: str) -> str:
    """The range key of a redemption, under the member's id; by time, as ids are."""
    return f"{REDEMPTION}{redemption_id}"


def taken_sort(item_id: str) -> str:
    """The range key of how many times a member had an item."""
    return f"{TAKEN}{item_id}"


def listed_as(state: ItemState) -> str:
    """The key of the items in a state."""
    return f"items#{state}"


def waiting_at(store_id: str) -> str:
    """The key of the redemptions that wait in a store."""
    return f"waiting#{store_id}"
