"""Queries and mutations of tags."""

from datetime import date
from typing import Annotated, Any

import strawberry

from graphql_api.context import Info
from graphql_api.errors import AppError, Invalid
from graphql_api.kit.graphql import (
    Connection,
    UserError,
    changed_field,
    command,
    errors_field,
    field,
    mutation,
    paged,
)
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.arguments import INPUT, After, First, Id, Reverse
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.mutations import user_errors
from graphql_api.members.types import Member, visible
from graphql_api.permissions import TAG_ASSIGN, TAG_STAFF, TAG_WRITE
from graphql_api.tags import models, repository, service
from graphql_api.tags.rules import TagKind
from graphql_api.tags.service import ErrorPolicy
from graphql_api.tags.types import Tag, TagGroup, TagHistoryEntry, TagJob, visible_job
from graphql_api.viewer import Viewer

describe_enum(
    ErrorPolicy,
    description="What to do after a refusal within a bulk command. 出错策略",
    values={
        "STOP": "Go no further; what is done stays done. 遇错停止",
        "CONTINUE": "Go on with the next. 遇错继续",
    },
)

_REASON = "Why, in words; kept in the history. 原因"
_EXPIRES = "The last day of what is given; by default as the tag says. 有效期至"
_ADD = "Tags to give, at most 10. 添加的标签 ID"
_REMOVE = "Tags to take away, at most 10. 移除的标签 ID"
_VERSION = "Refuse with CONFLICT when it has changed since. 期望版本"
_VALIDITY = "It holds so many days after the day it is given, 1 to 3650. 有效天数"

Kind = Annotated[TagKind | None, strawberry.argument(description="Only of this kind. 类型")]


@strawberry.input(description="A tag by its name in its group. 标签名称")
class TagNameInput:
    """(group, name) is one tag."""

    group_id: strawberry.ID = strawberry.field(description="Its group. 标签组 ID")
    name: str = strawberry.field(description="Its name, in any case. 名称")


@strawberry.input(description="Which tag: exactly one of these. 标签选择条件", one_of=True)
class TagSelector:
    """One way to name a tag."""

    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Its id. 全局 ID")
    named: strawberry.Maybe[TagNameInput] = strawberry.field(
        description="Its name in its group. 组内名称"
    )


@strawberry.type
class TagQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="One tag, archived or not; null where there is none. 标签",
        graphql_type=Tag | None,
        metadata={"rule": TAG_STAFF},
    )
    async def tag(
        self,
        info: Info,
        by: Annotated[TagSelector, strawberry.argument(description="Which one. 选择条件")],
    ) -> models.Tag | None:
        """By id or by its name in its group."""
        id_: str | None = by.id.value if by.id else None
        if by.named:
            named = by.named.value
            id_ = await info.context.run(repository.id_by_name, named.group_id, named.name.strip())
        return await info.context.load(repository.get_many, id_) if id_ else None

    @strawberry.field(
        description=(
            "Tags that are not archived: those of a kind, of a group, or all, each by name."
            " 标签列表"
        ),
        graphql_type=Connection[Tag],
        metadata={"rule": TAG_STAFF},
    )
    async def tags(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
        kind: Kind = None,
        group_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only of this group. 标签组 ID")
        ] = None,
    ) -> object:
        """The arguments choose the path."""
        if kind is not None and group_id is not None:
            raise Invalid("Name a kind or a group, not both", field=("groupId",))
        path: tuple[Any, ...] = (repository.page_of_kinds, _kinds(kind))
        if group_id is not None:
            path = (repository.page_of_group, group_id)
        return await paged(info.context, *path, first=first, after=after, reverse=reverse)

    @strawberry.field(
        description="Groups that are not archived: those of a kind, or all, each by name. 标签组",
        graphql_type=Connection[TagGroup],
        metadata={"rule": TAG_STAFF},
    )
    async def tag_groups(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
        kind: Kind = None,
    ) -> object:
        """Kind after kind."""
        return await paged(
            info.context,
            repository.groups_of_kinds,
            _kinds(kind),
            first=first,
            after=after,
            reverse=reverse,
        )

    @strawberry.field(
        description="One job; null where there is none that you may see. 打标任务",
        graphql_type=TagJob | None,
        metadata={"rule": TAG_STAFF},
    )
    async def tag_job(self, info: Info, id: Id) -> models.TagJob | None:
        """By id."""
        job = await info.context.load(repository.get_jobs, id)
        return visible_job(info.context.viewer, job) if job else None

    @strawberry.field(
        description="Jobs that you made, by time. 我的打标任务",
        graphql_type=Connection[TagJob],
        metadata={"rule": TAG_STAFF},
    )
    async def tag_jobs(
        self, info: Info, first: First = 20, after: After = None, reverse: Reverse = False
    ) -> object:
        """Of the viewer alone."""
        context = info.context
        page = repository.page_of_jobs
        return await paged(
            context, page, context.viewer.id, first=first, after=after, reverse=reverse
        )


def _kinds(kind: TagKind | None) -> tuple[TagKind, ...]:
    return tuple(TagKind) if kind is None else (kind,)


@strawberry.input(description="A new group of tags. 新建标签组")
class TagGroupCreateInput:
    """See service.GroupCreate."""

    name: str = strawberry.field(description="1 to 40 characters, unique. 名称")
    kind: TagKind = strawberry.field(description="What its tags are about, for good. 类型")
    exclusive: bool = strawberry.field(
        default=False, description="Whether a member has one of its tags at most. 是否单选"
    )
    description: str | None = strawberry.field(default=None, description="What it is for. 说明")


@strawberry.input(description="Changes of a group; what is left out stays. 修改标签组")
class TagGroupUpdateInput:
    """See service.GroupUpdate."""

    id: strawberry.ID = strawberry.field(description="Which group. 标签组 ID")
    name: strawberry.Maybe[str] = strawberry.field(description="1 to 40 characters. 名称")
    exclusive: strawberry.Maybe[bool] = strawberry.field(
        description="May become false, never true. 是否单选"
    )
    description: strawberry.Maybe[str | None] = strawberry.field(
        description="What it is for; null clears it. 说明"
    )
    expected_version: strawberry.Maybe[int] = strawberry.field(description=_VERSION)


@strawberry.input(description="A new tag. 新建标签")
class TagCreateInput:
    """See service.TagCreate."""

    group_id: strawberry.ID = strawberry.field(description="Its group, for good. 标签组 ID")
    name: str = strawberry.field(description="1 to 40 characters, unique in its group. 名称")
    description: str | None = strawberry.field(default=None, description="What it means. 说明")
    validity_days: int | None = strawberry.field(default=None, description=_VALIDITY)


@strawberry.input(description="Changes of a tag; what is left out stays. 修改标签")
class TagUpdateInput:
    """See service.TagUpdate."""

    id: strawberry.ID = strawberry.field(description="Which tag. 标签 ID")
    name: strawberry.Maybe[str] = strawberry.field(description="1 to 40 characters. 名称")
    description: strawberry.Maybe[str | None] = strawberry.field(
        description="What it means; null clears it. 说明"
    )
    validity_days: strawberry.Maybe[int | None] = strawberry.field(
        description=f"For those who get it from now on; null: for good. {_VALIDITY}"
    )
    expected_version: strawberry.Maybe[int] = strawberry.field(description=_VERSION)


@strawberry.input(description="Tags to give and to take; what is not named stays. 设置会员标签")
class MemberTagsSetInput:
    """See service.TagsSet."""

    member_id: strawberry.ID = strawberry.field(description="Which member. 会员 ID")
    add: list[strawberry.ID] = strawberry.field(default_factory=list, description=_ADD)
    remove: list[strawberry.ID] = strawberry.field(default_factory=list, description=_REMOVE)
    expires_on: date | None = strawberry.field(default=None, description=_EXPIRES)
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.input(description="Tags to give to many members. 批量打标")
class MemberTagsAddBulkInput:
    """See service.TagsAddBulk."""

    member_ids: list[strawberry.ID] = strawberry.field(description="At most 100. 会员 ID 列表")
    tag_ids: list[strawberry.ID] = strawberry.field(description=_ADD)
    expires_on: date | None = strawberry.field(default=None, description=_EXPIRES)
    reason: str | None = strawberry.field(default=None, description=_REASON)
    error_policy: ErrorPolicy = strawberry.field(
        default=ErrorPolicy.STOP, description="What to do after a refusal. 出错策略"
    )


@strawberry.input(description="Which members: exactly one of these. 会员范围", one_of=True)
class TagJobMembersSelector:
    """See service.Whose."""

    ids: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(
        description="These, at most 10,000. 会员 ID 列表"
    )
    store_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="Those of a home store. 门店 ID"
    )
    guide_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="Those of a guide. 导购 ID"
    )


@strawberry.input(description="A change of the tags of many members. 新建打标任务")
class TagJobCreateInput:
    """See service.JobCreate."""

    members: TagJobMembersSelector = strawberry.field(description="Whose tags. 会员范围")
    add: list[strawberry.ID] = strawberry.field(default_factory=list, description=_ADD)
    remove: list[strawberry.ID] = strawberry.field(default_factory=list, description=_REMOVE)
    expires_on: date | None = strawberry.field(default=None, description=_EXPIRES)
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.type(description="What became of a command on a group of tags. 标签组操作结果")
class TagGroupPayload:
    """The group, or why not."""

    group: TagGroup | None = changed_field("The group as it is now; null when refused. 标签组")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a command on a tag. 标签操作结果")
class TagPayload:
    """The tag, or why not."""

    tag: Tag | None = changed_field("The tag as it is now; null when refused. 标签")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a command on the tags of a member. 会员打标结果")
class TagsSetPayload:
    """The member, or why not."""

    member: Member | None = changed_field("The member as it is now; null when refused. 会员")
    changes: list[TagHistoryEntry] | None = changed_field(
        "What changed, tags of the same group that gave way too; null when refused. 标签变更"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of one member of a bulk command. 单个会员结果")
class MemberTagsResult:
    """The member, or why not."""

    member_id: strawberry.ID = field(rule=INHERITED, description="Which member. 会员 ID")
    member: Member | None = field(
        rule=INHERITED, description="The member as it is now; null when refused. 会员"
    )
    changes: list[TagHistoryEntry] = field(rule=INHERITED, description="What changed. 标签变更")
    error: UserError | None = field(
        rule=INHERITED, description="Why it was refused; null when done. 业务错误"
    )

    def __init__(self, outcome: service.Outcome, viewer: Viewer) -> None:
        changed = outcome.changed
        self.member_id = strawberry.ID(outcome.member_id)
        self.member = visible(viewer, changed.member) if changed else None  # type: ignore[assignment]  # shown as stored
        self.changes = list(changed.changes) if changed else []  # type: ignore[arg-type]  # shown as decided
        self.error = _first(outcome.refusal) if outcome.refusal else None


def _first(refusal: AppError) -> UserError:
    return user_errors(refusal)[0]


@strawberry.type(description="What became of a bulk command on tags. 批量打标结果")
class TagsAddBulkPayload:
    """The members one by one, or why not at all."""

    results: list[MemberTagsResult] | None = changed_field(
        "One for each member that was tried, in order; null when refused as a whole. 逐个结果"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a command on a job. 打标任务操作结果")
class TagJobPayload:
    """The job, or why not."""

    job: TagJob | None = changed_field("The job as it is now; null when refused. 打标任务")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class TagMutations:
    """Commands of this slice."""

    @mutation(TagGroupPayload, rule=TAG_WRITE, description="Add a group of tags. 新建标签组")
    def tag_group_create(
        self, info: Info, input: Annotated[TagGroupCreateInput, INPUT]
    ) -> models.TagGroup:
        """See service.create_group."""
        new = command(service.GroupCreate, input)
        return service.create_group(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(TagGroupPayload, rule=TAG_WRITE, description="Change a group of tags. 修改标签组")
    def tag_group_update(
        self, info: Info, input: Annotated[TagGroupUpdateInput, INPUT]
    ) -> models.TagGroup:
        """See service.update_group."""
        change = command(service.GroupUpdate, input)
        return service.update_group(change, viewer=info.context.viewer)

    @mutation(
        TagGroupPayload,
        rule=TAG_WRITE,
        description="Archive a group that has no tags left. 停用标签组",
    )
    def tag_group_archive(self, info: Info, id: Id) -> models.TagGroup:
        """See service.archive_group."""
        return service.archive_group(id, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(TagGroupPayload, rule=TAG_WRITE, description="Bring a group back. 恢复标签组")
    def tag_group_restore(self, info: Info, id: Id) -> models.TagGroup:
        """See service.restore_group."""
        return service.restore_group(id, viewer=info.context.viewer)

    @mutation(TagPayload, rule=TAG_WRITE, description="Add a tag to a group. 新建标签")
    def tag_create(self, info: Info, input: Annotated[TagCreateInput, INPUT]) -> models.Tag:
        """See service.create_tag."""
        new = command(service.TagCreate, input)
        return service.create_tag(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(TagPayload, rule=TAG_WRITE, description="Change a tag. 修改标签")
    def tag_update(self, info: Info, input: Annotated[TagUpdateInput, INPUT]) -> models.Tag:
        """See service.update_tag."""
        change = command(service.TagUpdate, input)
        return service.update_tag(change, viewer=info.context.viewer)

    @mutation(
        TagPayload,
        rule=TAG_WRITE,
        description="Archive a tag: nobody gets it any more, who has it keeps it. 停用标签",
    )
    def tag_archive(self, info: Info, id: Id) -> models.Tag:
        """See service.archive_tag."""
        return service.archive_tag(id, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(TagPayload, rule=TAG_WRITE, description="Have an archived tag given again. 恢复标签")
    def tag_restore(self, info: Info, id: Id) -> models.Tag:
        """See service.restore_tag."""
        return service.restore_tag(id, viewer=info.context.viewer)

    @mutation(
        TagsSetPayload,
        rule=TAG_ASSIGN,
        description=(
            "Give a member tags and take some away in one step; what is not named stays, but for"
            " the other tag of a group that allows one. 设置会员标签"
        ),
    )
    def member_tags_set(
        self, info: Info, input: Annotated[MemberTagsSetInput, INPUT]
    ) -> TagsSetPayload:
        """See service.set_tags."""
        context = info.context
        given = command(service.TagsSet, input)
        changed = service.set_tags(given, viewer=context.viewer, clock=context.clock)
        member = visible(context.viewer, changed.member)
        return TagsSetPayload(member=member, changes=changed.changes)  # type: ignore[arg-type]  # shown as stored

    @mutation(
        TagsAddBulkPayload,
        rule=TAG_ASSIGN,
        description="Give tags to up to a hundred members, each by itself. 批量打标",
    )
    def member_tags_add_bulk(
        self, info: Info, input: Annotated[MemberTagsAddBulkInput, INPUT]
    ) -> list[MemberTagsResult]:
        """See service.add_bulk."""
        context = info.context
        given = command(service.TagsAddBulk, input)
        outcomes = service.add_bulk(given, viewer=context.viewer, clock=context.clock)
        return [MemberTagsResult(outcome, context.viewer) for outcome in outcomes]

    @mutation(
        TagJobPayload,
        rule=TAG_ASSIGN,
        description="Have the tags of many members changed in the background. 新建打标任务",
    )
    def tag_job_create(
        self, info: Info, input: Annotated[TagJobCreateInput, INPUT]
    ) -> models.TagJob:
        """See service.create_job."""
        new = command(service.JobCreate, input)
        return service.create_job(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        TagJobPayload,
        rule=TAG_ASSIGN,
        description="End a job; what it has done stays done. 取消打标任务",
    )
    def tag_job_cancel(self, info: Info, id: Id) -> models.TagJob:
        """See service.cancel_job."""
        return service.cancel_job(id, viewer=info.context.viewer, clock=info.context.clock)
