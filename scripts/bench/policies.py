"""The policies to measure by: those shipped, and the same without RFM."""

from graphql_api.policies.rules import (
    FrequencyBand,
    MonetaryBand,
    PolicyKind,
    RecencyBand,
    RfmPolicy,
)
from graphql_api.standing.rules import Policies, prepare

_OUT_OF_REACH = 10**12


def shipped() -> Policies:
    """What a chain has that never published a policy."""
    return prepare({})


def without_rfm() -> Policies:
    """Scores whose limits nobody comes to, so that neither time nor purchases change them."""
    recency = tuple(
        RecencyBand(score=score, max_days=days)
        for score, days in ((5, 1_112), (4, 1_113), (3, 1_114), (2, 1_115), (1, None))
    )
    limits = [(score, _OUT_OF_REACH - 5 + score if score > 1 else 0) for score in range(5, 0, -1)]
    policy = RfmPolicy(
        recency=recency,
        frequency=tuple(FrequencyBand(score=score, min_orders=n) for score, n in limits),
        monetary=tuple(MonetaryBand(score=score, min_fen=n) for score, n in limits),
    )
    return prepare({PolicyKind.RFM: (1, policy)})
