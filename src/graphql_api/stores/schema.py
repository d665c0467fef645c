"""Queries and mutations of the organisation tree and its stores."""

from datetime import date
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.errors import Invalid
from graphql_api.kit.graphql import (
    Connection,
    UserError,
    changed_field,
    command,
    errors_field,
    mutation,
    paged,
)
from graphql_api.kit.graphql.arguments import INPUT, After, First, Id, Reverse
from graphql_api.kit.graphql.scalars import PhoneNumber, TimeOfDay
from graphql_api.kit.positions import MAX_LATITUDE, Position
from graphql_api.kit.time import DEFAULT_ZONE
from graphql_api.permissions import STORE_FIELD, STORE_UPDATE, STORE_WRITE
from graphql_api.stores import models, repository, service
from graphql_api.stores.rules import OperatingStage, StoreFormat, StoreGrade, UnitKind
from graphql_api.stores.types import NearbyStore, OrgUnit, Store

MOST_METRES = 20_000
MOST_STORES = 50


@strawberry.input(description="Which store: exactly one of these. 门店选择条件", one_of=True)
class StoreSelector:
    """One way to name a store."""

    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Its id. 全局 ID")
    code: strawberry.Maybe[str] = strawberry.field(description="The chain's own code. 门店编码")


@strawberry.input(description="A position on the map, in degrees (GCJ-02). 经纬度")
class PositionInput:
    """See service.Position."""

    latitude: float = strawberry.field(description="Degrees north. 纬度")
    longitude: float = strawberry.field(description="Degrees east. 经度")


Metres = Annotated[
    int, strawberry.argument(description="How far away at most, 1 to 20,000. 最远距离（米）")
]
Nearest = Annotated[int, strawberry.argument(description="How many, 1 to 50. 条数")]


@strawberry.type
class StoreQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="The headquarters, from which the tree is walked; null before set-up. 总部",
        graphql_type=OrgUnit | None,
        metadata={"rule": STORE_FIELD},
    )
    async def organisation(self, info: Info) -> models.OrgUnit | None:
        """The root of the tree."""
        unit: models.OrgUnit | None = await info.context.load(
            repository.get_units, models.HEADQUARTERS_ID
        )
        return unit

    @strawberry.field(
        description="One store; null where there is none. 门店",
        graphql_type=Store | None,
        metadata={"rule": STORE_FIELD},
    )
    async def store(
        self,
        info: Info,
        by: Annotated[StoreSelector, strawberry.argument(description="Which one. 选择条件")],
    ) -> models.Store | None:
        """By id or by code."""
        id_: str | None = by.id.value if by.id else None
        if by.code:
            id_ = await info.context.run(repository.id_by_code, by.code.value)
        return await info.context.load(repository.get_many, id_) if id_ else None

    @strawberry.field(
        description="Stores that work: all by number, or those directly under a unit. 门店列表",
        graphql_type=Connection[Store],
        metadata={"rule": STORE_FIELD},
    )
    async def stores(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
        under: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only directly under this org unit. 直属组织 ID"),
        ] = None,
    ) -> object:
        """Scope chooses the path."""
        if under is None:
            return await paged(
                info.context, repository.page_of_all, first=first, after=after, reverse=reverse
            )
        return await paged(
            info.context, repository.page_under, under, first=first, after=after, reverse=reverse
        )

    @strawberry.field(
        description="Stores that work near a position, the nearest first. 附近门店",
        graphql_type=list[NearbyStore],
        metadata={"rule": STORE_FIELD},
    )
    async def nearby_stores(
        self,
        info: Info,
        position: Annotated[PositionInput, strawberry.argument(description="Where. 位置")],
        within_metres: Metres = 5_000,
        first: Nearest = 20,
    ) -> object:
        """By the cells of the map that the circle touches."""
        if not 1 <= within_metres <= MOST_METRES:
            raise Invalid(f"It is from 1 to {MOST_METRES:,}", field=("withinMetres",))
        if not 1 <= first <= MOST_STORES:
            raise Invalid(f"`first` is from 1 to {MOST_STORES}", field=("first",))
        if not abs(position.latitude) <= MAX_LATITUDE:
            text = f"Stores are looked for up to {MAX_LATITUDE:g} degrees"
            raise Invalid(text, field=("position", "latitude"))
        if not abs(position.longitude) <= 180:
            raise Invalid("It is from -180 to 180", field=("position", "longitude"))
        centre = Position(position.latitude, position.longitude)
        nearest = repository.nearest
        return await info.context.run(nearest, centre, within_metres=within_metres, first=first)


@strawberry.input(description="A chain that begins. 连锁开通信息")
class ChainSetUpInput:
    """See service.ChainSetUp."""

    name: str = strawberry.field(description="What the chain is called. 连锁名称")
    zone: str = strawberry.field(
        default=DEFAULT_ZONE,
        description="IANA time zone in which business days begin; it stays. 时区",
    )


@strawberry.input(description="One opening interval of a weekday. 营业时段")
class OpeningHoursInput:
    """See service.Hours."""

    weekday: int = strawberry.field(description="1 is Monday, 7 is Sunday. 星期")
    opens: TimeOfDay = strawberry.field(description="When it opens. 开门时间")
    closes: TimeOfDay = strawberry.field(description="When it closes; 24:00 is midnight. 打烊时间")


@strawberry.input(description="A new region or agent. 新建组织")
class OrgUnitCreateInput:
    """See service.UnitCreate."""

    kind: UnitKind = strawberry.field(description="REGION or AGENT. 类型")
    name: str = strawberry.field(description="Its name, 1 to 80 characters. 名称")
    parent_id: strawberry.ID = strawberry.field(description="The unit above. 上级组织 ID")
    partner_level: int | None = strawberry.field(
        default=None, description="Level of a channel partner, 1 to 20. 渠道商等级"
    )
    partner_growth: int | None = strawberry.field(
        default=None, description="Growth value of a channel partner. 渠道商成长值"
    )


@strawberry.input(description="Changes of an org unit; what is left out stays. 修改组织")
class OrgUnitUpdateInput:
    """See service.UnitUpdate."""

    id: strawberry.ID = strawberry.field(description="Which unit. 组织 ID")
    name: strawberry.Maybe[str] = strawberry.field(description="Its name. 名称")
    parent_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="Move it, and all that stands under it, under another unit. 上级组织 ID"
    )
    partner_level: strawberry.Maybe[int | None] = strawberry.field(
        description="Level of a channel partner; null clears it. 渠道商等级"
    )
    partner_growth: strawberry.Maybe[int | None] = strawberry.field(
        description="Growth value of a channel partner; null clears it. 渠道商成长值"
    )
    expected_version: strawberry.Maybe[int] = strawberry.field(
        description="Refuse with CONFLICT when it has changed since. 期望版本"
    )


@strawberry.input(description="A new store. 新建门店")
class StoreCreateInput:
    """See service.StoreCreate."""

    code: str = strawberry.field(description="The chain's own code, unique. 门店编码")
    name: str = strawberry.field(description="Its name, 1 to 80 characters. 门店名称")
    parent_id: strawberry.ID = strawberry.field(description="The org unit above. 所属组织 ID")
    format: StoreFormat | None = strawberry.field(
        default=None, description="Where it stands; STREET by default. 业态"
    )
    city: str | None = strawberry.field(default=None, description="City. 城市")
    address: str | None = strawberry.field(default=None, description="Street address. 地址")
    phone: PhoneNumber | None = strawberry.field(
        default=None, description="The store's public number. 门店电话"
    )
    position: PositionInput | None = strawberry.field(
        default=None, description="Where it is on the map. 位置"
    )
    hours: list[OpeningHoursInput] | None = strawberry.field(
        default=None, description="Opening hours in the chain's zone. 营业时间"
    )
    pickup: bool | None = strawberry.field(
        default=None, description="Whether orders can be fetched here. 到店自提"
    )
    opened_on: date | None = strawberry.field(
        default=None, description="When it opened first. 开业日期"
    )
    grade: StoreGrade | None = strawberry.field(
        default=None, description="How well it is run. 门店等级"
    )
    stage: OperatingStage | None = strawberry.field(
        default=None, description="How far it has come; ACQUIRING by default. 运营阶段"
    )


@strawberry.input(description="Changes of a store; what is left out stays. 修改门店")
class StoreUpdateInput:
    """See service.StoreUpdate."""

    id: strawberry.ID = strawberry.field(description="Which store. 门店 ID")
    code: strawberry.Maybe[str] = strawberry.field(description="The chain's own code. 门店编码")
    name: strawberry.Maybe[str] = strawberry.field(description="Its name. 门店名称")
    parent_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="Move it under another org unit. 所属组织 ID"
    )
    format: strawberry.Maybe[StoreFormat] = strawberry.field(description="Where it stands. 业态")
    city: strawberry.Maybe[str | None] = strawberry.field(description="City. 城市")
    address: strawberry.Maybe[str | None] = strawberry.field(description="Street address. 地址")
    phone: strawberry.Maybe[PhoneNumber | None] = strawberry.field(
        description="The store's public number. 门店电话"
    )
    position: strawberry.Maybe[PositionInput | None] = strawberry.field(
        description="Where it is on the map. 位置"
    )
    hours: strawberry.Maybe[list[OpeningHoursInput] | None] = strawberry.field(
        description="Opening hours; the whole week is replaced. 营业时间"
    )
    pickup: strawberry.Maybe[bool] = strawberry.field(
        description="Whether orders can be fetched here. 到店自提"
    )
    opened_on: strawberry.Maybe[date | None] = strawberry.field(
        description="When it opened first. 开业日期"
    )
    grade: strawberry.Maybe[StoreGrade | None] = strawberry.field(
        description="How well it is run; null clears it. 门店等级"
    )
    stage: strawberry.Maybe[OperatingStage] = strawberry.field(
        description="How far it has come with its members. 运营阶段"
    )
    expected_version: strawberry.Maybe[int] = strawberry.field(
        description="Refuse with CONFLICT when it has changed since. 期望版本"
    )


@strawberry.type(description="What became of a command on an org unit. 组织操作结果")
class OrgUnitPayload:
    """The unit, or why not."""

    unit: OrgUnit | None = changed_field("The unit as it is now; null when refused. 组织")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a command on a store. 门店操作结果")
class StorePayload:
    """The store, or why not."""

    store: Store | None = changed_field("The store as it is now; null when refused. 门店")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class StoreMutations:
    """Commands of this slice."""

    @mutation(
        OrgUnitPayload,
        rule=STORE_WRITE,
        description="Begin: the chain and its headquarters, once after a deployment. 开通连锁",
    )
    def chain_set_up(self, info: Info, input: Annotated[ChainSetUpInput, INPUT]) -> models.OrgUnit:
        """See service.begin."""
        new = command(service.ChainSetUp, input)
        return service.begin(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(OrgUnitPayload, rule=STORE_WRITE, description="Add a region or an agent. 新建组织")
    def org_unit_create(
        self, info: Info, input: Annotated[OrgUnitCreateInput, INPUT]
    ) -> models.OrgUnit:
        """See service.create_unit."""
        new = command(service.UnitCreate, input)
        return service.create_unit(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(OrgUnitPayload, rule=STORE_WRITE, description="Change an org unit. 修改组织")
    def org_unit_update(
        self, info: Info, input: Annotated[OrgUnitUpdateInput, INPUT]
    ) -> models.OrgUnit:
        """See service.update_unit."""
        change = command(service.UnitUpdate, input)
        return service.update_unit(change, viewer=info.context.viewer)

    @mutation(
        OrgUnitPayload,
        rule=STORE_WRITE,
        description="Close a unit that has nothing left under it. 停用组织",
    )
    def org_unit_archive(self, info: Info, id: Id) -> models.OrgUnit:
        """See service.archive_unit."""
        return service.archive_unit(id, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(OrgUnitPayload, rule=STORE_WRITE, description="Reopen a closed unit. 恢复组织")
    def org_unit_restore(self, info: Info, id: Id) -> models.OrgUnit:
        """See service.restore_unit."""
        return service.restore_unit(id, viewer=info.context.viewer)

    @mutation(StorePayload, rule=STORE_WRITE, description="Open a new store. 新建门店")
    def store_create(self, info: Info, input: Annotated[StoreCreateInput, INPUT]) -> models.Store:
        """See service.create_store."""
        new = command(service.StoreCreate, input)
        return service.create_store(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        StorePayload,
        rule=STORE_UPDATE,
        description=("Change a store; its manager may change phone, hours and pick-up. 修改门店"),
    )
    def store_update(self, info: Info, input: Annotated[StoreUpdateInput, INPUT]) -> models.Store:
        """See service.update_store."""
        change = command(service.StoreUpdate, input)
        return service.update_store(change, viewer=info.context.viewer)

    @mutation(
        StorePayload,
        rule=STORE_WRITE,
        description="Close a store: it leaves every list, its orders and members stay. 停用门店",
    )
    def store_archive(self, info: Info, id: Id) -> models.Store:
        """See service.archive_store."""
        return service.archive_store(id, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(StorePayload, rule=STORE_WRITE, description="Reopen a closed store. 恢复门店")
    def store_restore(self, info: Info, id: Id) -> models.Store:
        """See service.restore_store."""
        return service.restore_store(id, viewer=info.context.viewer, clock=info.context.clock)
