"""Tiers: every boundary of going up, keeping and losing one."""

from datetime import date
from typing import Any

import pytest

from graphql_api.standing import rules
from graphql_api.standing.rules import Facts, Lock, LockKind, Policies, Reason, Standing, decide
from tests.standing.factories import SHIPPED, day, growth, make_facts, policies, told

LADDER = {
    "tiers": [
        {"name": "A", "threshold": 0},
        {"name": "B", "threshold": 100},
        {"name": "C", "threshold": 300},
        {"name": "D", "threshold": 1000},
    ]
}


def ladder(**more: Any) -> Policies:
    return policies(tier_ladder=LADDER | more)


def standing(facts: Facts, on: str, policies: Policies = SHIPPED) -> Standing:
    """What a member is who is decided on for the first time."""
    return decide(facts, None, policies, day(on)).standing


def walked(
    facts: Facts, start: str, end: str, policies: Policies = SHIPPED
) -> list[tuple[str, str, str]]:
    """Day, tier and reason of every change of a tier, decided on day by day."""
    held = standing(facts, start, policies)
    found: list[tuple[str, str, str]] = []
    for ordinal in range(day(start).toordinal() + 1, day(end).toordinal() + 1):
        decision = decide(facts, held, policies, date.fromordinal(ordinal))
        found += [
            (change.on.isoformat(), str(change.new), str(change.reason))
            for change in rules.changes(decision, Reason.TIME)
            if change.kind is rules.ChangeKind.TIER
        ]
        held = decision.standing
    return found


@pytest.mark.parametrize(
    ("got", "tier"),
    [
        (0, "V1"), (199, "V1"), (200, "V2"), (599, "V2"), (600, "V3"), (1_499, "V3"),
        (1_500, "V4"), (2_999, "V4"), (3_000, "V5"), (5_999, "V5"), (6_000, "V6"), (10**9, "V6"),
    ],
)  # fmt: skip
def test_threshold_is_met_at_its_number(got: int, tier: str) -> None:
    assert standing(make_facts(growth(m2017_06=got)), "2017-06-30").tier.name == tier


@pytest.mark.parametrize(
    ("month", "tier"), [("m2017_02", "V2"), ("m2017_01", "V1"), ("m2017_07", "V2")]
)
def test_window_is_the_current_month_and_the_five_before(month: str, tier: str) -> None:
    assert standing(make_facts(growth(**{month: 200})), "2017-07-31").tier.name == tier


@pytest.mark.parametrize(
    ("metric", "row", "tier"),
    [
        ("ORDERS", (100, 0, 0), "B"),
        ("ORDERS", (99, 900, 900), "A"),
        ("SPEND", (1, 100, 0), "B"),
        ("SPEND", (500, 99, 500), "A"),
        ("GROWTH", (1, 0, 300), "C"),
    ],
)
def test_metric_is_the_one_of_the_policy(metric: str, row: tuple[int, int, int], tier: str) -> None:
    facts = make_facts({"2017-06": row})
    assert standing(facts, "2017-06-30", ladder(metric=metric)).tier.name == tier


@pytest.mark.parametrize(
    ("on", "until"),
    [
        ("2017-07-01", "2017-12-31"),
        ("2017-07-15", "2018-01-14"),
        ("2017-08-31", "2018-02-27"),
        ("2019-08-31", "2020-02-28"),
        ("2017-06-30", "2017-12-29"),
    ],
)
def test_tier_holds_six_months_from_the_day_of_the_upgrade(on: str, until: str) -> None:
    held = standing(make_facts(), "2017-01-01")
    bought = make_facts(growth(**{f"m{on[:7].replace('-', '_')}": 200}))
    decision = decide(bought, held, SHIPPED, day(on))
    assert (told(decision)["tier"], told(decision)["since"]) == ("V2", on)
    assert told(decision)["until"] == until


def test_validity_that_ends_on_31_december_is_decided_on_at_new_year() -> None:
    facts = make_facts(growth(m2017_07=250))
    assert walked(facts, "2017-07-01", "2018-01-10") == [("2018-01-01", "V1", "EXPIRED")]


def test_window_of_the_day_after_decides_and_what_still_meets_the_tier_renews_it() -> None:
    facts = make_facts(growth(m2017_03=200, m2017_09=200))
    assert walked(facts, "2017-03-10", "2018-09-30") == [
        ("2017-09-10", "V2", "REQUALIFIED"),
        ("2018-03-10", "V1", "EXPIRED"),
    ]


def test_refund_lowers_no_tier_before_its_validity_ends() -> None:
    held = standing(make_facts(growth(m2017_03=700)), "2017-03-10")
    refunded = make_facts(growth(m2017_03=250))
    kept = decide(refunded, held, SHIPPED, day("2017-03-11"))
    assert not kept.changed
    assert kept.standing.tier.name == "V3"
    lost = decide(refunded, held, SHIPPED, day("2017-09-10"))
    assert lost.standing.tier.name == "V1"


def test_upgrade_in_a_validity_begins_a_new_one() -> None:
    held = standing(make_facts(growth(m2017_03=200)), "2017-03-10")
    more = make_facts(growth(m2017_03=200, m2017_05=400))
    decision = decide(more, held, SHIPPED, day("2017-05-20"))
    assert told(decision)["until"] == "2017-11-19"
    assert [(c.old, c.new, c.reason) for c in rules.changes(decision, Reason.PURCHASES)][:1] == [
        ("V2", "V3", Reason.PURCHASES)
    ]


@pytest.mark.parametrize(
    ("downgrade", "tiers"),
    [
        ("TO_SUPPORTED", [("2017-12-10", "A", "EXPIRED")]),
        ("ONE_STEP", [("2017-12-10", "C", "EXPIRED"), ("2018-06-10", "B", "EXPIRED")]),
        ("NONE", [("2017-12-10", "D", "REQUALIFIED"), ("2018-06-10", "D", "REQUALIFIED")]),
    ],
)
def test_downgrade_costs_what_the_policy_says(downgrade: str, tiers: list[Any]) -> None:
    facts = make_facts(growth(m2017_06=1_000))
    assert walked(facts, "2017-06-10", "2018-06-30", ladder(downgrade=downgrade)) == tiers


def test_one_step_does_not_fall_below_what_the_window_supports() -> None:
    held = standing(make_facts(growth(m2017_06=300)), "2017-06-10", ladder(downgrade="ONE_STEP"))
    later = make_facts(growth(m2017_06=300, m2017_10=100))
    lost = decide(later, held, ladder(downgrade="ONE_STEP"), day("2017-12-10"))
    assert told(lost)["tier"] == "B"


@pytest.mark.parametrize(
    ("grace", "ends"),
    [
        ({"graceDays": 1}, "2017-12-11"),
        ({"graceDays": 30}, "2018-01-09"),
        ({"graceToMonthEnd": True}, "2018-01-01"),
        ({"graceDays": 30, "graceToMonthEnd": True}, "2018-02-01"),
    ],
)
def test_grace_keeps_a_tier_for_some_days_or_to_the_end_of_the_month(
    grace: dict[str, Any], ends: str
) -> None:
    facts = make_facts(growth(m2017_06=300))
    assert walked(facts, "2017-06-10", "2018-03-01", ladder(**grace)) == [
        ("2017-12-10", "C", "GRACE"),
        (ends, "A", "EXPIRED"),
    ]


def test_grace_to_the_end_of_the_month_is_none_where_the_validity_ends_with_it() -> None:
    facts = make_facts(growth(m2017_07=300))
    assert walked(facts, "2017-07-01", "2018-02-01", ladder(graceToMonthEnd=True)) == [
        ("2018-01-01", "A", "EXPIRED")
    ]


def test_purchases_in_the_grace_period_save_the_tier_at_its_end() -> None:
    rules_ = ladder(graceDays=30)
    held = standing(make_facts(growth(m2017_06=300)), "2017-06-10", rules_)
    held = decide(make_facts(growth(m2017_06=300)), held, rules_, day("2017-12-10")).standing
    more = make_facts(growth(m2017_06=300, m2017_12=300))
    assert decide(more, held, rules_, day("2018-01-08")).standing.tier is held.tier
    saved = decide(more, held, rules_, day("2018-01-09"))
    assert (told(saved)["tier"], told(saved)["until"]) == ("C", "2018-07-08")
    assert saved.standing.tier.since == held.tier.since


@pytest.mark.parametrize(
    ("percent", "left", "tier"), [(80, 240, "C"), (80, 239, "B"), (None, 299, "B"), (99, 297, "C")]
)
def test_low_water_mark_keeps_a_tier_at_a_part_of_its_threshold(
    percent: int | None, left: int, tier: str
) -> None:
    marked = ladder(lowWaterPercent=percent)
    held = standing(make_facts(growth(m2017_06=300)), "2017-06-10", marked)
    now = make_facts(growth(m2017_06=300, m2017_11=left))
    assert decide(now, held, marked, day("2017-12-10")).standing.tier.name == tier


@pytest.mark.parametrize(
    ("across", "in_november", "in_december"),
    [("REOPEN", 1_100, 1_000), ("FLOOR_AT_ZERO", 1_900, 900), ("CARRY_DEBT", 1_100, 100)],
)
def test_refund_in_a_later_month_takes_from_where_the_policy_says(
    across: str, in_november: int, in_december: int
) -> None:
    # 1,000 in June, of which 900 went back in July; the window of December begins with July.
    facts = make_facts(
        {
            "2017-06": (1, 0, 100, 0, 0, 900),
            "2017-07": (1, 0, 100, 0, 0, -900),
            "2017-08": (1, 0, 300),
            "2017-09": (1, 0, 600),
        }
    )
    found = ladder(refundAcross=across)
    held = standing(facts, "2017-11-30", found)
    metrics = [
        rules.explain_tier(facts, held, found, day(on)).metric
        for on in ("2017-11-30", "2017-12-01")
    ]
    assert metrics == [in_november, in_december]


# --- notice ----------------------------------------------------------------------------------


def test_member_is_told_so_many_days_before_a_downgrade_once() -> None:
    facts = make_facts(growth(m2017_06=300))
    assert walked(facts, "2017-06-10", "2018-01-01", ladder(noticeDays=15)) == [
        ("2017-11-25", "C", "NOTICE"),
        ("2017-12-10", "A", "EXPIRED"),
    ]


def test_nobody_is_told_of_a_downgrade_that_will_not_come() -> None:
    facts = make_facts(growth(m2017_06=300, m2017_11=300))
    found = walked(facts, "2017-06-10", "2018-01-01", ladder(noticeDays=15))
    assert found == [("2017-12-10", "C", "REQUALIFIED")]


def test_refund_after_the_day_of_notice_tells_at_once() -> None:
    rules_ = ladder(noticeDays=15)
    held = standing(make_facts(growth(m2017_06=300, m2017_11=300)), "2017-06-10", rules_)
    refunded = make_facts(growth(m2017_06=300, m2017_11=100))
    decision = decide(refunded, held, rules_, day("2017-12-01"))
    assert [c.reason for c in rules.changes(decision, Reason.PURCHASES)][:1] == [Reason.NOTICE]
    after = decide(refunded, decision.standing, rules_, day("2017-12-02")).standing
    assert after.tier is decision.standing.tier


def test_notice_counts_back_from_the_end_of_the_grace_period() -> None:
    facts = make_facts(growth(m2017_06=300))
    assert walked(facts, "2017-06-10", "2018-03-01", ladder(noticeDays=5, graceDays=30)) == [
        ("2017-12-10", "C", "GRACE"),
        ("2018-01-04", "C", "NOTICE"),
        ("2018-01-09", "A", "EXPIRED"),
    ]


# --- by hand ---------------------------------------------------------------------------------


def under(kind: LockKind, tier: str, until: str | None) -> Standing:
    """A member of tier B since 10 June whose tier was locked on the 20th."""
    held = standing(make_facts(growth(m2017_06=100)), "2017-06-10", ladder())
    on = day("2017-06-20").toordinal()
    lock = Lock(kind, tier, on, day(until).toordinal() if until else None)
    held.tier = rules.locked(ladder().ladder, held.tier, lock, on)
    return held


@pytest.mark.parametrize(
    ("kind", "got", "tier"),
    [
        (LockKind.PIN, 1_000, "C"),
        (LockKind.PIN, 0, "C"),
        (LockKind.FLOOR, 1_000, "D"),
        (LockKind.FLOOR, 0, "C"),
    ],
)
def test_pin_beats_the_rule_and_a_floor_only_from_below(
    kind: LockKind, got: int, tier: str
) -> None:
    held = under(kind, "C", None)
    assert held.tier.name == "C"
    facts = make_facts(growth(m2017_06=100, m2017_07=got))
    assert decide(facts, held, ladder(), day("2017-07-05")).standing.tier.name == tier


def test_rule_goes_on_under_a_lock_and_decides_when_it_ends() -> None:
    facts = make_facts(growth(m2017_06=100))
    held = under(LockKind.PIN, "D", "2017-12-31")
    on_the_last_day = decide(facts, held, ladder(), day("2017-12-31"))
    assert (told(on_the_last_day)["tier"], told(on_the_last_day)["since"]) == ("D", "2017-06-20")
    ended = decide(facts, on_the_last_day.standing, ladder(), day("2018-01-01"))
    assert (told(ended)["tier"], told(ended)["since"]) == ("A", "2018-01-01")
    assert [c.reason for c in rules.changes(ended, Reason.TIME)][:1] == [Reason.LOCK_ENDED]
    assert decide(facts, held, ladder(), day("2018-01-01")).standing == ended.standing


def test_lock_taken_off_gives_back_what_the_rule_gives() -> None:
    held = under(LockKind.PIN, "D", None)
    bare = rules.unlocked(held.tier, day("2017-08-01").toordinal())
    assert (bare.name, bare.lock, date.fromordinal(bare.since)) == ("B", None, day("2017-08-01"))


def test_initial_tier_is_held_as_one_that_was_reached() -> None:
    held = standing(make_facts(), "2017-06-10", ladder())
    held.tier = rules.initial(ladder().ladder, "C", day("2017-06-10").toordinal())
    assert decide(make_facts(), held, ladder(), day("2017-12-09")).standing.tier is held.tier
    assert decide(make_facts(), held, ladder(), day("2017-12-10")).standing.tier.name == "A"


# --- another ladder --------------------------------------------------------------------------


def renamed(*tiers: tuple[str, int]) -> Policies:
    steps = [{"name": name, "threshold": least} for name, least in tiers]
    return policies(version=2, tier_ladder={"tiers": steps})


@pytest.mark.parametrize(
    ("tiers", "tier", "changed"),
    [
        ([("A", 0), ("B", 100), ("C", 300)], "C", False),
        ([("A", 0), ("B", 100), ("C", 400)], "C", False),
        ([("A", 0), ("B", 100), ("C", 200), ("D", 300)], "D", True),
        ([("A", 0), ("C", 500)], "C", True),
        ([("X", 0), ("Y", 300)], "Y", True),
        ([("C", 0), ("B", 900)], "C", True),
    ],
)
def test_new_ladder_lifts_at_once_and_takes_nothing_before_the_validity_ends(
    tiers: list[tuple[str, int]], tier: str, changed: bool
) -> None:
    facts = make_facts(growth(m2017_06=300))
    held = standing(facts, "2017-06-10", ladder())
    decision = decide(facts, held, renamed(*tiers), day("2017-07-01"))
    assert (decision.standing.tier.name, decision.changed) == (tier, changed)
    again = decide(facts, decision.standing, renamed(*tiers), day("2017-07-01"))
    assert not again.changed


def test_lowest_tier_that_becomes_a_higher_one_gets_a_validity() -> None:
    held = standing(make_facts(), "2017-06-10", ladder())
    decision = decide(make_facts(), held, renamed(("Z", 0), ("A", 50)), day("2017-07-01"))
    assert (told(decision)["tier"], told(decision)["until"]) == ("A", "2017-12-31")


# --- what a member is told -------------------------------------------------------------------


def test_member_sees_what_is_missing_and_what_will_come() -> None:
    facts = make_facts(growth(m2017_06=300, m2017_08=60))
    held = standing(facts, "2017-08-10", ladder())
    explained = rules.explain_tier(facts, held, ladder(), day("2017-08-20"))
    assert explained.metric == 360
    assert explained.to_next == rules.Goal("D", 1_000, 360, 640)
    assert explained.to_keep == rules.Goal("C", 300, 0, 300, day("2018-02-09"))
    assert explained.next_change == rules.Foreseen(day("2018-02-10"), "A", Reason.EXPIRED)


def test_lowest_and_highest_tier_have_nothing_below_and_above() -> None:
    nothing = rules.explain_tier(
        make_facts(), standing(make_facts(), "2017-06-10"), SHIPPED, day("2017-06-10")
    )
    assert (nothing.to_keep, nothing.next_change) == (None, None)
    rich = make_facts(growth(m2017_06=6_000))
    top = rules.explain_tier(rich, standing(rich, "2017-06-10"), SHIPPED, day("2017-06-10"))
    assert top.to_next is None


def test_end_of_a_lock_is_foreseen() -> None:
    held = under(LockKind.PIN, "D", "2017-08-31")
    facts = make_facts(growth(m2017_06=100))
    explained = rules.explain_tier(facts, held, ladder(), day("2017-07-01"))
    assert explained.next_change == rules.Foreseen(day("2017-09-01"), "B", Reason.LOCK_ENDED)
