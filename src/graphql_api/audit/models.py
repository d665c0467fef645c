"""What is stored of the audit log: entries, which are never written again."""

from datetime import date

from pynamodb.attributes import ListAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.audit.rules import AuditAction
from graphql_api.kit.dynamo import InstantAttribute, Item, table_name
from graphql_api.viewer import Role


class ActorIndex(GlobalSecondaryIndex["AuditItem"]):
    """What somebody did on a business day, by time."""

    class Meta:
        index_name = "actor"
        projection = KeysOnlyProjection()

    of_actor = UnicodeAttribute(hash_key=True)
    actor_place = UnicodeAttribute(range_key=True)


class AuditItem(Item):
    """The table of this slice; DynamoDB removes an item some time after `forget_at`."""

    class Meta:
        table_name = table_name("audit")
        billing_mode = "PAY_PER_REQUEST"

    member_id = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)
    of_actor = UnicodeAttribute(null=True)
    actor_place = UnicodeAttribute(null=True)
    forget_at = TTLAttribute(null=True)

    by_actor = ActorIndex()


class AuditEntry(AuditItem):
    """Somebody read or changed personal data of a member; `fields` are names, never values."""

    at = InstantAttribute()
    actor_id = UnicodeAttribute()
    actor_role = UnicodeEnumAttribute(Role)
    action = UnicodeEnumAttribute(AuditAction)
    fields: ListAttribute[str] = ListAttribute(default=list)
    request_id = UnicodeAttribute(null=True)
    operation = UnicodeAttribute(null=True)


def actor_day(actor_id: str, day: date) -> str:
    """The key of what somebody did on a business day."""
    return f"{actor_id}#{day.isoformat()}"
