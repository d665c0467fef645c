"""Access, as clients see it: tokens, staff accounts, API keys."""

from datetime import date, datetime
from typing import Any

import strawberry

from graphql_api.access import models, repository, rules
from graphql_api.access.rules import WeComClient
from graphql_api.context import Info
from graphql_api.kit.graphql import Node, field, relation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.permissions import KEY_MANAGE, STAFF_MANAGE
from graphql_api.stores import repository as stores
from graphql_api.stores.types import OrgUnit, Store
from graphql_api.viewer import MANAGE_KEYS, MANAGE_STAFF, DocumentPolicy, Role, Viewer

describe_enum(
    WeComClient,
    description="Where a WeCom code was made. 企业微信登录端",
    values={
        "MINI_PROGRAM": "In a mini-program, by `wx.qy.login()`. 小程序",
        "WEB": "On a web page, by OAuth or a scanned code. 网页",
    },
)
describe_enum(
    DocumentPolicy,
    description="Which documents a client may send. 查询策略",
    values={
        "TRUSTED": "Those of a published manifest, and no other. 仅限已发布清单",
        "OPEN": "Any, within the limits on cost. 开放",
        "INTERNAL": "Any; a system of our own, which pays from no bucket. 内部系统",
    },
)


@strawberry.type(description="What a client holds after a login. 令牌")
class Tokens:
    """Shows sessions.Tokens."""

    access_token: str = field(
        rule=INHERITED, description="For the Authorization header, two hours. 访问令牌"
    )
    expires_at: datetime = field(
        rule=INHERITED, description="When the access token ends. 访问令牌到期时间"
    )
    refresh_token: str = field(
        rule=INHERITED, description="Good for one `tokenRefresh`, within 30 days. 刷新令牌"
    )
    refresh_expires_at: datetime = field(
        rule=INHERITED, description="When the refresh token ends. 刷新令牌到期时间"
    )
    role: Role = field(rule=INHERITED, description="The role that it gives. 角色")
    principal_id: strawberry.ID = field(
        rule=INHERITED, description="Id of the member, guide or staff account. 身份 ID"
    )


@strawberry.type(description="What came of a login. 登录结果")
class Login:
    """Shows logins.Login."""

    tokens: Tokens | None = field(
        rule=INHERITED, description="Null for somebody who is no member yet. 令牌"
    )
    enrolment_token: str | None = field(
        rule=INHERITED,
        description="What they enrol with, by `memberEnrolSelf`, within ten minutes. 入会凭证",
    )
    is_new: bool = field(
        rule=INHERITED, description="Whether they became a member by this. 是否新会员"
    )


def account_visible(viewer: Viewer, account: models.StaffAccount) -> models.StaffAccount | None:
    """The row rule: whoever manages staff sees all accounts."""
    return account if rules.manages(viewer, MANAGE_STAFF) else None


def key_visible(viewer: Viewer, key: models.ApiKey) -> models.ApiKey | None:
    """The row rule: whoever manages keys sees all of them."""
    return key if rules.manages(viewer, MANAGE_KEYS) else None


@strawberry.type(description="A store manager or an operator who may log in. 员工账号")
class StaffAccount(Node):
    """Shows models.StaffAccount."""

    name: str = field(rule=STAFF_MANAGE, description="The name. 姓名")
    role: Role = field(rule=STAFF_MANAGE, description="STORE_MANAGER or OPERATOR. 角色")
    wecom_user_id: str = field(
        rule=STAFF_MANAGE, description="The user id in WeCom. 企业微信成员 UserID"
    )
    store: Store | None = relation(
        key="store_id",
        load=stores.get_many,
        rule=STAFF_MANAGE,
        description="The store of a store manager. 所在门店",
    )
    unit: OrgUnit | None = relation(
        key="org_unit_id",
        load=stores.get_units,
        rule=STAFF_MANAGE,
        description="The org unit of an operator. 所在组织",
    )
    scopes: list[str] = field(
        rule=STAFF_MANAGE, description="What they may do beyond their role. 权限范围"
    )
    created_at: datetime = field(rule=STAFF_MANAGE, description="When it was made. 创建时间")
    disabled_at: datetime | None = field(
        rule=STAFF_MANAGE, description="When it was disabled; null while it works. 停用时间"
    )
    version: int = field(
        rule=STAFF_MANAGE, description="Rises with every change; give it as `expectedVersion`. 版本"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.StaffAccount)


@strawberry.type(description="The key of another system; its secret is shown once. API 密钥")
class ApiKey(Node):
    """Shows models.ApiKey."""

    name: str = field(rule=KEY_MANAGE, description="What it is for. 名称")
    scopes: list[str] = field(rule=KEY_MANAGE, description="What it may do. 权限范围")
    documents: DocumentPolicy = field(
        rule=KEY_MANAGE,
        description="Which documents it may send. 查询策略",
        resolver=lambda root: root.document_policy or DocumentPolicy.OPEN,
    )
    created_at: datetime = field(rule=KEY_MANAGE, description="When it was made. 创建时间")
    created_by: strawberry.ID = field(rule=KEY_MANAGE, description="Who made it. 创建人 ID")
    expires_on: date | None = field(
        rule=KEY_MANAGE, description="Its last day; null for none. 有效期至"
    )
    last_used_at: datetime | None = field(
        rule=KEY_MANAGE, description="When it was used last, to the hour. 最近使用时间"
    )
    old_secret_until: datetime | None = field(
        rule=KEY_MANAGE, description="Until when the secret before this one works. 旧密钥有效至"
    )
    revoked_at: datetime | None = field(
        rule=KEY_MANAGE, description="When it was revoked; null while it works. 吊销时间"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.ApiKey)


registry.add("stf", repository.get_accounts, account_visible)
registry.add("key", repository.get_keys, key_visible)
