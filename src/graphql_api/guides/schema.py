"""Queries and mutations of guides."""

from datetime import date
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.guides import models, repository, rules, service
from graphql_api.guides.rules import GuideStatus
from graphql_api.guides.types import Guide
from graphql_api.kit.graphql import UserError, changed_field, command, errors_field, mutation
from graphql_api.kit.graphql.access import Verdict
from graphql_api.kit.graphql.arguments import INPUT
from graphql_api.permissions import GUIDE_FIELD, GUIDE_STAFF, GUIDE_WRITE


@strawberry.input(description="Which guide: exactly one of these. 导购选择条件", one_of=True)
class GuideSelector:
    """One way to name a guide."""

    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="The id. 全局 ID")
    wecom_user_id: strawberry.Maybe[str] = strawberry.field(
        description="The user id in WeCom, of a guide who has not left. 企业微信成员 UserID"
    )


@strawberry.type
class GuideQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="One guide; null where there is none, or not in your stores. 导购",
        graphql_type=Guide | None,
        metadata={"rule": GUIDE_FIELD},
    )
    async def guide(
        self,
        info: Info,
        by: Annotated[GuideSelector, strawberry.argument(description="Which one. 选择条件")],
    ) -> models.Guide | None:
        """By id, or by the WeCom user id for those who may see it."""
        viewer = info.context.viewer
        id_: str | None = by.id.value if by.id else None
        if by.wecom_user_id and GUIDE_STAFF.verdict(viewer) is Verdict.ALLOW:
            wecom_user_id = by.wecom_user_id.value
            id_ = await info.context.run(repository.id_by_wecom_user_id, wecom_user_id)
        found = await info.context.load(repository.get_many, id_) if id_ else None
        return rules.visible(viewer, found) if found else None


@strawberry.input(description="A new guide. 新建导购")
class GuideCreateInput:
    """See service.GuideCreate."""

    store_id: strawberry.ID = strawberry.field(description="The store to work in. 门店 ID")
    name: str = strawberry.field(description="The name, 1 to 80 characters. 导购姓名")
    wecom_user_id: str = strawberry.field(
        description="The user id in WeCom, unique among guides at work. 企业微信成员 UserID"
    )
    employed_on: date | None = strawberry.field(
        default=None, description="First day of employment. 入职日期"
    )
    level: strawberry.Maybe[int | None] = strawberry.field(
        description="The level, from 1; for headquarters alone. 导购等级"
    )


@strawberry.input(description="Changes of a guide; what is left out stays. 修改导购")
class GuideUpdateInput:
    """See service.GuideUpdate."""

    id: strawberry.ID = strawberry.field(description="Which guide. 导购 ID")
    name: strawberry.Maybe[str] = strawberry.field(description="The name. 导购姓名")
    wecom_user_id: strawberry.Maybe[str] = strawberry.field(
        description="The user id in WeCom. 企业微信成员 UserID"
    )
    employed_on: strawberry.Maybe[date | None] = strawberry.field(
        description="First day of employment; null clears it. 入职日期"
    )
    level: strawberry.Maybe[int | None] = strawberry.field(
        description="The level, from 1; for headquarters alone; null clears it. 导购等级"
    )
    expected_version: strawberry.Maybe[int] = strawberry.field(
        description="Refuse with CONFLICT when it has changed since. 期望版本"
    )


@strawberry.input(description="A change of a guide's status. 变更导购状态")
class GuideStatusSetInput:
    """See service.GuideStatusSet."""

    id: strawberry.ID = strawberry.field(description="Which guide. 导购 ID")
    status: GuideStatus = strawberry.field(description="The new status; LEFT is final. 新状态")


@strawberry.type(description="What became of a command on a guide. 导购操作结果")
class GuidePayload:
    """The guide, or why not."""

    guide: Guide | None = changed_field("The guide as they are now; null when refused. 导购")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class GuideMutations:
    """Commands of this slice."""

    @mutation(GuidePayload, rule=GUIDE_WRITE, description="Hire a guide for a store. 新建导购")
    def guide_create(self, info: Info, input: Annotated[GuideCreateInput, INPUT]) -> models.Guide:
        """See service.create."""
        new = command(service.GuideCreate, input)
        return service.create(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(GuidePayload, rule=GUIDE_WRITE, description="Change a guide. 修改导购")
    def guide_update(self, info: Info, input: Annotated[GuideUpdateInput, INPUT]) -> models.Guide:
        """See service.update."""
        change = command(service.GuideUpdate, input)
        return service.update(change, viewer=info.context.viewer)

    @mutation(
        GuidePayload,
        rule=GUIDE_WRITE,
        description="Stop a guide, bring them back to work, or let them leave. 变更导购状态",
    )
    def guide_status_set(
        self, info: Info, input: Annotated[GuideStatusSetInput, INPUT]
    ) -> models.Guide:
        """See service.set_status."""
        change = command(service.GuideStatusSet, input)
        return service.set_status(change, viewer=info.context.viewer, clock=info.context.clock)
