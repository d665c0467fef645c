"""What is stored of documents: the texts by hash, and the manifests that name them."""

from pynamodb.attributes import (
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.documents.rules import ManifestState
from graphql_api.kit import ids
from graphql_api.kit.dynamo import InstantAttribute, Item, JsonAttribute, table_name

SOLE = "@"
MANIFESTS = "manifests"


class ListIndex(GlobalSecondaryIndex["DocumentsItem"]):
    """Manifests by client and version."""

    class Meta:
        index_name = "list"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class DocumentsItem(Item):
    """The table of this slice; DynamoDB removes an item some time after `forget_at`."""

    class Meta:
        table_name = table_name("documents")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    listed = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    forget_at = TTLAttribute(null=True)

    by_list = ListIndex()


class Document(DocumentsItem):
    """A document of the manifests of these live versions; of none, nobody may send it."""

    text = UnicodeAttribute()
    versions = UnicodeSetAttribute(null=True)


class Remembered(DocumentsItem):
    """A document that an open client sent with its hash, for whoever sends the hash alone."""

    text = UnicodeAttribute()


class Allowance(DocumentsItem):
    """How many documents were remembered for a client on a day."""

    used = NumberAttribute(default=0)


class Manifest(DocumentsItem):
    """The documents of one version of a client; its documents know it by its id."""

    id_prefix = "mfs"

    client = UnicodeAttribute()
    release = UnicodeAttribute()
    state = UnicodeEnumAttribute(ManifestState)
    hashes = JsonAttribute()
    published_at = InstantAttribute()
    published_by = UnicodeAttribute()
    retired_at = InstantAttribute(null=True)
    retired_by = UnicodeAttribute(null=True)
    version = VersionAttribute()

    @property
    def document_count(self) -> int:
        """How many documents it names."""
        return len(self.hashes)


def manifest_id(client: str, release: str) -> str:
    """The id of the manifest of a version."""
    return ids.derived_id("mfs", client, release)


def remembered_id(hash_: str) -> str:
    """The key of a remembered document."""
    return f"sent#{hash_}"


def allowance_id(client: str, day: str) -> str:
    """The key of what a client used up on a day."""
    return f"allowance#{client}#{day}"
