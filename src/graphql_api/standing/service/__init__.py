"""What can be done with standings: decide on a member, and change a tier by hand."""

from graphql_api.standing.service.by_hand import (
    TierGrant,
    TierLock,
    TierUnlock,
    grant,
    lock,
    unlock,
)
from graphql_api.standing.service.deciding import (
    current,
    decide_in,
    is_due,
    is_free,
    settle,
    settle_read,
    take_in,
    unite,
)
from graphql_api.standing.service.writing import Cause

__all__ = [
    "Cause",
    "TierGrant",
    "TierLock",
    "TierUnlock",
    "current",
    "decide_in",
    "grant",
    "is_due",
    "is_free",
    "lock",
    "settle",
    "settle_read",
    "take_in",
    "unite",
    "unlock",
]
