"""What is stored of policies: their versions, and for each kind which one is in force."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.constants import STREAM_NEW_AND_OLD_IMAGE
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit import ids
from graphql_api.kit.dynamo import InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.policies import rules
from graphql_api.policies.rules import DOCUMENTS, PolicyDocument, PolicyKind, PolicyState

SOLE = "@"
SHIPPED_VERSION = 0
_HEAD = "head#"


class KindIndex(GlobalSecondaryIndex["PoliciesItem"]):
    """Versions of a kind of policy, by number."""

    class Meta:
        index_name = "kind"
        projection = KeysOnlyProjection()

    of_kind = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class PoliciesItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("policies")
        billing_mode = "PAY_PER_REQUEST"
        stream_view_type = STREAM_NEW_AND_OLD_IMAGE

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    of_kind = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)

    by_kind = KindIndex()


class Policy(PoliciesItem):
    """A version of a policy; its document never changes, only its state does."""

    id_prefix = "pol"

    kind = UnicodeEnumAttribute(PolicyKind)
    version = NumberAttribute()
    state = UnicodeEnumAttribute(PolicyState)
    document = JsonAttribute()
    drafted_by = UnicodeAttribute(null=True)
    drafted_at = InstantAttribute(null=True)
    published_by = UnicodeAttribute(null=True)
    published_at = InstantAttribute(null=True)
    superseded_at = InstantAttribute(null=True)

    @property
    def content(self) -> PolicyDocument:
        """The document, to decide by. Raises ValueError where this code cannot read it."""
        read = rules.read(self.kind, self.document)
        if isinstance(read, list):
            raise ValueError(f"{self.kind} {int(self.version)}: {read}")  # noqa: TRY004 - its content
        return read


class Head(PoliciesItem):
    """Which versions of a kind of policy are in force and open; every change goes through it."""

    last = NumberAttribute(default=SHIPPED_VERSION)
    in_force = NumberAttribute(default=SHIPPED_VERSION)
    draft = NumberAttribute(null=True)
    version = VersionAttribute()

    @staticmethod
    def kind_of(key: str) -> PolicyKind | None:
        """The kind whose head stands under a key; None for keys of anything else."""
        kind = key.removeprefix(_HEAD)
        known = key.startswith(_HEAD) and kind in PolicyKind.__members__
        return PolicyKind[kind] if known else None


def policy_id(kind: PolicyKind, version: int) -> str:
    """The id of a version of a policy."""
    return ids.derived_id("pol", kind, str(version))


def head_id(kind: PolicyKind) -> str:
    """The key of a kind of policy."""
    return f"{_HEAD}{kind}"


def place_of(version: int) -> str:
    """The place of a version among those of its kind; sorts as the number does."""
    return f"{version:010d}"


def shipped(kind: PolicyKind) -> Policy:
    """The policy that the product ships with: never stored, in force until one is published."""
    return Policy(
        policy_id(kind, SHIPPED_VERSION),
        kind=kind,
        version=SHIPPED_VERSION,
        state=PolicyState.SHIPPED,
        document=DOCUMENTS[kind]().document(),
    )
