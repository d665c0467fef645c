"""What is stored of members' parts in campaigns."""

from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.campaigns.models.items import CampaignsItem, shard_of
from graphql_api.campaigns.rules import CampaignChannel, Converted, ParticipationState
from graphql_api.kit.dynamo import InstantAttribute
from graphql_api.members.rules import Origin

_INSTANT = InstantAttribute()


class Participation(CampaignsItem):
    """A member's part in a campaign; under a shard of the campaign, and the member's id.

    While orders are credited to the campaign, it is CONVERTED: how many, and what it was before.
    """

    campaign_id = UnicodeAttribute()
    state = UnicodeEnumAttribute(ParticipationState)
    converting_orders = NumberAttribute(null=True)
    state_before = UnicodeEnumAttribute(ParticipationState, null=True)
    at = InstantAttribute()
    channel = UnicodeEnumAttribute(CampaignChannel, null=True)
    origin = UnicodeEnumAttribute(Origin)

    @property
    def converted(self) -> Converted:
        """How far the member came, and by how many orders."""
        return Converted(self.state, int(self.converting_orders or 0), self.state_before)

    @property
    def member_id(self) -> str:
        """The member, from the key."""
        return str(self.sort)


def participation(
    campaign_id: str,
    member_id: str,
    *,
    state: ParticipationState,
    at: datetime,
    channel: CampaignChannel | None,
    origin: Origin,
) -> Participation:
    """A participation under its key, with those of its list."""
    return Participation(
        participation_id(campaign_id, shard_of(member_id)),
        member_id,
        campaign_id=campaign_id,
        state=state,
        at=at,
        channel=channel,
        origin=origin,
        of_member=member_id,
        member_place=member_place_of(at, campaign_id),
    )


def participation_id(campaign_id: str, shard: int) -> str:
    """The key of a shard of a campaign's participations."""
    return f"part#{campaign_id}#{shard}"


def member_place_of(at: datetime, campaign_id: str = "") -> str:
    """The place of a part among those of its member: by time, and unique."""
    return f"{_INSTANT.serialize(at)}#{campaign_id}"
