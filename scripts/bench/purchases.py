"""A member's facts as the rules make them of arrivals, one by one, without any storage."""

from dataclasses import dataclass, field

from graphql_api.members import rules as member_rules
from graphql_api.members.rules import NOTHING_BOUGHT, Contribution, Facts
from graphql_api.orders import rules as order_rules
from graphql_api.orders.rules import Body, OrderChannel, Refund, State
from graphql_api.policies.rules import SHIPPED_GROWTH
from scripts.bench.year import Arrival


@dataclass(slots=True)
class Purchases:
    """What each order of a member gives so far, and what it all adds up to."""

    orders: dict[int, Contribution] = field(default_factory=dict)
    refunded: dict[int, State] = field(default_factory=dict)
    facts: Facts = NOTHING_BOUGHT

    def take(self, arrival: Arrival) -> None:
        """The difference that one arrival makes."""
        before = self.orders.get(arrival.basket_id)
        after = self._refunded(before, arrival) if before else _paid(arrival)
        self.orders[arrival.basket_id] = after
        changed = member_rules.change(self.facts, before, after)
        self.facts = member_rules.derive(self.orders.values()) if changed is None else changed

    def _refunded(self, paid: Contribution, arrival: Arrival) -> Contribution:
        known = self.refunded.get(arrival.basket_id) or State(_body(paid, arrival))
        id_ = f"{len(known.refunds):03d}"
        refund = Refund(id_, 1, arrival.at, arrival.amount, day=arrival.on)
        self.refunded[arrival.basket_id] = order_rules.merge(known, State(refunds={id_: refund}))
        gives = order_rules.contribution(self.refunded[arrival.basket_id], SHIPPED_GROWTH)
        assert gives is not None
        return gives


def _body(paid: Contribution, arrival: Arrival) -> Body:
    return Body(1, arrival.at, paid.day, paid.paid, OrderChannel.STORE, store_id="")


def _paid(arrival: Arrival) -> Contribution:
    growth = SHIPPED_GROWTH.growth_of(arrival.amount)
    day = arrival.bought_on or arrival.on
    return Contribution(day, orders=1, paid=arrival.amount, refunded=0, growth=growth)
