"""Guides, as clients see them."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from graphql_api.commissions import repository as commissions
from graphql_api.commissions.rules import reaches as reaches_commission
from graphql_api.context import Info
from graphql_api.guides import models, repository
from graphql_api.guides.rules import GuideBand, GuideStatus, band_of, visible
from graphql_api.kit.graphql import Connection, Node, connection, field, relation
from graphql_api.kit.graphql.arguments import Month, require_month
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.members import repository as members
from graphql_api.ownership import repository as ownership
from graphql_api.ownership.rules import visible_hand_over
from graphql_api.permissions import (
    COMMISSION_FIELD,
    GUIDE_FIELD,
    GUIDE_STAFF,
    HAND_OVER_FIELD,
    MEMBER_STAFF,
)
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import PolicyKind
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store
from graphql_api.viewer import Viewer

if TYPE_CHECKING:
    from graphql_api.commissions.types import GuideCommission
    from graphql_api.members.types import Member
    from graphql_api.ownership.types import HandOver

describe_enum(
    GuideStatus,
    description="Whether a guide works. 导购状态",
    values={
        "ACTIVE": "At work. 在职",
        "STOPPED": "Not at work for the time being. 停用",
        "LEFT": "Has left for good. 离职",
    },
)


describe_enum(
    GuideBand,
    description="What the levels of guides are grouped into. 导购等级段",
    values={"ENTRY": "Entry. 入门", "GROWTH": "Growth. 成长", "PROFESSIONAL": "Professional. 专业"},
)


async def _band(root: strawberry.Parent[models.Guide], info: Info) -> GuideBand | None:
    if root.level is None:
        return None
    policy = await info.context.load(policies.get_in_force, PolicyKind.GUIDE_LEVELS)
    return band_of(int(root.level), policy.content)


async def _commission(root: strawberry.Parent[models.Guide], info: Info, month: Month) -> Any:
    require_month(month)
    if not reaches_commission(info.context.viewer, root.id, root.store_id):
        return None
    return await info.context.load(commissions.months, (root.id, month))


del _commission.__annotations__["return"]


def _visible_member(viewer: Viewer, member: Any) -> Any:
    from graphql_api.members.types import visible  # which shows guides, and imports this module

    return visible(viewer, member)


@strawberry.type(description="A sales associate of one store. 导购")
class Guide(Node):
    """Shows models.Guide."""

    name: str = field(rule=GUIDE_FIELD, description="The name that members see. 导购姓名")
    store: Store | None = relation(
        key="store_id",
        load=stores.get_many,
        rule=GUIDE_FIELD,
        description="The store that the guide works in. 所属门店",
    )
    wecom_user_id: str = field(
        rule=GUIDE_STAFF, description="The user id in WeCom. 企业微信成员 UserID"
    )
    status: GuideStatus = field(rule=GUIDE_FIELD, description="Whether the guide works. 状态")
    employed_on: date | None = field(
        rule=GUIDE_STAFF, description="First day of employment. 入职日期"
    )
    level: int | None = field(
        rule=GUIDE_STAFF, description="From 1; null before the guide was graded. 导购等级"
    )
    band: GuideBand | None = field(
        rule=GUIDE_STAFF,
        description="What the level belongs to, by the policy in force. 导购等级段",
        resolver=_band,
    )
    members: Connection[Annotated["Member", strawberry.lazy("graphql_api.members.types")]] = (
        connection(
            page=members.page_of_guide,
            rule=MEMBER_STAFF,
            description="Members whom the guide looks after, by joining time. 专属客户",
            visible=_visible_member,
        )
    )
    hand_overs: Connection[
        Annotated["HandOver", strawberry.lazy("graphql_api.ownership.types")]
    ] = connection(
        page=ownership.page_of_hand_overs,
        rule=HAND_OVER_FIELD,
        description="Hand-overs of the guide's members, by time. 客户继承记录",
        visible=visible_hand_over,
    )
    commission: (
        Annotated["GuideCommission", strawberry.lazy("graphql_api.commissions.types")] | None
    ) = field(
        rule=COMMISSION_FIELD,
        description="What the guide earns by the orders of a month, for themselves, who leads their"
        " store and headquarters; null to others. 分佣",
        resolver=_commission,
    )
    created_at: datetime = field(rule=GUIDE_STAFF, description="When it was made. 创建时间")
    left_at: datetime | None = field(
        rule=GUIDE_STAFF, description="When the guide left; null before. 离职时间"
    )
    version: int = field(
        rule=GUIDE_STAFF, description="Rises with every change; give it as `expectedVersion`. 版本"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Guide)


registry.add("gde", repository.get_many, visible)
