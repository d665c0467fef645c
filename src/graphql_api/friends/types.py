"""Friends of guides, as clients see them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from graphql_api.codes import repository as codes
from graphql_api.codes import rules as code_rules
from graphql_api.context import Info
from graphql_api.friends import models, repository, rules
from graphql_api.friends.rules import FriendState
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as visible_guide
from graphql_api.guides.types import Guide
from graphql_api.kit.graphql import Node, field, relation
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import URL
from graphql_api.members.types import visible as visible_member
from graphql_api.permissions import FRIEND_FIELD
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store

if TYPE_CHECKING:
    from graphql_api.codes.types import ScanCode
    from graphql_api.members.types import Member

describe_enum(
    FriendState,
    description="Where the friendship of a guide and a customer stands. 好友状态",
    values={
        "HALF": "The customer added the guide, who has not confirmed it. 待确认",
        "FRIEND": "They can write to each other. 好友",
        "DELETED_BY_GUIDE": "The guide deleted the customer. 被导购删除",
        "DELETED_BY_CUSTOMER": "The customer deleted the guide. 被客户删除",
        "HANDED_OVER": "The customer went to another guide. 已继承给他人",
    },
)


@strawberry.type(description="A customer who is a guide's friend in WeCom, or was. 企微好友")
class Friend(Node):
    """Shows models.Friend."""

    guide: Guide | None = relation(
        key="guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=FRIEND_FIELD,
        description="Whose friend; null for a user of WeCom who is no guide. 导购",
    )
    member: Annotated["Member", strawberry.lazy("graphql_api.members.types")] | None = relation(
        key="external_user_id",
        load=repository.members_of,
        visible=visible_member,
        rule=FRIEND_FIELD,
        description="Who the customer is; null while they are no member, or not yours to see. 会员",
    )
    external_user_id: strawberry.ID = field(
        rule=FRIEND_FIELD, description="The customer's id in the corp. 外部联系人 ID"
    )
    state: FriendState = field(rule=FRIEND_FIELD, description="Where it stands. 状态")
    since: datetime | None = field(
        rule=FRIEND_FIELD, description="When it began first; null if that was missed. 添加时间"
    )
    changed_at: datetime = field(rule=FRIEND_FIELD, description="When it last changed. 变更时间")
    code: Annotated["ScanCode", strawberry.lazy("graphql_api.codes.types")] | None = relation(
        key="code_id",
        load=codes.get_many,
        visible=code_rules.visible,
        rule=FRIEND_FIELD,
        description="By which code they came, the last time. 活码",
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Friend)


@strawberry.type(
    description="A code of WeCom by which customers become friends of guides. 联系我 (渠道活码)"
)
class ContactWay:
    """Shows models.ContactWay."""

    picture_url: URL | None = field(
        rule=FRIEND_FIELD, description="The picture, at WeCom; null until it is made. 二维码链接"
    )
    led_to: list[str] = field(
        rule=FRIEND_FIELD, description="The users of WeCom whom it leads to. 接待成员 UserID"
    )
    led_at: datetime | None = field(
        rule=FRIEND_FIELD, description="Since when it leads to them. 更新时间"
    )
    problem: str | None = field(
        rule=FRIEND_FIELD,
        description="WeCom's number for why it does not follow; null when it does. 错误码",
    )


@strawberry.type(description="What new friends are told at once. 欢迎语")
class FriendWelcome:
    """Shows models.Welcome."""

    store: Store | None = relation(
        key="store_id",
        load=stores.get_many,
        rule=FRIEND_FIELD,
        description="For the friends of this store's guides; null for the whole chain. 门店",
    )
    text: str = field(
        rule=FRIEND_FIELD, description="With `{guide}` and `{store}` for their names. 文本"
    )
    link_title: str | None = field(
        rule=FRIEND_FIELD, description="The title of a link that comes along. 链接标题"
    )
    link_url: URL | None = field(rule=FRIEND_FIELD, description="Its address. 链接地址")
    changed_at: datetime = field(rule=FRIEND_FIELD, description="When it was set. 修改时间")


registry.add("frd", repository.get_many, rules.visible)
