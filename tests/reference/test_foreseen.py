"""What a member is told of the future comes true when the reference lives it on."""

from datetime import date, timedelta
from typing import Any

from hypothesis import assume, given, settings

from graphql_api.standing.rules import Facts, Standing, explain_tier, next_lifecycle
from scripts.bench.lives import Counts, Life, evenings, standing_facts
from scripts.bench.year import History
from tests.reference import till, year
from tests.reference.days import every_day
from tests.reference.levels import TIER_ORDER
from tests.reference.replay import POLICIES
from tests.reference.test_lives import histories

ONE_DAY = timedelta(days=1)
YEARS_ON = timedelta(days=800)

few = settings(max_examples=20, deadline=None)


def last_day(history: History) -> date:
    return history.arrivals[-1].on if history.arrivals else history.joined_on


def decided(history: History) -> tuple[Facts, Standing]:
    """What the rules hold of a member on the evening of the last arrival."""
    life = Life(history.joined_on, POLICIES)
    life.begin(history.joined_on)
    [(_, standing)] = evenings(life, history.arrivals, [last_day(history)], Counts())
    return standing_facts(life.purchases.facts, history.joined_on), standing


def lived_on(history: History, until: date, *more: dict[str, Any]) -> dict[date, dict[str, Any]]:
    """The evenings that the reference gives from the last arrival on, after more purchases."""
    told = year.as_told(history)
    told["arrivals"] += more
    return till.evenings(told, every_day(last_day(history), until))


def bought(on: date, yuan: int) -> dict[str, Any]:
    return {"on": on, "order": "more", "day": on, "amount": yuan * 100}


def first_other(days: dict[date, dict[str, Any]], what: str) -> tuple[date, Any] | None:
    """The first day on which it is another, and what it is then."""
    now = next(iter(days.values()))[what]
    return next(((day, card[what]) for day, card in days.items() if card[what] != now), None)


@few
@given(histories())
def test_next_tier_and_next_state_come_on_the_day_that_was_said(history: History) -> None:
    facts, standing = decided(history)
    days = lived_on(history, last_day(history) + YEARS_ON)
    change = explain_tier(facts, standing, POLICIES, last_day(history)).next_change
    assert (change and (change.on, change.to)) == first_other(days, "tier")
    assert next_lifecycle(facts, standing, POLICIES) == first_other(days, "lifecycle")


@few
@given(histories())
def test_what_is_missing_to_the_next_tier_is_just_enough(history: History) -> None:
    facts, standing = decided(history)
    today = last_day(history)
    goal = explain_tier(facts, standing, POLICIES, today).to_next
    assume(goal is not None)
    assert goal is not None
    for yuan, tier in ((goal.missing, goal.tier), (goal.missing - 1, standing.tier.name)):
        assert lived_on(history, today, bought(today, yuan))[today]["tier"] == tier


@few
@given(histories())
def test_what_is_missing_to_keep_a_tier_is_just_enough_on_its_last_day(history: History) -> None:
    facts, standing = decided(history)
    goal = explain_tier(facts, standing, POLICIES, last_day(history)).to_keep
    assume(goal is not None)
    assert goal is not None
    assert goal.by is not None
    for yuan in {goal.missing, max(0, goal.missing - 1)}:
        days = lived_on(history, goal.by + ONE_DAY, bought(goal.by, yuan))
        before, after = (TIER_ORDER.index(days[d]["tier"]) for d in (goal.by, goal.by + ONE_DAY))
        if before == standing.tier.rank:
            assert (after == before) is (yuan >= goal.missing)
