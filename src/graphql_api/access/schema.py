"""Queries and mutations of access."""

from datetime import date
from typing import Annotated

import strawberry

from graphql_api.access import models, repository, rules, service
from graphql_api.access.rules import WeComClient
from graphql_api.access.types import (
    ApiKey,
    Login,
    StaffAccount,
    Tokens,
    account_visible,
    key_visible,
)
from graphql_api.connectors.wechat import client as wechat
from graphql_api.connectors.wechat import security
from graphql_api.connectors.wecom import client as wecom
from graphql_api.context import Info
from graphql_api.errors import Forbidden
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
from graphql_api.kit.graphql.keys import KeyUse
from graphql_api.kit.graphql.scalars import MonthDay
from graphql_api.kit.time import real_now
from graphql_api.members.rules import Gender
from graphql_api.members.schema import ConsentInput
from graphql_api.permissions import ANYONE, KEY_MANAGE, SESSION_END, STAFF_MANAGE
from graphql_api.viewer import MANAGE_KEYS, MANAGE_STAFF, DocumentPolicy, Role

_WECOM_USER_ID = "The user id in WeCom. 企业微信成员 UserID"
_SCOPES = "What they may do beyond their role. 权限范围"
_STAFF_ROLE = "STORE_MANAGER or OPERATOR. 角色"
_UNIT_ID = "The store of a manager, the org unit of an operator. 门店或组织 ID"


@strawberry.type
class AccessQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="Staff accounts by number, disabled ones too. 员工账号列表",
        graphql_type=Connection[StaffAccount],
        metadata={"rule": STAFF_MANAGE},
    )
    async def staff_accounts(
        self, info: Info, first: First = 20, after: After = None, reverse: Reverse = False
    ) -> object:
        """All of them."""
        if not rules.manages(info.context.viewer, MANAGE_STAFF):
            raise Forbidden("Headquarters manage staff accounts")
        return await paged(
            info.context,
            repository.page_of_accounts,
            first=first,
            after=after,
            reverse=reverse,
            visible=account_visible,
        )

    @strawberry.field(
        description="API keys by time of creation, revoked ones too. API 密钥列表",
        graphql_type=Connection[ApiKey],
        metadata={"rule": KEY_MANAGE},
    )
    async def api_keys(
        self, info: Info, first: First = 20, after: After = None, reverse: Reverse = False
    ) -> object:
        """All of them."""
        if not rules.manages(info.context.viewer, MANAGE_KEYS):
            raise Forbidden("Headquarters manage API keys")
        return await paged(
            info.context,
            repository.page_of_keys,
            first=first,
            after=after,
            reverse=reverse,
            visible=key_visible,
        )


@strawberry.input(description="A login by WeChat. 微信登录")
class LoginWithWeChatInput:
    """See service.logins.WeChatLogin."""

    code: str = strawberry.field(description="What `wx.login()` gave. 登录凭证")
    phone_code: str | None = strawberry.field(
        default=None, description="What the phone button gave, where pressed. 手机号凭证"
    )


@strawberry.input(description="A login by WeCom. 企业微信登录")
class LoginWithWeComInput:
    """See service.logins.WeComLogin."""

    code: str = strawberry.field(description="What WeCom gave. 登录凭证")
    client: WeComClient = strawberry.field(
        default=WeComClient.MINI_PROGRAM, description="Where the code was made. 登录端"
    )
    role: Role | None = strawberry.field(
        default=None,
        description="GUIDE, STORE_MANAGER or OPERATOR, for people who have several. 角色",
    )


@strawberry.input(description="A refresh of tokens. 刷新令牌")
class TokenRefreshInput:
    """See service.sessions.TokenRefresh."""

    refresh_token: str = strawberry.field(description="The one given out last. 刷新令牌")


_SCENE = (
    "The `scene` of the code that they scanned, as the page got it; one of nobody's counts for"
    " nothing. 场景值"
)
_CONSENTS = "What the member agrees to, as of now. 授权同意"


@strawberry.input(description="A member who enrols by themselves. 自助入会")
class MemberEnrolSelfInput:
    """See service.joining.EnrolSelf."""

    enrolment_token: str = strawberry.field(description="What the login gave. 入会凭证")
    scene: str | None = strawberry.field(default=None, description=_SCENE)
    store_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The store to join; that of the scanned code by default. 入会门店",
    )
    guide_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="A guide of this store; that of the scanned code by default. 导购",
    )
    name: str | None = strawberry.field(default=None, description="Name. 姓名")
    nickname: str | None = strawberry.field(default=None, description="Nickname. 昵称")
    gender: Gender | None = strawberry.field(default=None, description="Gender. 性别")
    birthday: MonthDay | None = strawberry.field(default=None, description="Birthday. 生日")
    birth_year: int | None = strawberry.field(default=None, description="Year of birth. 出生年份")
    city: str | None = strawberry.field(default=None, description="City. 城市")
    occupation: str | None = strawberry.field(default=None, description="Occupation. 职业")
    income_band: str | None = strawberry.field(default=None, description="Income band. 收入档")
    consents: list[ConsentInput] = strawberry.field(default_factory=list, description=_CONSENTS)


@strawberry.input(description="Login, phone, consents and the scanned code in one step. 一步入会")
class MemberJoinInput:
    """See service.joining.Join."""

    code: str = strawberry.field(description="What `wx.login()` gave. 登录凭证")
    phone_code: str | None = strawberry.field(
        default=None, description="What the phone button gave, where pressed. 手机号凭证"
    )
    scene: str | None = strawberry.field(default=None, description=_SCENE)
    store_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The store that somebody new joins; that of the scanned code by default."
        " 入会门店",
    )
    nickname: str | None = strawberry.field(
        default=None, description="Nickname of somebody new. 昵称"
    )
    consents: list[ConsentInput] = strawberry.field(
        default_factory=list,
        description="What somebody new agrees to, as of now, with the version of the text."
        " 授权同意",
    )


@strawberry.input(description="A new staff account. 新建员工账号")
class StaffAccountCreateInput:
    """See service.staff.StaffAccountCreate."""

    name: str = strawberry.field(description="The name, 1 to 80 characters. 姓名")
    wecom_user_id: str = strawberry.field(description=_WECOM_USER_ID)
    role: Role = strawberry.field(description=_STAFF_ROLE)
    unit_id: strawberry.ID = strawberry.field(description=_UNIT_ID)
    scopes: list[str] = strawberry.field(default_factory=list, description=_SCOPES)


@strawberry.input(description="Changes of a staff account; what is left out stays. 修改员工账号")
class StaffAccountUpdateInput:
    """See service.staff.StaffAccountUpdate."""

    id: strawberry.ID = strawberry.field(description="Which account. 员工账号 ID")
    name: strawberry.Maybe[str] = strawberry.field(description="The name. 姓名")
    wecom_user_id: strawberry.Maybe[str] = strawberry.field(description=_WECOM_USER_ID)
    role: strawberry.Maybe[Role] = strawberry.field(description=_STAFF_ROLE)
    unit_id: strawberry.Maybe[strawberry.ID] = strawberry.field(description=_UNIT_ID)
    scopes: strawberry.Maybe[list[str]] = strawberry.field(description=_SCOPES)
    expected_version: strawberry.Maybe[int] = strawberry.field(
        description="Refuse with CONFLICT when it has changed since. 期望版本"
    )


@strawberry.input(description="A new API key. 新建 API 密钥")
class ApiKeyCreateInput:
    """See service.keys.ApiKeyCreate."""

    name: str = strawberry.field(description="What it is for, 1 to 80 characters. 名称")
    scopes: list[str] = strawberry.field(description="What it may do, at least one. 权限范围")
    documents: DocumentPolicy = strawberry.field(
        default=DocumentPolicy.OPEN, description="Which documents it may send. 查询策略"
    )
    expires_on: date | None = strawberry.field(
        default=None, description="Its last day; none by default. 有效期至"
    )


@strawberry.input(description="A new secret for an API key. 轮换 API 密钥")
class ApiKeyRotateInput:
    """See service.keys.ApiKeyRotate."""

    id: strawberry.ID = strawberry.field(description="Which key. 密钥 ID")
    grace_hours: int = strawberry.field(
        default=0, description="How long the present secret still works, 0 to 72. 旧密钥宽限小时数"
    )


@strawberry.type(description="What became of a login. 登录操作结果")
class LoginPayload:
    """The login, or why not."""

    login: Login | None = changed_field("What came of it; null when refused. 登录结果")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a refresh. 刷新操作结果")
class TokenPayload:
    """The tokens, or why not."""

    tokens: Tokens | None = changed_field("The new tokens; null when refused. 令牌")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of sessions. 会话操作结果")
class SessionPayload:
    """How much, or why not."""

    ended_sessions: int | None = changed_field(
        "How many sessions were ended; null when refused. 结束的会话数"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a command on a staff account. 员工账号操作结果")
class StaffAccountPayload:
    """The account, or why not."""

    staff_account: StaffAccount | None = changed_field(
        "The account as it is now; null when refused. 员工账号"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a command on an API key. API 密钥操作结果")
class ApiKeyPayload:
    """The key, this once what its holder sends, or why not."""

    api_key: ApiKey | None = changed_field("The key as it is now; null when refused. API 密钥")
    key: str | None = field(
        rule=INHERITED,
        description="What its holder sends, where it is new; never shown again. 密钥明文",
        default=None,
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class AccessMutations:
    """Commands of this slice."""

    @mutation(
        LoginPayload,
        rule=ANYONE,
        description="Log a member in by WeChat, or give them what to enrol with. 微信登录",
        key=KeyUse.SHOWN_ONCE,
    )
    def login_with_we_chat(
        self, input: Annotated[LoginWithWeChatInput, INPUT]
    ) -> service.logins.Login:
        """See service.logins.with_wechat."""
        given = command(service.logins.WeChatLogin, input)
        return service.logins.with_wechat(given, ask=wechat.who_is, at=real_now())

    @mutation(
        LoginPayload,
        rule=ANYONE,
        description="Log a guide or a staff account in by WeCom. 企业微信登录",
        key=KeyUse.SHOWN_ONCE,
    )
    def login_with_we_com(
        self, info: Info, input: Annotated[LoginWithWeComInput, INPUT]
    ) -> service.logins.Login:
        """See service.logins.with_wecom."""
        given = command(service.logins.WeComLogin, input)
        clock = info.context.clock
        return service.logins.with_wecom(given, ask=wecom.who_is, clock=clock, at=real_now())

    @mutation(
        LoginPayload,
        rule=ANYONE,
        description="Enrol after a login that found no member, and be logged in. 自助入会",
        key=KeyUse.SHOWN_ONCE,
    )
    def member_enrol_self(
        self, info: Info, input: Annotated[MemberEnrolSelfInput, INPUT]
    ) -> service.logins.Login:
        """See service.joining.enrol_self."""
        new = command(service.joining.EnrolSelf, input)
        clock, check = info.context.clock, security.require_decent
        return service.joining.enrol_self(new, clock=clock, at=real_now(), check=check)

    @mutation(
        LoginPayload,
        rule=ANYONE,
        description=(
            "Log in or enrol in one step: who is known, by the phone too, is found and keeps store"
            " and guide; who is new joins the store and the guide of the code they scanned. Without"
            " a store, somebody new gets an `enrolmentToken`. 一步入会"
        ),
        key=KeyUse.SHOWN_ONCE,
    )
    def member_join(
        self, info: Info, input: Annotated[MemberJoinInput, INPUT]
    ) -> service.logins.Login:
        """See service.joining.join."""
        new = command(service.joining.Join, input)
        return service.joining.join(
            new,
            ask=wechat.who_is,
            clock=info.context.clock,
            at=real_now(),
            check=security.require_decent,
        )

    @mutation(
        TokenPayload,
        rule=ANYONE,
        description="New tokens for a refresh token, which is then void. 刷新令牌",
        key=KeyUse.SHOWN_ONCE,
    )
    def token_refresh(self, input: Annotated[TokenRefreshInput, INPUT]) -> service.sessions.Tokens:
        """See service.sessions.refresh."""
        return service.sessions.refresh(
            command(service.sessions.TokenRefresh, input), at=real_now()
        )

    @mutation(SessionPayload, rule=SESSION_END, description="End this session. 退出登录")
    def logout(self, info: Info) -> int:
        """See service.sessions.log_out."""
        return service.sessions.log_out(viewer=info.context.viewer, at=real_now())

    @mutation(
        SessionPayload,
        rule=SESSION_END,
        description="End all of one's sessions, and void every token. 退出所有设备",
    )
    def logout_everywhere(self, info: Info) -> int:
        """See service.sessions.log_out_everywhere."""
        return service.sessions.log_out_everywhere(viewer=info.context.viewer, at=real_now())

    @mutation(
        StaffAccountPayload,
        rule=STAFF_MANAGE,
        description="Let a store manager or an operator in. 新建员工账号",
    )
    def staff_account_create(
        self, info: Info, input: Annotated[StaffAccountCreateInput, INPUT]
    ) -> models.StaffAccount:
        """See service.staff.create."""
        new = command(service.staff.StaffAccountCreate, input)
        return service.staff.create(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        StaffAccountPayload,
        rule=STAFF_MANAGE,
        description="Change a staff account; it holds at once. 修改员工账号",
    )
    def staff_account_update(
        self, info: Info, input: Annotated[StaffAccountUpdateInput, INPUT]
    ) -> models.StaffAccount:
        """See service.staff.update."""
        change = command(service.staff.StaffAccountUpdate, input)
        return service.staff.update(change, viewer=info.context.viewer)

    @mutation(
        StaffAccountPayload,
        rule=STAFF_MANAGE,
        description="Let an account in no more: its tokens stop working. 停用员工账号",
    )
    def staff_account_disable(self, info: Info, id: Id) -> models.StaffAccount:
        """See service.staff.disable."""
        context = info.context
        return service.staff.disable(id, viewer=context.viewer, clock=context.clock, at=real_now())

    @mutation(
        StaffAccountPayload, rule=STAFF_MANAGE, description="Let an account in again. 启用员工账号"
    )
    def staff_account_enable(self, info: Info, id: Id) -> models.StaffAccount:
        """See service.staff.enable."""
        return service.staff.enable(id, viewer=info.context.viewer)

    @mutation(
        ApiKeyPayload,
        rule=KEY_MANAGE,
        description="Make an API key; its secret is shown this once. 新建 API 密钥",
        key=KeyUse.SHOWN_ONCE,
    )
    def api_key_create(
        self, info: Info, input: Annotated[ApiKeyCreateInput, INPUT]
    ) -> ApiKeyPayload:
        """See service.keys.create."""
        context = info.context
        new = command(service.keys.ApiKeyCreate, input)
        made = service.keys.create(new, viewer=context.viewer, clock=context.clock, at=real_now())
        return _shown_once(made)

    @mutation(
        ApiKeyPayload,
        rule=KEY_MANAGE,
        description="Give an API key a new secret, shown this once. 轮换 API 密钥",
        key=KeyUse.SHOWN_ONCE,
    )
    def api_key_rotate(
        self, info: Info, input: Annotated[ApiKeyRotateInput, INPUT]
    ) -> ApiKeyPayload:
        """See service.keys.rotate."""
        given = command(service.keys.ApiKeyRotate, input)
        return _shown_once(service.keys.rotate(given, viewer=info.context.viewer, at=real_now()))

    @mutation(
        ApiKeyPayload, rule=KEY_MANAGE, description="Make an API key stop working. 吊销 API 密钥"
    )
    def api_key_revoke(self, info: Info, id: Id) -> models.ApiKey:
        """See service.keys.revoke."""
        return service.keys.revoke(id, viewer=info.context.viewer, at=real_now())


def _shown_once(made: service.keys.IssuedKey) -> ApiKeyPayload:
    shown: ApiKey = made.api_key  # type: ignore[assignment]  # the stored item, seen through its type
    return ApiKeyPayload(api_key=shown, key=made.key)
