"""What is stored of campaigns, of who takes part in them, and of the orders they brought."""

from graphql_api.campaigns.models.items import (
    SHARDS,
    SOLE,
    BlockIndex,
    CampaignsItem,
    DueIndex,
    MemberIndex,
    due_key_of,
    due_shard_id,
    shard_of,
)
from graphql_api.campaigns.models.parts import (
    Participation,
    participation,
    participation_id,
)
from graphql_api.campaigns.models.plans import (
    Adoption,
    Budget,
    Campaign,
    Counter,
    ExternalClaim,
    Goal,
    MonthRow,
    StoreCampaign,
    adoption_sort,
    external_claim_id,
    month_id,
)

__all__ = [
    "SHARDS",
    "SOLE",
    "Adoption",
    "BlockIndex",
    "Budget",
    "Campaign",
    "CampaignsItem",
    "Counter",
    "DueIndex",
    "ExternalClaim",
    "Goal",
    "MemberIndex",
    "MonthRow",
    "Participation",
    "StoreCampaign",
    "adoption_sort",
    "due_key_of",
    "due_shard_id",
    "external_claim_id",
    "month_id",
    "participation",
    "participation_id",
    "shard_of",
]
