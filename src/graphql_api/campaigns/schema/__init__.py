"""Queries and mutations of campaigns."""

from graphql_api.campaigns.schema.mutations import CampaignMutations
from graphql_api.campaigns.schema.queries import CampaignQueries

__all__ = ["CampaignMutations", "CampaignQueries"]
