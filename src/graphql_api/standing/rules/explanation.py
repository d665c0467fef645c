"""Why a member stands where they stand, what is missing, and what time will bring."""

from dataclasses import dataclass
from datetime import date

from graphql_api.kit.calendar import month_at
from graphql_api.standing.rules import lifecycle, tiers
from graphql_api.standing.rules.changes import ChangeKind
from graphql_api.standing.rules.prepared import Ladder, Policies
from graphql_api.standing.rules.records import Facts, LifecycleState, Reason, Standing, Tier


@dataclass(frozen=True, slots=True)
class Goal:
    """A tier to reach or to keep: what it takes, what counts for it, what is missing, by when.

    `counted` is the metric over the window that decides: that of today to reach a tier, that of the
    day after `by` to keep one.
    """

    tier: str
    needed: int
    counted: int
    missing: int
    by: date | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A change that time alone would bring: from `on`, to what, and why."""

    on: date
    to: str
    why: Reason


@dataclass(frozen=True, slots=True)
class TierExplanation:
    """The metric of now, the goals, and the change that is coming; None where there is none."""

    metric: int
    window_months: int
    to_next: Goal | None
    to_keep: Goal | None
    next_change: Foreseen | None


def explain_tier(
    facts: Facts, standing: Standing, policies: Policies, as_of: date
) -> TierExplanation:
    """What decides on a member's tier, worked out for a day from what was decided."""
    ladder, tier = policies.ladder, standing.tier
    metric = tiers.metric_at(ladder, facts, as_of.year * 12 + as_of.month - 1)
    change = tiers.foreseen(ladder, facts, tier)
    return TierExplanation(
        metric=metric,
        window_months=ladder.window,
        to_next=_to_next(ladder, tier, metric),
        to_keep=_to_keep(ladder, facts, tier.earned or tier),
        next_change=_seen(change),
    )


def _seen(change: tiers.Step | None) -> Foreseen | None:
    if change is None:
        return None
    return Foreseen(date.fromordinal(change.on), change.tier.name, change.reason)


def _to_next(ladder: Ladder, tier: Tier, metric: int) -> Goal | None:
    above = tier.rank + 1
    if above >= len(ladder.names):
        return None
    needed = ladder.thresholds[above]
    return Goal(ladder.names[above], needed, metric, max(0, needed - metric))


def _to_keep(ladder: Ladder, facts: Facts, tier: Tier) -> Goal | None:
    end = tier.until if tier.grace_until is None else tier.grace_until
    if end is None or tier.rank >= len(ladder.names):
        return None
    needed = ladder.keeps[tier.rank]
    counted = tiers.metric_at(ladder, facts, month_at(end + 1))
    return Goal(tier.name, needed, counted, max(0, needed - counted), date.fromordinal(end))


def next_lifecycle(
    facts: Facts, standing: Standing, policies: Policies
) -> tuple[date, LifecycleState] | None:
    """The day on which the lifecycle moves on by itself, and to what; None for who is lost."""
    moves = lifecycle.next_transition(policies.lifecycle, facts, standing.lifecycle.state)
    return None if moves is None else (date.fromordinal(moves[0]), moves[1])


def foreseen(facts: Facts, standing: Standing, policies: Policies) -> dict[ChangeKind, Foreseen]:
    """The next lifecycle state and the next tier that time alone would bring, where there is one.

    They hang on facts, standing and policies, and on no day: while those stay, so do they.
    """
    found: dict[ChangeKind, Foreseen] = {}
    if (moves := next_lifecycle(facts, standing, policies)) is not None:
        found[ChangeKind.LIFECYCLE] = Foreseen(*moves, Reason.TIME)
    change = _seen(tiers.foreseen(policies.ladder, facts, standing.tier))
    if change is not None:
        found[ChangeKind.TIER] = change
    return found
