"""Exports and erasures, as the member and headquarters see them."""

from datetime import datetime
from typing import Any

import strawberry

from graphql_api.audit import rules as audit_rules
from graphql_api.context import Info
from graphql_api.kit import files
from graphql_api.kit.graphql import Node, field
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import URL
from graphql_api.permissions import PRIVACY
from graphql_api.privacy import models, repository, rules
from graphql_api.privacy.parts import PARTS
from graphql_api.privacy.rules import JobState
from graphql_api.viewer import Role, Viewer

describe_enum(
    JobState,
    name="PrivacyJobState",
    description="How far an export or an erasure is. 任务状态",
    values={
        "WAITING": "Not begun. 等待",
        "IN_PROGRESS": "Under way. 进行中",
        "DONE": "Done. 完成",
    },
)

Job = models.Export | models.Erasure


def visible(viewer: Viewer, job: Job) -> Job | None:
    """The row rule: for the person, and for headquarters that see names."""
    return job if rules.may_ask(viewer, job.member_ids) else None


async def _link(root: strawberry.Parent[models.Export], info: Info) -> Any:
    context = info.context
    if root.file_until is None or context.clock.now() >= root.file_until:
        return None
    if (request := context.viewer.request) and audit_rules.reads_are_noted(context.viewer):
        request.shown.setdefault(root.member_id, set()).add("export")
    key, name = models.file_key(root.id), f"{root.member_id}.json"
    return await context.run(files.link, key, name=name, lifetime=rules.LINK_HOLDS)


def _parts_done(root: strawberry.Parent[models.Erasure]) -> int:
    return len(PARTS) if root.state is JobState.DONE else int(root.part)


del _link.__annotations__["return"]


@strawberry.type(description="All that is held on a person, gathered into a file. 个人信息导出")
class MemberExport(Node):
    """Shows models.Export."""

    state: JobState = field(rule=PRIVACY, description="How far it is. 状态")
    member_id: strawberry.ID = field(rule=PRIVACY, description="Whose data. 会员 ID")
    by_role: Role = field(rule=PRIVACY, description="Role of who asked. 申请人角色")
    rows: int = field(rule=PRIVACY, description="Entries gathered so far. 已收集条数")
    size: int | None = field(rule=PRIVACY, description="Bytes of the file. 文件大小")
    link: URL | None = field(
        rule=PRIVACY,
        description=(
            "Where the file is fetched, by whoever has the link, for 15 minutes; null until it is"
            " done and after `fileUntil`. 下载链接"
        ),
        resolver=_link,
    )
    file_until: datetime | None = field(
        rule=PRIVACY, description="Until when there are links to the file. 文件有效期"
    )
    created_at: datetime = field(rule=PRIVACY, description="When it was asked for. 申请时间")
    started_at: datetime | None = field(rule=PRIVACY, description="When it began. 开始时间")
    finished_at: datetime | None = field(rule=PRIVACY, description="When it ended. 结束时间")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Export)


@strawberry.type(
    description="A person is erased: the member at once, the rest part by part. 个人信息删除"
)
class MemberErasure(Node):
    """Shows models.Erasure."""

    state: JobState = field(rule=PRIVACY, description="How far it is. 状态")
    member_id: strawberry.ID = field(rule=PRIVACY, description="The id that is no more. 会员 ID")
    by_role: Role = field(rule=PRIVACY, description="Role of who asked. 申请人角色")
    round: int = field(
        rule=PRIVACY, description="Which round it is in; one that finds nothing is the last. 轮次"
    )
    parts_done: int = field(
        rule=PRIVACY,
        description="Parts gone through in this round. 已完成部分",
        resolver=_parts_done,
    )
    created_at: datetime = field(
        rule=PRIVACY, description="When member, profile and identities went. 删除时间"
    )
    started_at: datetime | None = field(rule=PRIVACY, description="When the rest began. 开始时间")
    finished_at: datetime | None = field(rule=PRIVACY, description="When it ended. 结束时间")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Erasure)


registry.add("exp", repository.get_exports, visible)
registry.add("era", repository.get_erasures, visible)
