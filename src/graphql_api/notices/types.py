"""Subscribe messages, as clients see them."""

from datetime import datetime

import strawberry

from graphql_api.kit.graphql import field, relation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.notices import repository
from graphql_api.notices.rules import NoticeAnswer, NoticeState
from graphql_api.permissions import NOTICE_FIELD, NOTICE_TEMPLATE

describe_enum(
    NoticeAnswer,
    description="What a member said when asked for subscribe messages. 订阅消息授权结果",
    values={
        "ACCEPT": "Yes, to one more. 同意",
        "REJECT": "No. 拒绝",
        "BAN": "The template is banned by WeChat. 已被封禁",
        "FILTER": "WeChat did not ask, as its title is like another's. 被过滤",
    },
)
describe_enum(
    NoticeState,
    description="What became of a subscribe message. 订阅消息状态",
    values={
        "SENDING": "It is being sent. 发送中",
        "SENT": "WeChat took it. 已发送",
        "REFUSED": "WeChat said that the member agreed to none (43101). 用户未授权",
        "FAILED": "WeChat did not take it; `detail` says why. 发送失败",
        "UNSURE": "Nobody knows whether it was sent; it is not sent again. 结果未知",
    },
)


@strawberry.type(description="A template of subscribe messages, of WeChat's console. 订阅消息模板")
class NoticeTemplate:
    """Shows models.Template."""

    template_id: strawberry.ID = field(
        rule=NOTICE_TEMPLATE, description="WeChat's id of it. 模板 ID"
    )
    name: str = field(rule=NOTICE_TEMPLATE, description="What it is for. 名称")
    page: str | None = field(
        rule=NOTICE_TEMPLATE, description="The page that a message opens. 跳转页面"
    )
    fields: list[str] = field(
        rule=NOTICE_TEMPLATE, description="The keys of its fields, such as `thing1`. 字段"
    )
    changed_at: datetime = field(rule=NOTICE_TEMPLATE, description="When it was set. 修改时间")
    retired_at: datetime | None = field(
        rule=NOTICE_TEMPLATE,
        description="Since when nothing is sent of it; null while it is in use. 停用时间",
    )


@strawberry.type(
    description="How many subscribe messages of a template a member still agreed to. 订阅消息额度"
)
class NoticeQuota:
    """Shows models.Quota."""

    template: NoticeTemplate | None = relation(
        key="template_id",
        load=repository.get_templates,
        rule=INHERITED,
        description="Of which template. 模板",
    )
    left: int = field(rule=INHERITED, description="How many may be sent. 剩余次数")
    accepted: int = field(rule=INHERITED, description="How often the member agreed. 累计授权")
    taken: int = field(rule=INHERITED, description="How many were taken for a sending. 累计使用")
    is_banned: bool = field(rule=INHERITED, description="Whether WeChat bans it. 是否封禁")


@strawberry.type(description="A subscribe message for a member. 订阅消息")
class Notice:
    """Shows models.Notice."""

    template: NoticeTemplate | None = relation(
        key="template_id",
        load=repository.get_templates,
        rule=NOTICE_FIELD,
        description="Of which template. 模板",
    )
    reason: str = field(
        rule=NOTICE_FIELD, description="What made it be sent once only. 业务唯一标识"
    )
    state: NoticeState = field(rule=NOTICE_FIELD, description="What became of it. 状态")
    detail: str | None = field(
        rule=NOTICE_FIELD, description="WeChat's number, where it refused. 错误码"
    )
    at: datetime = field(rule=NOTICE_FIELD, description="When it was to be sent. 时间")
