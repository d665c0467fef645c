"""Tags, who has them, and jobs, as clients see them."""

from datetime import date, datetime
from typing import Any

import strawberry

from graphql_api.context import Info
from graphql_api.errors import ErrorCode, Forbidden
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as visible_guide
from graphql_api.guides.types import Guide
from graphql_api.kit.dynamo import Page
from graphql_api.kit.graphql import Connection, Node, connection, field, paged, relation, relations
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.arguments import After, First, Reverse
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.members.models import Member as StoredMember
from graphql_api.members.rules import TagSource
from graphql_api.members.types import Member
from graphql_api.members.types import visible as visible_member
from graphql_api.permissions import TAG_FIELD, TAG_MEMBERS, TAG_STAFF
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store
from graphql_api.tags import models, repository, rules
from graphql_api.tags.rules import JobMembers, JobState, TagAction, TagKind
from graphql_api.viewer import Role, Viewer

describe_enum(
    TagKind,
    description="What a tag is about. 标签类型",
    values={
        "PURCHASE": "Amount, average order value, product preference. 购买标签",
        "OPERATION": "Lifecycle and campaigns. 运营标签",
        "ATTRIBUTE": "Occupation, age, income, region. 属性标签",
        "LIFE": "Specialities, snacks, gifting. 生活标签",
        "PERSONAL": "Whatever makes somebody special. 个性化标签",
    },
)
describe_enum(
    TagSource,
    description="Who gave a tag; by hand is stronger than imported, imported than by rule. 来源",
    values={
        "BY_HAND": "A guide or an operator; no rule takes it away. 手工",
        "RULE": "A rule, as long as it is true. 规则",
        "IMPORTED": "Another system. 导入",
    },
)
describe_enum(
    TagAction,
    description="What happened to a tag of a member. 标签变更",
    values={
        "ADDED": "It was given. 添加",
        "CHANGED": "Its last day or its source changed. 变更",
        "REMOVED": "It was taken away. 移除",
        "REPLACED": "Another tag of its group, which allows one, took its place. 被替换",
        "EXPIRED": "It had run out and was cleared away. 到期",
    },
)
describe_enum(
    JobState,
    name="TagJobState",
    description="Where a job stands. 任务状态",
    values={
        "WAITING": "Not begun. 等待",
        "IN_PROGRESS": "Some members are done. 进行中",
        "DONE": "Every member is done or has failed. 完成",
        "FAILED": "It could not go on; see the problem. 失败",
        "CANCELLED": "Somebody ended it; what is done stays done. 已取消",
    },
)
describe_enum(
    JobMembers,
    name="TagJobMembers",
    description="Whose tags a job changes. 任务范围",
    values={
        "LISTED": "Members that were listed. 指定会员",
        "OF_STORE": "Members of a home store. 门店会员",
        "OF_GUIDE": "Members of a guide. 导购会员",
    },
)


def visible_job(viewer: Viewer, job: models.TagJob) -> models.TagJob | None:
    """The row rule of jobs."""
    return job if rules.sees_job(viewer, job) else None


@strawberry.type(description="Tags that belong together. 标签组")
class TagGroup(Node):
    """Shows models.TagGroup."""

    name: str = field(rule=TAG_FIELD, description="Its name, unique in the chain. 名称")
    kind: TagKind = field(rule=TAG_FIELD, description="What its tags are about. 类型")
    exclusive: bool = field(
        rule=TAG_FIELD, description="Whether a member has one of its tags at most. 是否单选"
    )
    description: str | None = field(rule=TAG_STAFF, description="What it is for. 说明")
    tags: Connection["Tag"] = connection(
        page=repository.page_of_group,
        rule=TAG_STAFF,
        description="Its tags that are not archived, by name. 组内标签",
    )
    created_at: datetime = field(rule=TAG_STAFF, description="When it was made. 创建时间")
    archived_at: datetime | None = field(
        rule=TAG_STAFF, description="When it was archived; null while it works. 停用时间"
    )
    version: int = field(
        rule=TAG_STAFF, description="Rises with every change; give it as `expectedVersion`. 版本"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.TagGroup)


async def _members(
    root: strawberry.Parent[models.Tag],
    info: Info,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> object:
    context = info.context
    if context.viewer.store_ids is not None:
        raise Forbidden("Only headquarters list the members of a tag")
    today = context.clock.today()

    # The day is no part of the list's name: a cursor stays good over midnight.
    def members_of_tag(tag_id: str, **page: Any) -> Page[StoredMember]:
        return repository.members_of_tag(tag_id, today, **page)

    return await paged(
        context,
        members_of_tag,
        root.id,
        first=first,
        after=after,
        reverse=reverse,
        visible=visible_member,
    )


@strawberry.type(description="Something to note of members. 标签")
class Tag(Node):
    """Shows models.Tag."""

    name: str = field(rule=TAG_FIELD, description="Its name, unique in its group. 名称")
    kind: TagKind = field(rule=TAG_FIELD, description="What it is about. 类型")
    group: TagGroup | None = relation(
        key="group_id",
        load=repository.get_groups,
        rule=TAG_FIELD,
        description="The group that it belongs to. 所属标签组",
    )
    description: str | None = field(rule=TAG_STAFF, description="What it means. 说明")
    validity_days: int | None = field(
        rule=TAG_STAFF,
        description="It holds so many days after the day it is given; null: for good. 有效天数",
    )
    member_count: int | None = relation(
        key="id",
        load=repository.member_counts,
        rule=TAG_STAFF,
        description=(
            "How many have it, a moment ago; counts those who left, and those for whom it ran out"
            " until it is cleared away. 会员数"
        ),
    )
    members: Connection[Member] = field(
        rule=TAG_MEMBERS,
        description="Who has it today, in 16 stretches, each by joining time. 会员列表",
        resolver=_members,
        graphql_type=Connection[Member],
    )
    created_at: datetime = field(rule=TAG_STAFF, description="When it was made. 创建时间")
    archived_at: datetime | None = field(
        rule=TAG_STAFF,
        description="When it was archived: nobody gets it any more, who has it keeps it. 停用时间",
    )
    version: int = field(
        rule=TAG_STAFF, description="Rises with every change; give it as `expectedVersion`. 版本"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Tag)


def _holds(root: strawberry.Parent[models.Assignment], info: Info) -> bool:
    day: date | None = root.expires_on
    return day is None or info.context.clock.today() <= day


@strawberry.type(description="A tag on a member, with who gave it. 会员标签")
class TagAssignment:
    """Shows models.Assignment."""

    tag: Tag | None = relation(
        key="tag_id", load=repository.get_many, rule=INHERITED, description="The tag. 标签"
    )
    source: TagSource = field(rule=INHERITED, description="Who gave it. 来源")
    source_ref: str | None = field(
        rule=INHERITED, description="The rule, system or job, with its version. 规则版本或任务"
    )
    by_role: Role = field(rule=INHERITED, description="Role of who gave it. 操作人角色")
    by_id: strawberry.ID = field(rule=INHERITED, description="Id of who gave it. 操作人 ID")
    by_guide: Guide | None = relation(
        key="by_guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=INHERITED,
        description="The guide who gave it, where a guide did. 操作导购",
    )
    at: datetime = field(rule=INHERITED, description="When. 时间")
    expires_on: date | None = field(
        rule=INHERITED, description="The last day on which it holds; null: for good. 有效期至"
    )
    holds: bool = field(
        rule=INHERITED,
        description="Whether it holds today; one that ran out is soon cleared away. 是否有效",
        resolver=_holds,
    )
    reason: str | None = field(rule=INHERITED, description="Why, in words. 原因")


@strawberry.type(description="What became of a tag of a member. 标签历史")
class TagHistoryEntry:
    """Shows models.HistoryEntry."""

    tag: Tag | None = relation(
        key="tag_id", load=repository.get_many, rule=INHERITED, description="The tag. 标签"
    )
    action: TagAction = field(rule=INHERITED, description="What happened. 变更")
    source: TagSource = field(rule=INHERITED, description="Who had given it. 来源")
    source_ref: str | None = field(
        rule=INHERITED, description="The rule, system or job that did it. 规则版本或任务"
    )
    by_role: Role = field(rule=INHERITED, description="Role of who did it. 操作人角色")
    by_id: strawberry.ID = field(rule=INHERITED, description="Id of who did it. 操作人 ID")
    by_guide: Guide | None = relation(
        key="by_guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=INHERITED,
        description="The guide who did it, where a guide did. 操作导购",
    )
    at: datetime = field(rule=INHERITED, description="When. 时间")
    expires_on: date | None = field(
        rule=INHERITED, description="The last day that it had or got. 有效期至"
    )
    reason: str | None = field(rule=INHERITED, description="Why, in words. 原因")
    replaced_by: Tag | None = relation(
        key="replaced_by",
        load=repository.get_many,
        rule=INHERITED,
        description="The tag that took its place. 替换标签",
    )


@strawberry.type(description="A member whose tags a job could not change. 失败会员")
class TagJobFailure:
    """Shows models.JobFailure."""

    member_id: strawberry.ID = field(rule=INHERITED, description="The member. 会员 ID")
    code: ErrorCode = field(rule=INHERITED, description="The reason, to switch on. 错误码")
    message: str = field(rule=INHERITED, description="The reason, in English. 说明")


def _to_add(job: models.TagJob, _context: Any) -> list[str]:
    return list(job.add_ids)


def _to_remove(job: models.TagJob, _context: Any) -> list[str]:
    return list(job.remove_ids)


@strawberry.type(description="A change of the tags of many members, done in steps. 打标任务")
class TagJob(Node):
    """Shows models.TagJob."""

    state: JobState = field(rule=TAG_STAFF, description="Where it stands. 状态")
    members: JobMembers = field(rule=TAG_STAFF, description="Whose tags it changes. 范围")
    store: Store | None = relation(
        key="store_id",
        load=stores.get_many,
        rule=TAG_STAFF,
        description="The home store of its members, or that of their guide. 门店",
    )
    guide: Guide | None = relation(
        key="guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=TAG_STAFF,
        description="The guide of its members. 导购",
    )
    add: list[Tag] = relations(
        keys=_to_add,
        load=repository.get_many,
        rule=TAG_STAFF,
        description="The tags that it gives. 添加的标签",
    )
    remove: list[Tag] = relations(
        keys=_to_remove,
        load=repository.get_many,
        rule=TAG_STAFF,
        description="The tags that it takes away. 移除的标签",
    )
    expires_on: date | None = field(
        rule=TAG_STAFF, description="The last day of the tags that it gives. 有效期至"
    )
    reason: str | None = field(rule=TAG_STAFF, description="Why, in words. 原因")
    by_role: Role = field(rule=TAG_STAFF, description="Role of who made it. 创建人角色")
    by_id: strawberry.ID = field(rule=TAG_STAFF, description="Id of who made it. 创建人 ID")
    total: int | None = field(
        rule=TAG_STAFF, description="How many members, as counted when it began. 总数"
    )
    done: int = field(rule=TAG_STAFF, description="Members dealt with, failed ones too. 已处理数")
    failed: int = field(rule=TAG_STAFF, description="Members that failed. 失败数")
    failures: list[TagJobFailure] = field(
        rule=TAG_STAFF, description="The first hundred members that failed. 失败明细"
    )
    problem: str | None = field(
        rule=TAG_STAFF, description="Why the whole job failed, in English. 失败原因"
    )
    created_at: datetime = field(rule=TAG_STAFF, description="When it was made. 创建时间")
    started_at: datetime | None = field(rule=TAG_STAFF, description="When it began. 开始时间")
    finished_at: datetime | None = field(rule=TAG_STAFF, description="When it ended. 结束时间")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.TagJob)


registry.add("tag", repository.get_many, rules.visible_to_staff)
registry.add("tgg", repository.get_groups, rules.visible_to_staff)
registry.add("tgj", repository.get_jobs, visible_job)
