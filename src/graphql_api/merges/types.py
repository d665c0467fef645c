"""Merges, as clients see them."""

from datetime import datetime
from typing import Any

import strawberry

from graphql_api.context import Info
from graphql_api.kit.graphql import Node, field, relation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.members import repository as members
from graphql_api.members.types import Member
from graphql_api.members.types import visible as visible_member
from graphql_api.merges import models, repository, rules
from graphql_api.merges.rules import MergePart, MergeSource, MergeState
from graphql_api.permissions import MERGE_FIELD
from graphql_api.viewer import Role

describe_enum(
    MergeState,
    name="MemberMergeState",
    description="Where a merge stands. 合并状态",
    values={
        "IN_PROGRESS": "The two are one; some of what the loser had is on its way. 进行中",
        "DONE": "The survivor has everything. 完成",
        "FAILED": "A step was refused; asked for again it goes on. 失败",
    },
)
describe_enum(
    MergeSource,
    name="MemberMergeSource",
    description="From where a merge came. 合并来源",
    values={
        "BY_HAND": "Headquarters said so. 人工",
        "API": "Another system said so, with a key. 接口",
        "YOUZAN": "Youzan announced it. 有赞",
        "WEIMOB": "Weimob announced it. 微盟",
        "WECHAT": "WeChat showed that they are one. 微信",
        "WECOM": "WeCom announced it. 企业微信",
        "SYSTEM": "This system found it. 系统",
    },
)
describe_enum(
    MergePart,
    name="MemberMergePart",
    description="What of a member a merge moves. 合并内容",
    values={
        "IDENTITIES": "Identities, the phone among them. 身份",
        "EFFECTS": "Marks of what happened once, such as a joining gift. 已发生的事件",
        "STANDING": "The tier, where the loser's was better: 1 then. 会员状态",
        "FACTS": "What was bought, as it stands on the member: 1 where there was any. 消费汇总",
        "POINTS": "Lots of points that came along. 积分批次",
        "PROFILE": "Fields of the profile that the survivor had not. 资料",
        "JOINING": "The joining, where the loser's was earlier: 1 then. 入会",
        "CONSENTS": "Consents that the survivor had not, or had otherwise. 授权同意",
        "OWNERSHIP": "The guide, where the loser's has the stronger relation: 1 then. 专属导购",
        "SESSIONS": "Logins that ended. 登录",
        "ORDERS": "Orders. 订单",
        "TAGS": "Tags; of those that clash the stronger stayed. 标签",
        "COUPONS": "Coupons, and what was taken under limits. 优惠券",
        "PARTICIPATIONS": "Parts in campaigns; of two in one the further stayed. 活动参与",
    },
)


@strawberry.type(description="How much of something a merge moved. 合并数量")
class MemberMergeMoved:
    """Shows models.Moved."""

    part: MergePart = field(rule=INHERITED, description="What. 内容")
    count: int = field(rule=INHERITED, description="How much of it. 数量")


@strawberry.type(description="Two members who were one person became one. 会员合并")
class MemberMerge(Node):
    """Shows models.Merge."""

    survivor: Member | None = relation(
        key="survivor_id",
        load=members.get_many,
        visible=visible_member,
        rule=MERGE_FIELD,
        description="Who has everything now; where that one was merged too, who has it. 主会员",
    )
    loser_id: strawberry.ID = field(
        rule=MERGE_FIELD,
        description="The id that became an alias, for ever. 被合并会员的 ID",
    )
    loser_member_no: str = field(
        rule=MERGE_FIELD,
        description="The number that became an alias, for ever. 被合并会员的会员号",
    )
    state: MergeState = field(rule=MERGE_FIELD, description="Where it stands. 状态")
    problem: str | None = field(
        rule=MERGE_FIELD, description="Why it failed; null unless it did. 失败原因"
    )
    source: MergeSource = field(rule=MERGE_FIELD, description="From where it came. 来源")
    source_ref: str | None = field(
        rule=MERGE_FIELD, description="The other system's event, where it named one. 来源事件"
    )
    by_role: Role = field(rule=MERGE_FIELD, description="The kind of who asked for it. 操作者角色")
    by_id: strawberry.ID = field(rule=MERGE_FIELD, description="Who asked for it. 操作者 ID")
    reason: str | None = field(rule=MERGE_FIELD, description="Why, in their words. 原因")
    moved: list[MemberMergeMoved] = field(
        rule=MERGE_FIELD, description="How much was moved so far. 已合并的内容"
    )
    created_at: datetime = field(rule=MERGE_FIELD, description="When the two became one. 合并时间")
    ended_at: datetime | None = field(
        rule=MERGE_FIELD, description="When everything was moved; null before. 完成时间"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Merge)


registry.add("mrg", repository.get_many, rules.visible)
