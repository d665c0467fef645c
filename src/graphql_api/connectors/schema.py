"""Queries and mutations about vendors; all of it goes by the real clock."""

from datetime import datetime
from typing import Annotated

import strawberry

from graphql_api.connectors import models, repository, service
from graphql_api.connectors.enums import CopyKind, LinkKind, PointsMaster, Problem, Vendor
from graphql_api.connectors.types import (
    VendorCopy,
    VendorLink,
    VendorMessage,
    VendorRun,
    VendorSetup,
    VendorShop,
    visible,
)
from graphql_api.context import Info
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
from graphql_api.kit.time import real_now
from graphql_api.permissions import VENDOR_MANAGE

_SHOP = "Which shop. 店铺 ID"
_NAME = "What it is called, 1 to 100 characters. 名称"
_CLIENT = "Our app that it trusts. 应用 ID"
_STORE = "For what names no store that is linked. 默认门店 ID"
_TELLS = "What is written back. 回写类型"


@strawberry.type
class VendorQueries:
    """What can be asked about vendors."""

    @strawberry.field(
        description="One shop; null where there is none. 服务商店铺",
        graphql_type=VendorShop | None,
        metadata={"rule": VENDOR_MANAGE},
    )
    async def vendor_shop(self, info: Info, id: Id) -> object:
        """By its id."""
        found = await info.context.load(repository.get_shops, id)
        return found and visible(info.context.viewer, found)

    @strawberry.field(
        description="The shops that are followed, by time. 服务商店铺列表",
        graphql_type=Connection[VendorShop],
        metadata={"rule": VENDOR_MANAGE},
    )
    async def vendor_shops(
        self, info: Info, first: First = 20, after: After = None, reverse: Reverse = False
    ) -> object:
        """They are few."""
        return await paged(
            info.context,
            repository.page_of_shops,
            first=first,
            after=after,
            reverse=reverse,
            visible=visible,
        )

    @strawberry.field(
        description="One message; null where there is none. 服务商消息",
        graphql_type=VendorMessage | None,
        metadata={"rule": VENDOR_MANAGE},
    )
    async def vendor_message(self, info: Info, id: Id) -> object:
        """By its id."""
        found = await info.context.load(repository.get_messages, id)
        return found and visible(info.context.viewer, found)

    @strawberry.field(
        description="One reconciliation; null where there is none. 对账",
        graphql_type=VendorRun | None,
        metadata={"rule": VENDOR_MANAGE},
    )
    async def vendor_run(self, info: Info, id: Id) -> object:
        """By its id."""
        found = await info.context.load(repository.get_runs, id)
        return found and visible(info.context.viewer, found)

    @strawberry.field(
        description="What holds for all vendors. 服务商总设置",
        graphql_type=VendorSetup | None,
        metadata={"rule": VENDOR_MANAGE},
    )
    def vendor_setup(self) -> object:
        """As nobody said otherwise, or as somebody did."""
        return service.setup()


@strawberry.input(description="A shop to follow. 关联店铺")
class VendorShopLinkInput:
    """See service.ShopLink."""

    vendor: Vendor = strawberry.field(description="Whose. 服务商")
    vendor_key: str = strawberry.field(
        description="The vendor's id: Youzan's root `kdt_id`, Weimob's `bosId`. 店铺标识"
    )
    client_id: str = strawberry.field(description=_CLIENT)
    name: str = strawberry.field(description=_NAME)
    default_store_id: strawberry.ID | None = strawberry.field(default=None, description=_STORE)
    tells: list[CopyKind] = strawberry.field(default_factory=list, description=_TELLS)


@strawberry.input(description="Changes of a shop; what is left out stays. 修改店铺")
class VendorShopUpdateInput:
    """See service.ShopChange."""

    id: strawberry.ID = strawberry.field(description=_SHOP)
    client_id: strawberry.Maybe[str] = strawberry.field(description=_CLIENT)
    name: strawberry.Maybe[str] = strawberry.field(description=_NAME)
    default_store_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(description=_STORE)
    tells: strawberry.Maybe[list[CopyKind]] = strawberry.field(description=_TELLS)
    paused: strawberry.Maybe[bool] = strawberry.field(
        description="Receive, and follow nothing until it goes on. 暂停"
    )
    expected_version: strawberry.Maybe[int] = strawberry.field(
        description="Refuse with CONFLICT when it has changed since. 期望版本"
    )


@strawberry.input(description="What a thing of a vendor's shop is here. 设置关联")
class VendorShopSetLinkInput:
    """See service.LinkSet."""

    shop_id: strawberry.ID = strawberry.field(description=_SHOP)
    kind: LinkKind = strawberry.field(description="Of what. 关联类型")
    vendor_key: str = strawberry.field(
        description="How the vendor names it, 1 to 128 characters. 外部标识"
    )
    our_id: strawberry.ID | None = strawberry.field(
        default=None, description="What it is here; null ends the link. 本系统 ID"
    )


@strawberry.input(description="Which dead messages are followed again. 批量重放消息")
class VendorShopReplayMessagesInput:
    """See service.MessagesReplay."""

    shop_id: strawberry.ID = strawberry.field(description=_SHOP)
    since: datetime | None = strawberry.field(
        default=None, description="Those that came then or later, within 30 days. 起始时间"
    )
    problem: Problem | None = strawberry.field(
        default=None, description="Those with this problem; all without one. 失败原因"
    )


@strawberry.input(description="A window to reconcile. 发起对账")
class VendorRunBeginInput:
    """See service.RunBegin."""

    shop_id: strawberry.ID = strawberry.field(description=_SHOP)
    since: datetime = strawberry.field(description="What changed from here. 窗口起点")
    until: datetime = strawberry.field(
        description="To here, in the past, 89 days later at most. 窗口终点"
    )


@strawberry.input(description="Whose points are right from now on. 设置积分主账")
class PointsMasterSetInput:
    """See service.MasterSet."""

    master: PointsMaster = strawberry.field(description="Whose points are right. 积分主账")
    expected_version: strawberry.Maybe[int] = strawberry.field(
        description="Refuse with CONFLICT when it has changed since. 期望版本"
    )


@strawberry.type(description="What became of a command on a shop. 店铺操作结果")
class VendorShopPayload:
    """The shop, or why not."""

    shop: VendorShop | None = changed_field("The shop as it is now; null when refused. 店铺")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a link. 关联操作结果")
class VendorLinkPayload:
    """The link, or why not."""

    link: VendorLink | None = changed_field(
        "The link as it is now; null when refused, or ended. 关联"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a command on a message. 消息操作结果")
class VendorMessagePayload:
    """The message, or why not."""

    message: VendorMessage | None = changed_field(
        "The message as it is now; null when refused. 消息"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a command on a copy. 回写操作结果")
class VendorCopyPayload:
    """The copy, or why not."""

    copy: VendorCopy | None = changed_field("The copy as it is now; null when refused. 回写记录")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of the wish to reconcile. 对账操作结果")
class VendorRunPayload:
    """The run, or why not."""

    run: VendorRun | None = changed_field("The run; null when refused. 对账")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a change for all vendors. 总设置操作结果")
class VendorSetupPayload:
    """The setup, or why not."""

    setup: VendorSetup | None = changed_field("What holds now; null when refused. 总设置")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class VendorMutations:
    """Commands of this slice."""

    @mutation(
        VendorShopPayload,
        rule=VENDOR_MANAGE,
        description="Follow a shop from now on; its messages before are not here. 关联店铺",
    )
    def vendor_shop_link(
        self, info: Info, input: Annotated[VendorShopLinkInput, INPUT]
    ) -> models.Shop:
        """See service.link."""
        given = command(service.ShopLink, input)
        return service.link(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        VendorShopPayload,
        rule=VENDOR_MANAGE,
        description="Change a shop; one that goes on has what waited followed. 修改店铺",
    )
    def vendor_shop_update(
        self, info: Info, input: Annotated[VendorShopUpdateInput, INPUT]
    ) -> models.Shop:
        """See service.change."""
        given = command(service.ShopChange, input)
        return service.change(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        VendorShopPayload,
        rule=VENDOR_MANAGE,
        description="Follow a shop no more: its links and token go. 取消关联店铺",
    )
    def vendor_shop_unlink(self, info: Info, id: Id) -> models.Shop:
        """See service.unlink."""
        return service.unlink(id, viewer=info.context.viewer)

    @mutation(
        VendorLinkPayload,
        rule=VENDOR_MANAGE,
        description="Say what a thing of a vendor is here; what waited is followed. 设置关联",
    )
    def vendor_shop_set_link(
        self, info: Info, input: Annotated[VendorShopSetLinkInput, INPUT]
    ) -> models.Link | None:
        """See service.set_link."""
        given = command(service.LinkSet, input)
        return service.set_link(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        VendorMessagePayload,
        rule=VENDOR_MANAGE,
        description="Follow a message again, whatever became of it. 重放消息",
    )
    def vendor_message_replay(self, info: Info, id: Id) -> models.Message:
        """See service.replay."""
        return service.replay(id, viewer=info.context.viewer, at=real_now())

    @mutation(
        VendorShopPayload,
        rule=VENDOR_MANAGE,
        description="Follow a shop's dead messages again, one after another. 批量重放消息",
    )
    def vendor_shop_replay_messages(
        self, info: Info, input: Annotated[VendorShopReplayMessagesInput, INPUT]
    ) -> models.Shop:
        """See service.replay_many."""
        given = command(service.MessagesReplay, input)
        return service.replay_many(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        VendorCopyPayload,
        rule=VENDOR_MANAGE,
        description="Write back again what a vendor could not be told. 重新回写",
    )
    def vendor_copy_retry(self, info: Info, id: Id) -> models.Copy:
        """See service.tell_again."""
        return service.tell_again(id, viewer=info.context.viewer, at=real_now())

    @mutation(
        VendorRunPayload,
        rule=VENDOR_MANAGE,
        description="Ask a vendor for what changed, and take in what was lost. 发起对账",
    )
    def vendor_run_begin(
        self, info: Info, input: Annotated[VendorRunBeginInput, INPUT]
    ) -> models.Run:
        """See service.begin."""
        given = command(service.RunBegin, input)
        return service.begin(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        VendorSetupPayload,
        rule=VENDOR_MANAGE,
        description="Say whose points are right from now on. 设置积分主账",
    )
    def points_master_set(
        self, info: Info, input: Annotated[PointsMasterSetInput, INPUT]
    ) -> models.Setup:
        """See service.set_master."""
        given = command(service.MasterSet, input)
        return service.set_master(given, viewer=info.context.viewer, at=real_now())
