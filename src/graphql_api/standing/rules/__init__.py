"""Rules of standings: `decide` is the door, the rest says what it gives and what it takes."""

from graphql_api.standing.rules.changes import Change, ChangeKind, changes
from graphql_api.standing.rules.decide import Decision, decide, next_day
from graphql_api.standing.rules.explanation import (
    Foreseen,
    Goal,
    TierExplanation,
    explain_tier,
    next_lifecycle,
)
from graphql_api.standing.rules.prepared import KINDS, Ladder, Policies, prepare
from graphql_api.standing.rules.records import (
    GROWTH,
    ORDERS,
    SPEND,
    Facts,
    InQuadrant,
    Lifecycle,
    LifecycleState,
    Lock,
    LockKind,
    Person,
    Phase,
    Quadrant,
    Reason,
    Relationship,
    Rfm,
    RfmClass,
    Standing,
    Tier,
    facts_of,
)
from graphql_api.standing.rules.rfm import least_of_quintiles, most_of_quintiles
from graphql_api.standing.rules.tiers import initial, locked, unlocked
from graphql_api.standing.rules.united import united

__all__ = [
    "GROWTH",
    "KINDS",
    "ORDERS",
    "SPEND",
    "Change",
    "ChangeKind",
    "Decision",
    "Facts",
    "Foreseen",
    "Goal",
    "InQuadrant",
    "Ladder",
    "Lifecycle",
    "LifecycleState",
    "Lock",
    "LockKind",
    "Person",
    "Phase",
    "Policies",
    "Quadrant",
    "Reason",
    "Relationship",
    "Rfm",
    "RfmClass",
    "Standing",
    "Tier",
    "TierExplanation",
    "changes",
    "decide",
    "explain_tier",
    "facts_of",
    "initial",
    "least_of_quintiles",
    "locked",
    "most_of_quintiles",
    "next_day",
    "next_lifecycle",
    "prepare",
    "united",
    "unlocked",
]
