"""Staff accounts and API keys to test with."""

from datetime import UTC, datetime
from typing import Any

from graphql_api.access.models import AccessItem, Attempts, Principal, StaffAccount
from graphql_api.access.service import keys, staff
from graphql_api.kit.time import Clock, real_now
from graphql_api.stores.models import HEADQUARTERS_ID
from graphql_api.viewer import READ_MEMBERS, SYSTEM, Role

CREATED = datetime(2018, 1, 9, 3, 0, tzinfo=UTC)
CLOCK = Clock(wall=lambda: CREATED)


def make_account(name: str = "周总", **more: Any) -> StaffAccount:
    """A stored account of an operator of headquarters; the chain is set up already."""
    given = {
        "name": name,
        "wecom_user_id": name.encode().hex(),
        "role": Role.OPERATOR,
        "unit_id": HEADQUARTERS_ID,
        **more,
    }
    return staff.create(staff.StaffAccountCreate(**given), viewer=SYSTEM, clock=CLOCK)


def make_key(name: str = "收银系统", at: datetime | None = None, **more: Any) -> keys.IssuedKey:
    """A stored key that reads members, with its secret."""
    new = keys.ApiKeyCreate(**{"name": name, "scopes": frozenset({READ_MEMBERS}), **more})
    return keys.create(new, viewer=SYSTEM, clock=CLOCK, at=at or real_now())


def stored_access() -> list[dict[str, Any]]:
    """Everything in the table but the counts of attempts, in a fixed order."""
    found = [item.serialize() for item in AccessItem.scan()]
    kept = [item for item in found if not item["id"]["S"].startswith("attempts#")]
    return sorted(kept, key=lambda item: (item["id"]["S"], item["sort"]["S"]))


def attempts_made() -> int:
    """How many attempts were counted, under all names."""
    found = [item for item in Attempts.scan() if item.id.startswith("attempts#")]
    return sum(int(item.made) for item in found)


def sessions_of(principal_id: str) -> list[str]:
    """The ids of a principal's sessions as they are stored."""
    found = Principal.get(principal_id, "sessions", consistent_read=True)
    return list(found.sessions)
