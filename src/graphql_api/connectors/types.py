"""Vendors, as headquarters see them: shops, messages, copies and reconciliations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from graphql_api.connectors import models, repository, rules
from graphql_api.connectors.enums import (
    CopyKind,
    CopyState,
    Difference,
    LinkKind,
    MessageState,
    Outcome,
    PointsMaster,
    Problem,
    RunState,
    Vendor,
)
from graphql_api.context import Info
from graphql_api.kit.graphql import Connection, Node, field, paged, relation
from graphql_api.kit.graphql.arguments import After, First, Reverse
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.time import real_now
from graphql_api.permissions import VENDOR_MANAGE
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store
from graphql_api.viewer import SEE_PERSONAL_DATA, Viewer


def visible(viewer: Viewer, item: Any) -> Any:
    """The row rule: headquarters that see to vendors see all of it."""
    return item if rules.manages(viewer) else None


OpenState = Annotated[
    MessageState, strawberry.argument(description="WAITING or DEAD; nothing else is open. 状态")
]
OpenCopies = Annotated[
    CopyState, strawberry.argument(description="DUE or DEAD; nothing else is open. 状态")
]
Kind = Annotated[LinkKind, strawberry.argument(description="Links of what. 关联类型")]


async def _messages(
    root: strawberry.Parent[models.Shop],
    info: Info,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    now = real_now()
    return await paged(
        info.context,
        repository.page_of_messages,
        root.id,
        now - rules.KEPT,
        now,
        first=first,
        after=after,
        reverse=reverse,
    )


async def _open_messages(
    root: strawberry.Parent[models.Shop],
    info: Info,
    state: OpenState = MessageState.DEAD,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    page = repository.page_of_open_messages
    return await paged(
        info.context, page, root.id, state, first=first, after=after, reverse=reverse
    )


async def _copies(
    root: strawberry.Parent[models.Shop],
    info: Info,
    state: OpenCopies = CopyState.DEAD,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    page = repository.page_of_open_copies
    return await paged(
        info.context, page, root.id, state, first=first, after=after, reverse=reverse
    )


async def _links(
    root: strawberry.Parent[models.Shop],
    info: Info,
    kind: Kind,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    page = repository.page_of_links
    return await paged(info.context, page, root.id, kind, first=first, after=after, reverse=reverse)


async def _runs(
    root: strawberry.Parent[models.Shop],
    info: Info,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
) -> Any:
    page = repository.page_of_runs
    return await paged(info.context, page, root.id, first=first, after=after, reverse=reverse)


for _resolver in (_messages, _open_messages, _copies, _links, _runs):
    del _resolver.__annotations__["return"]


def _told_kinds(root: strawberry.Parent[models.Shop]) -> list[CopyKind]:
    return sorted(root.tells)


def _body(root: strawberry.Parent[models.Message], info: Info) -> str | None:
    """Names and phones stand in it."""
    shown = info.context.viewer.holds(SEE_PERSONAL_DATA)
    return root.raw.decode(errors="replace") if shown else None


def _vendor_version(root: strawberry.Parent[models.Message]) -> str | None:
    return None if root.vendor_version is None else str(int(root.vendor_version))


def _counted(name: str) -> Any:
    def count(root: strawberry.Parent[models.Run]) -> int:
        return int(root.counts.get(name, 0))

    return count


@strawberry.type(description="An order that differed. 差异订单")
class VendorRunDifference:
    """A row of models.Run.differences."""

    external_id: str = field(rule=VENDOR_MANAGE, description="Its number there. 外部订单号")
    difference: Difference = field(rule=VENDOR_MANAGE, description="How, or why still. 差异类型")


def _differences(root: strawberry.Parent[models.Run]) -> list[VendorRunDifference]:
    return [
        VendorRunDifference(external_id=external_id, difference=Difference(name))
        for external_id, name in root.differences
    ]


@strawberry.type(description="What a thing of a vendor's shop is here. 关联")
class VendorLink:
    """Shows models.Link."""

    kind: LinkKind = field(rule=VENDOR_MANAGE, description="Of what. 关联类型")
    vendor_key: str = field(rule=VENDOR_MANAGE, description="How the vendor names it. 外部标识")
    our_id: strawberry.ID = field(rule=VENDOR_MANAGE, description="What it is here. 本系统 ID")
    created_at: datetime = field(rule=VENDOR_MANAGE, description="Since when. 关联时间")


@strawberry.type(description="A shop of a vendor that is followed. 服务商店铺")
class VendorShop(Node):
    """Shows models.Shop."""

    vendor: Vendor = field(rule=VENDOR_MANAGE, description="Whose. 服务商")
    vendor_key: str = field(
        rule=VENDOR_MANAGE,
        description="The vendor's id: Youzan's root `kdt_id`, Weimob's `bosId`. 店铺标识",
    )
    client_id: str = field(
        rule=VENDOR_MANAGE,
        description="Our app that it trusts; its secret is in the stage's secret. 应用 ID",
    )
    name: str = field(rule=VENDOR_MANAGE, description="What it is called. 名称")
    default_store: Store | None = relation(
        key="default_store_id",
        load=stores.get_many,
        rule=VENDOR_MANAGE,
        description="For what names no store that is linked. 默认门店",
    )
    tells: list[CopyKind] = field(
        rule=VENDOR_MANAGE, description="What is written back. 回写类型", resolver=_told_kinds
    )
    paused: bool = field(
        rule=VENDOR_MANAGE, description="Received, and not followed until it goes on. 已暂停"
    )
    created_at: datetime = field(rule=VENDOR_MANAGE, description="Since when. 关联时间")
    version: int = field(
        rule=VENDOR_MANAGE,
        description="Rises with every change; give it as `expectedVersion`. 版本",
    )
    messages: Connection["VendorMessage"] = field(
        rule=VENDOR_MANAGE,
        description="Messages of the last 30 days by time. 消息",
        resolver=_messages,
    )
    open_messages: Connection["VendorMessage"] = field(
        rule=VENDOR_MANAGE,
        description="Messages that wait, or that were given up. 未完成消息",
        resolver=_open_messages,
    )
    open_copies: Connection["VendorCopy"] = field(
        rule=VENDOR_MANAGE,
        description="What is to be written back, or could not be. 未完成回写",
        resolver=_copies,
    )
    links: Connection[VendorLink] = field(
        rule=VENDOR_MANAGE, description="What things of it are here. 关联", resolver=_links
    )
    runs: Connection["VendorRun"] = field(
        rule=VENDOR_MANAGE, description="Reconciliations by time. 对账记录", resolver=_runs
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Shop)


_SHOP: Any = {
    "key": "shop_id",
    "load": repository.get_shops,
    "rule": VENDOR_MANAGE,
    "description": "Of which shop; null when it is linked no more. 店铺",
    "visible": visible,
}


@strawberry.type(description="What a vendor pushed, and what became of it. 服务商消息")
class VendorMessage(Node):
    """Shows models.Message."""

    shop: VendorShop | None = relation(**_SHOP)
    type: str = field(rule=VENDOR_MANAGE, description="In the vendor's words. 消息类型")
    subject: str | None = field(
        rule=VENDOR_MANAGE, description="The vendor's id of what it is about. 业务标识"
    )
    vendor_version: str | None = field(
        rule=VENDOR_MANAGE,
        description="Higher is newer within a type and subject. 消息版本",
        resolver=_vendor_version,
    )
    body: str | None = field(
        rule=VENDOR_MANAGE,
        description="The body as it arrived; null without the scope `members:pii`. 原始内容",
        resolver=_body,
    )
    state: MessageState = field(rule=VENDOR_MANAGE, description="Where it is. 状态")
    outcome: Outcome | None = field(rule=VENDOR_MANAGE, description="What it came to. 处理结果")
    note: str | None = field(rule=VENDOR_MANAGE, description="A word about that. 备注")
    problem: Problem | None = field(
        rule=VENDOR_MANAGE, description="Why the last attempt failed. 失败原因"
    )
    detail: str | None = field(
        rule=VENDOR_MANAGE, description="What is not linked, or whose code it was. 详情"
    )
    attempts: int = field(
        rule=VENDOR_MANAGE, description="How often it was tried since it was begun. 尝试次数"
    )
    received_at: datetime = field(rule=VENDOR_MANAGE, description="When it came. 接收时间")
    next_at: datetime | None = field(
        rule=VENDOR_MANAGE, description="When it is tried next, at the earliest. 下次尝试时间"
    )
    handled_at: datetime | None = field(rule=VENDOR_MANAGE, description="When it was. 处理时间")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Message)


@strawberry.type(description="What a vendor has of something that is here. 回写记录")
class VendorCopy(Node):
    """Shows models.Copy."""

    shop: VendorShop | None = relation(**_SHOP)
    kind: CopyKind = field(rule=VENDOR_MANAGE, description="Of what. 回写类型")
    subject_id: strawberry.ID = field(
        rule=VENDOR_MANAGE, description="Of which member or coupon. 对象 ID"
    )
    state: CopyState = field(rule=VENDOR_MANAGE, description="Whether they have it. 状态")
    problem: Problem | None = field(
        rule=VENDOR_MANAGE, description="Why the last attempt failed. 失败原因"
    )
    detail: str | None = field(
        rule=VENDOR_MANAGE,
        description="The vendor's code; UNCLEAR where they never answered. 详情",
    )
    attempts: int = field(
        rule=VENDOR_MANAGE, description="How often it was tried since it was begun. 尝试次数"
    )
    next_at: datetime | None = field(
        rule=VENDOR_MANAGE, description="When it is tried next, at the earliest. 下次尝试时间"
    )
    told_at: datetime | None = field(
        rule=VENDOR_MANAGE, description="When they were told last. 最近回写时间"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Copy)


@strawberry.type(description="A reconciliation of a shop's orders and customers. 对账")
class VendorRun(Node):
    """Shows models.Run."""

    shop: VendorShop | None = relation(**_SHOP)
    since: datetime = field(rule=VENDOR_MANAGE, description="What changed from here. 窗口起点")
    until: datetime = field(rule=VENDOR_MANAGE, description="To here. 窗口终点")
    state: RunState = field(rule=VENDOR_MANAGE, description="Where it is. 状态")
    problem: Problem | None = field(
        rule=VENDOR_MANAGE, description="Why its last step failed. 失败原因"
    )
    asked: int = field(
        rule=VENDOR_MANAGE,
        description="Orders that the vendor names. 订单数",
        resolver=_counted("asked"),
    )
    same: int = field(
        rule=VENDOR_MANAGE,
        description="Those that were as there. 一致",
        resolver=_counted("same"),
    )
    mended: int = field(
        rule=VENDOR_MANAGE,
        description="Those that were missing or older here, and are as there now. 已修复",
        resolver=_counted("mended"),
    )
    lost: int = field(
        rule=VENDOR_MANAGE,
        description="Those that still differ. 未修复",
        resolver=_counted("lost"),
    )
    customers: int = field(
        rule=VENDOR_MANAGE,
        description="Customers asked for: buyers, and who is new. 客户数",
        resolver=_counted("customers"),
    )
    customers_mended: int = field(
        rule=VENDOR_MANAGE,
        description="Those of whom something changed here. 已修复客户数",
        resolver=_counted("customers_mended"),
    )
    differences: list[VendorRunDifference] = field(
        rule=VENDOR_MANAGE,
        description="The first hundred orders that differed. 差异明细",
        resolver=_differences,
    )
    started_at: datetime = field(rule=VENDOR_MANAGE, description="When it began. 开始时间")
    ended_at: datetime | None = field(rule=VENDOR_MANAGE, description="When it ended. 结束时间")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Run)


@strawberry.type(description="What holds for all vendors. 服务商总设置")
class VendorSetup:
    """Shows models.Setup."""

    points_master: PointsMaster = field(
        rule=VENDOR_MANAGE, description="Whose points are right. 积分主账"
    )
    version: int | None = field(
        rule=VENDOR_MANAGE,
        description="Rises with every change; give it as `expectedVersion`; null before any. 版本",
    )


registry.add("vsh", repository.get_shops, visible)
registry.add("vmg", repository.get_messages, visible)
registry.add("vcp", repository.get_copies, visible)
registry.add("vrc", repository.get_runs, visible)
