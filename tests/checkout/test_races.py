"""Many at once keep what one member has: no point and no coupon twice."""

from functools import partial

import pytest

from graphql_api.checkout import service
from graphql_api.checkout.models import CheckoutItem, Reservation
from graphql_api.checkout.service import CheckoutLine, CheckoutReserve, QuoteChanged
from graphql_api.config import settings
from graphql_api.coupons import repository as coupons
from graphql_api.coupons.rules import CouponState
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.points import service as points
from graphql_api.points.service import Cause
from graphql_api.viewer import SYSTEM
from tests.coupons.factories import issue, make_template
from tests.factories import CLOCK
from tests.threads import at_once

LINES = [CheckoutLine(item_id="tea", unit_price=20_000)]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions go on for half a minute, so that a busy machine loses no race for good."""
    monkeypatch.setenv("APP_TRANSACTION_DEADLINE_SECONDS", "30")
    settings.cache_clear()


@pytest.fixture
def rich(member: Member) -> Member:
    """The member with 3,000 points."""
    return points.grant(member.id, 3_000, key="start", cause=Cause(CLOCK))


def keep(member: Member, number: int, *, asked: int, payable: int) -> Reservation | QuoteChanged:
    """What is kept for an order of this number, or the quote that it was refused with."""
    given = CheckoutReserve(
        member_id=member.id,
        lines=LINES,
        points=asked,
        payable=payable,
        source="mall",
        external_id=f"M-{number}",
    )
    try:
        return service.reserve(given, viewer=SYSTEM, clock=CLOCK).reservation
    except QuoteChanged as changed:
        return changed


def figures(member: Member) -> tuple[int, int]:
    """What can be spent, and what is frozen."""
    now = members.get(member.id)
    assert now is not None
    return int(now.points), int(now.points_frozen)


def test_eight_checkouts_share_the_points_that_are_there(rich: Member) -> None:
    work = [partial(keep, rich, n, asked=600, payable=19_400) for n in range(8)]
    results = at_once(work)
    kept = [one for one in results if isinstance(one, Reservation)]
    refused = [one.quote.usable_points for one in results if isinstance(one, QuoteChanged)]
    assert (len(kept), refused) == (5, [0, 0, 0])
    assert figures(rich) == (0, 3_000)
    assert len(list(CheckoutItem.scan(consistent_read=True))) == 5


def test_two_orders_do_not_have_the_same_coupon(rich: Member) -> None:
    coupon = issue(rich, make_template())
    work = [partial(keep, rich, n % 2, asked=1_000, payable=18_000) for n in range(4)]
    results = at_once(work)
    kept = [one for one in results if isinstance(one, Reservation)]
    assert len({one.order_id for one in kept}) == 1
    assert len(kept) == 2
    assert figures(rich) == (2_000, 1_000)
    [now] = coupons.find([coupon.coupon_id])
    assert now is not None
    assert (now.state, now.lock_key) == (CouponState.LOCKED, kept[0].order_id)
