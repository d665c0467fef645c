"""What can be done with campaigns: plan and run them, take them up, take part."""

from graphql_api.campaigns.service.adoptions import (
    Adopt,
    AdoptionUpdate,
    AdoptionWithdraw,
    adopt,
    update_adoption,
    withdraw,
)
from graphql_api.campaigns.service.participations import (
    Added,
    NewParticipation,
    ParticipationAdd,
    absorb,
    add_participations,
)
from graphql_api.campaigns.service.plans import (
    CampaignCreate,
    CampaignStateSet,
    CampaignUpdate,
    NewBudget,
    NewGoal,
    archive,
    create,
    move,
    record,
    set_state,
    update,
)

__all__ = [
    "Added",
    "Adopt",
    "AdoptionUpdate",
    "AdoptionWithdraw",
    "CampaignCreate",
    "CampaignStateSet",
    "CampaignUpdate",
    "NewBudget",
    "NewGoal",
    "NewParticipation",
    "ParticipationAdd",
    "absorb",
    "add_participations",
    "adopt",
    "archive",
    "create",
    "move",
    "record",
    "set_state",
    "update",
    "update_adoption",
    "withdraw",
]
