"""Friends of guides, as clients see them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from graphql_api.codes import repository as codes
from graphql_api.codes import rules as code_rules
from graphql_api.connectors.weixin_errors import meaning
from graphql_api.context import Info
from graphql_api.friends import models, repository, rules
from graphql_api.friends.rules import FriendState, TransferOutcome, TransferState
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as visible_guide
from graphql_api.guides.types import Guide
from graphql_api.kit.graphql import Connection, Node, connection, field, relation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import URL
from graphql_api.members.types import visible as visible_member
from graphql_api.permissions import CORP_TAG_FIELD, FRIEND_FIELD, TRANSFER_FIELD
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store
from graphql_api.tags import repository as tags
from graphql_api.viewer import Viewer

if TYPE_CHECKING:
    from graphql_api.codes.types import ScanCode
    from graphql_api.members.types import Member
    from graphql_api.tags.types import Tag

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


def visible_transfer(viewer: Viewer, transfer: models.Transfer) -> models.Transfer | None:
    """The row rule: whoever may begin one in the store sees it."""
    return transfer if rules.may_transfer(viewer, transfer.store_id) else None


def _counts(root: strawberry.Parent[models.Transfer]) -> list["FriendTransferCount"]:
    found = sorted(root.outcomes.items())
    return [FriendTransferCount(outcome=outcome, friends=n) for outcome, n in found]


def _meaning(root: strawberry.Parent[models.Handed]) -> str | None:
    return meaning(int(root.detail)) if root.detail is not None else None


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


@strawberry.type(
    description="A tag here and a corp tag of WeCom that are the same. 企业标签对应关系"
)
class CorpTagLink:
    """Shows models.CorpTagLink."""

    corp_tag_id: strawberry.ID = field(
        rule=CORP_TAG_FIELD, description="The id in WeCom. 企业标签 ID"
    )
    tag: Annotated["Tag", strawberry.lazy("graphql_api.tags.types")] | None = relation(
        key="tag_id", load=tags.get_many, rule=CORP_TAG_FIELD, description="The tag here. 标签"
    )
    linked_at: datetime = field(rule=CORP_TAG_FIELD, description="Since when. 关联时间")
    problem: str | None = field(
        rule=CORP_TAG_FIELD,
        description=(
            "WeCom's number for why it is not followed now: 40068, WeCom has no such tag any more."
            " Nobody lost the tag here for that. 异常原因"
        ),
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


describe_enum(
    TransferState,
    name="FriendTransferState",
    description="Where a hand-over of friends in WeCom stands. 客户继承状态",
    values={
        "ASKING": "Friends are being asked for. 提交中",
        "WAITING": "WeCom has them; it takes a day, and customers may refuse. 等待接替",
        "DONE": "Nothing is waited for any more. 已完成",
        "CANCELLED": "Somebody stopped it. 已取消",
    },
)
describe_enum(
    TransferOutcome,
    name="FriendTransferOutcome",
    description="What became of a friend who was to be handed over. 客户继承结果",
    values={
        "ASKED": "WeCom has begun. 等待接替",
        "DONE": "They are the other guide's friend. 接替完毕",
        "REFUSED": "The customer refused. 客户拒绝",
        "LIMIT": "The other guide has too many customers. 接替成员客户达到上限",
        "FAILED": "WeCom did not begin; `detail` says why. 失败",
        "NO_ANSWER": "WeCom said nothing of them. 无结果",
    },
)


@strawberry.type(description="How many friends came to what. 客户继承统计")
class FriendTransferCount:
    """An outcome and how many."""

    outcome: TransferOutcome = field(rule=INHERITED, description="What became of them. 结果")
    friends: int = field(rule=INHERITED, description="How many. 人数")


@strawberry.type(description="A friend who was to be handed over. 客户继承明细")
class FriendTransferRow:
    """Shows models.Handed."""

    external_user_id: strawberry.ID = field(
        rule=INHERITED, description="The customer's id in the corp. 外部联系人 ID"
    )
    outcome: TransferOutcome = field(rule=INHERITED, description="What became of them. 结果")
    detail: str | None = field(
        rule=INHERITED, description="WeCom's number, where it did not begin. 错误码"
    )
    meaning: str | None = field(
        rule=INHERITED, description="What it means, in plain words. 说明", resolver=_meaning
    )


@strawberry.type(
    description="The friends of a guide go to another, in WeCom. 客户继承 (在职继承、离职继承)"
)
class FriendTransfer(Node):
    """Shows models.Transfer."""

    from_guide: Guide | None = relation(
        key="from_guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=TRANSFER_FIELD,
        description="Whose friends. 原跟进导购",
    )
    to_guide: Guide | None = relation(
        key="to_guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=TRANSFER_FIELD,
        description="Who takes them. 接替导购",
    )
    has_left: bool = field(
        rule=TRANSFER_FIELD, description="Whether the guide had left when it began. 是否离职继承"
    )
    state: TransferState = field(rule=TRANSFER_FIELD, description="Where it stands. 状态")
    counts: list[FriendTransferCount] = field(
        rule=TRANSFER_FIELD, description="How many came to what so far. 统计", resolver=_counts
    )
    rows: Connection[FriendTransferRow] = connection(
        page=repository.page_of_handed,
        rule=TRANSFER_FIELD,
        description="What became of each. 明细",
    )
    problem: str | None = field(
        rule=TRANSFER_FIELD,
        description="Why WeCom refused all of it, in plain words; null unless it did. 失败原因",
    )
    created_at: datetime = field(rule=TRANSFER_FIELD, description="When it began. 创建时间")
    ended_at: datetime | None = field(
        rule=TRANSFER_FIELD, description="When it was over; null before. 结束时间"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Transfer)


registry.add("trf", repository.get_transfers, visible_transfer)
registry.add("frd", repository.get_many, rules.visible)
