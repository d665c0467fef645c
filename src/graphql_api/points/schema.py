"""Mutations of points: by hand with a reason, by key for a check-out, and opening balances."""

from datetime import date
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.kit.graphql import UserError, changed_field, command, errors_field, field, mutation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.arguments import INPUT
from graphql_api.kit.graphql.keys import KeyUse
from graphql_api.kit.graphql.mutations import user_errors
from graphql_api.members.schema import MemberPayload
from graphql_api.members.types import Member, Shown, visible
from graphql_api.permissions import POINTS_IMPORT, POINTS_WRITE
from graphql_api.points import service
from graphql_api.viewer import Viewer

_KEY = "1 to 64 printable ASCII characters; the id of an order, for that order. 冻结键"


@strawberry.input(description="Points that somebody gives or takes away. 人工调整积分")
class MemberPointsAdjustInput:
    """See service.PointsAdjust."""

    member_id: strawberry.ID = strawberry.field(description="Which member. 会员 ID")
    points: int = strawberry.field(description="How many; below zero takes them away. 积分")
    reason: str = strawberry.field(description="Why; it stands in the ledger. 原因")
    expires_on: date | None = strawberry.field(
        default=None, description="The last day of what is given; by default the policy's. 有效期至"
    )


@strawberry.input(description="Points to put aside. 冻结积分")
class MemberPointsFreezeInput:
    """See service.PointsFreeze."""

    member_id: strawberry.ID = strawberry.field(description="Which member. 会员 ID")
    points: int = strawberry.field(description="How many. 积分")
    key: str = strawberry.field(description=_KEY)
    until: date | None = strawberry.field(
        default=None, description="The last day; until somebody says so without one. 截止日"
    )


@strawberry.input(description="Points that are put aside. 冻结中的积分")
class MemberPointsReleaseInput:
    """See service.PointsRelease."""

    member_id: strawberry.ID = strawberry.field(description="Which member. 会员 ID")
    key: str = strawberry.field(description=_KEY)


@strawberry.input(description="What a member had in another system. 期初积分")
class PointsOpeningInput:
    """See service.OpeningBalance."""

    member_id: strawberry.ID = strawberry.field(description="Which member. 会员 ID")
    points: int = strawberry.field(description="How many. 积分")
    key: str = strawberry.field(
        description="How that system names it: the same again gives nothing. 外部键"
    )
    expires_on: date | None = strawberry.field(
        default=None, description="The last day that they had there. 有效期至"
    )


@strawberry.input(description="Balances of up to a hundred members. 批量导入期初积分")
class MemberPointsImportInput:
    """See service.PointsImport."""

    balances: list[PointsOpeningInput] = strawberry.field(description="The balances. 期初积分")


@strawberry.type(description="What became of one balance. 单条导入结果")
class MemberPointsImportResult:
    """The member, or why not."""

    member_id: strawberry.ID = field(rule=INHERITED, description="Which member. 会员 ID")
    member: Member | None = field(
        rule=INHERITED, description="The member as it is now; null when refused. 会员"
    )
    error: UserError | None = field(
        rule=INHERITED, description="Why it was refused; null when done. 业务错误"
    )

    def __init__(self, outcome: service.Outcome, viewer: Viewer) -> None:
        self.member_id = strawberry.ID(outcome.member_id)
        self.member = visible(viewer, outcome.member) if outcome.member else None  # type: ignore[assignment]  # shown as stored
        self.error = user_errors(outcome.refusal)[0] if outcome.refusal else None


@strawberry.type(description="What became of an import of balances. 期初导入结果")
class PointsImportPayload:
    """The balances one by one, or why not at all."""

    results: list[MemberPointsImportResult] | None = changed_field(
        "One for each balance, in order; null when refused as a whole. 逐条结果"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class PointsMutations:
    """Commands of this slice."""

    @mutation(
        MemberPayload,
        rule=POINTS_WRITE,
        key=KeyUse.REQUIRED,
        description="Give a member points, or take some away, and say why. 人工调整积分",
    )
    def member_points_adjust(
        self, info: Info, input: Annotated[MemberPointsAdjustInput, INPUT]
    ) -> Shown:
        """See service.adjust."""
        given = command(service.PointsAdjust, input)
        viewer, clock = info.context.viewer, info.context.clock
        return visible(viewer, service.adjust(given, viewer=viewer, clock=clock))

    @mutation(
        MemberPayload,
        rule=POINTS_WRITE,
        key=KeyUse.REQUIRED,
        description="Put points of a member aside; the same key again changes nothing. 冻结积分",
    )
    def member_points_freeze(
        self, info: Info, input: Annotated[MemberPointsFreezeInput, INPUT]
    ) -> Shown:
        """See service.freeze."""
        given = command(service.PointsFreeze, input)
        viewer, clock = info.context.viewer, info.context.clock
        return visible(viewer, service.freeze(given, viewer=viewer, clock=clock))

    @mutation(
        MemberPayload,
        rule=POINTS_WRITE,
        key=KeyUse.REQUIRED,
        description="Spend what was put aside under a key. 消耗冻结积分",
    )
    def member_points_consume(
        self, info: Info, input: Annotated[MemberPointsReleaseInput, INPUT]
    ) -> Shown:
        """See service.consume."""
        given = command(service.PointsRelease, input)
        viewer, clock = info.context.viewer, info.context.clock
        return visible(viewer, service.consume(given, viewer=viewer, clock=clock))

    @mutation(
        MemberPayload,
        rule=POINTS_WRITE,
        key=KeyUse.REQUIRED,
        description="Give back what was put aside under a key. 解除积分冻结",
    )
    def member_points_unfreeze(
        self, info: Info, input: Annotated[MemberPointsReleaseInput, INPUT]
    ) -> Shown:
        """See service.unfreeze."""
        given = command(service.PointsRelease, input)
        viewer, clock = info.context.viewer, info.context.clock
        return visible(viewer, service.unfreeze(given, viewer=viewer, clock=clock))

    @mutation(
        PointsImportPayload,
        rule=POINTS_IMPORT,
        key=KeyUse.REQUIRED,
        description="Give members what they had elsewhere, each by itself. 导入期初积分",
    )
    def member_points_import(
        self, info: Info, input: Annotated[MemberPointsImportInput, INPUT]
    ) -> list[MemberPointsImportResult]:
        """See service.import_balances."""
        given = command(service.PointsImport, input)
        viewer, clock = info.context.viewer, info.context.clock
        outcomes = service.import_balances(given, viewer=viewer, clock=clock)
        return [MemberPointsImportResult(outcome, viewer) for outcome in outcomes]
