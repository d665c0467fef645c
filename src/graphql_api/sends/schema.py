"""Queries and mutations of sends."""

from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.errors import NotFound
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as visible_guide
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
from graphql_api.kit.time import real_now
from graphql_api.permissions import SEND_FIELD, SEND_WRITE
from graphql_api.sends import models, repository, rules, service
from graphql_api.sends.rules import SendKind
from graphql_api.sends.types import FriendSend

GuideId = Annotated[strawberry.ID, strawberry.argument(description="Whose sends. 导购 ID")]


@strawberry.type
class SendQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="One send; null where there is none that you may see. 发送任务",
        graphql_type=FriendSend | None,
        metadata={"rule": SEND_FIELD},
    )
    async def friend_send(self, info: Info, id: Id) -> models.Send | None:
        """By id."""
        found: models.Send | None = await info.context.load(repository.get_many, id)
        return rules.visible(info.context.viewer, found) if found else None

    @strawberry.field(
        description="The sends of a guide by time. 导购的发送任务列表",
        graphql_type=Connection[FriendSend],
        metadata={"rule": SEND_FIELD},
    )
    async def friend_sends(
        self,
        info: Info,
        guide_id: GuideId,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
    ) -> object:
        """A guide sees their own."""
        viewer = info.context.viewer
        guide = await info.context.load(guides.get_many, guide_id)
        if guide is None or visible_guide(viewer, guide) is None:
            raise NotFound("There is no such guide", field=("guideId",))
        return await paged(
            info.context,
            repository.page_of_guide,
            guide_id,
            first=first,
            after=after,
            reverse=reverse,
            visible=rules.visible,
        )


@strawberry.input(description="What a guide is to send. 新建发送任务")
class FriendSendCreateInput:
    """See service.SendCreate."""

    kind: SendKind = strawberry.field(default=SendKind.MASS, description="What is sent. 类型")
    guide_id: strawberry.ID | None = strawberry.field(
        default=None, description="Who sends; a guide may leave it out. 导购 ID"
    )
    tag_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only to friends who are members with this tag. 标签 ID"
    )
    text: str = strawberry.field(
        description="At most 4,000 bytes in UTF-8, of a moment 2,000 characters. 文本"
    )
    link_title: str | None = strawberry.field(
        default=None, description="The title of a link, with its address. 链接标题"
    )
    link_url: str | None = strawberry.field(
        default=None, description="An https address that comes along. 链接地址"
    )


@strawberry.type(description="What became of a send. 发送任务操作结果")
class FriendSendPayload:
    """The send, or why not."""

    send: FriendSend | None = changed_field("As it is now; null when refused. 发送任务")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class SendMutations:
    """Commands of this slice."""

    @mutation(
        FriendSendPayload,
        rule=SEND_WRITE,
        description=(
            "Have WeCom ask a guide to send something to their friends; nothing is sent before"
            " they confirm it there. 新建发送任务"
        ),
    )
    def friend_send_create(
        self, info: Info, input: Annotated[FriendSendCreateInput, INPUT]
    ) -> models.Send:
        """See service.create."""
        new = command(service.SendCreate, input)
        return service.create(new, viewer=info.context.viewer, at=real_now())

    @mutation(
        FriendSendPayload,
        rule=SEND_WRITE,
        description="Have WeCom remind the guide, three times a day at most. 提醒导购发送",
    )
    def friend_send_remind(self, info: Info, id: Id) -> models.Send:
        """See service.remind."""
        return service.remind(id, viewer=info.context.viewer, at=real_now())

    @mutation(
        FriendSendPayload,
        rule=SEND_WRITE,
        description="Take a send back that the guide has not confirmed. 取消发送任务",
    )
    def friend_send_cancel(self, info: Info, id: Id) -> models.Send:
        """See service.cancel."""
        return service.cancel(id, viewer=info.context.viewer, at=real_now())
