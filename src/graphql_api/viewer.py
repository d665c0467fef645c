"""Who is asking, and how far their eyes reach."""

from dataclasses import dataclass, field
from enum import StrEnum

from graphql_api.kit.time import Clock


class Role(StrEnum):
    """The kinds of viewer; what each may see of a field stands on the field."""

    ANONYMOUS = "ANONYMOUS"
    MEMBER = "MEMBER"
    GUIDE = "GUIDE"
    STORE_MANAGER = "STORE_MANAGER"
    OPERATOR = "OPERATOR"
    INTEGRATION = "INTEGRATION"
    SYSTEM = "SYSTEM"


class DocumentPolicy(StrEnum):
    """Which documents a client may send."""

    TRUSTED = "TRUSTED"
    OPEN = "OPEN"
    INTERNAL = "INTERNAL"


STAFF = frozenset({Role.GUIDE, Role.STORE_MANAGER, Role.OPERATOR, Role.SYSTEM})

SEE_PERSONAL_DATA = "members:pii"
READ_MEMBERS = "members:read"
WRITE_MEMBERS = "members:write"
READ_ORDERS = "orders:read"
WRITE_ORDERS = "orders:write"
READ_STORES = "stores:read"
WRITE_STORES = "stores:write"
READ_TAGS = "tags:read"
WRITE_TAGS = "tags:write"
READ_POINTS = "points:read"
WRITE_POINTS = "points:write"
READ_COUPONS = "coupons:read"
WRITE_COUPONS = "coupons:write"
READ_COMMISSIONS = "commissions:read"
READ_CAMPAIGNS = "campaigns:read"
WRITE_CAMPAIGNS = "campaigns:write"
MANAGE_POLICIES = "policies:manage"
MANAGE_WEBHOOKS = "webhooks:manage"
MANAGE_KEYS = "keys:manage"
MANAGE_STAFF = "staff:manage"
MANAGE_DOCUMENTS = "documents:manage"
MANAGE_VENDORS = "vendors:manage"
READ_AUDIT = "audit:read"
SCOPES = frozenset(
    {
        SEE_PERSONAL_DATA,
        READ_MEMBERS,
        WRITE_MEMBERS,
        READ_ORDERS,
        WRITE_ORDERS,
        READ_STORES,
        WRITE_STORES,
        READ_TAGS,
        WRITE_TAGS,
        READ_POINTS,
        WRITE_POINTS,
        READ_COUPONS,
        WRITE_COUPONS,
        READ_COMMISSIONS,
        READ_CAMPAIGNS,
        WRITE_CAMPAIGNS,
        MANAGE_POLICIES,
        MANAGE_WEBHOOKS,
        MANAGE_KEYS,
        MANAGE_STAFF,
        MANAGE_DOCUMENTS,
        MANAGE_VENDORS,
        READ_AUDIT,
    }
)


@dataclass(slots=True)
class RequestNotes:
    """The request in which somebody asks, and what it showed in full: members → names of fields."""

    id: str
    clock: Clock
    operation: str | None = None
    shown: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Viewer:
    """One principal with a role; `id` is the member's, guide's, operator's or key's own id.

    `store_ids` bounds what staff see: None means the whole chain. `session_id` is that of the
    login behind the token, where there was one, `documents` says which documents they may send,
    `request` the request, where there is one.
    """

    role: Role
    id: str = ""
    unit_id: str | None = None
    store_ids: frozenset[str] | None = None
    scopes: frozenset[str] = frozenset()
    session_id: str | None = None
    documents: DocumentPolicy = DocumentPolicy.OPEN
    request: RequestNotes | None = field(default=None, compare=False, repr=False)

    def holds(self, scope: str) -> bool:
        """Whether the token carries this scope; the system needs none."""
        return self.role is Role.SYSTEM or scope in self.scopes

    def reaches_store(self, store_id: str | None) -> bool:
        """Whether the viewer's part of the organisation tree has this store in it."""
        return self.store_ids is None or store_id in self.store_ids


ANONYMOUS = Viewer(Role.ANONYMOUS)
SYSTEM = Viewer(Role.SYSTEM, id="system")
