"""What is stored of requests that carry a key."""

from pynamodb.attributes import TTLAttribute, UnicodeAttribute
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit.dynamo import InstantAttribute, Item, table_name
from graphql_api.requests.rules import State
from graphql_api.viewer import Viewer

SOLE = "@"


class RequestsItem(Item):
    """The table of this slice; DynamoDB removes an item some time after `forget_at`."""

    class Meta:
        table_name = table_name("requests")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    forget_at = TTLAttribute()


class Request(RequestsItem):
    """A mutation under a key of its client; `answer` is sealed, for it may hold personal data."""

    fingerprint = UnicodeAttribute()
    state = UnicodeEnumAttribute(State)
    lease = UnicodeAttribute()
    leased_until = InstantAttribute()
    answer = UnicodeAttribute(null=True)


def request_id(viewer: Viewer, key: str) -> str:
    """The key of a request: clients do not see each other's."""
    return f"{viewer.role}#{viewer.id}#{key}"
