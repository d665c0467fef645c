"""Laws of `decide`: nothing changes before the day it names, something does on it, and days left
out make no difference."""

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.kit.calendar import month_at
from graphql_api.standing import rules
from graphql_api.standing.rules import Decision, Facts, Lock, LockKind, Person, Policies, Standing
from tests.standing.factories import SHIPPED, policies

ONE, TWO, THREE = (f"tag_{n:026d}" for n in (1, 2, 3))
START = date(2019, 12, 15)
MONTH = month_at(START.toordinal())
HORIZON = 500

LADDERS: list[dict[str, Any]] = [
    {},
    {"downgrade": "ONE_STEP", "lowWaterPercent": 60, "noticeDays": 20},
    {"graceDays": 20, "graceToMonthEnd": True, "noticeDays": 40, "validityMonths": 2},
    {"downgrade": "NONE", "metric": "ORDERS", "windowMonths": 2, "validityMonths": 1},
    {"metric": "SPEND", "refundAcross": "CARRY_DEBT", "windowMonths": 12, "graceDays": 7},
    {"refundAcross": "FLOOR_AT_ZERO", "windowMonths": 3, "validityMonths": 12},
]
RULES = [
    {"fact": "DAYS_TO_BIRTHDAY", "op": "AT_MOST", "number": 7},
    {"fact": "DAYS_SINCE_PURCHASE", "op": "AT_LEAST", "number": 45},
    {"fact": "ORDERS", "op": "AT_LEAST", "number": 3, "months": 4},
    {"fact": "AVERAGE_ORDER", "op": "AT_MOST", "number": 20_000, "months": 2},
    {"all": [{"fact": "AGE", "op": "AT_LEAST", "number": 30}, {"none": [
        {"fact": "TAG", "op": "IS", "values": [THREE]}]}]},
    {"any": [{"fact": "TIER", "op": "IS", "values": ["V1"]}, {"fact": "LIFECYCLE", "op": "IS",
        "values": ["LOST", "WIN_BACK"]}]},
    {"fact": "DAYS_SINCE_JOINING", "op": "EQUALS", "number": 400},
]  # fmt: skip


@st.composite
def some_policies(draw: st.DrawFn) -> Policies:
    whens = draw(st.lists(st.sampled_from(RULES), max_size=2, unique_by=id))
    written = [
        {"name": tag[-2:], "tag": tag, "when": when}
        for tag, when in zip((ONE, TWO), whens, strict=False)
    ]
    groups = {ONE: "tgg_1", TWO: "tgg_1"} if draw(st.booleans()) else {}
    names = ("V1", "V2", "V3")
    least = draw(st.sampled_from([(0, 2, 5), (0, 200, 600), (0, 20_000, 60_000)]))
    steps = [{"name": n, "threshold": t} for n, t in zip(names, least, strict=True)]
    averages = {"averages": {"ordersPercent": 300, "orderFen": 15_000}}
    return policies(
        groups,
        tier_ladder=draw(st.sampled_from(LADDERS)) | {"tiers": steps},
        rfm=draw(st.sampled_from([{}, averages, {"windowMonths": 3} | averages])),
        relationship_phase=draw(st.sampled_from([{}, {"windowMonths": 5, "stableOrders": 4}])),
        tag_rules={"rules": written},
    )


@st.composite
def some_facts(draw: st.DrawFn, ahead: int = 0) -> Facts:
    """Purchases of three years before the start, at most so many months after it."""
    months = draw(st.lists(st.integers(MONTH - 14, MONTH + ahead), max_size=6, unique=True))
    buckets: dict[int, tuple[int, ...]] = {}
    for month in months:
        row: tuple[int, ...] = (draw(st.integers(0, 6)), draw(st.integers(0, 90_000)))
        row = (*row, row[1] // 100)
        if draw(st.booleans()):
            moved = draw(st.integers(-70_000, 70_000))
            row = (*row, 0, moved, moved // 100)
        buckets[month] = row
    joined = date.fromordinal(START.toordinal() - draw(st.integers(0, 900)))
    back = draw(st.none() | st.integers(-1 if ahead else 0, 420))
    tags = draw(st.dictionaries(st.sampled_from([ONE, THREE]), st.integers(0, 300), max_size=2))
    return rules.facts_of(
        buckets,
        joined=joined,
        last=None if back is None else date.fromordinal(START.toordinal() - back),
        totals=(sum(r[0] for r in buckets.values()), 0, 0),
        tags={tag: START.toordinal() + in_days for tag, in_days in tags.items()},
        person=draw(
            st.sampled_from(
                [Person(), Person(birth_year=1990, birthday=(2, 29)), Person(birthday=(1, 2))]
            )
        ),
    )


@st.composite
def some_held(draw: st.DrawFn, facts: Facts, chosen: Policies) -> Standing:
    """What was decided at the start, perhaps with a lock on the tier."""
    held = rules.decide(facts, None, chosen, START).standing
    lock = draw(st.none() | st.tuples(st.sampled_from(LockKind), st.integers(0, 200) | st.none()))
    if lock is not None:
        day = START.toordinal()
        until = None if lock[1] is None else day + lock[1]
        own = Lock(lock[0], draw(st.sampled_from(["V1", "V2", "V3"])), day, until)
        held.tier = rules.locked(chosen.ladder, held.tier, own, day)
    return held


def cleared(facts: Facts, decision: Decision) -> Facts:
    """The facts once the tags that ran out are cleared away."""
    left = {tag: last for tag, last in facts.tags.items() if tag not in decision.expired}
    return Facts(
        facts.months,
        facts.newest,
        facts.joined,
        facts.last,
        facts.moved,
        facts.totals,
        left,
        facts.person,
    )


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_nothing_changes_before_the_next_day_and_something_does_on_it(data: st.DataObject) -> None:
    chosen, facts = data.draw(some_policies()), data.draw(some_facts(ahead=2))
    decision = rules.decide(facts, data.draw(some_held(facts, chosen)), chosen, START)
    for _ in range(4):
        facts, held, on = cleared(facts, decision), decision.standing, decision.as_of
        next_on = rules.decide(facts, held, chosen, on).next_on
        last = next_on.toordinal() if next_on else on.toordinal() + HORIZON
        assert last > on.toordinal()
        for day in range(on.toordinal(), min(last, on.toordinal() + HORIZON)):
            assert not rules.decide(facts, held, chosen, date.fromordinal(day)).changed
        if next_on is None:
            return
        decision = rules.decide(facts, held, chosen, next_on)
        assert decision.changed


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_day_by_day_is_the_same_as_one_jump(data: st.DataObject) -> None:
    chosen, facts = data.draw(some_policies()), data.draw(some_facts())
    held = data.draw(some_held(facts, chosen))
    end = START.toordinal() + data.draw(st.integers(0, HORIZON))
    step, left = held, facts
    for day in range(START.toordinal(), end + 1):
        decision = rules.decide(left, step, chosen, date.fromordinal(day))
        step, left = decision.standing, cleared(left, decision)
    jump = rules.decide(facts, held, chosen, date.fromordinal(end))
    assert jump.standing == step
    assert cleared(facts, jump) == left


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_deciding_twice_changes_nothing(data: st.DataObject) -> None:
    chosen, facts = data.draw(some_policies()), data.draw(some_facts(ahead=1))
    before = data.draw(some_held(data.draw(some_facts()), chosen))
    day = date.fromordinal(START.toordinal() + data.draw(st.integers(0, 400)))
    once = rules.decide(facts, before, chosen, day)
    again = rules.decide(cleared(facts, once), once.standing, chosen, day)
    assert (again.changed, again.standing) == (False, once.standing)
    assert rules.changes(again, rules.Reason.TIME) == []
    assert bool(rules.changes(once, rules.Reason.TIME)) is (once.standing != before)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_other_policies_are_taken_up_once(data: st.DataObject) -> None:
    first, second = data.draw(some_policies()), data.draw(some_policies())
    second.ladder.version = second.cuts.version = second.phases.version = 2
    facts = data.draw(some_facts())
    held = data.draw(some_held(facts, first))
    moved = rules.decide(facts, held, second, START)
    assert not rules.decide(cleared(facts, moved), moved.standing, second, START).changed


def test_member_whom_nothing_awaits_has_no_next_day() -> None:
    facts = rules.facts_of({}, joined=date(2010, 1, 1))
    assert rules.decide(facts, None, SHIPPED, START).next_on is None
