"""Lifecycle, relationship phase, RFM and quadrant: every boundary."""

from datetime import date
from typing import Any

import pytest

from graphql_api.standing import rules
from graphql_api.standing.rules import LifecycleState, Phase, Reason, decide
from tests.standing.factories import SHIPPED, Row, day, make_facts, policies, told


def at(
    on: str, joined: str = "2015-01-01", last: str | None = None, **months: Row
) -> dict[str, Any]:
    rows = {name[1:].replace("_", "-"): row for name, row in months.items()}
    return told(decide(make_facts(rows, joined=joined, last=last), None, SHIPPED, day(on)))


# --- lifecycle -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "on", "state"),
    [
        ("2017-01-15", "2017-01-15", "ONBOARDING"),
        ("2017-01-15", "2017-04-14", "ONBOARDING"),
        ("2017-01-15", "2017-04-15", "AWAKENING"),
        ("2017-01-15", "2017-07-14", "AWAKENING"),
        ("2017-01-15", "2017-07-15", "WIN_BACK"),
        ("2017-01-15", "2017-10-14", "WIN_BACK"),
        ("2017-01-15", "2017-10-15", "DORMANT"),
        ("2017-01-15", "2018-01-14", "DORMANT"),
        ("2017-01-15", "2018-01-15", "LOST"),
        ("2017-11-30", "2018-02-27", "ONBOARDING"),
        ("2017-11-30", "2018-02-28", "AWAKENING"),
        ("2019-11-30", "2020-02-28", "ONBOARDING"),
        ("2019-11-30", "2020-02-29", "AWAKENING"),
        ("2020-02-29", "2020-05-28", "ONBOARDING"),
        ("2020-02-29", "2020-05-29", "AWAKENING"),
        ("2020-02-29", "2021-02-27", "DORMANT"),
        ("2020-02-29", "2021-02-28", "LOST"),
        ("2017-10-01", "2017-12-31", "ONBOARDING"),
        ("2017-10-01", "2018-01-01", "AWAKENING"),
        ("2017-09-30", "2017-12-29", "ONBOARDING"),
        ("2017-09-30", "2017-12-30", "AWAKENING"),
    ],
)
def test_state_follows_from_whole_months_since_the_last_purchase(
    last: str, on: str, state: str
) -> None:
    assert at(on, last=last)["lifecycle"] == state
    assert at(on, joined=last)["lifecycle"] == state


def test_next_transition_is_known_to_the_end() -> None:
    facts = make_facts(last="2017-11-30")
    held = decide(facts, None, SHIPPED, day("2017-11-30")).standing
    found = []
    while (moves := rules.next_lifecycle(facts, held, SHIPPED)) is not None:
        found.append((moves[0].isoformat(), str(moves[1])))
        held = decide(facts, held, SHIPPED, moves[0]).standing
        assert held.lifecycle.state is moves[1]
        assert date.fromordinal(held.lifecycle.since) == moves[0]
    assert found == [
        ("2018-02-28", "AWAKENING"),
        ("2018-05-30", "WIN_BACK"),
        ("2018-08-30", "DORMANT"),
        ("2018-11-30", "LOST"),
    ]


def test_purchase_brings_back_to_the_first_state_and_counts_once() -> None:
    held = decide(make_facts(last="2017-01-15"), None, SHIPPED, day("2017-01-15")).standing
    held = decide(make_facts(last="2017-01-15"), held, SHIPPED, day("2017-07-15")).standing
    back = decide(make_facts(last="2017-08-01"), held, SHIPPED, day("2017-08-01"))
    lifecycle = back.standing.lifecycle
    assert (lifecycle.state, lifecycle.reactivations) == (LifecycleState.ONBOARDING, 1)
    assert date.fromordinal(lifecycle.since) == day("2017-08-01")
    more = decide(make_facts(last="2017-08-05"), back.standing, SHIPPED, day("2017-08-05"))
    assert more.standing.lifecycle is lifecycle


def test_return_counts_though_no_run_saw_the_member_away() -> None:
    held = decide(make_facts(last="2017-01-15"), None, SHIPPED, day("2017-01-15")).standing
    back = decide(make_facts(last="2017-08-01"), held, SHIPPED, day("2017-08-01"))
    assert back.standing.lifecycle.reactivations == 1


def test_order_that_comes_late_moves_the_state_without_a_return() -> None:
    held = decide(make_facts(last="2016-01-15"), None, SHIPPED, day("2017-07-15")).standing
    late = decide(make_facts(last="2017-01-20"), held, SHIPPED, day("2017-07-15")).standing
    assert (late.lifecycle.state, late.lifecycle.reactivations) == (LifecycleState.AWAKENING, 0)


def test_refund_of_the_last_purchase_takes_the_state_back() -> None:
    held = decide(make_facts(last="2017-08-01"), None, SHIPPED, day("2017-08-01")).standing
    back = decide(make_facts(last="2017-01-15"), held, SHIPPED, day("2017-08-03")).standing
    assert back.lifecycle.state is LifecycleState.WIN_BACK
    assert date.fromordinal(back.lifecycle.since) == day("2017-08-03")


# --- relationship phase ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("joined", "on", "phase"),
    [
        ("2016-03-15", "2017-03-14", "STARTING"),
        ("2016-03-15", "2017-03-15", "GROWING"),
        ("2016-02-29", "2017-02-27", "STARTING"),
        ("2016-02-29", "2017-02-28", "GROWING"),
        ("2016-12-31", "2017-12-30", "STARTING"),
        ("2016-12-31", "2017-12-31", "GROWING"),
    ],
)
def test_member_is_new_for_twelve_months(joined: str, on: str, phase: str) -> None:
    assert at(on, joined=joined)["phase"] == phase


@pytest.mark.parametrize(
    ("orders", "on", "phase"),
    [
        (12, "2017-06-30", "STABLE"),
        (11, "2017-06-30", "GROWING"),
        (12, "2018-05-31", "STABLE"),
        (12, "2018-06-01", "GROWING"),
    ],
)
def test_twelve_orders_in_twelve_months_make_a_member_stable(
    orders: int, on: str, phase: str
) -> None:
    assert at(on, m2017_06=(orders, 0, 0))["phase"] == phase


def test_free_purchases_count_for_phase_and_frequency() -> None:
    found = at("2017-06-30", m2017_06=(16, 0, 0))
    assert (found["phase"], found["rfm"]) == ("STABLE", (5, 5, 1))


# --- RFM -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "score"),
    [(0, 5), (30, 5), (31, 4), (60, 4), (61, 3), (90, 3), (91, 2), (180, 2), (181, 1), (999, 1)],
)
def test_recency_is_scored_by_days(days: int, score: int) -> None:
    on = date.fromordinal(day("2017-01-15").toordinal() + days)
    assert at(on.isoformat(), last="2017-01-15")["rfm"][0] == score


@pytest.mark.parametrize(
    ("orders", "score"),
    [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (15, 4), (16, 5), (400, 5)],
)
def test_frequency_is_scored_by_orders(orders: int, score: int) -> None:
    assert at("2017-06-30", m2017_06=(orders, 0, 0))["rfm"][1] == score


@pytest.mark.parametrize(
    ("fen", "score"),
    [
        (0, 1), (19_999, 1), (20_000, 2), (59_999, 2), (60_000, 3), (149_999, 3), (150_000, 4),
        (299_999, 4), (300_000, 5),
    ],
)  # fmt: skip
def test_spend_is_scored_by_fen(fen: int, score: int) -> None:
    assert at("2017-06-30", m2017_06=(1, fen, 0))["rfm"][2] == score


@pytest.mark.parametrize(
    ("last", "row", "value_class"),
    [
        ("2017-06-30", (4, 60_000, 0), "HHH"),
        ("2017-06-30", (3, 60_000, 0), "HLH"),
        ("2017-03-31", (4, 60_000, 0), "LHH"),
        ("2017-03-31", (3, 60_000, 0), "LLH"),
        ("2017-06-30", (4, 59_999, 0), "HHL"),
        ("2017-06-30", (3, 59_999, 0), "HLL"),
        ("2017-03-31", (4, 59_999, 0), "LHL"),
        ("2017-03-31", (3, 59_999, 0), "LLL"),
    ],
)
def test_class_is_high_from_a_score_of_three(last: str, row: Row, value_class: str) -> None:
    assert at("2017-06-30", last=last, m2017_03=row)["class"] == value_class


def test_window_is_the_current_month_and_the_eleven_before() -> None:
    assert at("2018-02-28", last="2017-03-01", m2017_03=(4, 60_000, 0))["rfm"] == (1, 3, 3)
    assert at("2018-03-01", last="2017-03-01", m2017_03=(4, 60_000, 0))["rfm"] == (1, 1, 1)


def test_member_without_a_purchase_has_no_rfm() -> None:
    assert at("2017-06-30")["rfm"] is None


def test_refund_of_the_only_purchase_takes_the_scores_away() -> None:
    held = decide(make_facts({"2017-06": (1, 900, 9)}), None, SHIPPED, day("2017-06-02")).standing
    decision = decide(make_facts(), held, SHIPPED, day("2017-06-03"))
    assert decision.standing.rfm is None
    changes = rules.changes(decision, Reason.PURCHASES)
    assert [(c.old, c.new) for c in changes if c.kind is rules.ChangeKind.RFM] == [
        ("HLL 5-1-1", None)
    ]


def test_new_version_that_gives_the_same_scores_is_not_written() -> None:
    facts = make_facts({"2017-06": (4, 60_000, 0)})
    held = decide(facts, None, SHIPPED, day("2017-06-02")).standing
    assert not decide(facts, held, policies(version=2, rfm={}), day("2017-06-02")).changed
    higher = decide(facts, held, policies(version=2, rfm={"highFrom": 4}), day("2017-06-02"))
    assert higher.standing.rfm == rules.Rfm(5, 3, 3, rules.RfmClass.HLL, 2)


# --- cut points ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "cuts"),
    [
        ([1, 2, 3, 4, 5], [2, 3, 4, 5]),
        ([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], [30, 50, 70, 90]),
        ([1, 1, 1, 1, 9], [1, 1, 9, 9]),
        ([7, 7, 7], [7, 7, 8, 8]),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 1, 1]),
        ([], [0, 0, 0, 0]),
    ],
)
def test_quintiles_are_cut_by_mid_rank_so_that_equals_share_a_score(
    values: list[int], cuts: list[int]
) -> None:
    assert rules.least_of_quintiles(values) == cuts


@pytest.mark.parametrize(
    ("days", "cuts"),
    [([1, 2, 3, 4, 5], [1, 2, 3, 4]), ([0, 0, 0, 0, 9], [-1, 0, 0, 0]), ([], [0, 0, 0, 0])],
)
def test_fewer_days_are_better(days: list[int], cuts: list[int]) -> None:
    assert rules.most_of_quintiles(days) == cuts


def test_measured_cut_points_score_as_they_say() -> None:
    measured = policies(
        rfm={
            "frequencyMethod": "QUANTILE",
            "frequency": [
                {"score": s, "minOrders": n} for s, n in ((5, 9), (4, 9), (3, 2), (2, 2), (1, 0))
            ],
            "measuredOn": "2017-06-01",
        }
    )
    scores = [
        decide(make_facts({"2017-06": (n, 0, 0)}), None, measured, day("2017-06-02")).standing.rfm
        for n in (1, 2, 8, 9)
    ]
    assert [s.frequency for s in scores if s] == [1, 3, 3, 5]


# --- quadrant --------------------------------------------------------------------------------

AVERAGES = policies(rfm={"averages": {"ordersPercent": 250, "orderFen": 1_000}})


@pytest.mark.parametrize(
    ("row", "quadrant"),
    [
        ((3, 3_000, 0), "HIGH_HIGH"),
        ((3, 2_999, 0), "HIGH_LOW"),
        ((2, 2_000, 0), "LOW_HIGH"),
        ((2, 1_999, 0), "LOW_LOW"),
    ],
)
def test_quadrant_is_against_the_averages_of_the_policy(row: Row, quadrant: str) -> None:
    facts = make_facts({"2017-06": row})
    assert told(decide(facts, None, AVERAGES, day("2017-06-02")))["quadrant"] == quadrant


def test_without_an_order_in_the_window_or_an_average_there_is_no_quadrant() -> None:
    facts = make_facts({"2017-06": (3, 3_000, 0)})
    assert told(decide(facts, None, AVERAGES, day("2018-06-01")))["quadrant"] is None
    assert told(decide(facts, None, SHIPPED, day("2017-06-02")))["quadrant"] is None


def test_phase_is_kept_while_it_is_so() -> None:
    facts = make_facts({"2017-06": (12, 0, 0)})
    held = decide(facts, None, SHIPPED, day("2017-06-02")).standing
    assert held.relationship.phase is Phase.STABLE
    assert (
        decide(facts, held, SHIPPED, day("2018-05-31")).standing.relationship is held.relationship
    )
