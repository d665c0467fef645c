"""What is stored of access: sessions of principals, staff accounts, API keys, and attempts."""

from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import (
    ListAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.access.rules import Session, Sessions
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.members.models import Member
from graphql_api.viewer import DocumentPolicy, Role

SOLE = "@"
SESSIONS = "sessions"
ALL_KEYS = "keys"


class ListIndex(GlobalSecondaryIndex["AccessItem"]):
    """Staff accounts by number, 256 to a key; API keys by time."""

    class Meta:
        index_name = "list"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class AccessItem(Item):
    """The table of this slice; DynamoDB removes an item some time after `forget_at`."""

    class Meta:
        table_name = table_name("access")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    listed = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    forget_at = TTLAttribute(null=True)

    by_list = ListIndex()


class Principal(AccessItem):
    """The sessions of a member, guide or staff account; read with each request of theirs."""

    tokens_valid_from = InstantAttribute(null=True)
    session_document = JsonAttribute(attr_name="sessions", default=dict)
    version = VersionAttribute()

    @property
    def sessions(self) -> dict[str, Session]:
        """The sessions by id."""
        return {
            id_: Session(n, hash_, datetime.fromisoformat(since), datetime.fromisoformat(until))
            for id_, (n, hash_, since, until) in self.session_document.items()
        }

    @sessions.setter
    def sessions(self, sessions: Sessions) -> None:
        self.session_document = {
            id_: [s.generation, s.hash, s.rotated_at.isoformat(), s.ends_at.isoformat()]
            for id_, s in sessions.items()
        }


class StaffAccount(AccessItem):
    """A store manager or an operator, known by their WeCom user id."""

    id_prefix = "stf"

    number = NumberAttribute()
    name = UnicodeAttribute()
    wecom_user_id = UnicodeAttribute()
    role = UnicodeEnumAttribute(Role)
    unit_id = UnicodeAttribute()
    scopes: ListAttribute[str] = ListAttribute(default=list)
    created_at = InstantAttribute()
    disabled_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def store_id(self) -> str | None:
        """The store of a store manager."""
        return self.unit_id if self.role is Role.STORE_MANAGER else None

    @property
    def org_unit_id(self) -> str | None:
        """The unit of an operator."""
        return self.unit_id if self.role is Role.OPERATOR else None


class WecomClaim(AccessItem):
    """A WeCom user id is taken by one staff account, a disabled one too."""

    account_id = UnicodeAttribute()


class ApiKey(AccessItem):
    """The key of another system; of its secrets only keyed hashes are kept."""

    id_prefix = "key"

    name = UnicodeAttribute()
    scopes: ListAttribute[str] = ListAttribute(default=list)
    document_policy = UnicodeEnumAttribute(DocumentPolicy, null=True)
    secret_hash = UnicodeAttribute()
    old_secret_hash = UnicodeAttribute(null=True)
    old_secret_until = InstantAttribute(null=True)
    created_at = InstantAttribute()
    created_by = UnicodeAttribute()
    expires_on = DayAttribute(null=True)
    ends_at = InstantAttribute(null=True)
    last_used_at = InstantAttribute(null=True)
    revoked_at = InstantAttribute(null=True)
    version = VersionAttribute()


class Attempts(AccessItem):
    """How often something was tried within one window."""

    made = NumberAttribute(default=0)


class Bucket(AccessItem):
    """What a client may still ask: the instant, in microseconds, at which all is restored."""

    full_at = NumberAttribute()


class Counter(AccessItem):
    """The last number that was given to a staff account."""

    last = NumberAttribute(default=0)


@dataclass(frozen=True, slots=True)
class Standing:
    """A principal as of now: their sessions, and the member, guide or account itself."""

    principal: Principal | None
    holder: Member | Guide | StaffAccount | None

    @property
    def sessions(self) -> dict[str, Session]:
        """The sessions by id."""
        return self.principal.sessions if self.principal else {}

    @property
    def tokens_valid_from(self) -> datetime | None:
        """Tokens from before are refused."""
        return self.principal.tokens_valid_from if self.principal else None

    @property
    def works(self) -> bool:
        """Whether they are there and neither archived, stopped, gone nor disabled."""
        match self.holder:
            case Member():
                return self.holder.archived_at is None
            case Guide():
                return self.holder.status is GuideStatus.ACTIVE
            case StaffAccount():
                return self.holder.disabled_at is None
            case _:
                return False

    @property
    def rights(self) -> tuple[Role, str | None, frozenset[str]] | None:
        """Role, store or unit, and scopes, as they are now; None where nobody has the id."""
        match self.holder:
            case Member():
                return Role.MEMBER, None, frozenset()
            case Guide():
                return Role.GUIDE, self.holder.store_id, frozenset()
            case StaffAccount():
                return self.holder.role, self.holder.unit_id, frozenset(self.holder.scopes)
            case _:
                return None


def wecom_claim_id(wecom_user_id: str) -> str:
    """The key of the claim on a WeCom user id; WeCom takes ids that differ in case for one."""
    return f"wecom#{wecom_user_id.lower()}"


def bucket_id(client: str) -> str:
    """The key of a client's bucket."""
    return f"bucket#{client}"


def attempts_id(name: str, window: int) -> str:
    """The key of what was tried under a name within a window."""
    return f"attempts#{name}#{window}"
