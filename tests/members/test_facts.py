"""Facts of purchases: folded one change at a time, they are those of the orders that there are."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from graphql_api.members.rules import (
    NOTHING_BOUGHT,
    Bucket,
    Contribution,
    Facts,
    Moved,
    change,
    derive,
)

FIRST_DAY = date(2014, 11, 30)
LAST_DAY = date(2018, 3, 1)
DAYS = [FIRST_DAY, date(2015, 1, 31), date(2015, 2, 1), date(2017, 12, 31), date(2018, 1, 1)]


def bought(day: str, paid: int = 100, refunded: int = 0, growth: int = 0) -> Contribution:
    """What an order gives; one that is refunded whole counts no more."""
    counts = 0 if paid and paid == refunded else 1
    return Contribution(date.fromisoformat(day), counts, paid, refunded, growth)


def in_plain_words(orders: Iterable[Contribution]) -> dict[str, Any]:
    """The facts as domain and design tell them, worked out day by day from nothing."""
    given = list(orders)
    ages = [order.day.year * 12 + order.day.month for order in given]
    rows: dict[str, list[int]] = {}
    moves: dict[str, list[int]] = {}
    totals = [0, 0, 0, 0]
    days = []
    for order, age in zip(given, ages, strict=True):
        net = order.paid - order.refunded
        for moved in order.moved:
            taken = [moved.orders, moved.spend, moved.growth]
            for month, sign in ((f"{order.day:%Y-%m}", 1), (moved.month, -1)):
                if max(ages) - 36 < int(month[:4]) * 12 + int(month[5:]):
                    noted = moves.setdefault(month, [0, 0, 0])
                    moves[month] = [n + sign * t for n, t in zip(noted, taken, strict=True)]
        if max(ages) - 36 < age:
            row = rows.setdefault(f"{order.day:%Y-%m}", [0, 0, 0])
            row[0] += order.orders
            row[1] += net
            row[2] += order.growth
        totals[0] += order.orders
        totals[1] += order.paid
        totals[2] += order.refunded
        totals[3] += order.growth
        if order.orders == 1:
            days.append(order.day)
    days.sort()
    return {
        "months": {month: row for month, row in rows.items() if row != [0, 0, 0]},
        "moved": {month: row for month, row in moves.items() if row != [0, 0, 0]},
        "newest_month": f"{max(order.day for order in given):%Y-%m}" if given else None,
        "totals": totals,
        "first_on": days[0] if days else None,
        "last_on": days[-1] if days else None,
    }


def shown(facts: Facts) -> dict[str, Any]:
    """Facts in the shape of `in_plain_words`."""
    months = {m: [b.orders, b.spend, b.growth] for m, b in facts.months.items()}
    moved = {m: [b.moved_orders, b.moved_spend, b.moved_growth] for m, b in facts.months.items()}
    return {
        "months": {m: row for m, row in months.items() if row != [0, 0, 0]},
        "moved": {m: row for m, row in moved.items() if row != [0, 0, 0]},
        "newest_month": facts.newest_month,
        "totals": [facts.orders, facts.paid, facts.refunded, facts.growth],
        "first_on": facts.first_on,
        "last_on": facts.last_on,
    }


@st.composite
def contributions(draw: st.DrawFn) -> Contribution:
    """An order of any day in 41 months, often one of a few; free, paid, or refunded."""
    day = draw(st.sampled_from(DAYS) | st.dates(FIRST_DAY, LAST_DAY))
    paid = draw(st.sampled_from([0, 1, 12_345]))
    refunded = draw(st.sampled_from([0, paid // 2, paid]))
    counts = 0 if paid and refunded == paid else 1
    moved = []
    if refunded and draw(st.booleans()):
        later = day + timedelta(days=draw(st.sampled_from([40, 400])))
        moved = [Moved(f"{later:%Y-%m}", 1 - counts, refunded, refunded // 100)]
    return Contribution(day, counts, paid, refunded, (paid - refunded) // 100, tuple(moved))


COMMANDS = st.lists(
    st.tuples(st.integers(0, 4), st.none() | contributions()), min_size=1, max_size=25
)


@settings(max_examples=400, deadline=None)
@given(COMMANDS)
def test_facts_changed_step_by_step_are_those_of_the_orders_at_every_step(
    commands: list[tuple[int, Contribution | None]],
) -> None:
    held: dict[int, Contribution] = {}
    facts = NOTHING_BOUGHT
    for order, after in commands:
        changed = change(facts, held.pop(order, None), after)
        if after is not None:
            held[order] = after
        facts = derive(held.values()) if changed is None else changed
        assert shown(facts) == in_plain_words(held.values())


@settings(max_examples=200, deadline=None)
@given(st.lists(contributions(), max_size=12).flatmap(lambda o: st.permutations([*o, *o[:3]])))
def test_purchases_alone_fold_to_the_same_facts_in_any_order_without_a_look_at_the_others(
    orders: list[Contribution],
) -> None:
    facts = NOTHING_BOUGHT
    for order in orders:
        changed = change(facts, None, order)
        assert changed is not None
        facts = changed
    assert shown(facts) == in_plain_words(orders)
    assert facts == derive(orders)


class Purchases(RuleBasedStateMachine):
    """A member who buys, whose tills correct, refund and withdraw, and whose days move."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[int, Contribution] = {}
        self.facts = NOTHING_BOUGHT

    @initialize(orders=st.lists(contributions(), max_size=3))
    def begin(self, orders: list[Contribution]) -> None:
        self.held = dict(enumerate(orders))
        self.facts = derive(orders)

    def become(self, order: int, after: Contribution | None) -> None:
        changed = change(self.facts, self.held.pop(order, None), after)
        if after is not None:
            self.held[order] = after
        self.facts = derive(self.held.values()) if changed is None else changed

    @rule(order=st.integers(0, 5), after=contributions())
    def buy_or_correct(self, order: int, after: Contribution) -> None:
        self.become(order, after)

    @rule(order=st.integers(0, 5), whole=st.booleans())
    def refund(self, order: int, whole: bool) -> None:
        if (was := self.held.get(order)) and was.paid:
            refunded = was.paid if whole else max(was.refunded, was.paid // 3)
            counts = 0 if refunded == was.paid else 1
            self.become(order, Contribution(was.day, counts, was.paid, refunded, was.growth // 2))

    @rule(order=st.integers(0, 5), days=st.integers(-400, 400))
    def move(self, order: int, days: int) -> None:
        if was := self.held.get(order):
            day = was.day + timedelta(days=days)
            after = Contribution(day, was.orders, was.paid, was.refunded, was.growth)
            self.become(order, after)

    @rule(order=st.integers(0, 5))
    def leave(self, order: int) -> None:
        self.become(order, None)

    @invariant()
    def facts_are_those_of_the_orders(self) -> None:
        assert shown(self.facts) == in_plain_words(self.held.values())


TestPurchases = Purchases.TestCase
TestPurchases.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_nothing_bought_has_no_facts() -> None:
    assert derive([]) == Facts() == NOTHING_BOUGHT


def test_facts_of_a_small_history_are_these() -> None:
    orders = [
        bought("2017-11-30", 10_050, growth=100),
        bought("2018-01-05", 3_000, refunded=1_000, growth=20),
        bought("2018-01-06", 500, refunded=500),
        bought("2018-01-07", 0),
    ]
    assert derive(orders) == Facts(
        months={"2017-11": Bucket(1, 10_050, 100), "2018-01": Bucket(2, 2_000, 20)},
        newest_month="2018-01",
        orders=3,
        paid=13_550,
        refunded=1_500,
        growth=120,
        first_on=date(2017, 11, 30),
        last_on=date(2018, 1, 7),
    )


@pytest.mark.parametrize(
    ("older", "kept"),
    [("2015-02-01", True), ("2015-02-28", True), ("2015-01-31", False), ("2014-12-01", False)],
)
def test_window_is_the_newest_month_and_the_35_before(older: str, kept: bool) -> None:
    newest, old = bought("2018-01-01"), bought(older, 700)
    for orders in ([newest, old], [old, newest]):
        facts = derive(orders)
        assert (older[:7] in facts.months) is kept
        assert (facts.orders, facts.paid, facts.first_on) == (2, 800, old.day)
        assert change(derive(orders[:1]), None, orders[1]) == facts


def test_window_slides_on_with_a_newer_order_even_one_that_was_refunded_whole() -> None:
    facts = derive([bought("2015-02-01", 700), bought("2018-01-01")])
    slid = change(facts, None, bought("2018-02-01", 50, refunded=50))
    assert slid is not None
    assert sorted(slid.months) == ["2018-01"]
    assert (slid.newest_month, slid.orders, slid.paid, slid.last_on) == (
        "2018-02",
        2,
        850,
        date(2018, 1, 1),
    )


def test_refund_of_an_order_before_the_window_lowers_only_what_is_kept_for_life() -> None:
    middle = bought("2014-12-01", 700)
    facts = derive([bought("2014-11-01", 1), middle, bought("2018-01-01")])
    after = change(facts, middle, bought("2014-12-01", 700, refunded=700))
    assert after is not None
    assert (after.months, after.orders, after.paid, after.refunded) == (
        {"2018-01": Bucket(1, 100, 0)},
        2,
        801,
        700,
    )


FIRST, MIDDLE, NEWER, LAST = (
    bought(day) for day in ("2017-11-30", "2017-12-20", "2018-01-08", "2018-01-09")
)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(MIDDLE, bought("2017-12-20", 100, 100), True, id="the middle is refunded"),
        pytest.param(MIDDLE, bought("2017-12-01"), True, id="the middle moves"),
        pytest.param(MIDDLE, None, True, id="the middle leaves"),
        pytest.param(FIRST, bought("2017-11-30", 50), True, id="the first costs less"),
        pytest.param(FIRST, bought("2017-11-30", 100, 100), False, id="the first is refunded"),
        pytest.param(FIRST, bought("2017-12-01"), False, id="the first moves"),
        pytest.param(FIRST, None, False, id="the first leaves"),
        pytest.param(LAST, bought("2018-01-09", 100, 99), True, id="the last is kept in part"),
        pytest.param(LAST, bought("2018-01-09", 100, 100), False, id="the last is refunded"),
        pytest.param(LAST, bought("2018-02-01"), False, id="the last moves"),
        pytest.param(LAST, None, False, id="the last leaves"),
        pytest.param(NEWER, bought("2018-01-01"), True, id="one moves in the newest month"),
        pytest.param(NEWER, bought("2017-12-31"), False, id="one leaves the newest month"),
    ],
)
def test_only_an_order_at_an_edge_that_goes_away_needs_the_others(
    before: Contribution, after: Contribution | None, told: bool
) -> None:
    changed = change(derive([FIRST, MIDDLE, NEWER, LAST]), before, after)
    assert (changed is not None) is told
