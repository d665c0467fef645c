"""Who looks after whom, and hand-overs, as clients see them."""

from datetime import date, datetime
from typing import Any

import strawberry

from graphql_api.context import Info
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as visible_guide
from graphql_api.guides.types import Guide
from graphql_api.kit.graphql import Connection, Node, connection, field, relation, relations
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.members import repository as members
from graphql_api.members.rules import OwnershipSource
from graphql_api.members.types import Member
from graphql_api.members.types import visible as visible_member
from graphql_api.ownership import models, repository, rules
from graphql_api.ownership.rules import EndReason, HandOverFailure, HandOverState, Outcome
from graphql_api.permissions import HAND_OVER_FIELD, MEMBER_FIELD, MEMBER_STAFF
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store

describe_enum(
    OwnershipSource,
    description="How a guide came to look after a member. 归属来源",
    values={
        "TRANSACTION": "Sold something to the member. 成交",
        "REGISTRATION": "Enrolled the member. 注册",
        "WECOM_FRIEND": "Became the member's friend in WeCom. 企业微信好友",
        "SHARED_LINK": "Shared a link that the member followed. 分享链接",
        "ASSIGNED_BY_MANAGER": "A manager or headquarters said so. 人工分配",
        "ASSIGNED_BY_SYSTEM": "Another system or a rule said so. 系统分配",
        "IMPORT": "Came with an import. 导入",
    },
)
describe_enum(
    EndReason,
    name="OwnershipEndReason",
    description="Why an ownership ended. 归属结束原因",
    values={
        "LEFT": "The guide had left. 离职",
        "DISMISSED": "The guide was dismissed. 辞退",
        "EXPIRED": "Its last day had passed. 到期",
        "BY_HAND": "Somebody released the member. 手动解除",
        "TAKEN_OVER": "Another guide took the member over. 被抢客",
        "HANDED_OVER": "The guide handed the member over while at work. 在职继承",
        "MERGED": "The member was merged with another. 会员合并",
        "MOVED_STORE": "The guide moved to another store. 调店",
    },
)
describe_enum(
    HandOverState,
    description="Where a hand-over stands. 继承状态",
    values={
        "WAITING": "Not begun. 等待",
        "IN_PROGRESS": "Some members are done. 进行中",
        "DONE": "Every member is moved or skipped. 完成",
        "FAILED": "It could not go on; who was moved stays moved. 失败",
        "CANCELLED": "Somebody ended it; who was moved stays moved. 已取消",
    },
)
describe_enum(
    HandOverFailure,
    description="Why a hand-over failed. 继承失败原因",
    values={"NO_TARGET": "None of its targets is at work in the store any more. 无可接替导购"},
)
describe_enum(
    Outcome,
    name="HandOverOutcome",
    description="What became of a member in a hand-over. 继承结果",
    values={
        "MOVED": "Went to another guide, or to none where none was named. 已转移",
        "NO_LONGER_THEIRS": "Was not the guide's any more when the turn came. 已非其客户",
        "OTHER_STORE": "Has another home store than the targets work in. 归属其他门店",
        "BUSY": "Was being worked on by somebody else all the while. 会员被占用",
    },
)


@strawberry.type(description="A guide looks after a member, now or once. 客户归属")
class Ownership:
    """Shows models.Term."""

    guide: Guide | None = relation(
        key="guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=MEMBER_FIELD,
        description="The guide, who may have left since; null where not yours to see. 导购",
    )
    since: datetime = field(rule=MEMBER_FIELD, description="When it began. 开始时间")
    valid_until: date | None = field(
        rule=MEMBER_FIELD, description="Its last day; null where it does not run out. 有效期至"
    )
    protected_until: date | None = field(
        rule=MEMBER_STAFF,
        description=(
            "The last day on which no other guide can take the member over, unless headquarters"
            " force it or the guide has left; null without protection. 保护期至"
        ),
    )
    source: OwnershipSource = field(rule=MEMBER_STAFF, description="How it came about. 来源")
    ended_at: datetime | None = field(
        rule=MEMBER_STAFF, description="When it ended; null while it lasts. 结束时间"
    )
    end_reason: EndReason | None = field(
        rule=MEMBER_STAFF, description="Why it ended; null while it lasts. 结束原因"
    )


@strawberry.type(description="How many members a hand-over skipped for a reason. 跳过统计")
class HandOverSkips:
    """Shows models.Skips."""

    reason: Outcome = field(rule=INHERITED, description="Why. 原因")
    members: int = field(rule=INHERITED, description="How many. 人数")


@strawberry.type(description="A member whom a hand-over skipped. 跳过的会员")
class HandOverSkip:
    """Shows models.Skipped."""

    member: Member | None = relation(
        key="member_id",
        load=members.get_many,
        visible=visible_member,
        rule=INHERITED,
        description="The member; null where not yours to see. 会员",
    )
    reason: Outcome = field(rule=INHERITED, description="Why. 原因")


@strawberry.type(description="The members of a guide go to other guides. 客户继承")
class HandOver(Node):
    """Shows models.HandOver."""

    from_guide: Guide | None = relation(
        key="from_guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=HAND_OVER_FIELD,
        description="Whose members they are; null once in a store not yours. 原导购",
    )
    targets: list[Guide] = relations(
        keys=lambda job, _context: job.target_ids,
        load=guides.get_many,
        visible=visible_guide,
        rule=HAND_OVER_FIELD,
        description="Who takes them, in turn; nobody: the ownerships just end. 接替导购",
    )
    store: Store | None = relation(
        key="store_id",
        load=stores.get_many,
        rule=HAND_OVER_FIELD,
        description="The store that the members stay with. 门店",
    )
    reason: EndReason = field(
        rule=HAND_OVER_FIELD, description="Why; the ownerships end with it. 原因"
    )
    state: HandOverState = field(rule=HAND_OVER_FIELD, description="Where it stands. 状态")
    failure: HandOverFailure | None = field(
        rule=HAND_OVER_FIELD, description="Why it failed; null unless it did. 失败原因"
    )
    total: int | None = field(
        rule=HAND_OVER_FIELD,
        description="How many members there are; null until all are listed. 总人数",
    )
    moved: int = field(rule=HAND_OVER_FIELD, description="How many were moved. 已转移人数")
    skipped: list[HandOverSkips] = field(
        rule=HAND_OVER_FIELD, description="How many stayed, by reason. 跳过人数"
    )
    skipped_members: Connection[HandOverSkip] = connection(
        page=repository.page_of_skipped,
        rule=HAND_OVER_FIELD,
        description="Who stayed, and why. 跳过明细",
    )
    created_at: datetime = field(
        rule=HAND_OVER_FIELD, description="When it was asked for. 创建时间"
    )
    started_at: datetime | None = field(rule=HAND_OVER_FIELD, description="When it began. 开始时间")
    ended_at: datetime | None = field(
        rule=HAND_OVER_FIELD, description="When it was over; null before. 结束时间"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.HandOver)


registry.add("hov", repository.get_hand_overs, rules.visible_hand_over)
