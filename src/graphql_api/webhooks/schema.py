"""Queries and mutations of webhooks."""

from datetime import datetime
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.kit.graphql import (
    Connection,
    UserError,
    changed_field,
    command,
    errors_field,
    field,
    mutation,
    paged,
)
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.arguments import INPUT, After, First, Id, Reverse
from graphql_api.kit.graphql.keys import KeyUse
from graphql_api.kit.graphql.scalars import URL
from graphql_api.kit.time import real_now
from graphql_api.permissions import WEBHOOK_MANAGE
from graphql_api.webhooks import models, repository, service
from graphql_api.webhooks.rules import Topic
from graphql_api.webhooks.types import (
    WebhookDelivery,
    WebhookEndpoint,
    endpoint_visible,
    look_at_delivery,
)

_NAME = "What it is for, 1 to 80 characters. 名称"
_URL = "Where it is posted to: https, on the public internet. 地址"
_TOPICS = "What it is told of, at least one. 主题"
_WHICH = "Which endpoint. Webhook 地址 ID"


@strawberry.type
class WebhookQueries:
    """What can be asked of webhooks."""

    @strawberry.field(
        description="One endpoint; null where there is none that you may see. Webhook 地址",
        graphql_type=WebhookEndpoint | None,
        metadata={"rule": WEBHOOK_MANAGE},
    )
    async def webhook_endpoint(self, info: Info, id: Id) -> object:
        """By its id."""
        found = await info.context.load(repository.get_endpoints, id)
        return found and endpoint_visible(info.context.viewer, found)

    @strawberry.field(
        description="Endpoints by time, disabled ones too; a key sees its own. Webhook 地址列表",
        graphql_type=Connection[WebhookEndpoint],
        metadata={"rule": WEBHOOK_MANAGE},
    )
    async def webhook_endpoints(
        self, info: Info, first: First = 20, after: After = None, reverse: Reverse = False
    ) -> object:
        """They are few."""
        return await paged(
            info.context,
            repository.page_of_endpoints,
            first=first,
            after=after,
            reverse=reverse,
            visible=endpoint_visible,
        )

    @strawberry.field(
        description="One delivery; null where there is none that you may see. Webhook 投递",
        graphql_type=WebhookDelivery | None,
        metadata={"rule": WEBHOOK_MANAGE},
    )
    async def webhook_delivery(self, info: Info, id: Id) -> object:
        """By its id, which the receiver has from a header."""
        found = await info.context.load(repository.get_deliveries, id)
        return found and await look_at_delivery(info.context, found)


@strawberry.input(description="A new endpoint. 新建 Webhook 地址")
class WebhookEndpointCreateInput:
    """See service.EndpointCreate."""

    name: str = strawberry.field(description=_NAME)
    url: URL = strawberry.field(description=_URL)
    topics: list[Topic] = strawberry.field(description=_TOPICS)


@strawberry.input(description="Changes of an endpoint; what is left out stays. 修改 Webhook 地址")
class WebhookEndpointUpdateInput:
    """See service.EndpointUpdate."""

    id: strawberry.ID = strawberry.field(description=_WHICH)
    name: strawberry.Maybe[str] = strawberry.field(description=_NAME)
    url: strawberry.Maybe[URL] = strawberry.field(description=_URL)
    topics: strawberry.Maybe[list[Topic]] = strawberry.field(description=_TOPICS)
    expected_version: strawberry.Maybe[int] = strawberry.field(
        description="Refuse with CONFLICT when it has changed since. 期望版本"
    )


@strawberry.input(description="A new secret for an endpoint. 轮换 Webhook 密钥")
class WebhookSecretRotateInput:
    """See service.SecretRotate."""

    id: strawberry.ID = strawberry.field(description=_WHICH)
    grace_hours: int = strawberry.field(
        default=24,
        description="How long the present secret still signs too, 0 to 72. 旧密钥宽限小时数",
    )


@strawberry.input(description="Which deliveries are made anew. 批量重放")
class WebhookEndpointReplayInput:
    """See service.EndpointReplay."""

    id: strawberry.ID = strawberry.field(description=_WHICH)
    since: datetime = strawberry.field(
        description="Those made at this instant or later, within 14 days. 起始时间"
    )
    undelivered_only: bool = strawberry.field(
        default=True, description="Leave out what was delivered. 仅未送达"
    )


@strawberry.type(description="What became of a command on an endpoint. Webhook 地址操作结果")
class WebhookEndpointPayload:
    """The endpoint, this once its secret, or why not."""

    endpoint: WebhookEndpoint | None = changed_field(
        "The endpoint as it is now; null when refused. Webhook 地址"
    )
    secret: str | None = field(
        rule=INHERITED,
        description="What deliveries are signed with, where it is new; never shown again. 密钥明文",
        default=None,
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a command on a delivery. Webhook 投递操作结果")
class WebhookDeliveryPayload:
    """The delivery, or why not."""

    delivery: WebhookDelivery | None = changed_field(
        "The delivery as it is now; null when refused. Webhook 投递"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class WebhookMutations:
    """Commands of this slice; webhooks go by the real clock."""

    @mutation(
        WebhookEndpointPayload,
        rule=WEBHOOK_MANAGE,
        description="Register an endpoint; its secret is shown this once. 新建 Webhook 地址",
        key=KeyUse.SHOWN_ONCE,
    )
    def webhook_endpoint_create(
        self, info: Info, input: Annotated[WebhookEndpointCreateInput, INPUT]
    ) -> WebhookEndpointPayload:
        """See service.create."""
        new = command(service.EndpointCreate, input)
        return _shown_once(service.create(new, viewer=info.context.viewer, at=real_now()))

    @mutation(
        WebhookEndpointPayload,
        rule=WEBHOOK_MANAGE,
        description="Change an endpoint. 修改 Webhook 地址",
    )
    def webhook_endpoint_update(
        self, info: Info, input: Annotated[WebhookEndpointUpdateInput, INPUT]
    ) -> models.Endpoint:
        """See service.update."""
        change = command(service.EndpointUpdate, input)
        return service.update(change, viewer=info.context.viewer)

    @mutation(
        WebhookEndpointPayload,
        rule=WEBHOOK_MANAGE,
        description="Give an endpoint a new secret, shown this once. 轮换 Webhook 密钥",
        key=KeyUse.SHOWN_ONCE,
    )
    def webhook_endpoint_rotate_secret(
        self, info: Info, input: Annotated[WebhookSecretRotateInput, INPUT]
    ) -> WebhookEndpointPayload:
        """See service.rotate_secret."""
        given = command(service.SecretRotate, input)
        return _shown_once(service.rotate_secret(given, viewer=info.context.viewer, at=real_now()))

    @mutation(
        WebhookEndpointPayload,
        rule=WEBHOOK_MANAGE,
        description="Tell an endpoint nothing any more. 停用 Webhook 地址",
    )
    def webhook_endpoint_disable(self, info: Info, id: Id) -> models.Endpoint:
        """See service.disable."""
        return service.disable(id, viewer=info.context.viewer, at=real_now())

    @mutation(
        WebhookEndpointPayload,
        rule=WEBHOOK_MANAGE,
        description="Tell an endpoint again, beginning with what was held. 启用 Webhook 地址",
    )
    def webhook_endpoint_enable(self, info: Info, id: Id) -> models.Endpoint:
        """See service.enable."""
        return service.enable(id, viewer=info.context.viewer, at=real_now())

    @mutation(
        WebhookDeliveryPayload,
        rule=WEBHOOK_MANAGE,
        description="Send an endpoint a delivery that says nothing, once. 测试 Webhook",
    )
    def webhook_endpoint_test(self, info: Info, id: Id) -> models.Delivery:
        """See service.test."""
        return service.test(id, viewer=info.context.viewer, at=real_now())

    @mutation(
        WebhookDeliveryPayload,
        rule=WEBHOOK_MANAGE,
        description="Make a delivery anew, delivered or not, under its id. 重放投递",
    )
    def webhook_delivery_replay(self, info: Info, id: Id) -> models.Delivery:
        """See service.replay."""
        return service.replay(id, viewer=info.context.viewer, at=real_now())

    @mutation(
        WebhookEndpointPayload,
        rule=WEBHOOK_MANAGE,
        description="Make an endpoint's deliveries since an instant anew. 批量重放投递",
    )
    def webhook_endpoint_replay(
        self, info: Info, input: Annotated[WebhookEndpointReplayInput, INPUT]
    ) -> models.Endpoint:
        """See service.replay_since."""
        given = command(service.EndpointReplay, input)
        return service.replay_since(given, viewer=info.context.viewer, at=real_now())


def _shown_once(made: service.Registered) -> WebhookEndpointPayload:
    shown: WebhookEndpoint = made.endpoint  # type: ignore[assignment]  # the stored item, seen through its type
    return WebhookEndpointPayload(endpoint=shown, secret=made.secret)
