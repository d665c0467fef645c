"""Queries and mutations of runs over all members, and of the runs of days."""

import asyncio
from datetime import date, timedelta
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.errors import Invalid
from graphql_api.kit.graphql import (
    Connection,
    UserError,
    changed_field,
    command,
    errors_field,
    mutation,
    paged,
)
from graphql_api.kit.graphql.arguments import INPUT, After, First, Id, Reverse
from graphql_api.kit.graphql.costs import ListSize
from graphql_api.kit.graphql.scalars import Json
from graphql_api.permissions import MEMBER_CHAIN, POLICY_MANAGE
from graphql_api.policies.rules import PolicyKind
from graphql_api.rebuilds import models, repository, service
from graphql_api.rebuilds.types import PolicyRun, RecomputeRun, SeenDay, visible
from graphql_api.standing import repository as standings

MAX_DAYS = 31


@strawberry.type
class RebuildQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="One run; null where there is none that you may see. 规则任务",
        graphql_type=PolicyRun | None,
        metadata={"rule": POLICY_MANAGE},
    )
    async def policy_run(self, info: Info, id: Id) -> models.Run | None:
        """By id."""
        run: models.Run | None = await info.context.load(repository.get_many, id)
        return visible(info.context.viewer, run) if run else None

    @strawberry.field(
        description="Runs over all members by time, oldest first. 规则任务列表",
        graphql_type=Connection[PolicyRun],
        metadata={"rule": POLICY_MANAGE},
    )
    async def policy_runs(
        self, info: Info, first: First = 20, after: After = None, reverse: Reverse = False
    ) -> Connection[PolicyRun]:
        """All of them."""
        page = repository.page_of_all
        found: Connection[PolicyRun] = await paged(
            info.context, page, first=first, after=after, reverse=reverse, visible=visible
        )
        return found

    @strawberry.field(
        description="What the run of a day has done; null where nobody was due by it. 每日跑批",
        graphql_type=RecomputeRun | None,
        metadata={"rule": MEMBER_CHAIN},
    )
    async def recompute_run(
        self,
        info: Info,
        day: Annotated[
            date | None, strawberry.argument(description="Which day; today without. 业务日")
        ] = None,
    ) -> SeenDay | None:
        """By shard, added up."""
        as_of = day or info.context.clock.today()
        shards = await info.context.load(standings.runs_of, as_of)
        return SeenDay(as_of, shards) if shards else None

    @strawberry.field(
        description="The runs of the last days, the latest first. 近日跑批",
        graphql_type=list[RecomputeRun],
        metadata={"rule": MEMBER_CHAIN},
        directives=[ListSize(argument="days")],
    )
    async def recompute_runs(
        self,
        info: Info,
        days: Annotated[
            int,
            strawberry.argument(
                description="So many days, today the last, 1 to 31 (7 by default). 天数"
            ),
        ] = 7,
    ) -> list[SeenDay]:
        """Days on which nobody was due are left out."""
        if not 1 <= days <= MAX_DAYS:
            raise Invalid(f"Runs of 1 to {MAX_DAYS} days can be asked for", field=("days",))
        today = info.context.clock.today()
        asked = [today - timedelta(days=n) for n in range(days)]
        load = info.context.load
        found = await asyncio.gather(*(load(standings.runs_of, day) for day in asked))
        return [SeenDay(day, s) for day, s in zip(asked, found, strict=True) if s]


@strawberry.input(description="A policy to try on all members. 规则预览")
class PolicyPreviewInput:
    """See service.PolicyPreview."""

    kind: PolicyKind = strawberry.field(description="Which kind of policy. 规则类型")
    document: Json | None = strawberry.field(
        default=None, description="The document; the open draft without one. 规则文档"
    )


@strawberry.input(description="What to measure the base for. 测算")
class PolicyMeasureInput:
    """See service.PolicyMeasure."""

    kind: PolicyKind = strawberry.field(
        default=PolicyKind.RFM, description="Which kind of policy: RFM. 规则类型"
    )


@strawberry.type(description="What became of a command on a run. 规则任务结果")
class PolicyRunPayload:
    """The run, or why not."""

    run: PolicyRun | None = changed_field("As it is now; null when refused. 规则任务")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class RebuildMutations:
    """Commands of this slice."""

    @mutation(
        PolicyRunPayload,
        rule=POLICY_MANAGE,
        description=(
            "Count who would move where under a policy, with sample members; writes nothing of"
            " members. Ask `policyRun` how far it is. 规则预览"
        ),
    )
    def policy_preview(self, info: Info, input: Annotated[PolicyPreviewInput, INPUT]) -> models.Run:
        """See service.preview."""
        given = command(service.PolicyPreview, input)
        return service.preview(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        PolicyRunPayload,
        rule=POLICY_MANAGE,
        description=(
            "Measure all members for RFM and the quadrant: quintiles where the policy in force asks"
            " for them, and averages, as a draft to look at and publish. RFM 测算"
        ),
    )
    def policy_measure(self, info: Info, input: Annotated[PolicyMeasureInput, INPUT]) -> models.Run:
        """See service.measure."""
        given = command(service.PolicyMeasure, input)
        return service.measure(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        PolicyRunPayload,
        rule=POLICY_MANAGE,
        description="Stop a run; what it wrote stays. 取消规则任务",
    )
    def policy_run_cancel(self, info: Info, id: Id) -> models.Run:
        """See service.cancel."""
        return service.cancel(id, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        PolicyRunPayload,
        rule=POLICY_MANAGE,
        description="Go on with a run that failed or was cancelled. 重试规则任务",
    )
    def policy_run_retry(self, info: Info, id: Id) -> models.Run:
        """See service.retry."""
        return service.retry(id, viewer=info.context.viewer)
