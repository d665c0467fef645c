"""Queries and mutations of who looks after whom."""

from datetime import date
from typing import Annotated, Any

import strawberry

from graphql_api.context import Info
from graphql_api.errors import Invalid
from graphql_api.guides.types import Guide
from graphql_api.kit.graphql import (
    Connection,
    UserError,
    changed_field,
    command,
    errors_field,
    mutation,
    paged,
)
from graphql_api.kit.graphql.access import INHERITED, field
from graphql_api.kit.graphql.arguments import INPUT, After, First, Id, Reverse
from graphql_api.members import repository as members
from graphql_api.members.rules import OwnershipSource, searched_name
from graphql_api.members.schema import MemberPayload, MemberSelector, id_of
from graphql_api.members.types import Member, Shown, visible
from graphql_api.ownership import models, repository, service
from graphql_api.ownership.rules import EndReason, visible_hand_over
from graphql_api.ownership.types import HandOver
from graphql_api.permissions import (
    CUSTOMERS,
    GUIDE_MOVE,
    HAND_OVER_FIELD,
    OWNERSHIP_TAKE,
    OWNERSHIP_WRITE,
)
from graphql_api.viewer import Role, Viewer

MAX_NAME = 60


@strawberry.input(description="Which customers: exactly one of these. 客户查找条件", one_of=True)
class CustomerSelector:
    """One way to look for a customer."""

    phone_last4: strawberry.Maybe[str] = strawberry.field(
        description="Whose phone ends in these four digits, by joining time. 手机尾号"
    )
    name_starts_with: strawberry.Maybe[str] = strawberry.field(
        description=(
            "Whose name begins so, by name: from its first character, whatever the case, spaces and"
            " full or half width; nicknames are not looked at. 姓名开头"
        )
    )


@strawberry.type
class OwnershipQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description=(
            "The customers of a guide, or of a manager's store: all by joining time, or those that"
            " a search matches. 我的客户"
        ),
        graphql_type=Connection[Member],
        metadata={"rule": CUSTOMERS},
    )
    async def my_customers(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
        search: Annotated[
            CustomerSelector | None, strawberry.argument(description="Only these. 查找")
        ] = None,
    ) -> object:
        """Scope and search choose the path."""
        path, *args = _path(info.context.viewer, search)
        return await paged(
            info.context, path, *args, first=first, after=after, reverse=reverse, visible=visible
        )

    @strawberry.field(
        description="One hand-over; null where there is none that you may see. 客户继承",
        graphql_type=HandOver | None,
        metadata={"rule": HAND_OVER_FIELD},
    )
    async def hand_over(self, info: Info, id: Id) -> models.HandOver | None:
        """By id."""
        job: models.HandOver | None = await info.context.load(repository.get_hand_overs, id)
        return visible_hand_over(info.context.viewer, job) if job else None


def _path(viewer: Viewer, search: CustomerSelector | None) -> tuple[Any, ...]:
    """The access path of a guide or of a store, with its arguments."""
    guides = viewer.role is Role.GUIDE
    owner_id = viewer.id if guides else str(viewer.unit_id)
    if search is None:
        return members.page_of_guide if guides else members.page_of_store, owner_id
    if search.phone_last4:
        last4 = _last4(search.phone_last4.value)
        return members.of_guide_by_last4 if guides else members.of_store_by_last4, owner_id, last4
    assert search.name_starts_with is not None
    start = _start(search.name_starts_with.value)
    return members.of_guide_by_name if guides else members.of_store_by_name, owner_id, start


def _last4(text: str) -> str:
    if not (len(text) == 4 and text.isascii() and text.isdigit()):
        raise Invalid("Give the last four digits", field=("search", "phoneLast4"))
    return text


def _start(text: str) -> str:
    start = searched_name(text)
    if not 1 <= len(start) <= MAX_NAME:
        text = f"Give 1 to {MAX_NAME} characters of the name"
        raise Invalid(text, field=("search", "nameStartsWith"))
    return start


@strawberry.input(description="Give a member whom nobody looks after to a guide. 分配导购")
class MemberGuideAssignInput:
    """See service.Assign."""

    member_id: strawberry.ID = strawberry.field(description="Which member. 会员 ID")
    guide_id: strawberry.ID = strawberry.field(
        description="A guide at work in the member's home store. 导购 ID"
    )
    source: OwnershipSource | None = strawberry.field(
        default=None, description="How it came about; assigned, by default. 来源"
    )
    valid_until: date | None = strawberry.field(
        default=None, description="The last day; as the policy says by default. 有效期至"
    )


@strawberry.input(description="Give a member to a guide, whoever has them. 抢客")
class MemberGuideTakeOverInput:
    """See service.TakeOver."""

    member: MemberSelector = strawberry.field(description="Which member. 会员选择条件")
    guide_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="A guide at work in the member's home store; a guide may leave it out. 导购 ID",
    )
    source: OwnershipSource | None = strawberry.field(
        default=None,
        description="How it came about; TRANSACTION for a guide, else assigned, by default. 来源",
    )
    force: bool = strawberry.field(
        default=False, description="Even within a protection; for headquarters. 是否强制"
    )


@strawberry.input(description="Take a member from their guide. 解除归属")
class MemberGuideReleaseInput:
    """See service.Release."""

    member_id: strawberry.ID = strawberry.field(description="Which member. 会员 ID")


@strawberry.input(description="Hand the members of a guide over. 新建客户继承")
class HandOverCreateInput:
    """See service.HandOverCreate."""

    from_guide_id: strawberry.ID = strawberry.field(
        description="Whose members; the guide may have left. 原导购 ID"
    )
    target_ids: list[strawberry.ID] = strawberry.field(
        description="1 to 50 guides at work in the same store, who take turns. 接替导购 ID"
    )
    reason: EndReason | None = strawberry.field(
        default=None,
        description=(
            "HANDED_OVER, LEFT, DISMISSED or MOVED_STORE; by default LEFT for a guide who has left,"
            " else HANDED_OVER. 原因"
        ),
    )


@strawberry.input(description="A guide goes to another store. 导购调店")
class GuideMoveInput:
    """See service.GuideMove."""

    guide_id: strawberry.ID = strawberry.field(description="Which guide. 导购 ID")
    store_id: strawberry.ID = strawberry.field(description="The store to work in. 新门店 ID")
    hand_over_to: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description=(
            "Guides of the old store who take the members in turn, at most 50; without any the"
            " ownerships end, and the members stay with the store alone. 接替导购 ID"
        ),
    )


@strawberry.type(description="What became of a command on a hand-over. 客户继承操作结果")
class HandOverPayload:
    """The hand-over, or why not."""

    hand_over: HandOver | None = changed_field("As it is now; null when refused. 客户继承")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of the move of a guide. 导购调店结果")
class GuideMovePayload:
    """The guide and the hand-over, or why not."""

    guide: Guide | None = changed_field("The guide as they are now; null when refused. 导购")
    hand_over: HandOver | None = field(
        rule=INHERITED,
        description="What becomes of the members; null where the guide did not move. 客户继承",
        default=None,
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class OwnershipMutations:
    """Commands of this slice."""

    @mutation(
        MemberPayload,
        rule=OWNERSHIP_WRITE,
        description="Give a member without a guide to one. 分配导购",
    )
    def member_guide_assign(
        self, info: Info, input: Annotated[MemberGuideAssignInput, INPUT]
    ) -> Shown:
        """See service.assign."""
        viewer, clock = info.context.viewer, info.context.clock
        given = command(service.Assign, input)
        return visible(viewer, service.assign(given, viewer=viewer, clock=clock))

    @mutation(
        MemberPayload,
        rule=OWNERSHIP_TAKE,
        description=(
            "Give a member to a guide, whoever has them: a guide takes members of the own store for"
            " themselves. Refused with FORBIDDEN_TRANSITION while another guide is protected; the"
            " message says until when. 抢客"
        ),
    )
    def member_guide_take_over(
        self, info: Info, input: Annotated[MemberGuideTakeOverInput, INPUT]
    ) -> Shown:
        """See service.take_over."""
        viewer, clock = info.context.viewer, info.context.clock
        member_id = id_of(input.member, at=("input", "member"))
        given = service.TakeOver(
            member_id=member_id or "",
            guide_id=input.guide_id,
            source=input.source,
            force=input.force,
        )
        return visible(viewer, service.take_over(given, viewer=viewer, clock=clock))

    @mutation(
        MemberPayload,
        rule=OWNERSHIP_WRITE,
        description="Take a member from their guide; nobody looks after them then. 解除归属",
    )
    def member_guide_release(
        self, info: Info, input: Annotated[MemberGuideReleaseInput, INPUT]
    ) -> Shown:
        """See service.release."""
        viewer, clock = info.context.viewer, info.context.clock
        given = command(service.Release, input)
        return visible(viewer, service.release(given, viewer=viewer, clock=clock))

    @mutation(
        HandOverPayload,
        rule=OWNERSHIP_WRITE,
        description="Hand a guide's members over, in the background, with progress. 新建客户继承",
    )
    def hand_over_create(
        self, info: Info, input: Annotated[HandOverCreateInput, INPUT]
    ) -> models.HandOver:
        """See service.hand_over."""
        given = command(service.HandOverCreate, input)
        return service.hand_over(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        HandOverPayload,
        rule=OWNERSHIP_WRITE,
        description=(
            "End a hand-over that is not over: who was moved stays moved, and the step at hand may"
            " still move some. 取消客户继承"
        ),
    )
    def hand_over_cancel(self, info: Info, id: Id) -> models.HandOver:
        """See service.cancel_hand_over."""
        context = info.context
        return service.cancel_hand_over(id, viewer=context.viewer, clock=context.clock)

    @mutation(
        GuideMovePayload,
        rule=GUIDE_MOVE,
        description="Have a guide work in another store; the members stay with the old. 导购调店",
    )
    def guide_move(self, info: Info, input: Annotated[GuideMoveInput, INPUT]) -> GuideMovePayload:
        """See service.move_guide."""
        given = command(service.GuideMove, input)
        moved = service.move_guide(given, viewer=info.context.viewer, clock=info.context.clock)
        return GuideMovePayload(guide=moved.guide, hand_over=moved.hand_over)  # type: ignore[arg-type]  # shown by attribute
