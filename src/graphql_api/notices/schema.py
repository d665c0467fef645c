"""Queries and mutations of subscribe messages."""

from typing import Annotated

import strawberry

from graphql_api.connectors.wechat import subscribe
from graphql_api.context import Info
from graphql_api.kit.graphql import UserError, changed_field, command, errors_field, mutation
from graphql_api.kit.graphql.arguments import INPUT
from graphql_api.kit.time import real_now
from graphql_api.notices import models, repository, service
from graphql_api.notices.rules import NoticeAnswer
from graphql_api.notices.types import Notice, NoticeQuota, NoticeTemplate
from graphql_api.permissions import NOTICE_ANSWER, NOTICE_SEND, NOTICE_SET_UP, NOTICE_TEMPLATE


@strawberry.type
class NoticeQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="The templates of subscribe messages, at most fifty. 订阅消息模板列表",
        graphql_type=list[NoticeTemplate],
        metadata={"rule": NOTICE_TEMPLATE},
    )
    async def notice_templates(self, info: Info) -> list[models.Template]:
        """All of them, for the page that asks members."""
        found: list[models.Template] = await info.context.run(repository.all_templates)
        return found


@strawberry.input(description="A template of WeChat's console. 设置订阅消息模板")
class NoticeTemplateSetInput:
    """See service.TemplateSet."""

    template_id: strawberry.ID = strawberry.field(description="WeChat's id of it. 模板 ID")
    name: str = strawberry.field(description="What it is for, 1 to 40 characters. 名称")
    page: str | None = strawberry.field(
        default=None, description="The page that a message opens, without a leading /. 跳转页面"
    )
    fields: list[str] = strawberry.field(
        description="The keys of its fields, 1 to 10, such as `thing1` and `time3`. 字段"
    )


@strawberry.input(description="Which template is retired. 停用订阅消息模板")
class NoticeTemplateRetireInput:
    """See service.TemplateRetire."""

    template_id: strawberry.ID = strawberry.field(description="WeChat's id of it. 模板 ID")


@strawberry.input(description="What a member said of one template. 单个模板授权结果")
class NoticeAnswerInput:
    """See service.OneAnswer."""

    template_id: strawberry.ID = strawberry.field(description="WeChat's id of it. 模板 ID")
    answer: NoticeAnswer = strawberry.field(description="What `requestSubscribeMessage` gave. 结果")


@strawberry.input(description="What a member said when asked. 上报订阅消息授权")
class NoticeAnswersAddInput:
    """See service.AnswersAdd."""

    request_id: strawberry.ID = strawberry.field(
        description="Made by the client for this asking, 8 to 64 characters; it counts once. 标识"
    )
    answers: list[NoticeAnswerInput] = strawberry.field(
        description="Of each template that was asked for, 1 to 5. 结果"
    )


@strawberry.input(description="A field of a subscribe message. 订阅消息字段")
class NoticeDataInput:
    """See service.DataField."""

    key: str = strawberry.field(description="Its key, such as `thing1`. 字段名")
    value: str = strawberry.field(description="What it says, within the limits of its kind. 内容")


@strawberry.input(description="A subscribe message for a member. 发送订阅消息")
class NoticeSendInput:
    """See service.NoticeSend."""

    member_id: strawberry.ID = strawberry.field(description="For whom. 会员 ID")
    template_id: strawberry.ID = strawberry.field(description="WeChat's id of it. 模板 ID")
    reason: str = strawberry.field(
        description="What it is about, such as `order-20261120-1`: sent once for it. 业务唯一标识"
    )
    data: list[NoticeDataInput] = strawberry.field(
        description="Every field of the template. 字段内容"
    )
    page: str | None = strawberry.field(
        default=None, description="Another page to open than the template's. 跳转页面"
    )


@strawberry.type(description="What became of a template. 模板操作结果")
class NoticeTemplatePayload:
    """The template, or why not."""

    template: NoticeTemplate | None = changed_field("As it is now; null when refused. 模板")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of answers. 授权上报结果")
class NoticeQuotaPayload:
    """The quotas, or why not."""

    quotas: list[NoticeQuota] | None = changed_field(
        "Of the templates that were answered; null when refused. 额度"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a subscribe message. 发送结果")
class NoticePayload:
    """The message, or why not."""

    notice: Notice | None = changed_field(
        "As it is now; null when refused, and where the member agreed to none. 订阅消息"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class NoticeMutations:
    """Commands of this slice."""

    @mutation(
        NoticeTemplatePayload,
        rule=NOTICE_SET_UP,
        description="Have a template of WeChat's console used here. 设置订阅消息模板",
    )
    def notice_template_set(
        self, info: Info, input: Annotated[NoticeTemplateSetInput, INPUT]
    ) -> models.Template:
        """See service.set_template."""
        given = command(service.TemplateSet, input)
        return service.set_template(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        NoticeTemplatePayload,
        rule=NOTICE_SET_UP,
        description="Send nothing of a template any more. 停用订阅消息模板",
    )
    def notice_template_retire(
        self, info: Info, input: Annotated[NoticeTemplateRetireInput, INPUT]
    ) -> models.Template:
        """See service.retire_template."""
        given = command(service.TemplateRetire, input)
        return service.retire_template(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        NoticeQuotaPayload,
        rule=NOTICE_ANSWER,
        description="A member tells what they agreed to; one tick is one message. 上报订阅授权",
    )
    def notice_answers_add(
        self, info: Info, input: Annotated[NoticeAnswersAddInput, INPUT]
    ) -> list[models.Quota]:
        """See service.add_answers."""
        given = command(service.AnswersAdd, input)
        return service.add_answers(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        NoticePayload,
        rule=NOTICE_SEND,
        description=(
            "Send a subscribe message to a member, once at most for its reason, where they agreed"
            " to one. 发送订阅消息"
        ),
    )
    def notice_send(
        self, info: Info, input: Annotated[NoticeSendInput, INPUT]
    ) -> models.Notice | None:
        """See service.send."""
        given = command(service.NoticeSend, input)
        viewer = info.context.viewer
        return service.send(given, send=subscribe.send, viewer=viewer, at=real_now())
