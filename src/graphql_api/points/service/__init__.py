"""What can be done with points: follow orders, give, spend, freeze; and what time does."""

from graphql_api.points.service.following import follow_order
from graphql_api.points.service.giving import (
    consume_in,
    freeze_in,
    grant,
    grant_in,
    restore_in,
    spend_in,
    unfreeze_in,
)
from graphql_api.points.service.opening import Cause
from graphql_api.points.service.settling import current, spendable

__all__ = [
    "Cause",
    "consume_in",
    "current",
    "follow_order",
    "freeze_in",
    "grant",
    "grant_in",
    "restore_in",
    "spend_in",
    "spendable",
    "unfreeze_in",
]
