"""What is stored of the orders that campaigns brought: credit of an order, rows, and sums."""

from datetime import date

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute

from graphql_api.campaigns.models.items import CampaignsItem, shard_of
from graphql_api.campaigns.rules import Brought, Credits
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, JsonAttribute

CREDIT = "credit#"


class OrderCredits(CampaignsItem):
    """The credit of one order; `member_id` is whose order it was when the campaigns were chosen."""

    id_prefix = "ord"

    followed = NumberAttribute(default=0)
    policy_version = NumberAttribute()
    member_id = UnicodeAttribute(null=True)
    campaign_ids = JsonAttribute(default=list)
    brought_document = JsonAttribute(attr_name="brought", default=list)
    version = VersionAttribute()

    @property
    def credits(self) -> Credits:
        """The credit, as rules take it."""
        brought = {id_: Brought(orders, net) for id_, orders, net in self.brought_document}
        return Credits(int(self.followed), brought)

    def hold(self, held: Credits) -> None:
        """Take the credit on."""
        self.followed = held.followed
        rows = sorted(held.brought.items())
        self.brought_document = [[id_, brought.orders, brought.net] for id_, brought in rows]


class CreditRow(CampaignsItem):
    """By how much a version of an order moved what a campaign brought; in a shard of it."""

    campaign_id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    order_version = NumberAttribute()
    orders = NumberAttribute()
    net = NumberAttribute()
    day = DayAttribute()
    policy_version = NumberAttribute()
    recorded_at = InstantAttribute()

    @property
    def amount(self) -> int:
        """Fen that were really paid, as clients call it."""
        return int(self.net)


class CreditSum(CampaignsItem):
    """A part of what a campaign brought: orders, and fen that were really paid."""

    orders = NumberAttribute(default=0)
    net = NumberAttribute(default=0)


def credit_id(campaign_id: str, shard: int) -> str:
    """The key of a shard of the rows of a campaign."""
    return f"{CREDIT}{campaign_id}#{shard}"


def credit_row_key(campaign_id: str, order_id: str, day: date, version: int) -> tuple[str, str]:
    """The key of a row: by day within its shard, and the same for the same version."""
    shard = credit_id(campaign_id, shard_of(order_id))
    return shard, f"{day.isoformat()}#{order_id}#{version}"


def credit_sort(shard: int) -> str:
    """The range key of a part of the sum, under the campaign."""
    return f"{CREDIT}{shard}"
