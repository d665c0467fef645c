"""Commands on campaigns."""

from typing import Annotated

import strawberry

from graphql_api.campaigns import models, service
from graphql_api.campaigns.schema.commands import (
    CampaignAdoptInput,
    CampaignAdoptionPayload,
    CampaignAdoptionUpdateInput,
    CampaignAdoptionWithdrawInput,
    CampaignCreateInput,
    CampaignParticipationAddInput,
    CampaignParticipationPayload,
    CampaignParticipationResult,
    CampaignPayload,
    CampaignStateSetInput,
    CampaignUpdateInput,
)
from graphql_api.context import Info
from graphql_api.kit.graphql import command, mutation
from graphql_api.kit.graphql.arguments import INPUT, Id
from graphql_api.permissions import CAMPAIGN_ADOPT, CAMPAIGN_WRITE


@strawberry.type
class CampaignMutations:
    """Commands of this slice."""

    @mutation(CampaignPayload, rule=CAMPAIGN_WRITE, description="Plan a campaign. 新建活动")
    def campaign_create(
        self, info: Info, input: Annotated[CampaignCreateInput, INPUT]
    ) -> models.Campaign:
        """See service.create."""
        new = command(service.CampaignCreate, input)
        return service.create(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(CampaignPayload, rule=CAMPAIGN_WRITE, description="Change a campaign. 修改活动")
    def campaign_update(
        self, info: Info, input: Annotated[CampaignUpdateInput, INPUT]
    ) -> models.Campaign:
        """See service.update."""
        change = command(service.CampaignUpdate, input)
        return service.update(change, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CampaignPayload,
        rule=CAMPAIGN_WRITE,
        description=(
            "Schedule, start, pause, resume or end a campaign, or take a schedule back."
            " 变更活动状态"
        ),
    )
    def campaign_state_set(
        self, info: Info, input: Annotated[CampaignStateSetInput, INPUT]
    ) -> models.Campaign:
        """See service.set_state."""
        change = command(service.CampaignStateSet, input)
        return service.set_state(change, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(CampaignPayload, rule=CAMPAIGN_WRITE, description="Put a draft away. 归档草稿")
    def campaign_archive(self, info: Info, id: Id) -> models.Campaign:
        """See service.archive."""
        return service.archive(id, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CampaignAdoptionPayload,
        rule=CAMPAIGN_ADOPT,
        description="Take up a campaign for your store, with a name and time of its own. 承接活动",
    )
    def campaign_adopt(
        self, info: Info, input: Annotated[CampaignAdoptInput, INPUT]
    ) -> models.Adoption:
        """See service.adopt."""
        given = command(service.Adopt, input)
        return service.adopt(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CampaignAdoptionPayload,
        rule=CAMPAIGN_ADOPT,
        description="Change what your store adapts of a campaign. 修改承接",
    )
    def campaign_adoption_update(
        self, info: Info, input: Annotated[CampaignAdoptionUpdateInput, INPUT]
    ) -> models.Adoption:
        """See service.update_adoption."""
        given = command(service.AdoptionUpdate, input)
        return service.update_adoption(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CampaignAdoptionPayload,
        rule=CAMPAIGN_ADOPT,
        description="Withdraw your store from a campaign; it may come back. 退出活动",
    )
    def campaign_adoption_withdraw(
        self, info: Info, input: Annotated[CampaignAdoptionWithdrawInput, INPUT]
    ) -> models.Adoption:
        """See service.withdraw."""
        given = command(service.AdoptionWithdraw, input)
        return service.withdraw(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CampaignParticipationPayload,
        rule=CAMPAIGN_WRITE,
        description=(
            "Note that members take part, at most 100; who does already stays as they are."
            " 添加参与记录"
        ),
    )
    def campaign_participation_add(
        self, info: Info, input: Annotated[CampaignParticipationAddInput, INPUT]
    ) -> list[CampaignParticipationResult]:
        """See service.add_participations."""
        context = info.context
        given = command(service.ParticipationAdd, input)
        added = service.add_participations(given, viewer=context.viewer, clock=context.clock)
        return [CampaignParticipationResult(one) for one in added]
