"""Sends, as clients see them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from graphql_api.context import Info
from graphql_api.friends import repository as friends
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as visible_guide
from graphql_api.guides.types import Guide
from graphql_api.kit.graphql import Connection, Node, connection, field, relation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import URL
from graphql_api.members.types import visible as visible_member
from graphql_api.permissions import SEND_FIELD
from graphql_api.sends import models, repository, rules
from graphql_api.sends.rules import SendKind, SendOutcome, SendState
from graphql_api.tags import repository as tags

if TYPE_CHECKING:
    from graphql_api.members.types import Member
    from graphql_api.tags.types import Tag

describe_enum(
    SendKind,
    name="FriendSendKind",
    description="What is sent. 发送类型",
    values={
        "MASS": "A message to each friend. 群发",
        "MOMENT": "A moment that all friends can see. 朋友圈",
    },
)
describe_enum(
    SendState,
    name="FriendSendState",
    description="Where a send stands. 发送任务状态",
    values={
        "LISTING": "Its friends are being listed. 准备中",
        "ASKING": "WeCom is being asked for the task. 提交中",
        "WAITING": "The guide has to confirm it in WeCom; nothing is sent before. 待导购确认",
        "CONFIRMED": "The guide confirmed it; what became of friends is read. 已确认",
        "DONE": "It is over; `problem` says where the guide did not confirm. 已结束",
        "CANCELLED": "It was taken back. 已取消",
        "FAILED": "WeCom refused it; `problem` says why. 失败",
        "UNSURE": "Nobody knows whether WeCom has it: look there, before it is sent again. 未知",
    },
)
describe_enum(
    SendOutcome,
    name="FriendSendOutcome",
    description="What became of a friend. 发送结果",
    values={
        "UNSENT": "Nothing yet. 未发送",
        "SENT": "They have it, or can see the moment. 已发送",
        "NOT_A_FRIEND": "They are no friend of the guide's any more. 已不是好友",
        "LIMIT": "They have had as many as WeCom lets through, and got nothing. 达到上限",
        "REFUSED": "WeCom does not send to them. 无法发送",
    },
)


@strawberry.type(description="How many friends came to what. 发送统计")
class FriendSendCount:
    """An outcome and how many."""

    outcome: SendOutcome = field(rule=INHERITED, description="What became of them. 结果")
    friends: int = field(rule=INHERITED, description="How many. 人数")


@strawberry.type(description="A friend to whom something was to go. 发送明细")
class FriendSendRow:
    """Shows models.Target."""

    external_user_id: strawberry.ID = field(
        rule=INHERITED, description="The customer's id in the corp. 外部联系人 ID"
    )
    member: Annotated["Member", strawberry.lazy("graphql_api.members.types")] | None = relation(
        key="external_user_id",
        load=friends.members_of,
        visible=visible_member,
        rule=INHERITED,
        description="Who that is; null while they are no member, or not yours to see. 会员",
    )
    outcome: SendOutcome = field(rule=INHERITED, description="What became of them. 结果")


def _counts(root: strawberry.Parent[models.Send]) -> list[FriendSendCount]:
    found = sorted(root.outcomes.items())
    return [FriendSendCount(outcome=outcome, friends=n) for outcome, n in found]


@strawberry.type(
    description="Something that a guide sends to their friends in WeCom. 群发与朋友圈任务"
)
class FriendSend(Node):
    """Shows models.Send."""

    kind: SendKind = field(rule=SEND_FIELD, description="What is sent. 类型")
    guide: Guide | None = relation(
        key="guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=SEND_FIELD,
        description="Who sends. 导购",
    )
    tag: Annotated["Tag", strawberry.lazy("graphql_api.tags.types")] | None = relation(
        key="tag_id",
        load=tags.get_many,
        rule=SEND_FIELD,
        description="Only to members with this tag; null for all friends. 标签",
    )
    text: str = field(rule=SEND_FIELD, description="What it says. 文本")
    link_title: str | None = field(
        rule=SEND_FIELD, description="The title of a link that comes along. 链接标题"
    )
    link_url: URL | None = field(rule=SEND_FIELD, description="Its address. 链接地址")
    state: SendState = field(rule=SEND_FIELD, description="Where it stands. 状态")
    counts: list[FriendSendCount] = field(
        rule=SEND_FIELD, description="How many friends came to what so far. 统计", resolver=_counts
    )
    rows: Connection[FriendSendRow] = connection(
        page=repository.page_of_targets,
        rule=SEND_FIELD,
        description="What became of each. 明细",
    )
    reminders: list[datetime] = field(
        rule=SEND_FIELD, description="When the guide was reminded. 提醒时间"
    )
    problem: str | None = field(
        rule=SEND_FIELD, description="Why it failed or was not confirmed, in words. 原因"
    )
    created_at: datetime = field(rule=SEND_FIELD, description="When it was made. 创建时间")
    confirmed_at: datetime | None = field(
        rule=SEND_FIELD, description="When the guide confirmed it; null before. 确认时间"
    )
    ended_at: datetime | None = field(
        rule=SEND_FIELD, description="When it was over; null before. 结束时间"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Send)


registry.add("snd", repository.get_many, rules.visible)
