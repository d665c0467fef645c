"""What becomes of two standings when two members turn out to be one person."""

from dataclasses import replace

from graphql_api.standing.rules.prepared import Ladder
from graphql_api.standing.rules.records import Standing, Tier


def united(ladder: Ladder, one: Standing | None, other: Standing | None) -> Standing | None:
    """The better tier with the later validity, reactivations together, all tags of rules.

    `one` is the survivor's: its lock stands before the other's. What follows from purchases is that
    of whoever bought last, until `decide` has seen the united facts.
    """
    if one is None or other is None:
        return one or other
    latest = other if other.active > one.active else one
    reactivations = one.lifecycle.reactivations + other.lifecycle.reactivations
    return replace(
        latest,
        tier=_better(ladder, one.tier, other.tier),
        lifecycle=replace(latest.lifecycle, reactivations=reactivations),
        tags=one.tags | other.tags,
    )


def _better(ladder: Ladder, one: Tier, other: Tier) -> Tier:
    if one.lock is not None:
        return one
    if other.lock is not None:
        return other
    ranks = [ladder.ranks.get(tier.name, 0) for tier in (one, other)]
    if ranks[0] != ranks[1]:
        return one if ranks[0] > ranks[1] else other
    later = one if one.until is None or (other.until or one.until) <= one.until else other
    return replace(later, since=min(one.since, other.since))
