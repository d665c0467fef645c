"""The imported year as every member lived it, and what the reference says of it.

`make replay-check` asks the reference about every household anew, `make test` about one in eighty.
"""

import os
from datetime import date

from graphql_api.members.rules import derive
from graphql_api.policies.rules import TierLadder
from scripts import complete_journey
from scripts.bench.lives import Counts
from scripts.bench.purchases import Purchases
from scripts.bench.year import History
from tests.reference import year
from tests.reference.days import every_day, is_month_end
from tests.reference.replay import policies_with, replayed

MONTH_ENDS = [day for day in every_day(date(2016, 12, 31), year.LAST_DAY) if is_month_end(day)]


def test_every_basket_and_every_refund_arrives_once(histories: list[History]) -> None:
    arrivals = [arrival for history in histories for arrival in history.arrivals]
    paid = [arrival for arrival in arrivals if not arrival.is_refund]
    assert len(histories) == complete_journey.PUBLISHED.households
    assert len({arrival.basket_id for arrival in paid}) == len(paid) == 155_848
    assert sum(arrival.amount for arrival in paid) == complete_journey.PUBLISHED.gross_fen
    assert len(arrivals) - len(paid) == 3_013


def test_arrivals_come_by_instant_from_the_day_of_joining_refunds_after_their_baskets(
    histories: list[History],
) -> None:
    later_months = 0
    for history in histories:
        assert history.joined_on == history.arrivals[0].on
        instants = [arrival.at for arrival in history.arrivals]
        assert instants == sorted(instants)
        paid_on: dict[int, date] = {}
        for arrival in history.arrivals:
            if arrival.is_refund:
                later_months += paid_on[arrival.basket_id].month != arrival.on.month
            else:
                paid_on[arrival.basket_id] = arrival.on
    assert later_months > 500


def test_purchases_taken_one_by_one_are_those_derived_from_all(histories: list[History]) -> None:
    for history in histories[::100]:
        purchases = Purchases()
        for arrival in history.arrivals:
            purchases.take(arrival)
        assert purchases.facts == derive(purchases.orders.values())
        assert purchases.facts.paid == sum(a.amount for a in history.arrivals if not a.is_refund)
        assert purchases.facts.refunded == sum(a.amount for a in history.arrivals if a.is_refund)


def test_reference_still_says_what_was_written_down(histories: list[History]) -> None:
    digests = year.read()
    assert sorted(digests) == [history.household_id for history in histories]
    for history in sample(histories):
        assert year.digest(year.months_of(history)) == digests[history.household_id]


def sample(histories: list[History]) -> list[History]:
    """One in eighty, from those who bought once to those who bought most; or everyone."""
    step = 1 if os.environ.get("REPLAY") == "all" else 80
    return sorted(histories, key=lambda history: len(history.arrivals))[::step]


def test_replaying_the_year_day_by_day_gives_what_the_reference_gives(
    histories: list[History],
) -> None:
    digests = year.read()
    counts = Counts()
    for history in histories:
        months = replayed(history, MONTH_ENDS, counts)
        if year.digest(months) != digests[history.household_id]:
            assert months == year.months_of(history)
    # Who is not due is not looked at, and a day worked out anew is the exact day of a change.
    assert counts.arrivals.total() == 158_861
    assert counts.checks.total() < 70_000
    assert counts.changes.total() + counts.pushed_on.total() == counts.checks.total()


def test_another_policy_gives_something_else(histories: list[History]) -> None:
    digests = year.read()
    other = policies_with(TierLadder(window_months=5))
    some = sample(histories)
    replays = {h.household_id: replayed(h, MONTH_ENDS, policies=other) for h in some}
    same = [id_ for id_, months in replays.items() if year.digest(months) == digests[id_]]
    assert len(same) < len(some) / 2
