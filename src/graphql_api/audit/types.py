"""The audit log, as operators see it."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from graphql_api.audit import models
from graphql_api.audit.rules import AuditAction
from graphql_api.context import Info
from graphql_api.kit.graphql import field, relation
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.members import repository as members
from graphql_api.members.types import Member, visible
from graphql_api.permissions import AUDIT_READ
from graphql_api.viewer import Role

describe_enum(
    AuditAction,
    description="What somebody did with personal data. 操作",
    values={
        "READ": "Saw it in full. 查看明文",
        "ENROLLED": "Enrolled the member. 入会",
        "CHANGED": "Changed the profile. 修改资料",
        "CONSENT_GIVEN": "Recorded an agreement. 记录同意",
        "CONSENT_WITHDRAWN": "Recorded a withdrawal. 记录撤回同意",
        "IDENTITY_ADDED": "Gave the member an identity. 添加身份",
        "IDENTITY_REMOVED": "Took an identity away. 移除身份",
        "ARCHIVED": "Ended the membership. 退会",
        "RESTORED": "Resumed the membership. 恢复会员",
        "MERGED": "Merged two members. 合并会员",
        "EXPORTED": "Exported all that is held. 导出个人信息",
        "ERASED": "Erased the person. 删除个人信息",
    },
)


def _fields(root: strawberry.Parent[models.AuditEntry]) -> list[str]:
    """Stored names as clients know them; kinds of identities and consents as they are."""
    return [to_camel_case(name) if name.islower() else name for name in root.fields]


@strawberry.type(description="Somebody read or changed personal data of a member. 审计记录")
class AuditEntry:
    """Shows models.AuditEntry."""

    at: datetime = field(rule=AUDIT_READ, description="When. 时间")
    action: AuditAction = field(rule=AUDIT_READ, description="What was done. 操作")
    actor_id: strawberry.ID = field(
        rule=AUDIT_READ, description="Who: a guide, account, key or member. 操作人 ID"
    )
    actor_role: Role = field(rule=AUDIT_READ, description="In which role. 操作人角色")
    member_id: strawberry.ID = field(
        rule=AUDIT_READ, description="Whose data; stays when the person was erased. 会员 ID"
    )
    member: Annotated[Member, strawberry.lazy("graphql_api.members.types")] | None = relation(
        key="member_id",
        load=members.get_many,
        visible=visible,
        rule=AUDIT_READ,
        description="Whose data; null where it was erased or is out of your scope. 会员",
    )
    fields: list[str] = field(
        rule=AUDIT_READ,
        description="Which data, by name; never a value. 涉及的字段",
        resolver=_fields,
    )
    request_id: str | None = field(
        rule=AUDIT_READ, description="The request, as `x-request-id` names it. 请求 ID"
    )
    operation: str | None = field(
        rule=AUDIT_READ, description="What the client calls its operation. 操作名"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.AuditEntry)
