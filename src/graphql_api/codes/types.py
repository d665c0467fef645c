"""Codes, as clients see them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from graphql_api.campaigns import repository as campaigns
from graphql_api.campaigns.types import Campaign, published
from graphql_api.codes import models, repository, rules
from graphql_api.codes.rules import Came
from graphql_api.context import Info
from graphql_api.friends import repository as friends
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as visible_guide
from graphql_api.guides.types import Guide
from graphql_api.kit import files
from graphql_api.kit.graphql import Connection, Node, connection, field, relation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import URL
from graphql_api.kit.time import real_now
from graphql_api.members import repository as members
from graphql_api.members.types import visible as visible_member
from graphql_api.permissions import CODE_FIELD
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store

if TYPE_CHECKING:
    from graphql_api.friends.types import ContactWay
    from graphql_api.members.types import Member

describe_enum(
    Came,
    name="ScanCodeWay",
    description="How somebody came through a code. 来访方式",
    values={
        "ENROLLED": "They became a member by it: it is their source. 扫码入会",
        "RETURNED": "They were a member already. 老会员扫码",
        "FRIENDED": "They became a guide's friend in WeCom by it. 扫码加好友",
    },
)


@strawberry.type(description="Who came through a code. 扫码来访记录")
class ScanCodeArrival:
    """Shows models.Arrival and models.Visit."""

    code: Annotated["ScanCode", strawberry.lazy("graphql_api.codes.types")] | None = relation(
        key=lambda root, _context: getattr(root, "code_id", None) or root.id,
        load=repository.get_many,
        visible=rules.visible,
        rule=INHERITED,
        description="Through which code; null when not yours to see. 活码",
    )
    member: Annotated["Member", strawberry.lazy("graphql_api.members.types")] | None = relation(
        key=lambda root, _context: getattr(root, "member_id", None) or root.id,
        load=members.get_many,
        visible=visible_member,
        rule=INHERITED,
        description="Who; null when not yours to see. 会员",
    )
    way: Came = field(rule=INHERITED, description="How. 来访方式", resolver=lambda root: root.how)
    at: datetime = field(rule=INHERITED, description="When. 时间")


@strawberry.type(description="How many came through a code. 扫码来访人数")
class ScanCodeTally:
    """Shows models.Tally."""

    enrolled: int = field(rule=INHERITED, description="Became members by it. 入会人数")
    returned: int = field(rule=INHERITED, description="Were members already. 老会员人数")
    friended: int = field(rule=INHERITED, description="Became friends in WeCom by it. 加好友人数")


def _url(root: strawberry.Parent[models.Code]) -> str | None:
    """Signing asks nobody."""
    if root.retired_at is not None or not rules.picture_holds(root.drawn_at, real_now()):
        return None
    return files.link(models.picture_key(root), name=f"{root.scene}.png")


@strawberry.type(
    description="A code to scan, for a guide, a store or a campaign: a mini-program code and the"
    " State of a contact way. 活码"
)
class ScanCode(Node):
    """Shows models.Code."""

    scene: str = field(
        rule=CODE_FIELD,
        description="What stands in it: ten characters that say nothing. 场景值",
    )
    store: Store | None = relation(
        key="store_id", load=stores.get_many, rule=CODE_FIELD, description="Its store. 门店"
    )
    guide: Guide | None = relation(
        key="guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=CODE_FIELD,
        description="The guide whose code it is; null for a code of a store. 导购",
    )
    campaign: Campaign | None = relation(
        key="campaign_id",
        load=campaigns.get_many,
        visible=published,
        rule=CODE_FIELD,
        description="The campaign that it is for. 活动",
    )
    picture_url: URL | None = field(
        rule=CODE_FIELD,
        description="A link to the picture, good for an hour; null until `scanCodeDraw` drew it,"
        " and six days after. 小程序码图片链接",
        resolver=_url,
    )
    contact_way: Annotated["ContactWay", strawberry.lazy("graphql_api.friends.types")] | None = (
        relation(
            key="id",
            load=friends.ways_of,
            rule=CODE_FIELD,
            description="The code of WeCom for the same; null until it was made. 联系我",
        )
    )
    came: ScanCodeTally = relation(
        key="id", load=repository.tallies, rule=CODE_FIELD, description="How many came. 来访人数"
    )
    arrivals: Connection[ScanCodeArrival] = connection(
        page=repository.page_of_arrivals,
        rule=CODE_FIELD,
        description="Who came through it, by time. 来访记录",
    )
    created_at: datetime = field(rule=CODE_FIELD, description="When it was made. 创建时间")
    retired_at: datetime | None = field(
        rule=CODE_FIELD, description="Since when it leads nowhere; null while it works. 停用时间"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Code)


registry.add("cde", repository.get_many, rules.visible)
