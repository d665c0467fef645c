"""Manifests, as clients see them."""

from datetime import datetime
from typing import Any

import strawberry

from graphql_api.context import Info
from graphql_api.documents import models, repository, rules
from graphql_api.documents.rules import ManifestState
from graphql_api.kit.graphql import Node, field
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.permissions import MANIFEST_MANAGE
from graphql_api.viewer import Viewer

describe_enum(
    ManifestState,
    name="ClientManifestState",
    description="Where the manifest of a version stands. 清单状态",
    values={
        "PUBLISHING": "Its documents are being written; publish it again to go on. 发布中",
        "PUBLISHED": "Its documents may be sent. 已发布",
        "RETIRING": "Its documents are being taken away; retire it again to go on. 停用中",
        "RETIRED": "Nobody runs this version any more. 已停用",
    },
)


def visible(viewer: Viewer, manifest: models.Manifest) -> models.Manifest | None:
    """The row rule: whoever publishes manifests sees all of them."""
    return manifest if rules.manages(viewer) else None


@strawberry.type(description="The documents that one version of a client sends. 客户端查询清单")
class ClientManifest(Node):
    """Shows models.Manifest."""

    client: str = field(rule=MANIFEST_MANAGE, description="Which client. 客户端")
    version: str = field(
        rule=MANIFEST_MANAGE,
        description="Which version of it. 版本号",
        resolver=lambda root: root.release,
    )
    state: ManifestState = field(rule=MANIFEST_MANAGE, description="Where it stands. 状态")
    document_count: int = field(
        rule=MANIFEST_MANAGE, description="How many documents it names. 查询数量"
    )
    published_at: datetime = field(rule=MANIFEST_MANAGE, description="When. 发布时间")
    published_by: strawberry.ID = field(
        rule=MANIFEST_MANAGE, description="Who published it. 发布人 ID"
    )
    retired_at: datetime | None = field(
        rule=MANIFEST_MANAGE, description="When it was retired; null while it is live. 停用时间"
    )
    retired_by: strawberry.ID | None = field(
        rule=MANIFEST_MANAGE, description="Who retired it. 停用人 ID"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Manifest)


registry.add("mfs", repository.get_manifests, visible)
