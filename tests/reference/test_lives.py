"""Made-up members, as the rules of the product decide and as the reference says, on every day."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.policies.rules import RefundAcross, TierLadder
from scripts.bench.year import Arrival, History
from tests.reference import till, year
from tests.reference.days import every_day
from tests.reference.replay import policies_with, replayed

JOINING = [date(2015, 11, 30), date(2016, 2, 29), date(2016, 8, 31), date(2016, 12, 31)]
WAITS = st.sampled_from([0, 0, 0, 1, 5, 29, 30, 31, 60, 91, 184])
AMOUNTS = st.sampled_from([0, 1, 99, 19_999, 20_000, 60_000, 90_000, 300_000, 600_050])
LATE = st.sampled_from([0, 0, 0, 0, 1, 40, 200])
AFTER = 400
POLICIES_ACROSS = {
    across: policies_with(TierLadder(refund_across=across)) for across in RefundAcross
}


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A few purchases, some of them told late, and refunds whole and in part, in any order."""
    joined_on = on = draw(st.sampled_from(JOINING) | st.dates(date(2016, 1, 1), date(2016, 12, 31)))
    arrivals: list[Arrival] = []
    paid: dict[int, int] = {}
    for number in range(draw(st.integers(0, 16))):
        on += timedelta(days=draw(WAITS))
        at = datetime(on.year, on.month, on.day, tzinfo=UTC)
        refundable = sorted(basket for basket, left in paid.items() if left)
        refunds = draw(st.booleans())
        if refundable and refunds:
            basket = draw(st.sampled_from(refundable))
            whole = draw(st.booleans())
            back = paid[basket] if whole else max(1, paid[basket] // 3)
            paid[basket] -= back
            arrivals.append(Arrival(at, on, basket, back, is_refund=True))
        else:
            paid[number] = draw(AMOUNTS)
            bought_on = max(joined_on, on - timedelta(days=draw(LATE)))
            arrivals.append(Arrival(at, on, number, paid[number], False, bought_on))
    return History(1, joined_on, tuple(arrivals))


@settings(max_examples=40, deadline=None)
@given(histories(), st.sampled_from(RefundAcross))
def test_every_evening_is_that_of_the_reference(history: History, across: RefundAcross) -> None:
    last = history.arrivals[-1].on if history.arrivals else history.joined_on
    days = every_day(history.joined_on, last + timedelta(days=AFTER))
    expected = till.evenings(year.as_told(history), days, year.BASE, across)
    found = replayed(history, days, policies=POLICIES_ACROSS[across])
    assert next(({d: (found[d], expected[d])} for d in days if found[d] != expected[d]), {}) == {}
