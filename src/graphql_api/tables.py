"""The tables of all slices, for laptops and tests; in the cloud the template makes them."""

from typing import Any

from botocore.exceptions import ClientError

from graphql_api.access.models import AccessItem
from graphql_api.audit.models import AuditItem
from graphql_api.campaigns.models import CampaignsItem
from graphql_api.documents.models import DocumentsItem
from graphql_api.guides.models import GuidesItem
from graphql_api.kit.dynamo import Item
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.members.models import MembersItem
from graphql_api.merges.models import MergesItem
from graphql_api.orders.models import OrdersItem
from graphql_api.ownership.models import OwnershipItem
from graphql_api.policies.models import PoliciesItem
from graphql_api.requests.models import RequestsItem
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
    OrdersItem,
    CampaignsItem,
    AccessItem,
    RequestsItem,
    WebhooksItem,
    MergesItem,
    DocumentsItem,
)


def create_all() -> list[str]:
    """Create the tables that do not exist yet, and name them."""
    client: Any = shared_client()
    existing = set(client.list_tables()["TableNames"])
    created = []
    for model in TABLES:
        if model.Meta.table_name not in existing:
            try:
                model.create_table(wait=True)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceInUseException":
                    raise
            created.append(model.Meta.table_name)
    return created
