"""The whole API on one page."""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

import strawberry
from graphql import GraphQLDirective, GraphQLError
from strawberry.schema.config import StrawberryConfig

from graphql_api.access.schema import AccessMutations, AccessQueries
from graphql_api.audit.schema import AuditQueries
from graphql_api.benefits.schema import BenefitMutations, BenefitQueries
from graphql_api.bulk.schema import BulkMutations, BulkQueries
from graphql_api.campaigns.schema import CampaignMutations, CampaignQueries
from graphql_api.checkout.schema import CheckoutMutations, CheckoutQueries
from graphql_api.codes.schema import CodeMutations, CodeQueries
from graphql_api.connectors.schema import VendorMutations, VendorQueries
from graphql_api.context import Info
from graphql_api.coupons.schema import CouponMutations, CouponQueries, CouponTemplateMutations
from graphql_api.documents.schema import DocumentMutations, DocumentQueries
from graphql_api.edge.gate import Gate
from graphql_api.edge.keyed import Execution
from graphql_api.errors import Invalid
from graphql_api.forecasts.schema import ForecastQueries
from graphql_api.friends.schema import FriendMutations, FriendQueries
from graphql_api.guides.schema import GuideMutations, GuideQueries
from graphql_api.kit.graphql import Node
from graphql_api.kit.graphql.arguments import Id
from graphql_api.kit.graphql.costs import ListSize, describe_arguments
from graphql_api.kit.graphql.keys import IDEMPOTENT
from graphql_api.kit.graphql.nodes import MAX_NODES, registry
from graphql_api.kit.graphql.scalars import SCALARS
from graphql_api.mall.schema import MallMutations, MallQueries
from graphql_api.members.schema import MemberMutations, MemberQueries
from graphql_api.merges.schema import MergeMutations, MergeQueries
from graphql_api.notices.schema import NoticeMutations, NoticeQueries
from graphql_api.orders.schema import OrderMutations, OrderQueries
from graphql_api.ownership.schema import OwnershipMutations, OwnershipQueries
from graphql_api.permissions import SIGNED_IN
from graphql_api.points.schema import PointsMutations
from graphql_api.policies.schema import PolicyMutations, PolicyQueries
from graphql_api.privacy.schema import PrivacyMutations, PrivacyQueries
from graphql_api.rebuilds.schema import RebuildMutations, RebuildQueries
from graphql_api.sends.schema import SendMutations, SendQueries
from graphql_api.standing.schema import StandingMutations
from graphql_api.stores.schema import StoreMutations, StoreQueries
from graphql_api.tags.schema import TagMutations, TagQueries
from graphql_api.webhooks.schema import WebhookMutations, WebhookQueries


@strawberry.type
class NodeQueries:
    """Anything by its id."""

    @strawberry.field(
        description="Anything by its id; null when malformed, unknown or not yours. 按 ID 取对象",
        graphql_type=Node | None,
        metadata={"rule": SIGNED_IN},
    )
    async def node(self, info: Info, id: Id) -> object:
        """One."""
        return await registry.find(info.context, id)

    @strawberry.field(
        description="Up to 100 things by id, null in the place of each not found. 按 ID 批量取",
        graphql_type=list[Node | None],
        metadata={"rule": SIGNED_IN},
        directives=[ListSize(argument="ids")],
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID], strawberry.argument(description="Their ids, at most 100. ID 列表")
        ],
    ) -> list[object]:
        """Many, one batch per kind."""
        if len(ids) > MAX_NODES:
            raise Invalid(f"`ids` holds at most {MAX_NODES}", field=("ids",))
        return list(await asyncio.gather(*(registry.find(info.context, id_) for id_ in ids)))


@strawberry.type(description="What can be asked. 查询")
class Query(
    NodeQueries,
    PolicyQueries,
    StoreQueries,
    GuideQueries,
    MemberQueries,
    OwnershipQueries,
    TagQueries,
    CouponQueries,
    CheckoutQueries,
    OrderQueries,
    CampaignQueries,
    CodeQueries,
    FriendQueries,
    SendQueries,
    NoticeQueries,
    AccessQueries,
    DocumentQueries,
    AuditQueries,
    WebhookQueries,
    VendorQueries,
    MergeQueries,
    PrivacyQueries,
    BulkQueries,
    RebuildQueries,
    ForecastQueries,
    BenefitQueries,
    MallQueries,
):
    """Root of all queries."""


@strawberry.type(description="What can be done. 变更")
class Mutation(
    PolicyMutations,
    StoreMutations,
    GuideMutations,
    MemberMutations,
    OwnershipMutations,
    TagMutations,
    CouponTemplateMutations,
    CouponMutations,
    CheckoutMutations,
    OrderMutations,
    CampaignMutations,
    CodeMutations,
    FriendMutations,
    SendMutations,
    NoticeMutations,
    AccessMutations,
    WebhookMutations,
    VendorMutations,
    MergeMutations,
    DocumentMutations,
    PrivacyMutations,
    BulkMutations,
    RebuildMutations,
    StandingMutations,
    PointsMutations,
    BenefitMutations,
    MallMutations,
):
    """Root of all mutations."""


class _Schema(strawberry.Schema):
    """Errors are logged where they are coded, once, and only the unexpected ones."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        describe_arguments(self._schema)

    def _collect_graphql_directives(
        self, schema_directive_types: Iterable[type]
    ) -> tuple[GraphQLDirective, ...]:
        """With `@idempotent`, which edge.keyed executes; Strawberry would wrap every resolver."""
        return (*super()._collect_graphql_directives(schema_directive_types), IDEMPOTENT)

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Nothing: see edge.faults.shown_errors."""


schema = _Schema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(scalar_map=SCALARS),
    extensions=[Gate],
    execution_context_class=Execution,
)
