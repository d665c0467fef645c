"""What a decision changed, one by one, as histories and effects record it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from graphql_api.standing.rules import tiers
from graphql_api.standing.rules.decide import Decision
from graphql_api.standing.rules.records import (
    ORDERS,
    SPEND,
    Facts,
    LifecycleState,
    Phase,
    Reason,
    Rfm,
    Standing,
)


class ChangeKind(StrEnum):
    """Which part of a standing changed."""

    TIER = "TIER"
    LIFECYCLE = "LIFECYCLE"
    PHASE = "PHASE"
    RFM = "RFM"
    QUADRANT = "QUADRANT"
    TAG = "TAG"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: old and new as people read them, the day, why, the numbers, and by what.

    Of a TAG, `old` or `new` is the id of the tag, and `by` the name of its rule.
    """

    kind: ChangeKind
    on: date
    old: str | None
    new: str | None
    reason: Reason
    version: int
    numbers: dict[str, int] = field(default_factory=dict)
    by: str | None = None


def is_beginning(change: Change, lowest_tier: str) -> bool:
    """Whether a first decision says only what everyone begins with."""
    everyone = {lowest_tier, LifecycleState.ONBOARDING, Phase.STARTING}
    return change.reason is Reason.FIRST and change.new in everyone


def changes(decision: Decision, because: Reason) -> list[Change]:
    """Everything that a decision changed, tiers in the order of days; nothing when it changed none.

    `because` is why the decision was taken; a first decision and the steps of a tier say their own.
    """
    if not decision.changed:
        return []
    held = decision.held
    because = Reason.FIRST if held is None else because
    return [
        *_of_tier(decision),
        *_of_lifecycle(decision, held, because),
        *_of_windows(decision, held, because),
        *_of_tags(decision, held, because),
    ]


def _of_tier(decision: Decision) -> Iterator[Change]:
    held, facts, ladder = decision.held, decision.facts, decision.policies.ladder
    before = held.tier if held else None
    if before is decision.standing.tier:
        return
    for step in tiers.steps(ladder, facts, before, decision.as_of.toordinal()):
        rank = before.rank if before and before.rank < len(ladder.names) else step.tier.rank
        numbers = {
            "metric": step.metric,
            "threshold": ladder.thresholds[step.tier.rank],
            "kept_from": ladder.keeps[rank],
            "window_months": ladder.window,
        }
        old = before.name if before else None
        on = date.fromordinal(step.on)
        yield Change(ChangeKind.TIER, on, old, step.tier.name, step.reason, ladder.version, numbers)
        before = step.tier


def _of_lifecycle(decision: Decision, held: Standing | None, because: Reason) -> Iterator[Change]:
    new, old = decision.standing.lifecycle, held.lifecycle if held else None
    if new is old:
        return
    day = decision.as_of.toordinal()
    numbers = {"days": day - decision.facts.active, "reactivations": new.reactivations}
    on = decision.as_of if held and new.since > day else date.fromordinal(new.since)
    yield Change(
        ChangeKind.LIFECYCLE,
        on,
        old.state if old else None,
        new.state,
        because,
        new.version,
        numbers,
    )


def _of_windows(decision: Decision, held: Standing | None, because: Reason) -> Iterator[Change]:
    new, facts, as_of = decision.standing, decision.facts, decision.as_of
    month = as_of.year * 12 + as_of.month - 1
    relationship = held.relationship if held else None
    if new.relationship is not relationship:
        window = decision.policies.phases.window
        yield Change(
            ChangeKind.PHASE,
            as_of,
            relationship.phase if relationship else None,
            new.relationship.phase,
            because,
            new.relationship.version,
            {"orders": facts.window(ORDERS, month, window), "window_months": window},
        )
    numbers = _rfm_numbers(decision, facts, month)
    scores = held.rfm if held else None
    if new.rfm is not scores:
        version = decision.policies.cuts.version
        old_text, new_text = _scores(scores), _scores(new.rfm)
        yield Change(ChangeKind.RFM, as_of, old_text, new_text, because, version, numbers)
    quadrant = held.quadrant if held else None
    if new.quadrant is not quadrant:
        version = decision.policies.cuts.version
        was = quadrant.quadrant if quadrant else None
        now = new.quadrant.quadrant if new.quadrant else None
        yield Change(ChangeKind.QUADRANT, as_of, was, now, because, version, numbers)


def _rfm_numbers(decision: Decision, facts: Facts, month: int) -> dict[str, int]:
    window = decision.policies.cuts.window
    numbers = {
        "orders": facts.window(ORDERS, month, window),
        "spend": facts.window(SPEND, month, window),
        "window_months": window,
    }
    if facts.last is not None:
        numbers["days"] = decision.as_of.toordinal() - facts.last
    return numbers


def _scores(scores: Rfm | None) -> str | None:
    """Class and scores in one text, as `HHL 5-4-2`."""
    if scores is None:
        return None
    digits = f"{scores.recency}-{scores.frequency}-{scores.monetary}"
    return f"{scores.value_class} {digits}"


def _of_tags(decision: Decision, held: Standing | None, because: Reason) -> Iterator[Change]:
    rules, as_of = decision.policies.rules, decision.as_of
    new, old = decision.standing.tags, held.tags if held else frozenset()
    names = {rule.tag: rule.name for rule in rules.rules}
    for tag in sorted(old - new):
        by = names.get(tag)
        yield Change(ChangeKind.TAG, as_of, tag, None, because, rules.version, by=by)
    for tag in sorted(new - old):
        yield Change(ChangeKind.TAG, as_of, None, tag, because, rules.version, by=names[tag])
