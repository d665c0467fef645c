"""Queries and mutations of members."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from graphql_api.connectors.wechat import security
from graphql_api.context import Info
from graphql_api.errors import Forbidden, Invalid, Refused
from graphql_api.kit import ids
from graphql_api.kit.graphql import (
    Connection,
    UserError,
    changed_field,
    command,
    errors_field,
    field,
    mutation,
    paged,
    relation,
)
from graphql_api.kit.graphql.arguments import INPUT, After, First, Id, Reverse
from graphql_api.kit.graphql.costs import LOOK_UP
from graphql_api.kit.graphql.scalars import MonthDay, PhoneNumber
from graphql_api.members import repository, rules, service
from graphql_api.members.rules import (
    ConsentChannel,
    ConsentPurpose,
    Gender,
    IdentityKind,
    SourceChannel,
)
from graphql_api.members.types import Member, Shown, visible
from graphql_api.permissions import (
    MEMBER_ARCHIVE,
    MEMBER_ENROL,
    MEMBER_FIELD,
    MEMBER_IDENTIFY,
    MEMBER_STAFF,
    MEMBER_WRITE,
    SIGNED_IN,
)
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store
from graphql_api.viewer import Role, Viewer

_ID = "Which member. 会员 ID"


@strawberry.input(description="An identity at some platform. 身份")
class IdentityInput:
    """See service.NewIdentity."""

    kind: IdentityKind = strawberry.field(description="Where it comes from. 类型")
    value: str = strawberry.field(description="The platform's own value, or a phone. 值")


@strawberry.input(description="Which member: exactly one of these. 会员选择条件", one_of=True)
class MemberSelector:
    """One way to name a member."""

    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Its id. 全局 ID")
    member_no: strawberry.Maybe[str] = strawberry.field(
        description="The number for people, with its check digit. 会员号"
    )
    phone: strawberry.Maybe[PhoneNumber] = strawberry.field(
        description="Phone. 手机号", directives=[LOOK_UP]
    )
    union_id: strawberry.Maybe[str] = strawberry.field(
        description="WeChat unionid. 开放平台 unionid", directives=[LOOK_UP]
    )
    identity: strawberry.Maybe[IdentityInput] = strawberry.field(
        description="Any identity. 任一身份", directives=[LOOK_UP]
    )


@strawberry.type(description="Who is asking. 当前身份")
class Me:
    """Shows a Viewer."""

    role: Role = field(rule=SIGNED_IN, description="The kind of viewer. 角色")
    id: strawberry.ID = field(rule=SIGNED_IN, description="The principal's own id. 身份 ID")
    scopes: list[str] = field(rule=SIGNED_IN, description="What the token may do. 权限范围")
    member: Member | None = relation(
        key="member_id",
        load=repository.get_many,
        visible=visible,
        rule=SIGNED_IN,
        description="The member, where a member is asking. 会员本人",
    )
    store: Store | None = relation(
        key="store_id",
        load=stores.get_many,
        rule=SIGNED_IN,
        description="The store of store staff. 所在门店",
    )

    def __init__(self, viewer: Viewer) -> None:
        self.role = viewer.role
        self.id = strawberry.ID(viewer.id)
        self.scopes = sorted(viewer.scopes)
        self.member_id = viewer.id if viewer.role is Role.MEMBER else None
        is_store_staff = viewer.role in {Role.GUIDE, Role.STORE_MANAGER}
        self.store_id = viewer.unit_id if is_store_staff else None


def id_of(by: MemberSelector, *, at: tuple[str, ...] = ("by",)) -> str | None:
    """The id behind a selector, read from claims or the number; None where nobody fits.

    Raises Invalid for what cannot be an identity; `at` is where the selector stands.
    """
    if by.id:
        id_ = str(by.id.value)
        return id_ if ids.prefix_of(id_) == "mbr" else None
    if by.member_no:
        number = rules.number_of(by.member_no.value)
        return None if number is None else repository.id_by_number(number)
    return service.find([_identity(by, at)])


def _identity(by: MemberSelector, at: tuple[str, ...]) -> service.NewIdentity:
    field: tuple[str, ...]
    if by.phone:
        kind, value, field = IdentityKind.PHONE, str(by.phone.value), ("phone",)
    elif by.union_id:
        kind, value, field = IdentityKind.UNIONID, by.union_id.value, ("unionId",)
    else:
        assert by.identity is not None
        given = by.identity.value
        kind, value, field = given.kind, given.value, ("identity", "value")
    try:
        return command(service.NewIdentity, IdentityInput(kind=kind, value=value))
    except Refused as refusal:
        raise Invalid(refusal.message, field=(*at, *field)) from None


@strawberry.type
class MemberQueries:
    """Root fields of this slice."""

    @strawberry.field(description="Who is asking. 当前身份", metadata={"rule": SIGNED_IN})
    def me(self, info: Info) -> Me:
        """The viewer."""
        return Me(info.context.viewer)

    @strawberry.field(
        description="One member; null where there is none that you may see. 会员",
        graphql_type=Member | None,
        metadata={"rule": MEMBER_FIELD},
    )
    async def member(
        self,
        info: Info,
        by: Annotated[MemberSelector, strawberry.argument(description="Which one. 选择条件")],
    ) -> Shown:
        """By id, number, phone or another identity."""
        context = info.context
        id_ = await context.run(id_of, by)
        item = await context.load(repository.get_many, id_) if id_ else None
        return visible(context.viewer, item) if item else None

    @strawberry.field(
        description=(
            "Members within your scope: all by number, those of a store or of a guide by joining"
            " time. 会员列表"
        ),
        graphql_type=Connection[Member],
        metadata={"rule": MEMBER_STAFF},
    )
    async def members(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
        store_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Of this home store. 归属门店")
        ] = None,
        guide_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Of this guide. 专属导购")
        ] = None,
    ) -> object:
        """Scope chooses the path."""
        context = info.context
        path, *args = _path(context.viewer, store_id, guide_id)
        return await paged(
            context, path, *args, first=first, after=after, reverse=reverse, visible=visible
        )


def _path(viewer: Viewer, store_id: str | None, guide_id: str | None) -> tuple[Any, ...]:
    """The access path that a viewer's scope and the arguments lead to, with its arguments."""
    _require_kind("storeId", store_id, "sto")
    _require_kind("guideId", guide_id, "gde")
    if store_id is not None and guide_id is not None:
        raise Invalid("Name a store or a guide, not both", field=("guideId",))
    if viewer.role is Role.GUIDE:
        if store_id is not None:
            raise Forbidden("A guide lists members of their own", field=("storeId",))
        if guide_id not in {None, viewer.id}:
            raise Forbidden("These are another guide's members", field=("guideId",))
        return repository.page_of_guide, viewer.id
    if store_id is not None and not viewer.reaches_store(store_id):
        raise Forbidden("This store is outside your scope", field=("storeId",))
    if guide_id is not None:
        return repository.page_of_guide, guide_id
    if store_id is not None:
        return repository.page_of_store, store_id
    if viewer.store_ids is not None:
        return repository.page_of_stores, tuple(sorted(viewer.store_ids))
    return (repository.page_of_all,)


def _require_kind(argument: str, id_: str | None, prefix: str) -> None:
    if id_ is not None and ids.prefix_of(id_) != prefix:
        raise Invalid(f"`{argument}` is the id of something else", field=(argument,))


@strawberry.input(description="An agreement with the text that was shown. 授权同意")
class ConsentInput:
    """See service.NewConsent."""

    purpose: ConsentPurpose = strawberry.field(description="What for. 目的")
    channel: ConsentChannel = strawberry.field(
        default=ConsentChannel.ANY, description="Through which channel. 渠道"
    )
    text_version: str = strawberry.field(description="Version of the text. 文本版本")
    at: datetime | None = strawberry.field(
        default=None, description="When; the time of joining by default. 时间"
    )


@strawberry.input(description="A new member. 会员入会")
class MemberEnrolInput:
    """See service.Enrol."""

    identities: list[IdentityInput] = strawberry.field(
        description="At least one identity; at most one phone. 身份"
    )
    store_id: strawberry.ID | None = strawberry.field(
        default=None, description="The store joined; store staff may leave it out. 入会门店"
    )
    home_store_id: strawberry.ID | None = strawberry.field(
        default=None, description="The home store, where it is another one. 归属门店"
    )
    guide_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="A guide of the home store; a guide who enrols may leave it out. 导购",
    )
    source: SourceChannel = strawberry.field(
        default=SourceChannel.STORE, description="Through which door. 来源渠道"
    )
    joined_at: datetime | None = strawberry.field(
        default=None, description="When; now by default, earlier only for headquarters. 入会时间"
    )
    name: str | None = strawberry.field(default=None, description="Name. 姓名")
    nickname: str | None = strawberry.field(default=None, description="Nickname. 昵称")
    gender: Gender | None = strawberry.field(default=None, description="Gender. 性别")
    birthday: MonthDay | None = strawberry.field(default=None, description="Birthday. 生日")
    birth_year: int | None = strawberry.field(default=None, description="Year of birth. 出生年份")
    city: str | None = strawberry.field(default=None, description="City. 城市")
    occupation: str | None = strawberry.field(default=None, description="Occupation. 职业")
    income_band: str | None = strawberry.field(default=None, description="Income band. 收入档")
    consents: list[ConsentInput] = strawberry.field(
        default_factory=list, description="What the member agreed to. 授权同意"
    )


@strawberry.input(description="Changes of a member; what is left out stays. 修改会员")
class MemberUpdateInput:
    """See service.Update."""

    id: strawberry.ID = strawberry.field(description=_ID)
    name: strawberry.Maybe[str | None] = strawberry.field(description="Name. 姓名")
    nickname: strawberry.Maybe[str | None] = strawberry.field(description="Nickname. 昵称")
    gender: strawberry.Maybe[Gender | None] = strawberry.field(description="Gender. 性别")
    birthday: strawberry.Maybe[MonthDay | None] = strawberry.field(description="Birthday. 生日")
    birth_year: strawberry.Maybe[int | None] = strawberry.field(
        description="Year of birth. 出生年份"
    )
    city: strawberry.Maybe[str | None] = strawberry.field(description="City. 城市")
    occupation: strawberry.Maybe[str | None] = strawberry.field(description="Occupation. 职业")
    income_band: strawberry.Maybe[str | None] = strawberry.field(description="Income band. 收入档")
    store_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="Move to this home store; for managers and headquarters. 归属门店"
    )
    expected_version: strawberry.Maybe[int] = strawberry.field(
        description="Refuse with CONFLICT when it has changed since. 期望版本"
    )


@strawberry.input(description="Give or withdraw one agreement. 设置授权同意")
class MemberConsentSetInput:
    """See service.ConsentSet."""

    member_id: strawberry.ID = strawberry.field(description=_ID)
    purpose: ConsentPurpose = strawberry.field(description="What for. 目的")
    channel: ConsentChannel = strawberry.field(
        default=ConsentChannel.ANY, description="Through which channel. 渠道"
    )
    granted: bool = strawberry.field(description="Given or withdrawn. 同意或撤回")
    text_version: str = strawberry.field(description="Version of the text shown. 文本版本")
    source: SourceChannel | None = strawberry.field(
        default=None, description="Through which door the member said so. 来源渠道"
    )


@strawberry.input(description="An identity of a member to add or remove. 会员身份")
class MemberIdentityInput:
    """See service.IdentityChange."""

    member_id: strawberry.ID = strawberry.field(description=_ID)
    identity: IdentityInput = strawberry.field(description="Which identity. 身份")


@strawberry.type(description="What became of a command on a member. 会员操作结果")
class MemberPayload:
    """The member, or why not."""

    member: Member | None = changed_field("The member as it is now; null when refused. 会员")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class MemberMutations:
    """Commands of this slice."""

    @mutation(
        MemberPayload,
        rule=MEMBER_ENROL,
        description="Enrol a new member; an identity that somebody holds is refused. 会员入会",
    )
    def member_enrol(self, info: Info, input: Annotated[MemberEnrolInput, INPUT]) -> Shown:
        """See service.enrol."""
        context = info.context
        new = command(service.Enrol, input)
        return visible(
            context.viewer, service.enrol(new, viewer=context.viewer, clock=context.clock)
        )

    @mutation(
        MemberPayload, rule=MEMBER_WRITE, description="Change a member's profile. 修改会员资料"
    )
    def member_update(self, info: Info, input: Annotated[MemberUpdateInput, INPUT]) -> Shown:
        """See service.update."""
        viewer = info.context.viewer
        given = command(service.Update, input)
        if viewer.role is Role.MEMBER:
            openid = service.openid_of(viewer.id)
            for name in given.model_fields_set & {"nickname", "name"}:
                security.require_decent(openid, getattr(given, name), ("input", name))
        return visible(viewer, service.update(given, viewer=viewer))

    @mutation(
        MemberPayload,
        rule=MEMBER_WRITE,
        description="Record that a member agrees, or no longer does. 设置授权同意",
    )
    def member_consent_set(
        self, info: Info, input: Annotated[MemberConsentSetInput, INPUT]
    ) -> Shown:
        """See service.set_consent."""
        context = info.context
        given = command(service.ConsentSet, input)
        return visible(
            context.viewer, service.set_consent(given, viewer=context.viewer, clock=context.clock)
        )

    @mutation(
        MemberPayload,
        rule=MEMBER_IDENTIFY,
        description="Give a member an identity; a new phone replaces the old. 添加身份",
    )
    def member_identity_add(
        self, info: Info, input: Annotated[MemberIdentityInput, INPUT]
    ) -> Shown:
        """See service.add_identity."""
        viewer = info.context.viewer
        given = command(service.IdentityChange, input)
        return visible(viewer, service.add_identity(given, viewer=viewer))

    @mutation(
        MemberPayload,
        rule=MEMBER_IDENTIFY,
        description="Take an identity from a member; the last one stays. 移除身份",
    )
    def member_identity_remove(
        self, info: Info, input: Annotated[MemberIdentityInput, INPUT]
    ) -> Shown:
        """See service.remove_identity."""
        viewer = info.context.viewer
        given = command(service.IdentityChange, input)
        return visible(viewer, service.remove_identity(given, viewer=viewer))

    @mutation(
        MemberPayload,
        rule=MEMBER_ARCHIVE,
        description="End a membership: out of the lists, still found by identity. 会员退会",
    )
    def member_archive(self, info: Info, id: Id) -> Shown:
        """See service.archive."""
        context = info.context
        return visible(
            context.viewer, service.archive(id, viewer=context.viewer, clock=context.clock)
        )

    @mutation(MemberPayload, rule=MEMBER_ARCHIVE, description="Resume a membership. 恢复会员")
    def member_restore(self, info: Info, id: Id) -> Shown:
        """See service.restore."""
        viewer = info.context.viewer
        return visible(viewer, service.restore(id, viewer=viewer))
