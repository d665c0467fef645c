"""Webhooks, as clients see them: endpoints and their log of deliveries."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from graphql_api.context import Info
from graphql_api.kit.graphql import Connection, Node, field, paged, relation
from graphql_api.kit.graphql.arguments import After, First, Reverse
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import URL, Json
from graphql_api.permissions import WEBHOOK_MANAGE
from graphql_api.viewer import Viewer
from graphql_api.webhooks import models, repository, rules
from graphql_api.webhooks.rules import (
    DeliveryState,
    EndpointState,
    Health,
    Problem,
    StopReason,
    Topic,
)

describe_enum(
    Topic,
    name="WebhookTopic",
    description="What an endpoint can be told of. Webhook 主题",
    values={
        "MEMBER_ENROLLED": "Somebody became a member. 会员入会",
        "MEMBER_UPDATED": "Profile, identities, consents or home store changed. 会员资料变更",
        "MEMBER_ARCHIVED": "A member was archived. 会员归档",
        "MEMBER_RESTORED": "A member was taken out of the archive. 会员恢复",
        "MEMBER_MERGED": "The id leads to another member from now on. 会员合并",
        "MEMBER_ERASED": "A member was forgotten, for good: do so too. 会员信息删除",
        "MEMBER_GUIDE_CHANGED": "Another guide looks after the member, or none. 专属导购变更",
        "MEMBER_TAGS_CHANGED": "Tags were given, renewed or taken. 会员标签变更",
        "MEMBER_FIRST_PURCHASE": "A member bought for the first time. 首次购买",
        "GIFT_GIVEN": "A member was given a gift of their benefits. 礼品发放",
        "MEMBER_TIER_CHANGED": "A member rose or fell to another tier. 会员等级变更",
        "MEMBER_LIFECYCLE_CHANGED": "A member is in another state of the lifecycle. 生命周期变更",
        "MEMBER_POINTS_CHANGED": "A member's points moved. 积分变动",
        "MEMBER_POINTS_EXPIRING": "Points of a member run out soon. 积分即将过期",
        "ORDER_APPLIED": "An order is new, changed, or came to a member. 订单写入",
        "ORDER_REFUNDED": "A refund of an order is new or changed. 订单退款",
        "COUPON_ISSUED": "A member has a new coupon. 优惠券发放",
        "COUPON_REDEEMED": "A coupon was used. 优惠券核销",
        "COUPON_RETURNED": "A coupon that was used is the member's again. 优惠券返还",
        "COUPON_EXPIRED": "A coupon ran out unused. 优惠券过期",
        "COUPON_RECYCLED": "An unused coupon was taken back. 优惠券回收",
        "COUPON_GIFTED": "A friend took a coupon over and has a new one. 优惠券转赠",
        "TEST": "Nothing happened: somebody tries an endpoint. 测试",
    },
)
describe_enum(
    EndpointState,
    name="WebhookEndpointState",
    description="Whether an endpoint is sent to. Webhook 地址状态",
    values={
        "ACTIVE": "It is sent to. 启用",
        "PAUSED": "It failed too long; what it would be told is held. 暂停",
        "DISABLED": "It is told nothing. 停用",
    },
)
describe_enum(
    StopReason,
    name="WebhookStopReason",
    description="Why an endpoint is not sent to. 停用原因",
    values={
        "BY_HAND": "Somebody disabled it. 人工停用",
        "FAILING": "It accepted nothing for 24 hours. 持续失败",
        "GONE": "It answered 410. 对方已下线",
        "KEY_ENDED": "The key that registered it ended, or may not read this. 密钥失效",
    },
)
describe_enum(
    DeliveryState,
    name="WebhookDeliveryState",
    description="What became of a delivery. 投递状态",
    values={
        "PENDING": "It is on its way, or waits for its next attempt. 待投递",
        "HELD": "Its endpoint is paused. 挂起",
        "DELIVERED": "The receiver accepted it, with a 2xx. 已送达",
        "DEAD": "It is not tried again, unless it is replayed. 已放弃",
    },
)
describe_enum(
    Problem,
    name="WebhookProblem",
    description="Why an attempt failed. 失败原因",
    values={
        "STATUS": "The receiver answered something other than 2xx. 状态码错误",
        "TIMEOUT": "It did not answer within ten seconds. 超时",
        "UNREACHABLE": "It cannot be found, connected to, or trusted. 无法连接",
        "FORBIDDEN_ADDRESS": "Its host is not on the public internet. 地址被禁止",
        "STOPPED": "Its endpoint was paused or disabled. 地址已停用",
    },
)


def endpoint_visible(viewer: Viewer, endpoint: models.Endpoint) -> models.Endpoint | None:
    """The row rule: headquarters see all endpoints, a key those that it registered."""
    return endpoint if rules.sees(viewer, endpoint.created_by) else None


async def _health(root: strawberry.Parent[models.Endpoint], info: Info) -> Health:
    found = await info.context.load(repository.get_healths, root.id)
    return found.value if found else Health()


async def _failures(root: strawberry.Parent[models.Endpoint], info: Info) -> int:
    return (await _health(root, info)).failures


async def _failing_since(root: strawberry.Parent[models.Endpoint], info: Info) -> datetime | None:
    return (await _health(root, info)).failing_since


Undelivered = Annotated[
    bool, strawberry.argument(description="Only what was not delivered. 仅未送达")
]


async def _deliveries(
    root: strawberry.Parent[models.Endpoint],
    info: Info,
    first: First = 20,
    after: After = None,
    reverse: Reverse = False,
    undelivered: Undelivered = False,
) -> Any:
    page = repository.page_of_deliveries
    return await paged(
        info.context, page, root.id, undelivered, first=first, after=after, reverse=reverse
    )


del _deliveries.__annotations__["return"]


@strawberry.type(description="An address of another system that is told of events. Webhook 地址")
class WebhookEndpoint(Node):
    """Shows models.Endpoint."""

    name: str = field(rule=WEBHOOK_MANAGE, description="What it is for. 名称")
    url: URL = field(rule=WEBHOOK_MANAGE, description="Where it is posted to. 地址")
    topics: list[Topic] = field(rule=WEBHOOK_MANAGE, description="What it is told of. 主题")
    state: EndpointState = field(rule=WEBHOOK_MANAGE, description="Whether it is sent to. 状态")
    stop_reason: StopReason | None = field(
        rule=WEBHOOK_MANAGE, description="Why it is not; null while it is. 停用原因"
    )
    stopped_at: datetime | None = field(
        rule=WEBHOOK_MANAGE, description="Since when it is not. 停用时间"
    )
    failures: int = field(
        rule=WEBHOOK_MANAGE,
        description="How many attempts failed since one was accepted. 连续失败次数",
        resolver=_failures,
    )
    failing_since: datetime | None = field(
        rule=WEBHOOK_MANAGE,
        description="Since when every attempt failed; null when the last did not. 失败起始",
        resolver=_failing_since,
    )
    old_secret_until: datetime | None = field(
        rule=WEBHOOK_MANAGE,
        description="Until when the secret before this one signs too. 旧密钥有效至",
    )
    created_at: datetime = field(rule=WEBHOOK_MANAGE, description="When it was made. 创建时间")
    created_by: strawberry.ID = field(rule=WEBHOOK_MANAGE, description="Who made it. 创建人 ID")
    version: int = field(
        rule=WEBHOOK_MANAGE,
        description="Rises with every change; give it as `expectedVersion`. 版本",
    )
    deliveries: Connection["WebhookDelivery"] = field(
        rule=WEBHOOK_MANAGE,
        description="Deliveries of the last 14 days by time. 投递记录",
        resolver=_deliveries,
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Endpoint)


@strawberry.type(description="An event for an endpoint, and what became of it. Webhook 投递")
class WebhookDelivery(Node):
    """Shows models.Delivery."""

    endpoint: WebhookEndpoint | None = relation(
        key="endpoint_id",
        load=repository.get_endpoints,
        rule=WEBHOOK_MANAGE,
        description="Who is told. 地址",
        visible=endpoint_visible,
    )
    event_id: strawberry.ID = field(
        rule=WEBHOOK_MANAGE, description="The same for all endpoints that are told. 事件 ID"
    )
    topic: Topic = field(rule=WEBHOOK_MANAGE, description="What it is about. 主题")
    payload: Json = field(rule=WEBHOOK_MANAGE, description="The body as it is posted. 内容")
    state: DeliveryState = field(rule=WEBHOOK_MANAGE, description="What became of it. 状态")
    attempts: int = field(
        rule=WEBHOOK_MANAGE, description="How often it was tried since it was begun. 尝试次数"
    )
    created_at: datetime = field(rule=WEBHOOK_MANAGE, description="When it was made. 创建时间")
    next_at: datetime | None = field(
        rule=WEBHOOK_MANAGE, description="When it is tried next, at the earliest. 下次尝试时间"
    )
    last_at: datetime | None = field(
        rule=WEBHOOK_MANAGE, description="When it was tried last. 最近尝试时间"
    )
    last_status: int | None = field(
        rule=WEBHOOK_MANAGE, description="The HTTP status of the last attempt. 最近状态码"
    )
    last_problem: Problem | None = field(
        rule=WEBHOOK_MANAGE, description="Why the last attempt failed. 最近失败原因"
    )
    last_milliseconds: int | None = field(
        rule=WEBHOOK_MANAGE, description="How long the last attempt took. 最近耗时（毫秒）"
    )
    last_answer: str | None = field(
        rule=WEBHOOK_MANAGE,
        description="The first 500 characters of the last answer. 最近响应内容",
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Delivery)


async def look_at_delivery(context: Any, delivery: models.Delivery) -> models.Delivery | None:
    """The row rule of a delivery: that of its endpoint."""
    endpoint = await context.load(repository.get_endpoints, delivery.endpoint_id)
    shown = endpoint is not None and rules.sees(context.viewer, endpoint.created_by)
    return delivery if shown else None


registry.add("whe", repository.get_endpoints, endpoint_visible)
registry.add_looked_up("whd", repository.get_deliveries, look_at_delivery)
