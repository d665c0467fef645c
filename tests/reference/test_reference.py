"""The reference says what domain.md says, worked out here by hand, and shares no code with it."""

import ast
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.reference import levels, purchases, till
from tests.reference.days import first_of_window, months_after

HERE = Path(__file__).parent
JOINED = "2017-01-05"


def day(text: str) -> date:
    return date.fromisoformat(text)


def bought(on: str, yuan: float, number: str | None = None, of: str | None = None) -> Any:
    """A purchase that arrives on a day, made on that day or, late, `of` an earlier one."""
    return {
        "on": day(on),
        "order": number or f"{on} {yuan}",
        "day": day(of or on),
        "amount": round(yuan * 100),
    }


def gave_back(on: str, number: str, yuan: float) -> Any:
    return {"on": day(on), "refund_of": number, "amount": round(yuan * 100)}


def lived(*arrivals: Any, joined: str = JOINED) -> dict[str, Any]:
    return {"joined_on": day(joined), "arrivals": list(arrivals)}


def evening(history: dict[str, Any], on: str, base: dict[str, float] | None = None) -> Any:
    return till.evenings(history, [day(on)], base)[day(on)]


def tier_at(history: dict[str, Any], on: str) -> tuple[str, str, str | None]:
    card = evening(history, on)
    ends_on = card["tier_ends_on"]
    return card["tier"], str(card["tier_since"]), None if ends_on is None else str(ends_on)


@pytest.mark.parametrize("module", ["till", "levels", "purchases", "days"])
def test_reference_imports_nothing_of_the_product(module: str) -> None:
    names: set[str] = set()
    for node in ast.walk(ast.parse((HERE / f"{module}.py").read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    assert not [name for name in names if name.startswith(("graphql_api", "scripts"))]


@pytest.mark.parametrize(
    ("from_day", "months", "then"),
    [
        ("2017-11-30", 3, "2018-02-28"),
        ("2015-11-30", 3, "2016-02-29"),
        ("2017-08-31", 1, "2017-09-30"),
        ("2016-02-29", 12, "2017-02-28"),
        ("2017-12-31", 6, "2018-06-30"),
        ("2017-02-28", 6, "2017-08-28"),
        ("2017-01-15", 12, "2018-01-15"),
    ],
)
def test_day_is_clamped_to_the_end_of_the_month(from_day: str, months: int, then: str) -> None:
    assert months_after(day(from_day), months) == day(then)


@pytest.mark.parametrize(
    ("as_of", "months", "first"),
    [
        ("2017-06-30", 6, "2017-01-01"),
        ("2017-07-01", 6, "2017-02-01"),
        ("2018-01-31", 6, "2017-08-01"),
        ("2017-12-31", 12, "2017-01-01"),
        ("2018-01-01", 12, "2017-02-01"),
    ],
)
def test_window_is_the_current_calendar_month_and_the_ones_before(
    as_of: str, months: int, first: str
) -> None:
    assert first_of_window(day(as_of), months) == day(first)


@pytest.mark.parametrize(
    ("growth", "tier"),
    [
        (0, "V1"),
        (199, "V1"),
        (200, "V2"),
        (599, "V2"),
        (600, "V3"),
        (1_499, "V3"),
        (1_500, "V4"),
        (2_999, "V4"),
        (3_000, "V5"),
        (5_999, "V5"),
        (6_000, "V6"),
        (60_000, "V6"),
    ],
)
def test_threshold_met_means_at_least(growth: int, tier: str) -> None:
    assert levels.tier_supported(growth) == tier


def test_growth_is_one_for_each_whole_yuan_of_an_order_net_of_refunds() -> None:
    known = purchases.nothing()
    for event in (bought("2017-01-05", 99.99, "A"), bought("2017-01-06", 0.99, "B")):
        purchases.learn(known, event)
    assert levels.growth(known, day("2017-01-06")) == 99
    purchases.learn(known, gave_back("2017-01-07", "A", 50))
    assert levels.growth(known, day("2017-01-07")) == 49
    assert levels.growth(known, day("2017-06-30")) == 49
    assert levels.growth(known, day("2017-07-01")) == 0


def test_refund_in_a_later_month_takes_from_the_month_that_the_policy_says() -> None:
    known = purchases.nothing()
    for event in (
        bought("2017-01-05", 300, "A"),
        bought("2017-03-05", 50),
        gave_back("2017-03-09", "A", 120),
        bought("2017-04-05", 90),
    ):
        purchases.learn(known, event)
    assert levels.growth(known, day("2017-04-30"), "REOPEN") == 180 + 50 + 90
    assert levels.growth(known, day("2017-04-30"), "FLOOR_AT_ZERO") == 300 + 0 + 90
    assert levels.growth(known, day("2017-04-30"), "CARRY_DEBT") == 300 + 0 + 20
    # From July on January is out of the window; the debt of March is owed all the same.
    assert levels.growth(known, day("2017-07-31"), "REOPEN") == 50 + 90
    assert levels.growth(known, day("2017-07-31"), "FLOOR_AT_ZERO") == 90
    assert levels.growth(known, day("2017-07-31"), "CARRY_DEBT") == 20


def test_refund_before_its_order_waits_for_it() -> None:
    known = purchases.nothing()
    purchases.learn(known, gave_back("2017-01-05", "A", 30))
    assert purchases.standing(known) == []
    purchases.learn(known, bought("2017-01-06", 100, "A"))
    assert purchases.standing(known) == [{"day": day("2017-01-06"), "net": 7_000, "growth": 70}]


def test_order_fully_refunded_counts_no_more_and_one_of_nothing_counts() -> None:
    known = purchases.nothing()
    purchases.learn(known, bought("2017-01-05", 0, "free"))
    purchases.learn(known, bought("2017-01-09", 10, "A"))
    purchases.learn(known, gave_back("2017-01-10", "A", 4))
    assert purchases.last_day(known) == day("2017-01-09")
    purchases.learn(known, gave_back("2017-01-11", "A", 7))
    assert purchases.last_day(known) == day("2017-01-05")
    assert purchases.standing(known) == [{"day": day("2017-01-05"), "net": 0, "growth": 0}]


# --- tiers -----------------------------------------------------------------------------------


def test_member_who_buys_nothing_is_of_the_first_tier_which_has_no_end() -> None:
    assert tier_at(lived(), "2019-12-31") == ("V1", JOINED, None)


def test_upgrade_is_at_the_event_that_crosses_the_threshold_and_holds_six_months() -> None:
    history = lived(bought("2017-01-31", 199.99), bought("2017-02-28", 1))
    assert tier_at(history, "2017-02-27") == ("V1", JOINED, None)
    assert tier_at(history, "2017-02-28") == ("V2", "2017-02-28", "2017-08-28")


def test_upgrade_may_jump_and_a_further_one_begins_a_new_validity() -> None:
    history = lived(bought("2017-01-31", 600), bought("2017-03-31", 900))
    assert tier_at(history, "2017-03-30") == ("V3", "2017-01-31", "2017-07-31")
    assert tier_at(history, "2017-03-31") == ("V4", "2017-03-31", "2017-09-30")


def test_validity_from_the_first_of_july_is_through_the_end_of_the_year() -> None:
    history = lived(bought("2017-07-01", 700))
    assert tier_at(history, "2017-12-31") == ("V3", "2017-07-01", "2018-01-01")
    # The window of 1 January begins with August: nothing supports the tier any more.
    assert tier_at(history, "2018-01-01") == ("V1", "2018-01-01", None)


def test_end_of_the_validity_costs_down_to_what_the_window_supports() -> None:
    history = lived(bought("2017-01-10", 3_000), bought("2017-03-02", 250))
    assert tier_at(history, "2017-07-09") == ("V5", "2017-01-10", "2017-07-10")
    # On 10 July the window is February to July: 250 of growth, V2, for six months more.
    assert tier_at(history, "2017-07-10") == ("V2", "2017-07-10", "2018-01-10")
    assert tier_at(history, "2018-01-10") == ("V1", "2018-01-10", None)


def test_tier_that_is_still_met_is_renewed_and_keeps_its_beginning() -> None:
    history = lived(bought("2017-01-10", 600), bought("2017-02-01", 600))
    assert tier_at(history, "2017-07-10") == ("V3", "2017-01-10", "2018-01-10")
    assert tier_at(history, "2018-01-09") == ("V3", "2017-01-10", "2018-01-10")
    assert tier_at(history, "2018-01-10") == ("V1", "2018-01-10", None)


def test_purchase_on_the_day_of_the_end_comes_after_the_morning() -> None:
    history = lived(bought("2017-01-10", 600), bought("2017-07-10", 700))
    assert tier_at(history, "2017-07-10") == ("V3", "2017-07-10", "2018-01-10")


def test_refund_takes_back_growth_and_not_the_tier_before_its_end() -> None:
    history = lived(
        bought("2017-03-10", 700, "A"),
        gave_back("2017-04-01", "A", 700),
        bought("2017-05-01", 250),
    )
    assert tier_at(history, "2017-09-09") == ("V3", "2017-03-10", "2017-09-10")
    assert tier_at(history, "2017-09-10") == ("V2", "2017-09-10", "2018-03-10")


def test_what_was_refunded_does_not_help_over_the_next_threshold() -> None:
    history = lived(
        bought("2017-03-10", 1_400, "A"), gave_back("2017-03-11", "A", 1), bought("2017-03-12", 100)
    )
    assert tier_at(history, "2017-03-12") == ("V3", "2017-03-10", "2017-09-10")


def test_order_of_arrival_within_a_day_decides() -> None:
    sale, refund, more = (
        bought("2017-03-10", 590, "A"),
        gave_back("2017-03-10", "A", 20),
        bought("2017-03-10", 20),
    )
    assert tier_at(lived(sale, more, refund), "2017-03-10")[0] == "V3"
    assert tier_at(lived(sale, refund, more), "2017-03-10")[0] == "V2"


def test_late_arrival_counts_in_its_month_and_decides_on_the_day_it_comes() -> None:
    history = lived(bought("2017-07-05", 600, of="2017-01-20"))
    assert tier_at(history, "2017-07-05") == ("V1", JOINED, None)
    history = lived(bought("2017-06-30", 600, of="2017-01-20"))
    assert tier_at(history, "2017-06-30") == ("V3", "2017-06-30", "2017-12-30")


# --- lifecycle and phase ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "state"),
    [
        ("2016-11-30", "ONBOARDING"),
        ("2017-02-27", "ONBOARDING"),
        ("2017-02-28", "AWAKENING"),
        ("2017-05-29", "AWAKENING"),
        ("2017-05-30", "WIN_BACK"),
        ("2017-08-29", "WIN_BACK"),
        ("2017-08-30", "DORMANT"),
        ("2017-11-29", "DORMANT"),
        ("2017-11-30", "LOST"),
        ("2019-11-30", "LOST"),
    ],
)
def test_state_of_a_member_who_bought_last_on_30_november(on: str, state: str) -> None:
    history = lived(bought("2016-11-30", 5), joined="2016-10-01")
    assert evening(history, on)["lifecycle"] == state


@pytest.mark.parametrize(
    ("on", "state"),
    [("2016-05-28", "ONBOARDING"), ("2016-05-29", "AWAKENING"), ("2017-02-28", "LOST")],
)
def test_state_without_a_purchase_is_by_joining_even_on_29_february(on: str, state: str) -> None:
    assert evening(lived(joined="2016-02-29"), on)["lifecycle"] == state


def test_purchase_brings_a_member_back_and_its_refund_takes_that_away() -> None:
    history = lived(
        bought("2017-01-05", 5), bought("2017-09-10", 5, "B"), gave_back("2017-09-20", "B", 5)
    )

    def state(on: str) -> tuple[str, str]:
        card = evening(history, on)
        return card["lifecycle"], str(card["lifecycle_since"])

    assert state("2017-09-09") == ("WIN_BACK", "2017-07-05")
    assert state("2017-09-10") == ("ONBOARDING", "2017-09-10")
    assert state("2017-09-19") == ("ONBOARDING", "2017-09-10")
    assert state("2017-09-20") == ("WIN_BACK", "2017-09-20")
    assert state("2017-10-05") == ("DORMANT", "2017-10-05")


def test_partial_refund_leaves_the_purchase() -> None:
    history = lived(bought("2017-04-01", 5, "A"), gave_back("2017-04-02", "A", 4.99))
    assert evening(history, "2017-06-30")["lifecycle"] == "ONBOARDING"


def test_phase_is_starting_for_a_year_and_then_growing() -> None:
    assert evening(lived(), "2018-01-04")["phase"] == "STARTING"
    assert evening(lived(), "2018-01-05")["phase"] == "GROWING"


def test_twelve_orders_in_twelve_calendar_months_are_stable_free_ones_too() -> None:
    eleven = [bought(f"2017-{month:02d}-20", 0) for month in range(1, 12)]
    assert evening(lived(*eleven), "2017-12-30")["phase"] == "STARTING"
    twelve = lived(*eleven, bought("2017-12-31", 3, "L"), gave_back("2018-01-02", "L", 3))
    assert evening(twelve, "2017-12-31")["phase"] == "STABLE"
    # On 1 January the purchase of last January leaves the window.
    assert evening(twelve, "2018-01-01")["phase"] == "STARTING"
    assert evening(twelve, "2018-01-05")["phase"] == "GROWING"


# --- RFM and quadrant ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "score"),
    [(0, 5), (30, 5), (31, 4), (60, 4), (61, 3), (90, 3), (91, 2), (180, 2), (181, 1), (800, 1)],
)
def test_recency_by_days_since_the_last_purchase(days: int, score: int) -> None:
    history = lived(bought("2017-03-01", 5))
    on = day("2017-03-01") + timedelta(days=days)
    assert evening(history, str(on))["rfm"]["recency"] == score


@pytest.mark.parametrize(
    ("orders", "score"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (15, 4), (16, 5), (40, 5)]
)
def test_frequency_by_orders_in_the_window(orders: int, score: int) -> None:
    history = lived(*[bought("2017-03-01", 5, f"{n}") for n in range(orders)])
    assert evening(history, "2017-03-01")["rfm"]["frequency"] == score


@pytest.mark.parametrize(
    ("yuan", "score"),
    [
        (0, 1),
        (199.99, 1),
        (200, 2),
        (599.99, 2),
        (600, 3),
        (1_499.99, 3),
        (1_500, 4),
        (2_999.99, 4),
        (3_000, 5),
    ],
)
def test_monetary_by_spend_in_the_window(yuan: float, score: int) -> None:
    assert evening(lived(bought("2017-03-01", yuan)), "2017-03-01")["rfm"]["monetary"] == score


def test_window_of_frequency_and_spend_leaves_and_recency_stays() -> None:
    history = lived(*[bought("2017-03-01", 200, f"{n}") for n in range(4)])
    expected = {"recency": 1, "frequency": 3, "monetary": 3, "class": "LHH"}
    assert evening(history, "2018-02-28")["rfm"] == expected
    gone = {"recency": 1, "frequency": 1, "monetary": 1, "class": "LLL"}
    assert evening(history, "2018-03-01")["rfm"] == gone


def test_no_purchase_no_rfm_and_none_left_no_rfm() -> None:
    history = lived(bought("2017-03-01", 5, "A"), gave_back("2017-03-05", "A", 5))
    assert evening(history, "2017-02-28")["rfm"] is None
    assert evening(history, "2017-03-04")["rfm"]["class"] == "HLL"
    assert evening(history, "2017-03-05")["rfm"] is None


@pytest.mark.parametrize(
    ("orders", "value", "quadrant"),
    [(3, 100.0, "HH"), (3.5, 100.0, "LH"), (2.9, 100.01, "HL"), (4, 200.0, "LL")],
)
def test_quadrant_is_orders_and_their_average_value_against_the_base(
    orders: float, value: float, quadrant: str
) -> None:
    history = lived(bought("2017-03-01", 80), bought("2017-03-02", 100), bought("2017-04-01", 120))
    base = {"orders": orders, "value": value * 100}
    assert evening(history, "2017-04-30", base)["quadrant"] == quadrant
    assert evening(history, "2017-04-30")["quadrant"] is None


def test_month_ends_are_the_evenings_of_the_last_days_from_joining_on() -> None:
    history = lived(bought("2017-01-31", 250), bought("2017-03-31", 400))
    told = till.month_ends(history, day("2017-03-31"))
    assert [(str(on), card["tier"]) for on, card in told.items()] == [
        ("2017-01-31", "V2"),
        ("2017-02-28", "V2"),
        ("2017-03-31", "V3"),
    ]
