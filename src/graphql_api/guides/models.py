"""What is stored of guides."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.guides.rules import GuideStatus
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, table_name

SOLE = "@"


class StoreIndex(GlobalSecondaryIndex["GuidesItem"]):
    """The guides of a store, by name; who left is not in it."""

    class Meta:
        index_name = "by_store"
        projection = KeysOnlyProjection()

    at_store = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class GuidesItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("guides")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    at_store = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)

    by_store = StoreIndex()


class Guide(GuidesItem):
    """A sales associate of one store."""

    id_prefix = "gde"

    store_id = UnicodeAttribute()
    name = UnicodeAttribute()
    wecom_user_id = UnicodeAttribute()
    status = UnicodeEnumAttribute(GuideStatus)
    employed_on = DayAttribute(null=True)
    level = NumberAttribute(null=True)
    created_at = InstantAttribute()
    left_at = InstantAttribute(null=True)
    version = VersionAttribute()


class WecomClaim(GuidesItem):
    """A WeCom user id is taken by one guide, from being hired to leaving."""

    guide_id = UnicodeAttribute()


def wecom_claim_id(wecom_user_id: str) -> str:
    """The key of the claim on a WeCom user id; WeCom takes ids that differ in case for one."""
    return f"wecom#{wecom_user_id.lower()}"


def place_of(guide: Guide) -> str:
    """By name; the id makes the key unique."""
    return f"{guide.name}#{guide.id}"
