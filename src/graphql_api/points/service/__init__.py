"""What can be done with points: follow orders, give, spend, freeze; and what time does."""

from graphql_api.points.service.absorbing import absorb
from graphql_api.points.service.commands import (
    MAX_AT_ONCE,
    MAX_POINTS,
    OpeningBalance,
    Outcome,
    PointsAdjust,
    PointsFreeze,
    PointsImport,
    PointsRelease,
    adjust,
    consume,
    freeze,
    import_balances,
    unfreeze,
)
from graphql_api.points.service.following import follow_order, is_as_it_was
from graphql_api.points.service.giving import (
    consume_in,
    freeze_anew_in,
    freeze_in,
    grant,
    grant_in,
    have_balance,
    restore_in,
    spend_in,
    unfreeze_in,
)
from graphql_api.points.service.opening import Cause, require_free
from graphql_api.points.service.settling import current, settle, spendable

__all__ = [
    "MAX_AT_ONCE",
    "MAX_POINTS",
    "Cause",
    "OpeningBalance",
    "Outcome",
    "PointsAdjust",
    "PointsFreeze",
    "PointsImport",
    "PointsRelease",
    "absorb",
    "adjust",
    "consume",
    "consume_in",
    "current",
    "follow_order",
    "freeze",
    "freeze_anew_in",
    "freeze_in",
    "grant",
    "grant_in",
    "have_balance",
    "import_balances",
    "is_as_it_was",
    "require_free",
    "restore_in",
    "settle",
    "spend_in",
    "spendable",
    "unfreeze",
    "unfreeze_in",
]
