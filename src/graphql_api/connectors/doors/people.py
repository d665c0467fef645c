"""Who a vendor's customer is here."""

from graphql_api.connectors import repository
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, Vendor
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind, SourceChannel
from graphql_api.members.service import NewIdentity, claims_of, find, look_up

_MOST_MERGES = 10

KINDS = {Vendor.YOUZAN: IdentityKind.YOUZAN, Vendor.WEIMOB: IdentityKind.WEIMOB}
SOURCES = {Vendor.YOUZAN: SourceChannel.YOUZAN, Vendor.WEIMOB: SourceChannel.WEIMOB}


def identity_of(shop: Shop, key: str) -> NewIdentity:
    """The identity that a vendor's customer has."""
    return NewIdentity(kind=KINDS[shop.vendor], value=key)


def keys_of(shop: Shop, key: str) -> list[str]:
    """What the vendor calls a customer: the key itself, behind what it became by merges."""
    keys = [key]
    while len(keys) <= _MOST_MERGES:
        became = repository.our_id(shop.id, LinkKind.CUSTOMER, keys[0])
        if became is None or became in keys:
            break
        keys.insert(0, became)
    return keys


def member_id_of(shop: Shop, key: str) -> str | None:
    """The member that a vendor's customer is; None for somebody who is none."""
    return find([identity_of(shop, each) for each in keys_of(shop, key)])


def find_member_id(shop: Shop, key: str) -> str | None:
    """Who holds this very key, whatever became of it."""
    return find([identity_of(shop, key)])


def is_erased(identity: NewIdentity) -> bool:
    """Whether this was erased with who had it, and nobody took it since."""
    return bool(look_up(claims_of(identity)).gone)


def member_of(shop: Shop, key: str) -> Member | None:
    """The same, as they are now."""
    member_id = member_id_of(shop, key)
    return members.get(member_id) if member_id else None


def key_of(shop: Shop, member: Member) -> str | None:
    """What the vendor calls a member; the last identity of the vendor's that they were given."""
    prefix = f"{KINDS[shop.vendor]}#"
    keys = [claim for claim in member.identity_claims if claim.startswith(prefix)]
    return keys[-1].removeprefix(prefix) if keys else None


def told_as(shop: Shop, member: Member) -> str | None:
    """Under which key the vendor is told of a member: what the key became by merges there."""
    key = key_of(shop, member)
    return keys_of(shop, key)[0] if key else None
