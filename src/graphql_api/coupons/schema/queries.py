"""What can be asked of coupons."""

from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.coupons import models, repository, service
from graphql_api.coupons.rules import TemplateState
from graphql_api.coupons.service import Shown
from graphql_api.coupons.types import (
    Coupon,
    CouponIssueJob,
    CouponTemplate,
    visible_job,
    visible_template,
)
from graphql_api.kit.graphql import Connection, command, paged
from graphql_api.kit.graphql.arguments import After, First, Id, Reverse
from graphql_api.permissions import COUPON_FIELD, COUPON_STAFF


@strawberry.input(description="Which coupon: exactly one of these. 优惠券选择条件", one_of=True)
class CouponSelector:
    """See service.Shown."""

    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Its id. 全局 ID")
    code: strawberry.Maybe[str] = strawberry.field(
        description="Its code, in any case, spaces and dashes allowed. 券码"
    )
    token: strawberry.Maybe[str] = strawberry.field(
        description="What its QR code says. 动态二维码内容"
    )


@strawberry.type
class CouponQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description=(
            "The coupon that somebody shows, to verify it; null where there is none. Members see"
            " their own. 查验优惠券"
        ),
        graphql_type=Coupon | None,
        metadata={"rule": COUPON_FIELD},
    )
    async def coupon(
        self,
        info: Info,
        by: Annotated[CouponSelector, strawberry.argument(description="Which one. 选择条件")],
    ) -> models.Coupon | None:
        """By id, code or token."""
        context = info.context
        shown = command(Shown, by)
        return await context.run(service.verify, shown, viewer=context.viewer, clock=context.clock)

    @strawberry.field(
        description="One template; null where there is none that you may see. 券模板",
        graphql_type=CouponTemplate | None,
        metadata={"rule": COUPON_FIELD},
    )
    async def coupon_template(self, info: Info, id: Id) -> models.Template | None:
        """By id."""
        template = await info.context.load(repository.get_templates, id)
        return visible_template(info.context.viewer, template) if template else None

    @strawberry.field(
        description="Templates in some states, by default those given out, by time. 券模板列表",
        graphql_type=Connection[CouponTemplate],
        metadata={"rule": COUPON_STAFF},
    )
    async def coupon_templates(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
        states: Annotated[
            list[TemplateState] | None, strawberry.argument(description="In these states. 状态")
        ] = None,
    ) -> object:
        """State after state."""
        wanted = tuple(dict.fromkeys(states or [TemplateState.ACTIVE]))
        return await paged(
            info.context,
            repository.page_of_states,
            wanted,
            first=first,
            after=after,
            reverse=reverse,
            visible=visible_template,
        )

    @strawberry.field(
        description="One job; null where there is none that you may see. 批量发券任务",
        graphql_type=CouponIssueJob | None,
        metadata={"rule": COUPON_STAFF},
    )
    async def coupon_issue_job(self, info: Info, id: Id) -> models.IssueJob | None:
        """By id."""
        job = await info.context.load(repository.get_jobs, id)
        return visible_job(info.context.viewer, job) if job else None

    @strawberry.field(
        description="Jobs that you made, by time. 我的批量发券任务",
        graphql_type=Connection[CouponIssueJob],
        metadata={"rule": COUPON_STAFF},
    )
    async def coupon_issue_jobs(
        self, info: Info, first: First = 20, after: After = None, reverse: Reverse = False
    ) -> object:
        """Of the viewer alone."""
        context = info.context
        page = repository.page_of_jobs
        return await paged(
            context, page, context.viewer.id, first=first, after=after, reverse=reverse
        )
