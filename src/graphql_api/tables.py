"""The tables of all slices, for laptops and tests; in the cloud the template makes them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from pynamodb.connection import Connection

from graphql_api.access.models import AccessItem
from graphql_api.audit.models import AuditItem
from graphql_api.benefits.models import BenefitsItem
from graphql_api.bulk.models import BulkItem
from graphql_api.campaigns.models import CampaignsItem
from graphql_api.checkout.models import CheckoutItem
from graphql_api.codes.models import CodesItem
from graphql_api.commissions.models import CommissionsItem
from graphql_api.connectors.models import ConnectorsItem
from graphql_api.coupons.models import CouponsItem
from graphql_api.documents.models import DocumentsItem
from graphql_api.forecasts.models import ForecastsItem
from graphql_api.friends.models import FriendsItem
from graphql_api.guides.models import GuidesItem
from graphql_api.kit.dynamo import Item
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.mall.models import MallTableItem
from graphql_api.members.models import MembersItem
from graphql_api.merges.models import MergesItem
from graphql_api.notices.models import NoticesItem
from graphql_api.orders.models import OrdersItem
from graphql_api.ownership.models import OwnershipItem
from graphql_api.points.models import PointsItem
from graphql_api.policies.models import PoliciesItem
from graphql_api.privacy.models import PrivacyItem
from graphql_api.rebuilds.models import RebuildsItem
from graphql_api.requests.models import RequestsItem
from graphql_api.sends.models import SendsItem
from graphql_api.standing.models import StandingItem
from graphql_api.stores.models import StoresItem
from graphql_api.tags.models import TagsItem
from graphql_api.webhooks.models import WebhooksItem

TABLES: tuple[type[Item], ...] = (
    PoliciesItem,
    AuditItem,
    StoresItem,
    GuidesItem,
    MembersItem,
    OwnershipItem,
    TagsItem,
    StandingItem,
    RebuildsItem,
    ForecastsItem,
    PointsItem,
    CouponsItem,
    CheckoutItem,
    BenefitsItem,
    MallTableItem,
    OrdersItem,
    CommissionsItem,
    CampaignsItem,
    CodesItem,
    FriendsItem,
    SendsItem,
    NoticesItem,
    AccessItem,
    RequestsItem,
    WebhooksItem,
    MergesItem,
    DocumentsItem,
    PrivacyItem,
    BulkItem,
    ConnectorsItem,
)


class _Recorder(Connection):
    """Keeps a request in place of sending it."""

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        self.asked = {operation_name: operation_kwargs}
        return {}


def create_all(wanted: Sequence[type[Item]] = TABLES) -> list[str]:
    """Create the tables that do not exist yet, all or those of some models, and name them."""
    client: Any = shared_client()
    existing = set(client.list_tables()["TableNames"])
    return [m.Meta.table_name for m in wanted if m.Meta.table_name not in existing and create(m)]


def create(model: type[Item], *, forgetting: bool = True) -> bool:
    """Create one; whether it was created now, for somebody else may be doing so at the same time.

    One request, and where it is to forget one for its time to live: a local engine has a table at
    once.
    """
    client: Any = shared_client()
    try:
        answer = client.create_table(**_request(model))
    except client.exceptions.ResourceInUseException:
        return False
    if answer["TableDescription"]["TableStatus"] != "ACTIVE":
        client.get_waiter("table_exists").wait(TableName=model.Meta.table_name)
    if forgetting:
        model.update_ttl(ignore_update_ttl_errors=False)
    return True


@cache
def _request(model: type[Item]) -> dict[str, Any]:
    recorder = _Recorder()
    view_type = getattr(model.Meta, "stream_view_type", None)
    recorder.create_table(
        model.Meta.table_name,
        billing_mode=str(model.Meta.billing_mode),
        stream_specification=view_type and {"stream_enabled": True, "stream_view_type": view_type},
        **model._get_schema(),  # noqa: SLF001 - PynamoDB creates a table in three requests or more
    )
    return recorder.asked["CreateTable"]
