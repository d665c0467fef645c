"""What holds of a member on a day, and the first day on which time alone would change it.

Gathered facts and prepared policies go in, plain numbers all; `decide` is called for every member
who is due, bought, or is touched by a new policy.
"""

from dataclasses import dataclass
from datetime import date

from graphql_api.kit.calendar import month_end, month_start
from graphql_api.standing.rules import lifecycle, phases, quadrant, rfm, tag_rules, tiers
from graphql_api.standing.rules.prepared import Policies
from graphql_api.standing.rules.records import ORDERS, SPEND, Facts, Phase, Standing


@dataclass(slots=True)
class Decision:
    """What holds on a day, beside what held before, and all that it was decided from."""

    standing: Standing
    held: Standing | None
    facts: Facts
    policies: Policies
    as_of: date

    @property
    def changed(self) -> bool:
        """Whether anything is to be written: the same decision again changes nothing."""
        return _differs(self.held, self.standing) or bool(self.expired)

    @property
    def expired(self) -> tuple[str, ...]:
        """Tags by hand and imported ones that ran out before the day, to be cleared away."""
        first, day = self.facts.first_expiry, self.as_of.toordinal()
        if first is None or first >= day:
            return ()
        return tuple(sorted(tag for tag, last in self.facts.tags.items() if last and last < day))

    @property
    def next_on(self) -> date | None:
        """The first day on which time alone would change something; worked out when asked."""
        day = next_day(self.facts, self.standing, self.policies, self.as_of)
        return None if day is None else date.fromordinal(day)


def decide(facts: Facts, held: Standing | None, policies: Policies, as_of: date) -> Decision:
    """The standing on a business day; parts that did not change are those of `held` themselves.

    `held` is what was decided before. Facts that changed count from `as_of` on; what time changed
    since then is decided by the day on which it did, so that a day left out makes no difference.
    """
    day, dom = as_of.toordinal(), as_of.day
    month = as_of.year * 12 + as_of.month - 1
    ends = day == month_end(month)
    cuts, newness = policies.cuts, policies.phases
    orders = facts.window(ORDERS, month, newness.window)
    scored = orders if cuts.window == newness.window else facts.window(ORDERS, month, cuts.window)
    spend = facts.window(SPEND, month, cuts.window)
    inactive = month - facts.active_month - (dom < facts.active_dom and not ends)
    known = month - facts.joined_month - (dom < facts.joined_dom and not ends)
    active = facts.active if held is None else held.active
    tier = tiers.tier_on(policies.ladder, facts, held.tier if held else None, day, month)
    state = lifecycle.lifecycle_on(
        policies.lifecycle, facts, held.lifecycle if held else None, active, inactive, as_of
    )
    relationship = phases.phase_on(newness, held.relationship if held else None, orders, known)
    scores = rfm.rfm_on(cuts, facts, held.rfm if held else None, scored, spend, day)
    place = quadrant.quadrant_on(cuts, held.quadrant if held else None, scored, spend)
    standing = Standing(tier, state, relationship, scores, place, facts.active)
    if policies.rules.rules:
        standing.tags = tag_rules.tags_on(policies.rules, facts, standing, day, month)
    return Decision(standing, held, facts, policies, as_of)


def _differs(held: Standing | None, new: Standing) -> bool:
    return (
        held is None
        or new.tier is not held.tier
        or new.lifecycle is not held.lifecycle
        or new.relationship is not held.relationship
        or new.rfm is not held.rfm
        or new.quadrant is not held.quadrant
        or new.tags != held.tags
    )


def next_day(facts: Facts, standing: Standing, policies: Policies, as_of: date) -> int | None:
    """The first day after `as_of` on which time alone would change anything that was decided."""
    day = as_of.toordinal()
    month = as_of.year * 12 + as_of.month - 1
    found = tiers.next_day(policies.ladder, facts, standing.tier, day, month)
    moves = lifecycle.next_transition(policies.lifecycle, facts, standing.lifecycle.state)
    if moves is not None and (found is None or moves[0] < found):
        found = moves[0]
    recency = rfm.next_recency_day(policies.cuts, facts, day)
    if recency is not None and (found is None or recency < found):
        found = recency
    if facts.first_expiry is not None:
        ends = [last + 1 for last in facts.tags.values() if last >= day]
        found = min([*ends, *(() if found is None else (found,))], default=None)
    found = _next_by_month(facts, standing, policies, month, found)
    if policies.rules.rules:
        turned = tag_rules.next_day(policies.rules, facts, standing, day, month, found)
        return found if turned is None else turned
    return found


def _next_by_month(
    facts: Facts, standing: Standing, policies: Policies, month: int, before: int | None
) -> int | None:
    """The first day before `before` on which a new month, or the end of being new, changes a part.

    `before` itself where there is none.
    """
    newness, cuts = policies.phases, policies.cuts
    phase, scores = standing.relationship.phase, standing.rfm
    if phase is Phase.STARTING:
        ends = phases.starting_ends(newness, facts)
        before = ends if before is None or ends < before else before
    stable = phase is Phase.STABLE
    for later in range(month + 1, facts.newest + policies.longest_window + 1):
        start = month_start(later)
        if before is not None and start >= before:
            break
        orders = facts.window(ORDERS, later, newness.window)
        if (orders >= newness.stable_orders) is not stable:
            return start
        if cuts.window != newness.window:
            orders = facts.window(ORDERS, later, cuts.window)
        if scores is None and cuts.average_orders_percent is None:
            continue
        spend = facts.window(SPEND, later, cuts.window)
        if scores is not None and not rfm.keeps(cuts, scores, orders, spend):
            return start
        if quadrant.quadrant_on(cuts, standing.quadrant, orders, spend) is not standing.quadrant:
            return start
    return before
