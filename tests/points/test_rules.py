"""What happens to points, rule by rule (domain: §7, §14)."""

from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest

from graphql_api.points import rules
from graphql_api.points.rules import Account, Figures, Hold, Source
from tests.points.factories import (
    DAY,
    book,
    buy,
    followed,
    holding,
    kinds,
    later,
    lot,
    policy,
    refunded,
    terms,
)

# --- holding ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "active_on"),
    [
        ({}, later(7)),
        ({"hold_days": 0}, DAY),
        ({"holding": "NONE"}, DAY),
        ({"holding": "DATE", "hold_until": later(20)}, later(20)),
        ({"holding": "DATE", "hold_until": later(-5)}, DAY),
        ({"holding": "UNTIL_SETTLED"}, None),
    ],
)
def test_points_of_a_purchase_wait_as_the_policy_says(
    given: dict[str, Any], active_on: date | None
) -> None:
    opened = book(**given)
    followed(opened, buy())
    [came] = opened.close().lots
    assert (came.activates_on, came.active) == (active_on, active_on == DAY)


def test_points_are_active_on_the_day_after_the_hold_and_not_before() -> None:
    opened = book()
    followed(opened, buy())
    waits = opened.close()
    assert book(waits, on=later(6)).figures == (0, 100, 0)
    assert book(waits, on=later(7)).figures == (100, 0, 0)


def test_points_that_wait_for_a_settlement_are_active_from_its_day_and_run_from_then() -> None:
    opened = book(holding="UNTIL_SETTLED")
    kept = followed(opened, buy())
    opened = book(opened.close(), on=later(40), holding="UNTIL_SETTLED")
    assert opened.figures == (0, 100, 0)
    followed(opened, buy(settled_on=later(30)), kept)
    [came] = opened.close().lots
    assert (came.active, came.activates_on) == (True, later(30))
    assert came.expires_on == date(2019, 2, 28)
    assert kinds(opened.entries) == [("ACTIVATE", 100, -100, 0)]


def test_late_order_is_active_since_its_own_day() -> None:
    opened = book()
    followed(opened, buy(on=later(-30)))
    [came] = opened.close().lots
    assert (came.active, came.activates_on) == (True, later(-23))
    assert kinds(opened.entries) == [("EARN", 100, 0, 0)]


def test_more_than_four_hundred_lots_do_not_wait() -> None:
    opened = book(holding="UNTIL_SETTLED")
    for n in range(402):
        followed(opened, buy(f"ord_{n:03d}", yuan=1))
    opened = book(opened.close(), on=later(1), holding="UNTIL_SETTLED")
    assert opened.figures == (2, 400, 0)


# --- expiry ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "last_day"),
    [
        ({}, date(2019, 1, 31)),
        ({"rounding": "NONE"}, date(2019, 1, 10)),
        ({"rounding": "YEAR_END"}, date(2019, 12, 31)),
        ({"expiry_months": 1, "rounding": "NONE"}, date(2018, 2, 10)),
        ({"expiry": "NEVER"}, None),
        ({"expiry": "CALENDAR"}, date(2018, 12, 31)),
        ({"expiry": "CALENDAR", "expiry_years": 2}, date(2019, 12, 31)),
        ({"expiry": "CALENDAR", "expiry_day": "01-09"}, date(2019, 1, 9)),
        ({"expiry": "CALENDAR", "expiry_day": "01-10"}, date(2018, 1, 10)),
        ({"expiry": "CALENDAR", "expiry_day": "02-29"}, date(2018, 2, 28)),
        ({"expiry": "CALENDAR", "expiry_day": "02-29", "expiry_years": 3}, date(2020, 2, 29)),
        ({"expiry": "INACTIVITY", "expiry_months": 3}, date(2018, 4, 10)),
    ],
)
def test_last_day_is_counted_from_the_day_on_which_points_become_active(
    given: dict[str, Any], last_day: date | None
) -> None:
    opened = book(holding="NONE", **given)
    followed(opened, buy())
    account = opened.close()
    [came] = account.lots
    assert account.last_day(came) == last_day


def test_thirty_first_of_december_takes_effect_at_the_first_of_january() -> None:
    account = holding(lot("g", 50, expires_on=date(2018, 12, 31)))
    assert book(account, on=date(2018, 12, 31)).figures.balance == 50
    over = book(account, on=date(2019, 1, 1))
    assert over.figures.balance == 0
    assert kinds(over.entries) == [("EXPIRE", -50, 0, 0)]
    assert over.entries[0].on == date(2019, 1, 1)


def test_what_is_bought_or_spent_keeps_points_that_run_out_by_inactivity() -> None:
    given: dict[str, Any] = {"expiry": "INACTIVITY", "expiry_months": 2, "holding": "NONE"}
    opened = book(**given)
    followed(opened, buy())
    opened = book(opened.close(), on=later(50), **given)
    rules.take(opened, 10, key="s")
    account = opened.close()
    assert book(account, on=later(111), **given).figures.balance == 90
    assert book(account, on=later(112), **given).figures.balance == 0


def test_a_grant_is_no_activity() -> None:
    given: dict[str, Any] = {"expiry": "INACTIVITY", "expiry_months": 2, "holding": "NONE"}
    opened = book(**given)
    followed(opened, buy())
    opened = book(opened.close(), on=later(50), **given)
    rules.give(opened, 10, Source.GRANT, key="g")
    assert book(opened.close(), on=later(70), **given).figures.balance == 10


# --- spending --------------------------------------------------------------------------------


def test_lots_are_spent_by_last_day_then_day_of_earning_then_id_and_endless_ones_last() -> None:
    account = holding(
        lot("endless", 10),
        lot("c", 10, expires_on=later(30), earned_on=DAY),
        lot("b", 10, expires_on=later(30), earned_on=DAY),
        lot("old", 10, expires_on=later(30), earned_on=later(-9)),
        lot("soon", 10, expires_on=later(2), earned_on=DAY),
    )
    opened = book(account)
    draws = rules.take(opened, 45, key="s")
    taken = [(draw.lot.id, draw.points) for draw in draws if draw.lot]
    assert taken == [("soon", 10), ("old", 10), ("b", 10), ("c", 10), ("endless", 5)]
    assert opened.figures == (5, 0, 0)


def test_what_waits_or_is_frozen_cannot_be_spent() -> None:
    opened = book(holding(lot("a", 30), lot("w", 50, active=False, activates_on=later(3))))
    rules.freeze(opened, 20, key="k", until=None)
    assert rules.is_short(opened, 11)
    assert not rules.is_short(opened, 10)
    assert opened.figures == (10, 50, 20)


# --- giving back -----------------------------------------------------------------------------


def test_refund_of_an_order_paid_with_points_goes_back_to_its_lots() -> None:
    account = holding(lot("a", 30, expires_on=later(5)), lot("b", 100, expires_on=later(90)))
    opened = book(account)
    kept = followed(opened, buy(yuan=0, used=70, share_refunded=(0, 70)))
    assert opened.figures.balance == 60
    half = followed(opened, buy(yuan=0, used=70, share_refunded=(35, 70)), kept)
    assert (half.restored, opened.figures.balance) == (35, 95)
    assert [lot.id for lot in opened.close().lots] == ["b"]
    followed(opened, buy(yuan=0, used=70, share_refunded=(70, 70)), half)
    assert opened.close().lots == account.lots


def test_order_that_was_paid_with_points_alone_gives_them_back_when_its_body_says_so() -> None:
    opened = book(holding(lot("a", 30)))
    kept = followed(opened, buy(yuan=0, used=30))
    assert opened.figures.balance == 0
    kept = followed(opened, buy(yuan=0, used=0), kept)
    assert (kept.used, kept.draws, opened.figures.balance) == (0, (), 30)


def test_lot_whose_last_day_is_over_stays_expired_without_grace() -> None:
    opened = book(holding(lot("a", 30, expires_on=later(5))))
    kept = followed(opened, buy(yuan=0, used=30, share_refunded=(0, 30)))
    opened = book(opened.close(), on=later(9))
    followed(opened, buy(yuan=0, used=30, share_refunded=(30, 30)), kept)
    assert kinds(opened.entries) == [("RESTORE", 30, 0, 0), ("EXPIRE", -30, 0, 0)]
    assert opened.figures == (0, 0, 0)


def test_lot_whose_last_day_is_over_holds_for_the_days_of_grace() -> None:
    opened = book(holding(lot("a", 30, expires_on=later(5))))
    kept = followed(opened, buy(yuan=0, used=30, share_refunded=(0, 30)))
    opened = book(opened.close(), on=later(9), grace_days=3)
    followed(opened, buy(yuan=0, used=30, share_refunded=(30, 30)), kept)
    account = opened.close()
    assert book(account, on=later(12)).figures.balance == 30
    assert book(account, on=later(13)).figures.balance == 0


def test_lot_that_still_holds_gets_no_grace_and_loses_no_day() -> None:
    opened = book(holding(lot("a", 30, expires_on=later(90))))
    kept = followed(opened, buy(yuan=0, used=30, share_refunded=(0, 30)))
    opened = book(opened.close(), on=later(9), grace_days=3)
    followed(opened, buy(yuan=0, used=30, share_refunded=(30, 30)), kept)
    [back] = opened.close().lots
    assert (back.points, back.expires_on) == (30, later(90))


def test_points_that_go_back_to_a_lot_named_as_anothers_lose_no_day() -> None:
    opened = book(holding(lot("a", 30, expires_on=later(90))))
    kept = followed(opened, buy(yuan=0, used=30, share_refunded=(0, 30)))
    opened = book(holding(lot("a", 5, expires_on=later(3))), on=later(1))
    followed(opened, buy(yuan=0, used=30, share_refunded=(30, 30)), kept)
    held = {one.id: (one.points, one.expires_on) for one in opened.close().lots}
    assert held == {"a": (5, later(3)), "a~1": (30, later(90))}


def test_what_came_back_and_expired_pays_no_debt() -> None:
    opened = book(holding(lot("a", 30, expires_on=later(5))))
    kept = followed(opened, buy(yuan=0, used=30, share_refunded=(0, 30)))
    opened = book(replace(opened.close(), debt=20), on=later(9))
    followed(opened, buy(yuan=0, used=30, share_refunded=(30, 30)), kept)
    assert opened.figures.balance == -20


# --- claw-back -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claw_back", "left", "waived"),
    [
        ("UNLIMITED", Figures(-60, 0, 0), 0),
        ("WITHIN_BALANCE", Figures(0, 0, 0), 60),
        ("ONLY_PENDING", Figures(40, 0, 0), 100),
    ],
)
def test_refund_after_points_were_spent_takes_what_the_policy_says(
    claw_back: str, left: Figures, waived: int
) -> None:
    opened = book(holding="NONE", claw_back=claw_back)
    kept = followed(opened, buy())
    rules.take(opened, 60, key="s")
    kept = followed(opened, refunded(buy(), 100), kept)
    assert (opened.figures, kept.earned, kept.waived) == (left, 0, waived)


@pytest.mark.parametrize("claw_back", ["UNLIMITED", "WITHIN_BALANCE", "ONLY_PENDING"])
def test_refund_takes_what_is_still_pending_under_every_policy(claw_back: str) -> None:
    opened = book(claw_back=claw_back)
    kept = followed(opened, buy())
    kept = followed(opened, refunded(buy(), 30), kept)
    assert (opened.figures, kept.waived) == ((0, 70, 0), 0)


def test_what_was_waived_evens_out_before_anything_is_earned_again() -> None:
    opened = book(holding="NONE", claw_back="ONLY_PENDING")
    kept = followed(opened, buy())
    kept = followed(opened, refunded(buy(), 100), kept)
    kept = followed(opened, buy(yuan=120), kept)
    assert (opened.figures.balance, kept.earned, kept.waived) == (120, 120, 0)


def test_debt_is_paid_by_what_comes_next() -> None:
    opened = book(holding="NONE")
    kept = followed(opened, buy())
    rules.take(opened, 100, key="s")
    followed(opened, refunded(buy(), 100), kept)
    assert (opened.debt, opened.figures.balance) == (100, -100)
    rules.give(opened, 130, Source.GRANT, key="g")
    account = opened.close()
    assert (account.debt, account.figures.balance) == (0, 30)
    assert [one.points for one in account.lots] == [30]


def test_refund_takes_from_the_orders_own_lot_before_others() -> None:
    opened = book(holding(lot("soon", 100, expires_on=later(1))), holding="NONE")
    kept = followed(opened, buy())
    followed(opened, refunded(buy(), 40), kept)
    assert {one.id: one.points for one in opened.close().lots} == {"soon": 100, "ord_1": 60}


# --- how big it gets -------------------------------------------------------------------------


def test_account_and_what_stands_on_an_order_stay_small_whatever_happens() -> None:
    many = [lot(f"grant:{n:026d}", 500, expires_on=later(n)) for n in range(1_000)]
    opened = book(holding(*many), holding="UNTIL_SETTLED")
    for n in range(20):
        rules.freeze(opened, 10_000, key=f"ord_{n:026d}", until=later(1))
    kept = followed(opened, buy("ord_x", yuan=0, used=30_000))
    for n in range(500):
        followed(opened, buy(f"ord_{n:026d}", yuan=1))
    account = book(opened.close(), holding="UNTIL_SETTLED").close()
    rows = [[one.row for one in account.lots], [one.row for one in account.holds]]
    assert account.figures == (500_000 - 200_000 - 30_000 + 100, 400, 200_000)
    assert len(orjson.dumps(rows)) < 130_000
    assert len(orjson.dumps(kept.row)) < 5_000


# --- holds -----------------------------------------------------------------------------------


def test_order_consumes_what_was_frozen_for_it_and_gives_back_the_rest() -> None:
    opened = book(holding(lot("a", 100)))
    rules.freeze(opened, 50, key="ord_1", until=later(1))
    kept = followed(opened, buy(yuan=0, used=30))
    assert (opened.figures, kept.used) == ((70, 0, 0), 30)
    assert [kind for kind, *_ in kinds(opened.entries)] == ["FREEZE", "CONSUME", "UNFREEZE"]


def test_order_that_used_more_than_was_frozen_draws_and_then_owes_the_rest() -> None:
    opened = book(holding(lot("a", 60)))
    rules.freeze(opened, 50, key="ord_1", until=None)
    followed(opened, buy(yuan=0, used=75))
    assert opened.figures == (-15, 0, 0)
    assert kinds(opened.entries)[1:] == [("CONSUME", 0, 0, -50), ("SPEND", -25, 0, 0)]


def test_hold_ends_after_its_last_day_and_its_points_come_back() -> None:
    opened = book(holding(lot("a", 60)))
    rules.freeze(opened, 50, key="k", until=later(2))
    account = opened.close()
    assert book(account, on=later(2)).figures == (10, 0, 50)
    over = book(account, on=later(3))
    assert over.figures == (60, 0, 0)
    assert kinds(over.entries) == [("UNFREEZE", 50, 0, -50)]


def test_frozen_points_do_not_run_out_before_the_hold_ends() -> None:
    opened = book(holding(lot("a", 60, expires_on=later(1))))
    rules.freeze(opened, 50, key="k", until=later(5))
    account = opened.close()
    assert book(account, on=later(3)).figures == (0, 0, 50)
    assert book(account, on=later(6)).figures == (0, 0, 0)


# --- caps and what earns ---------------------------------------------------------------------


def test_order_over_the_limit_earns_nothing_and_one_at_it_everything() -> None:
    opened = book(most_per_order=100)
    assert followed(opened, buy("ord_1", yuan=100)).earned == 100
    assert followed(opened, buy("ord_2", yuan=101)).earned == 0
    assert opened.figures.pending == 100


def test_member_earns_so_much_in_a_month_and_a_refund_makes_room() -> None:
    opened = book(most_per_month=150)
    first = followed(opened, buy("ord_1"))
    second = followed(opened, buy("ord_2"))
    assert (second.earned, second.capped, opened.figures.pending) == (100, 50, 150)
    followed(opened, refunded(buy("ord_1"), 100), first)
    third = followed(opened, buy("ord_3"))
    assert (third.capped, opened.figures.pending) == (0, 150)
    other_month = followed(opened, buy("ord_4", on=date(2017, 12, 30)))
    assert other_month.capped == 0


def test_what_a_cap_kept_back_is_not_taken_back() -> None:
    opened = book(most_per_month=40)
    kept = followed(opened, buy())
    kept = followed(opened, refunded(buy(), 60), kept)
    assert (kept.earned, kept.capped, opened.figures.pending) == (40, 0, 40)
    kept = followed(opened, refunded(buy(), 100), kept)
    assert (kept.given, opened.figures.pending) == (0, 0)


def test_excluded_categories_and_channels_earn_nothing() -> None:
    by = policy(excluded_categories=("烟酒",), excluded_channels=("MALL",))
    told = buy(yuan=100, lines=(("零食", 7_050), ("烟酒", 2_950)))
    assert rules.target(told, by, 100) == 70
    assert rules.target(replace(told, channel="MALL"), by, 100) == 0
    assert rules.target(replace(told, net=2_000), by, 100) == 0


@pytest.mark.parametrize(("tier", "points"), [("V1", 99), ("V3", 109), ("V6", 149), (None, 99)])
def test_tier_multiplies_and_only_whole_points_count(tier: str | None, points: int) -> None:
    by = policy()
    assert rules.target(replace(buy(), net=9_990), by, by.percent_of(tier)) == points


@pytest.mark.parametrize(
    ("refunded_fen", "back"), [((0, 300), 0), ((100, 300), 33), ((299, 300), 99), ((300, 300), 100)]
)
def test_points_come_back_in_proportion_and_all_of_them_at_the_end(
    refunded_fen: tuple[int, int], back: int
) -> None:
    assert rules.came_back(100, refunded_fen) == back


# --- notices, merges, audit ------------------------------------------------------------------


def test_points_are_announced_once_within_the_days_of_the_policy() -> None:
    soon, late = lot("a", 30, expires_on=later(30)), lot("b", 50, expires_on=later(31))
    account = holding(soon, late, lot("endless", 9))
    told = rules.announcement(account, policy(), DAY)
    assert told == rules.Announcement(30, later(30), later(30))
    assert rules.announcement(account, policy(notice_days=0), DAY) is None
    noticed = replace(account, noticed_until=later(30))
    assert rules.announcement(noticed, policy(), DAY) is None
    assert rules.next_day_of(account, 30) == DAY
    assert rules.next_day_of(noticed, 30) == later(1)


def test_one_person_has_what_two_accounts_had() -> None:
    mine = holding(lot("a", 100), holds=(Hold("k", ()),), earned={"2018-01": 7})
    theirs = Account(
        lots=(lot("a", 5, active=False, activates_on=later(2)),),
        holds=(Hold("k", (rules.Draw(4, lot("z", 0)),)),),
        debt=30,
        earned={"2018-01": 1, "2017-12": 2},
        active_on=DAY,
    )
    both = rules.united(mine, theirs, policy(), DAY)
    assert both.figures == (70, 5, 4)
    assert (both.debt, both.active_on) == (0, DAY)
    assert [hold.key for hold in both.holds] == ["k", "k~m"]
    assert [one.id for one in both.lots] == ["a", "a~m"]
    assert both.earned == {"2018-01": 8, "2017-12": 2}


def test_audit_names_every_difference() -> None:
    account = Account(lots=(lot("a", -5), lot("b", 10)), debt=2)
    found = rules.differences(Figures(3, 0, 1), account, [Figures(3, 0, 0), Figures(0, 1, 0)])
    assert found == [
        "pending: 0 on the member, 0 in lots, 1 in the ledger",
        "frozen: 1 on the member, 0 in lots, 0 in the ledger",
        "lot a has -5 points",
        "a debt of 2 beside points that can be spent",
    ]
    assert rules.differences(Figures(10, 0, 0), holding(lot("b", 10)), [Figures(10, 0, 0)]) == []


def test_terms_name_what_an_order_was_decided_by() -> None:
    told = terms(buy(), 130)
    assert told.row == {
        "version": 0,
        "order_id": "ord_1",
        "day": "2018-01-10",
        "percent": 130,
    }
