"""From the quote to the order and its refund: what was kept is taken, and comes back."""

from datetime import timedelta
from typing import Any

import pytest

from graphql_api.checkout import service
from graphql_api.checkout.models import Reservation
from graphql_api.checkout.rules import Quote, ReservationState
from graphql_api.checkout.service import Checkout, CheckoutLine, CheckoutRelease, CheckoutReserve
from graphql_api.coupons import repository as coupons
from graphql_api.coupons.models import Coupon
from graphql_api.coupons.rules import CouponState
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.merges.rules import MergeState
from graphql_api.merges.service import MembersMerge, merge
from graphql_api.orders import service as orders
from graphql_api.orders.models import Order
from graphql_api.points import service as points
from graphql_api.points.service import Cause
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.coupons.factories import issue, make_template
from tests.factories import NOW, make_member, make_refund, make_snapshot

CLOCK = Clock(wall=lambda: NOW)
LINES = [
    CheckoutLine(item_id="nuts", category="snacks", quantity=2, unit_price=6_000),
    CheckoutLine(item_id="tea", category="drinks", unit_price=8_000),
]


@pytest.fixture
def models() -> Any:
    """All tables: orders touch most of them."""
    from graphql_api import tables

    return tables.TABLES


@pytest.fixture
def rich(member: Member) -> Member:
    """The member with 3,000 points."""
    return points.grant(member.id, 3_000, key="start", cause=Cause(CLOCK))


@pytest.fixture
def coupon(rich: Member) -> Coupon:
    """10 yuan off."""
    return issue(rich, make_template())


def kept(member: Member, external_id: str) -> tuple[Quote, Reservation]:
    """A quote with all that the member has, and the reservation of it."""
    asked = Checkout(member_id=member.id, lines=LINES, points=1_000)
    quote = service.quote(asked, viewer=SYSTEM, clock=CLOCK)
    document = asked.model_dump() | {"source": "pos", "external_id": external_id}
    given = CheckoutReserve(**document, payable=quote.payable)
    return quote, service.reserve(given, viewer=SYSTEM, clock=CLOCK).reservation


def buy(
    store: Store, member: Member, quote: Quote, external_id: str, *refunds: Any, revision: int = 1
) -> Order:
    """The order that the quote led to, as its till tells of it."""
    told = [
        {"item_id": line.item_id, "category": line.category, "amount": priced.payable}
        for line, priced in zip(LINES, quote.lines, strict=True)
    ]
    snapshot = make_snapshot(
        store,
        *refunds,
        external_id=external_id,
        member_id=member.id,
        revision=revision,
        paid_at=NOW + timedelta(minutes=3),
        total=quote.payable,
        lines=told,
        points_used=quote.points,
        coupons=list(quote.coupon_ids),
    )
    return orders.apply(snapshot, clock=CLOCK).order


def figures(member: Member) -> tuple[int, int]:
    """What can be spent, and what is frozen."""
    now = members.get(member.id)
    assert now is not None
    return int(now.points), int(now.points_frozen)


def state_of(coupon: Coupon) -> tuple[CouponState, str | None]:
    [now] = coupons.find([coupon.coupon_id])
    assert now is not None
    return now.state, now.order_id


def test_order_takes_what_was_kept_and_its_refund_gives_all_of_it_back(
    store: Store, rich: Member, coupon: Coupon
) -> None:
    quote, reservation = kept(rich, "W-1")
    assert (quote.payable, figures(rich)) == (18_000, (2_000, 1_000))
    order = buy(store, rich, quote, "W-1")
    assert order.id == reservation.order_id
    assert figures(rich) == (2_000, 0)
    assert state_of(coupon) == (CouponState.REDEEMED, order.id)
    buy(store, rich, quote, "W-1", make_refund(amount=quote.payable))
    assert figures(rich) == (3_000, 0)
    assert state_of(coupon) == (CouponState.ISSUED, None)


def test_release_after_the_order_leaves_to_the_order_what_it_took(
    store: Store, rich: Member, coupon: Coupon
) -> None:
    quote, _ = kept(rich, "W-1")
    order = buy(store, rich, quote, "W-1")
    given = CheckoutRelease(member_id=rich.id, source="pos", external_id="W-1")
    service.release(given, viewer=SYSTEM, clock=CLOCK)
    assert figures(rich) == (2_000, 0)
    assert state_of(coupon) == (CouponState.REDEEMED, order.id)


def test_member_who_was_merged_finds_what_was_kept(
    store: Store, rich: Member, coupon: Coupon
) -> None:
    quote, reservation = kept(rich, "W-1")
    survivor = make_member(store)
    one = MembersMerge(survivor_id=survivor.id, loser_id=rich.id, reason="same person")
    assert merge(one, viewer=SYSTEM, clock=CLOCK).state is MergeState.DONE
    assert figures(survivor) == (2_000, 1_000)
    given = CheckoutRelease(member_id=survivor.id, source="pos", external_id="W-1")
    found = service.kept(given, viewer=SYSTEM)
    assert found is not None
    assert found.state_at(NOW) is ReservationState.HELD
    order = buy(store, survivor, quote, "W-1")
    assert order.id == reservation.order_id
    assert figures(survivor) == (2_000, 0)
    assert state_of(coupon) == (CouponState.REDEEMED, order.id)
