"""What is stored of bulk operations: each with how far it got, and which is a client's last."""

from datetime import datetime

from pynamodb.attributes import (
    ListAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.constants import STREAM_NEW_AND_OLD_IMAGE
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.bulk.rules import BulkProblem, BulkState, Page
from graphql_api.kit.dynamo import InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.viewer import Role

SOLE = "@"


class BulkItem(Item):
    """The table of this slice; DynamoDB removes an item some time after `forget_at`."""

    class Meta:
        table_name = table_name("bulk")
        billing_mode = "PAY_PER_REQUEST"
        stream_view_type = STREAM_NEW_AND_OLD_IMAGE

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    forget_at = TTLAttribute(null=True)


class BulkOperation(BulkItem):
    """A query over a whole list, by whom, and how far it got.

    `left_document` are the pages that are left, the next one last; `tags` those of the parts of the
    file that are put, and what is not a whole part yet stands in a file of its own for each step.
    """

    id_prefix = "blk"

    text = UnicodeAttribute(attr_name="query")
    state = UnicodeEnumAttribute(BulkState, default=BulkState.WAITING)
    problem = UnicodeEnumAttribute(BulkProblem, null=True)
    problem_text = UnicodeAttribute(null=True)
    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute()
    unit_id = UnicodeAttribute(null=True)
    scopes: ListAttribute[str] = ListAttribute(default=list)
    created_at = InstantAttribute()
    noted_at = InstantAttribute()
    finished_at = InstantAttribute(null=True)
    upload = UnicodeAttribute(null=True)
    tags: ListAttribute[str] = ListAttribute(default=list)
    step = NumberAttribute(default=0)
    left_document = JsonAttribute(attr_name="left", default=list)
    objects = NumberAttribute(default=0)
    roots = NumberAttribute(default=0)
    bytes = NumberAttribute(default=0)
    version = VersionAttribute()

    @property
    def left(self) -> list[Page]:
        """The pages that are left, the next one last."""
        return [Page(*row) for row in self.left_document]

    @left.setter
    def left(self, pages: list[Page]) -> None:
        self.left_document = [[p.connection, p.parent_id, p.after] for p in pages]

    @property
    def file_size(self) -> int | None:
        """Bytes of the file, as far as a number of the schema goes."""
        size = int(self.bytes)
        return min(size, 2**31 - 1) if self.state is BulkState.DONE else None

    @property
    def file(self) -> str:
        """Where the result is."""
        return f"bulk/{self.id}.jsonl.gz"

    def tail(self, step: int) -> str:
        """Where a step finds what was not a whole part."""
        return f"bulk/{self.id}.tail-{step}"


class LastOperation(BulkItem):
    """Which operation of a viewer is the last; at most one of theirs runs."""

    operation_id = UnicodeAttribute()
    version = VersionAttribute()


def last_id(viewer_id: str) -> str:
    """The key of a viewer's last operation."""
    return f"last#{viewer_id}"


def has_file(operation: BulkOperation, at: datetime) -> bool:
    """Whether the result can be fetched."""
    forget_at: datetime | None = operation.forget_at
    return operation.state is BulkState.DONE and forget_at is not None and at < forget_at
