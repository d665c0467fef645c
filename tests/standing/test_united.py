"""Two members who are one person: the better of both."""

import pytest

from graphql_api.standing import rules
from graphql_api.standing.rules import Lock, LockKind, Standing, decide, united
from tests.standing.factories import SHIPPED, day, growth, make_facts


def of(got: int, on: str, last: str | None = None) -> Standing:
    facts = make_facts(growth(**{f"m{on[:7].replace('-', '_')}": got}), last=last or on)
    return decide(facts, None, SHIPPED, day(on)).standing


@pytest.mark.parametrize(
    ("one", "other", "tier", "until"),
    [
        (of(600, "2017-06-10"), of(200, "2017-06-20"), "V3", "2017-12-09"),
        (of(200, "2017-06-20"), of(600, "2017-06-10"), "V3", "2017-12-09"),
        (of(200, "2017-06-10"), of(200, "2017-06-20"), "V2", "2017-12-19"),
        (of(0, "2017-06-10"), of(0, "2017-06-20"), "V1", None),
    ],
)
def test_better_tier_wins_with_the_later_validity(
    one: Standing, other: Standing, tier: str, until: str | None
) -> None:
    found = united(SHIPPED.ladder, one, other)
    assert found is not None
    assert found.tier.name == tier
    assert found.tier.until == (day(until).toordinal() if until else None)


def test_lock_of_the_survivor_stands() -> None:
    one, other = of(0, "2017-06-10"), of(600, "2017-06-10")
    on = day("2017-06-10").toordinal()
    one.tier = rules.locked(SHIPPED.ladder, one.tier, Lock(LockKind.PIN, "V2", on), on)
    for pair in ((one, other), (other, one)):
        found = united(SHIPPED.ladder, *pair)
        assert found is not None
        assert found.tier is one.tier


def test_returns_add_up_tags_unite_and_the_last_purchase_counts() -> None:
    one, other = of(0, "2017-06-10"), of(0, "2017-08-10")
    one.lifecycle.reactivations, other.lifecycle.reactivations = 1, 2
    one.tags, other.tags = frozenset({"a"}), frozenset({"b"})
    found = united(SHIPPED.ladder, one, other)
    assert found is not None
    assert (found.lifecycle.reactivations, found.tags) == (3, {"a", "b"})
    assert found.active == day("2017-08-10").toordinal()


def test_who_was_never_decided_on_adds_nothing() -> None:
    one = of(200, "2017-06-10")
    assert united(SHIPPED.ladder, one, None) is one
    assert united(SHIPPED.ladder, None, one) is one
    assert united(SHIPPED.ladder, None, None) is None
