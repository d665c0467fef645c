"""Queries of the audit log."""

from datetime import date
from typing import Annotated, Any

import strawberry

from graphql_api.audit import repository
from graphql_api.audit.types import AuditEntry
from graphql_api.context import Context, Info
from graphql_api.errors import Forbidden, NotFound
from graphql_api.kit.graphql import Connection, paged
from graphql_api.kit.graphql.arguments import After, First, Reverse
from graphql_api.kit.time import business_day, real_now
from graphql_api.members import repository as members
from graphql_api.members import rules as member_rules
from graphql_api.permissions import AUDIT_READ


@strawberry.input(description="Somebody on a business day. 操作人与日期")
class AuditActorInput:
    """Who, and when."""

    id: strawberry.ID = strawberry.field(description="A guide, account, key or member. 操作人 ID")
    day: date | None = strawberry.field(
        default=None, description="On this day by the real clock; today by default. 日期"
    )


@strawberry.input(description="Which entries: exactly one of these. 审计查询条件", one_of=True)
class AuditSelector:
    """About whom, or by whom."""

    member_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="About this member. 会员 ID"
    )
    actor: strawberry.Maybe[AuditActorInput] = strawberry.field(
        description="By this actor on a day; headquarters only. 操作人"
    )


@strawberry.type
class AuditQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="Who read or changed personal data, by time. 审计日志",
        graphql_type=Connection[AuditEntry],
        metadata={"rule": AUDIT_READ},
    )
    async def audit_entries(
        self,
        info: Info,
        by: Annotated[AuditSelector, strawberry.argument(description="Which. 查询条件")],
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
    ) -> object:
        """By member, or by actor and day."""
        context = info.context
        path, *args = await _path(context, by)
        return await paged(context, path, *args, first=first, after=after, reverse=reverse)


async def _path(context: Context, by: AuditSelector) -> tuple[Any, ...]:
    if by.member_id:
        return repository.page_of_lives, await _lives(context, str(by.member_id.value))
    assert by.actor is not None
    if context.viewer.store_ids is not None:
        raise Forbidden("Headquarters ask who did what", field=("by", "actor"))
    actor = by.actor.value
    day = actor.day or business_day(real_now(), context.clock.zone)
    return repository.page_of_actor, str(actor.id), day


async def _lives(context: Context, member_id: str) -> tuple[str, ...]:
    """The ids of a member: regions ask about members of theirs, headquarters about erased ones too.

    Raises NotFound.
    """
    member = await context.load(members.get_many, member_id)
    if context.viewer.store_ids is not None and (
        member is None or not member_rules.reaches(context.viewer, member)
    ):
        raise NotFound("There is no such member", field=("by", "memberId"))
    lives: tuple[str, ...] = member.lives if member else (member_id,)
    return lives
