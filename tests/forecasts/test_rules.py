"""Differences of counts, and what is to come by day."""

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from graphql_api.forecasts import rules
from graphql_api.forecasts.rules import ForecastPart, Transition

PLACES = st.lists(
    st.builds(
        "{}#{}".format,
        st.dates(date(2018, 1, 1), date(2018, 1, 5)),
        st.sampled_from(["TIER#V1", "TIER#V2", "LIFECYCLE#LOST"]),
    ),
    max_size=2,
    unique=True,
)
TODAY = date(2018, 1, 10)


@given(st.lists(PLACES, min_size=1))
def test_differences_add_up_to_what_was_foreseen_last(told: list[list[str]]) -> None:
    counts: Counter[str] = Counter()
    for before, after in zip([[], *told], told, strict=False):
        for place, difference in rules.moved(before, after).items():
            assert difference in {1, -1}
            counts[place] += difference
    assert +counts == Counter(told[-1])
    assert min(counts.values(), default=0) >= 0


def test_what_stays_moves_nothing() -> None:
    assert rules.moved(["2018-01-10#TIER#V1"], ["2018-01-10#TIER#V1"]) == {}


def test_days_come_in_order_and_what_is_overdue_counts_for_today() -> None:
    counts = {
        "2018-01-12#TIER#V1": 2,
        "2018-01-10#LIFECYCLE#LOST": 1,
        "2018-01-08#LIFECYCLE#LOST": 3,
        "2018-01-11#LIFECYCLE#LOST": 0,
        "2018-01-10#TIER#Gold #1": 1,
    }
    assert rules.ahead(counts, TODAY) == [
        Transition(TODAY, ForecastPart.LIFECYCLE, "LOST", 4),
        Transition(TODAY, ForecastPart.TIER, "Gold #1", 1),
        Transition(date(2018, 1, 12), ForecastPart.TIER, "V1", 2),
    ]
    assert [t.members for t in rules.ahead(counts, TODAY, ForecastPart.TIER)] == [1, 2]
