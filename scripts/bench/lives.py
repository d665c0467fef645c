"""Members as the product keeps them: decided on when something arrives, and when they are due.

What `orders.service` and the daily run do with storage happens here on the rules alone, and what it
would read and write is counted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from graphql_api.kit.time import month_number
from graphql_api.members import rules as member_rules
from graphql_api.standing.rules import Decision, Facts, Policies, Standing, decide, facts_of
from scripts.bench.purchases import Purchases
from scripts.bench.year import Arrival

FAR = date.max


@dataclass(slots=True)
class Counts:
    """Of each day: members looked at, decisions that changed, and items written for both."""

    checks: Counter[date] = field(default_factory=Counter)
    changes: Counter[date] = field(default_factory=Counter)
    pushed_on: Counter[date] = field(default_factory=Counter)
    arrivals: Counter[date] = field(default_factory=Counter)
    moved_index: Counter[date] = field(default_factory=Counter)


@dataclass(slots=True)
class Life:
    """One member: purchases, what was decided, and when to look again.

    `due_on` is a lower bound of the first day on which time alone changes something: a purchase
    that moves that day later leaves the index as it is.
    """

    joined_on: date
    policies: Policies
    purchases: Purchases = field(default_factory=Purchases)
    standing: Standing | None = None
    due_on: date = FAR

    def begin(self, day: date, tier_ends: date | None = None) -> None:
        """Decide for the first time; a tier that has an end may have one of its own."""
        decision = self._decided(day)
        tier = decision.standing.tier
        if tier.until is not None and tier_ends is not None:
            tier.until = tier_ends.toordinal()
        self.due_on = decision.next_on or FAR

    def arrive(self, arrival: Arrival, counts: Counts) -> None:
        """A purchase or refund, and what it makes of the member at once."""
        self.purchases.take(arrival)
        decision = self._decided(arrival.on)
        counts.arrivals[arrival.on] += 1
        next_on = decision.next_on or FAR
        if next_on < self.due_on:
            self.due_on = next_on
            counts.moved_index[arrival.on] += 1

    def look(self, day: date, counts: Counts) -> None:
        """What the daily run does with a member who is due."""
        before = self.due_on
        decision = self._decided(day)
        self.due_on = decision.next_on or FAR
        counts.checks[day] += 1
        if decision.changed:
            counts.changes[day] += 1
        elif self.due_on != before:
            counts.pushed_on[day] += 1

    def _decided(self, day: date) -> Decision:
        facts = standing_facts(self.purchases.facts, self.joined_on)
        decision = decide(facts, self.standing, self.policies, day)
        self.standing = decision.standing
        return decision


def standing_facts(facts: member_rules.Facts, joined_on: date) -> Facts:
    """The facts of a member as decisions take them."""
    rows = {month_number(month): bucket.row for month, bucket in facts.months.items()}
    totals = (facts.orders, facts.paid - facts.refunded, facts.growth)
    return facts_of(rows, joined=joined_on, last=facts.last_on, totals=totals)


def evenings(
    life: Life, arrivals: Sequence[Arrival], asked: Iterable[date], counts: Counts
) -> Iterator[tuple[date, Standing]]:
    """What a member is on the evening of each day that is asked for, first to last.

    Of each day the run comes first, and only for who is due; then what arrives, in its order.
    """
    at = 0
    for evening in asked:
        while True:
            arrives = arrivals[at].on if at < len(arrivals) else FAR
            day = min(life.due_on, arrives)
            if day > evening or day is FAR:
                break
            if life.due_on <= day:
                life.look(day, counts)
            while at < len(arrivals) and arrivals[at].on == day:
                life.arrive(arrivals[at], counts)
                at += 1
        assert life.standing is not None
        yield evening, life.standing
