"""Bulk operations, as clients see them."""

from datetime import datetime
from typing import Any

import strawberry

from graphql_api.bulk import models, repository, rules
from graphql_api.bulk.rules import BulkProblem, BulkState
from graphql_api.context import Info
from graphql_api.kit import files
from graphql_api.kit.graphql import Node, field
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import URL
from graphql_api.kit.time import real_now
from graphql_api.permissions import BULK
from graphql_api.viewer import Viewer

describe_enum(
    BulkState,
    name="BulkOperationState",
    description="Where a bulk operation stands. 批量查询状态",
    values={
        "WAITING": "Not begun. 等待",
        "IN_PROGRESS": "Pages are being read. 进行中",
        "DONE": "The file is there. 完成",
        "FAILED": "It could not go on. 失败",
        "CANCELLED": "Somebody cancelled it. 已取消",
    },
)
describe_enum(
    BulkProblem,
    name="BulkOperationProblem",
    description="Why a bulk operation failed. 批量查询失败原因",
    values={
        "REFUSED": "The query was refused on the way. 查询被拒绝",
        "ACCESS_ENDED": "Whoever began it may not ask any more. 权限已失效",
        "TOO_LARGE": "The file is larger than 10 GB. 文件过大",
        "ABANDONED": "Nothing happened for an hour. 无人处理",
    },
)


def visible(viewer: Viewer, operation: models.BulkOperation) -> models.BulkOperation | None:
    """The row rule: one's own."""
    return operation if rules.sees(viewer, operation.by_id) else None


def _url(root: strawberry.Parent[models.BulkOperation]) -> str | None:
    """Signing asks nobody."""
    if not models.has_file(root, real_now()):
        return None
    return files.link(root.file, name=f"{root.id}.jsonl.gz")


@strawberry.type(description="A whole list, written to a file in the background. 批量查询")
class BulkOperation(Node):
    """Shows models.BulkOperation."""

    text: str = field(rule=BULK, description="What is asked. 查询语句", name="query")
    state: BulkState = field(rule=BULK, description="Where it stands. 状态")
    problem: BulkProblem | None = field(
        rule=BULK, description="Why it failed; null where it did not. 失败原因"
    )
    problem_text: str | None = field(rule=BULK, description="The same in English. 失败说明")
    objects: int = field(
        rule=BULK, description="How many lines are written. 已写行数", name="objectCount"
    )
    roots: int = field(
        rule=BULK,
        description="How many of them are of the outer list. 已写根对象数",
        name="rootObjectCount",
    )
    file_size: int | None = field(
        rule=BULK, description="Bytes of the file; null before it is there. 文件字节数"
    )
    created_at: datetime = field(rule=BULK, description="When it was begun. 创建时间")
    finished_at: datetime | None = field(
        rule=BULK, description="When it was over; null before. 结束时间"
    )
    url: URL | None = field(
        rule=BULK,
        description="The file, JSON lines in gzip; the link holds for an hour. 下载链接",
        resolver=_url,
    )
    forget_at: datetime | None = field(
        rule=BULK, description="When the file is removed. 文件保留至", name="urlUntil"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.BulkOperation)


registry.add("blk", repository.get_many, visible)
