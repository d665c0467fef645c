"""What is stored of checkouts: what is kept for an order to come."""

from datetime import datetime

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute, VersionAttribute

from graphql_api.checkout.rules import ReservationState, state_of
from graphql_api.kit.dynamo import InstantAttribute, Item, JsonAttribute, table_name

RESERVATION = "reservation#"


class CheckoutItem(Item):
    """The table of this slice; DynamoDB removes an item some time after `forget_at`."""

    class Meta:
        table_name = table_name("checkout")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)
    forget_at = TTLAttribute()


class Reservation(CheckoutItem):
    """Points and coupons of a member, kept until an instant for an order; under the member's id.

    `fingerprint` is what was asked, `payable` the money that was agreed, in fen.
    """

    order_id = UnicodeAttribute()
    source = UnicodeAttribute()
    external_id = UnicodeAttribute()
    fingerprint = UnicodeAttribute()
    payable = NumberAttribute()
    points = NumberAttribute()
    coupon_ids = JsonAttribute(default=list)
    policy_version = NumberAttribute()
    reserved_at = InstantAttribute()
    until = InstantAttribute()
    released_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def member_id(self) -> str:
        """The member, from the key."""
        return str(self.id)

    def state_at(self, at: datetime) -> ReservationState:
        """Where it stands at an instant."""
        return state_of(self.until, self.released_at, at)


def reservation_sort(order_id: str) -> str:
    """The range key of what is kept for an order."""
    return f"{RESERVATION}{order_id}"
