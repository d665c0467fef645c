"""Automatic tags: what a condition asks, who beats a rule, and when time turns one."""

from typing import Any

import pytest

from graphql_api.standing import rules
from graphql_api.standing.rules import Reason, decide
from tests.standing.factories import Row, day, make_facts, policies

ONE, TWO, THREE = (f"tag_{n:026d}" for n in (1, 2, 3))
ON = day("2018-03-01")


def leaf(fact: str, op: str, value: Any = None, months: int | None = None) -> dict[str, Any]:
    """A comparison with a number or with texts."""
    found: dict[str, Any] = {"fact": fact, "op": op}
    if isinstance(value, int):
        found["number"] = value
    elif value is not None:
        found["values"] = value.split()
    return found | ({"months": months} if months else {})


def ruled(
    *given: tuple[str, dict[str, Any]], groups: Any = None, version: int = 1
) -> rules.Policies:
    """Policies with these rules."""
    written = [{"name": f"R{n}", "tag": tag, "when": when} for n, (tag, when) in enumerate(given)]
    return policies(groups, version=version, tag_rules={"rules": written})


def is_so(when: dict[str, Any], on: str = "2018-03-01", **facts: Any) -> bool:
    """Whether a member with these facts gets the tag of a rule."""
    decision = decide(make_facts(**facts), None, ruled((ONE, when)), day(on))
    return bool(decision.standing.tags)


MONTHS: dict[str, Row] = {"2018-01": (2, 5_000, 50), "2017-10": (1, 1_001, 10)}
BOUGHT: dict[str, Any] = {"months": MONTHS, "last": "2018-01-20"}
BORN: dict[str, Any] = {"birth_year": 1990, "birthday": (3, 1)}
LEAP: dict[str, Any] = {"birth_year": 2000, "birthday": (2, 29)}


@pytest.mark.parametrize(
    ("when", "facts", "so"),
    [
        (leaf("TIER", "IS", "V1 V2"), {}, True),
        (leaf("TIER", "IS", "V2"), {}, False),
        (leaf("LIFECYCLE", "IS", "ONBOARDING"), BOUGHT, True),
        (leaf("LIFECYCLE", "IS_NOT", "ONBOARDING"), BOUGHT, False),
        (leaf("PHASE", "IS", "GROWING"), {}, True),
        (leaf("RFM_CLASS", "IS", "HLL"), BOUGHT, True),
        (leaf("RFM_CLASS", "IS_NOT", "HLL"), {}, True),
        (leaf("RFM_CLASS", "KNOWN"), {}, False),
        (leaf("RECENCY", "EQUALS", 4), BOUGHT, True),
        (leaf("FREQUENCY", "AT_MOST", 2), BOUGHT, True),
        (leaf("MONETARY", "AT_LEAST", 2), BOUGHT, False),
        (leaf("ORDERS", "AT_LEAST", 3), BOUGHT, True),
        (leaf("ORDERS", "AT_LEAST", 4), BOUGHT, False),
        (leaf("ORDERS", "EQUALS", 2, 5), BOUGHT, True),
        (leaf("ORDERS", "EQUALS", 3, 6), BOUGHT, True),
        (leaf("SPEND", "AT_LEAST", 6_001), BOUGHT, True),
        (leaf("GROWTH", "AT_MOST", 49, 3), BOUGHT, False),
        (leaf("AVERAGE_ORDER", "EQUALS", 2_000), BOUGHT, True),
        (leaf("AVERAGE_ORDER", "AT_MOST", 9), {}, False),
        (leaf("AVERAGE_ORDER", "KNOWN"), {}, False),
        (leaf("REACTIVATIONS", "EQUALS", 0), {}, True),
        (leaf("DAYS_SINCE_PURCHASE", "AT_LEAST", 40), BOUGHT, True),
        (leaf("DAYS_SINCE_PURCHASE", "AT_LEAST", 41), BOUGHT, False),
        (leaf("DAYS_SINCE_PURCHASE", "AT_MOST", 999), {}, False),
        (leaf("DAYS_SINCE_JOINING", "EQUALS", 1), {"joined": "2018-02-28"}, True),
        (leaf("AGE", "AT_LEAST", 28), BORN, True),
        (leaf("AGE", "AT_LEAST", 28), {**BORN, "birthday": (3, 2)}, False),
        (leaf("AGE", "KNOWN"), {"birth_year": 1990}, False),
        (leaf("DAYS_TO_BIRTHDAY", "EQUALS", 0), BORN, True),
        (leaf("DAYS_TO_BIRTHDAY", "AT_MOST", 363), {"birthday": (2, 28)}, False),
        (leaf("DAYS_TO_BIRTHDAY", "EQUALS", 364), LEAP, True),
        (leaf("CITY", "IS", "上海 杭州"), {"city": "杭州"}, True),
        (leaf("CITY", "IS", "上海"), {}, False),
        (leaf("CITY", "IS_NOT", "上海"), {}, True),
        (leaf("CITY", "KNOWN"), {"city": "上海"}, True),
        (leaf("GENDER", "IS", "FEMALE"), {"gender": "FEMALE"}, True),
        (leaf("OCCUPATION", "KNOWN"), {"occupation": "教师"}, True),
        (leaf("INCOME_BAND", "IS", "A"), {"income_band": "B"}, False),
        (leaf("STORE", "IS", "sto_1"), {"store": "sto_1"}, True),
        (leaf("CHANNEL", "IS", "POS"), {"channel": "POS"}, True),
        (leaf("QUADRANT", "KNOWN"), BOUGHT, False),
        (leaf("TAG", "IS", f"{TWO} {THREE}"), {"tags": {TWO: None}}, True),
        (leaf("TAG", "IS", TWO), {"tags": {TWO: "2018-02-28"}}, False),
        (leaf("TAG", "IS", TWO), {"tags": {TWO: "2018-03-01"}}, True),
        (leaf("TAG", "IS_NOT", TWO), {"tags": {THREE: None}}, True),
        (leaf("TAG", "KNOWN"), {}, False),
    ],
)
def test_comparison(when: dict[str, Any], facts: dict[str, Any], so: bool) -> None:
    assert is_so(when, **facts) is so


YES, NO = leaf("TIER", "IS", "V1"), leaf("TIER", "IS", "V2")


@pytest.mark.parametrize(
    ("when", "so"),
    [
        ({"all": [YES, YES]}, True),
        ({"all": [YES, NO]}, False),
        ({"any": [NO, YES]}, True),
        ({"any": [NO, NO]}, False),
        ({"none": [NO, NO]}, True),
        ({"none": [NO, YES]}, False),
        ({"all": [{"any": [NO, YES]}, {"none": [{"all": [YES, NO]}]}]}, True),
    ],
)
def test_groups_nest(when: dict[str, Any], so: bool) -> None:
    assert is_so(when) is so


def test_tag_comes_and_goes_with_its_rule_and_names_it() -> None:
    facts, rule = make_facts(last="2018-01-20"), (ONE, leaf("DAYS_SINCE_PURCHASE", "AT_LEAST", 90))
    held = decide(facts, None, ruled(rule), ON).standing
    assert held.tags == frozenset()
    came = decide(facts, held, ruled(rule, version=7), day("2018-04-20"))
    [change] = [c for c in rules.changes(came, Reason.TIME) if c.kind is rules.ChangeKind.TAG]
    assert (change.old, change.new, change.by, change.version) == (None, ONE, "R0", 7)
    bought = decide(make_facts(last="2018-04-21"), came.standing, ruled(rule), day("2018-04-21"))
    assert bought.standing.tags == frozenset()


def test_tag_of_a_rule_that_is_no_more_is_taken_away() -> None:
    held = decide(make_facts(), None, ruled((ONE, YES)), ON).standing
    decision = decide(make_facts(), held, ruled(), ON)
    assert (decision.changed, decision.standing.tags) == (True, frozenset())


def test_rule_leaves_alone_what_a_stronger_source_gave() -> None:
    by_hand = make_facts(tags={ONE: "2018-03-10"})
    held = decide(by_hand, None, ruled((ONE, YES)), ON).standing
    assert held.tags == frozenset()
    assert decide(by_hand, held, ruled((ONE, YES)), day("2018-03-11")).standing.tags == {ONE}


def test_first_rule_wins_in_a_group_that_allows_one() -> None:
    groups = {ONE: "tgg_1", TWO: "tgg_1", THREE: "tgg_1"}
    both = ruled((ONE, NO), (TWO, YES), (THREE, YES), groups=groups)
    assert decide(make_facts(), None, both, ON).standing.tags == {TWO}
    apart = ruled((ONE, YES), (TWO, YES))
    assert decide(make_facts(), None, apart, ON).standing.tags == {ONE, TWO}


def test_tag_by_hand_keeps_rules_out_of_its_group_while_it_holds() -> None:
    groups = {ONE: "tgg_1", TWO: "tgg_1"}
    facts, given = make_facts(tags={TWO: "2018-03-10"}), ruled((ONE, YES), groups=groups)
    assert decide(facts, None, given, ON).standing.tags == frozenset()
    later = decide(facts, None, given, day("2018-03-11"))
    assert (later.standing.tags, later.expired) == ({ONE}, (TWO,))


@pytest.mark.parametrize(
    ("when", "facts", "on"),
    [
        (leaf("DAYS_SINCE_JOINING", "AT_LEAST", 30), {"joined": "2018-02-28"}, "2018-03-30"),
        (leaf("DAYS_SINCE_JOINING", "AT_MOST", 30), {"joined": "2018-02-28"}, "2018-03-31"),
        (leaf("DAYS_TO_BIRTHDAY", "AT_MOST", 7), {"birthday": (3, 20)}, "2018-03-13"),
        (leaf("DAYS_TO_BIRTHDAY", "AT_MOST", 7), {"birthday": (3, 1)}, "2018-03-02"),
        (leaf("DAYS_TO_BIRTHDAY", "EQUALS", 0), {"birthday": (2, 29)}, "2019-02-28"),
        (leaf("AGE", "AT_LEAST", 60), BORN, "2050-03-01"),
        (leaf("AGE", "AT_MOST", 28), BORN, "2019-03-01"),
        (leaf("ORDERS", "AT_LEAST", 1, 36), {"months": {"2015-06": (1, 0, 0)}}, "2018-06-01"),
        (
            {"all": [leaf("AGE", "EQUALS", 30), leaf("DAYS_TO_BIRTHDAY", "EQUALS", 364)]},
            BORN,
            "2020-03-02",
        ),
    ],
)
def test_day_on_which_time_turns_a_rule_is_known(
    when: dict[str, Any], facts: dict[str, Any], on: str
) -> None:
    # A member whom nothing else awaits: lost, in the lowest tier, past the beginning.
    known = make_facts(**({"joined": "2015-01-01", "last": None} | facts))
    policies_ = ruled((ONE, when))
    decision = decide(known, None, policies_, ON)
    tier_only = rules.next_day(known, decision.standing, ruled(), ON)
    found = decision.next_on
    assert found is not None
    assert found == (min(day(on), _day(tier_only)) if tier_only else day(on))


def _day(ordinal: int) -> Any:
    return type(ON).fromordinal(ordinal)
