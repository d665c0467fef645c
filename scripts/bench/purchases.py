"""A member's facts as the rules make them of arrivals, one by one, without any storage."""

from dataclasses import dataclass, field, replace

from graphql_api.members import rules as member_rules
from graphql_api.members.rules import NOTHING_BOUGHT, Contribution, Facts
from graphql_api.policies.rules import SHIPPED_GROWTH
from scripts.bench.year import Arrival


@dataclass(slots=True)
class Purchases:
    """What each order of a member gives so far, and what it all adds up to."""

    orders: dict[int, Contribution] = field(default_factory=dict)
    facts: Facts = NOTHING_BOUGHT

    def take(self, arrival: Arrival) -> None:
        """The difference that one arrival makes."""
        before = self.orders.get(arrival.basket_id)
        after = _refunded(before, arrival) if before else _paid(arrival)
        self.orders[arrival.basket_id] = after
        changed = member_rules.change(self.facts, before, after)
        self.facts = member_rules.derive(self.orders.values()) if changed is None else changed


def _paid(arrival: Arrival) -> Contribution:
    growth = SHIPPED_GROWTH.growth_of(arrival.amount)
    day = arrival.bought_on or arrival.on
    return Contribution(day, orders=1, paid=arrival.amount, refunded=0, growth=growth)


def _refunded(paid: Contribution, arrival: Arrival) -> Contribution:
    refunded = min(paid.paid, paid.refunded + arrival.amount)
    net = paid.paid - refunded
    growth = SHIPPED_GROWTH.growth_of(net)
    return replace(paid, orders=1 if net else 0, refunded=refunded, growth=growth)
