"""The only door for purchases and refunds, whoever knocks."""

from graphql_api.orders.service.applying import (
    ABSORBED_AT_ONCE,
    Applied,
    absorb,
    apply,
    attach,
)
from graphql_api.orders.service.commands import (
    MAX_COUPONS,
    MAX_FEN,
    MAX_LINES,
    MAX_POINTS,
    MAX_REFUNDS,
    Snapshot,
    SnapshotBody,
    SnapshotLine,
    SnapshotRefund,
    SnapshotRefundLine,
    order_id_of,
)
from graphql_api.orders.service.following import points_are_as_told
from graphql_api.orders.service.histories import backfill
from graphql_api.orders.service.snapshots import MAX_BYTES, facts_of

__all__ = [
    "ABSORBED_AT_ONCE",
    "MAX_BYTES",
    "MAX_COUPONS",
    "MAX_FEN",
    "MAX_LINES",
    "MAX_POINTS",
    "MAX_REFUNDS",
    "Applied",
    "Snapshot",
    "SnapshotBody",
    "SnapshotLine",
    "SnapshotRefund",
    "SnapshotRefundLine",
    "absorb",
    "apply",
    "attach",
    "backfill",
    "facts_of",
    "order_id_of",
    "points_are_as_told",
]
