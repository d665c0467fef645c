"""What is stored of campaigns, to compare whole."""

from typing import Any

from graphql_api.campaigns import repository
from graphql_api.campaigns.models import Campaign, CampaignsItem, MonthRow


def everything() -> list[dict[str, Any]]:
    """Every item of campaigns."""
    found = [item.serialize() for item in CampaignsItem.scan(consistent_read=True)]
    return sorted(found, key=str)


def stored(campaign_id: str) -> Campaign:
    """The campaign as it is stored."""
    campaign = repository.get(campaign_id)
    assert campaign is not None
    return campaign


def months_of(campaign: Campaign) -> list[str]:
    """The months under which a campaign stands."""
    rows = [row for row in MonthRow.scan() if row.id.startswith("month#")]
    return sorted(r.id.removeprefix("month#") for r in rows if r.sort == campaign.id)


def names(*, first: int = 100, after: str | None = None, reverse: bool = False) -> list[str]:
    """The names of all campaigns that are not archived, by number."""
    page = repository.page_of_all(first=first, after=after, reverse=reverse)
    return [campaign.name for campaign in page.items]
