"""The organisation tree and stores, as clients see them."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from graphql_api.campaigns import repository as campaigns_repository
from graphql_api.commissions import repository as commissions_repository
from graphql_api.context import Info
from graphql_api.errors import Forbidden
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as guide_visible
from graphql_api.kit.graphql import Connection, Node, connection, field, paged, relation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.arguments import After, First, Month, Reverse, require_month
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.relations import everything
from graphql_api.kit.graphql.scalars import PhoneNumber, TimeOfDay
from graphql_api.members import repository as members_repository
from graphql_api.orders import repository as orders_repository
from graphql_api.permissions import (
    CAMPAIGN_FIELD,
    COMMISSION_BOOKS,
    GUIDE_FIELD,
    MEMBER_BOOKS,
    ORDER_BOOKS,
    STORE_BOOKS,
    STORE_FIELD,
)
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import PartnerLevel, PolicyKind
from graphql_api.stores import models, repository, rules
from graphql_api.stores.rules import OperatingStage, StoreFormat, StoreGrade, UnitKind

if TYPE_CHECKING:
    from graphql_api.campaigns.types import StoreCampaign
    from graphql_api.commissions.types import StoreCommission
    from graphql_api.guides.types import Guide
    from graphql_api.members.types import Member
    from graphql_api.orders.types import Order

describe_enum(
    UnitKind,
    name="OrgUnitKind",
    description="Kind of an org unit above the stores. 组织类型",
    values={
        "HQ": "Headquarters. 总部",
        "REGION": "A region run by headquarters. 区域",
        "AGENT": "An agent, branch or dealer. 代理／分公司／经销商",
    },
)
describe_enum(
    StoreFormat,
    description="Where a store stands. 门店业态",
    values={
        "STREET": "On a street. 街边店",
        "MALL": "In a shopping mall. 商场店",
        "COMMUNITY": "In a residential quarter. 社区店",
        "TRANSPORT": "At a station or an airport. 交通枢纽店",
        "OFFICE": "In an office quarter. 写字楼店",
        "CAMPUS": "On a campus. 校园店",
        "ONLINE": "The chain's mall, without a shop floor. 线上商城",
    },
)


describe_enum(
    StoreGrade,
    description="How well a store is run, by its metrics. 门店等级",
    values={
        "S": "Keeps its metrics steady and widens its modes. S 级",
        "A": "Steadies the basics and widens its metrics. A 级",
        "B": "Builds the basics. B 级",
        "C": "Begins to build the basics. C 级",
    },
)
describe_enum(
    OperatingStage,
    description="How far a store has come in looking after members. 门店运营阶段",
    values={
        "ACQUIRING": "Wins members. 拉新",
        "PRECISE": "Tells its members apart. 精准",
        "REFINED": "Looks after each group of members in its own way. 精细",
    },
)


async def _partner_level(unit: models.OrgUnit, info: Info) -> PartnerLevel | None:
    if unit.partner_level is None:
        return None
    policy = await info.context.load(policies.get_in_force, PolicyKind.PARTNER_LEVELS)
    level: PartnerLevel | None = policy.content.level(int(unit.partner_level))
    return level


async def _partner_level_name(root: strawberry.Parent[models.OrgUnit], info: Info) -> str | None:
    level = await _partner_level(root, info)
    return level.name if level else None


async def _partner_benefits(root: strawberry.Parent[models.OrgUnit], info: Info) -> list[str]:
    level = await _partner_level(root, info)
    return list(level.benefits) if level else []


@strawberry.type(description="A unit of the organisation above the stores. 组织单元")
class OrgUnit(Node):
    """Shows models.OrgUnit."""

    kind: UnitKind = field(rule=STORE_FIELD, description="Kind of the unit. 类型")
    name: str = field(rule=STORE_FIELD, description="Its name. 名称")
    parent: Annotated["OrgUnit", strawberry.lazy("graphql_api.stores.types")] | None = relation(
        key="parent_id",
        load=repository.get_units,
        rule=STORE_FIELD,
        description="The unit above; null for headquarters. 上级组织",
    )
    units: Connection["OrgUnit"] = connection(
        page=repository.units_under,
        rule=STORE_BOOKS,
        description="Units directly under this one, by name. 下级组织",
    )
    stores: Connection["Store"] = connection(
        page=repository.page_under,
        rule=STORE_BOOKS,
        description="Stores directly under this unit, by name. 直属门店",
    )
    partner_level: int | None = field(
        rule=STORE_BOOKS, description="Level of a channel partner, from 1. 渠道商等级"
    )
    partner_level_name: str | None = field(
        rule=STORE_BOOKS,
        description="What the policy in force calls this level. 渠道商等级名称",
        resolver=_partner_level_name,
    )
    partner_benefits: list[str] = field(
        rule=STORE_BOOKS,
        description="What this level brings, by the policy in force. 渠道商等级权益",
        resolver=_partner_benefits,
    )
    partner_growth: int | None = field(
        rule=STORE_BOOKS, description="Growth value of a channel partner. 渠道商成长值"
    )
    created_at: datetime = field(rule=STORE_BOOKS, description="When it was made. 创建时间")
    archived_at: datetime | None = field(
        rule=STORE_BOOKS, description="When it was closed; null while it works. 停用时间"
    )
    version: int = field(
        rule=STORE_BOOKS, description="Rises with every change; give it as `expectedVersion`. 版本"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.OrgUnit)


@strawberry.type(description="A position on the map, in degrees (GCJ-02). 经纬度")
class Position:
    """Shows kit.positions.Position."""

    latitude: float = field(rule=INHERITED, description="Degrees north. 纬度")
    longitude: float = field(rule=INHERITED, description="Degrees east. 经度")


@strawberry.type(description="One interval in which a store is open on a weekday. 营业时段")
class OpeningHours:
    """Shows rules.Opening."""

    weekday: int = field(rule=INHERITED, description="1 is Monday, 7 is Sunday. 星期")
    opens: TimeOfDay = field(rule=INHERITED, description="When it opens. 开门时间")
    closes: TimeOfDay = field(rule=INHERITED, description="When it closes. 打烊时间")


def _is_open(
    root: strawberry.Parent[models.Store],
    info: Info,
    at: Annotated[
        datetime | None, strawberry.argument(description="The instant to ask about. 时间")
    ] = None,
) -> bool:
    clock = info.context.clock
    works = root.archived_at is None
    return works and rules.is_open(root.hours, at or clock.now(), clock.zone)


async def _orders(
    root: strawberry.Parent[models.Store],
    info: Info,
    month: Month,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    require_month(month)
    if not info.context.viewer.reaches_store(root.id):
        raise Forbidden("This store is outside your scope")
    page = orders_repository.page_of_store_month
    return await paged(
        info.context, page, root.id, month, first=first, after=after, reverse=reverse
    )


del _orders.__annotations__["return"]


async def _commission(root: strawberry.Parent[models.Store], info: Info, month: Month) -> Any:
    require_month(month)
    if not info.context.viewer.reaches_store(root.id):
        raise Forbidden("This store is outside your scope")
    return await info.context.load(commissions_repository.months, (root.id, month))


del _commission.__annotations__["return"]


async def _members(
    root: strawberry.Parent[models.Store],
    info: Info,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    from graphql_api.members.types import visible  # which shows stores, and imports this module

    if not info.context.viewer.reaches_store(root.id):
        raise Forbidden("This store is outside your scope")
    page = members_repository.page_of_store
    return await paged(
        info.context, page, root.id, first=first, after=after, reverse=reverse, visible=visible
    )


del _members.__annotations__["return"]


async def _campaigns(root: strawberry.Parent[models.Store], info: Info) -> Any:
    """One batch for all stores of a level; staff see those of stores that they reach."""
    context = info.context
    if not context.viewer.reaches_store(root.id):
        return []
    moment = (root.id, context.clock.now(), context.clock.zone)
    return await context.load(campaigns_repository.carried_out, moment)


del _campaigns.__annotations__["return"]


@strawberry.type(description="A store of the chain. 门店")
class Store(Node):
    """Shows models.Store."""

    code: str = field(rule=STORE_FIELD, description="The chain's own code of the store. 门店编码")
    name: str = field(rule=STORE_FIELD, description="Its name. 门店名称")
    format: StoreFormat = field(rule=STORE_FIELD, description="Where it stands. 业态")
    unit: OrgUnit | None = relation(
        key="parent_id",
        load=repository.get_units,
        rule=STORE_FIELD,
        description="The org unit that the store belongs to. 所属组织",
    )
    city: str | None = field(rule=STORE_FIELD, description="City. 城市")
    address: str | None = field(rule=STORE_FIELD, description="Street address. 地址")
    phone: PhoneNumber | None = field(
        rule=STORE_FIELD, description="The store's public number. 门店电话"
    )
    position: Position | None = field(rule=STORE_FIELD, description="Where it is on the map. 位置")
    hours: list[OpeningHours] = field(
        rule=STORE_FIELD, description="Opening hours in the chain's zone. 营业时间"
    )
    pickup: bool = field(
        rule=STORE_FIELD, description="Whether orders can be fetched here. 到店自提"
    )
    is_open: bool = field(
        rule=STORE_FIELD,
        description="Whether it is open at an instant, now by default. 是否营业",
        resolver=_is_open,
    )
    opened_on: date | None = field(rule=STORE_FIELD, description="When it opened first. 开业日期")
    guides: Connection[Annotated["Guide", strawberry.lazy("graphql_api.guides.types")]] = (
        connection(
            page=guides.page_of_store,
            rule=GUIDE_FIELD,
            description="Its guides who have not left, by name. 导购列表",
            visible=guide_visible,
        )
    )
    orders: Connection[Annotated["Order", strawberry.lazy("graphql_api.orders.types")]] = field(
        rule=ORDER_BOOKS,
        description="Its orders of one calendar month, by time of payment. 门店订单",
        resolver=_orders,
    )
    commission: Annotated["StoreCommission", strawberry.lazy("graphql_api.commissions.types")] = (
        field(
            rule=COMMISSION_BOOKS,
            description="What guides earn by its orders of one calendar month. 门店分佣",
            resolver=_commission,
        )
    )
    campaigns: list[Annotated["StoreCampaign", strawberry.lazy("graphql_api.campaigns.types")]] = (
        field(
            rule=CAMPAIGN_FIELD,
            description="Campaigns that it carries out now: mandated, or taken up. 门店活动",
            resolver=_campaigns,
        )
    )
    grade: StoreGrade | None = field(
        rule=STORE_BOOKS, description="How well it is run; null before it was graded. 门店等级"
    )
    stage: OperatingStage = field(
        rule=STORE_BOOKS, description="How far it has come with its members. 运营阶段"
    )
    members: Connection[Annotated["Member", strawberry.lazy("graphql_api.members.types")]] = field(
        rule=MEMBER_BOOKS,
        description="Members whose home store it is, by joining time. 门店会员",
        resolver=_members,
    )
    created_at: datetime = field(rule=STORE_BOOKS, description="When it was made. 创建时间")
    archived_at: datetime | None = field(
        rule=STORE_FIELD, description="When it was closed; null while it works. 停用时间"
    )
    version: int = field(
        rule=STORE_BOOKS, description="Rises with every change; give it as `expectedVersion`. 版本"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Store)


@strawberry.type(description="A store near a position. 附近门店")
class NearbyStore:
    """Shows repository.Near."""

    store: Store = field(rule=STORE_FIELD, description="The store. 门店")
    metres: int = field(
        rule=STORE_FIELD, description="How far it is as the crow flies, in metres. 直线距离（米）"
    )


registry.add("org", repository.get_units, everything)
registry.add("sto", repository.get_many, everything)
