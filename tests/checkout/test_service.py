"""Quotes on what is stored; points and coupons kept for an order, once, and let go."""

import json
from datetime import timedelta
from typing import Any

import pytest

from graphql_api.checkout import repository, service
from graphql_api.checkout.models import CheckoutItem, Reservation
from graphql_api.checkout.rules import Quote, Reason, ReservationState, StepKind
from graphql_api.checkout.service import (
    Checkout,
    CheckoutLine,
    CheckoutRelease,
    CheckoutReserve,
    QuoteChanged,
)
from graphql_api.coupons import repository as coupons
from graphql_api.coupons.models import Coupon, CouponsItem
from graphql_api.coupons.rules import CouponReason, CouponState
from graphql_api.errors import AppError, Conflict, Forbidden, ForbiddenTransition, NotFound
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member, MembersItem
from graphql_api.points import service as points
from graphql_api.points.models import PointsItem
from graphql_api.points.service import Cause
from graphql_api.policies.rules import PolicyKind
from graphql_api.standing import service as standing
from graphql_api.standing.service import TierGrant
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.calls import counted
from tests.coupons.factories import issue, later, make_template
from tests.factories import CLOCK, make_member, make_store
from tests.policies.factories import make_draft, publish

LINES = [
    CheckoutLine(item_id="nuts", category="snacks", quantity=2, unit_price=6_000),
    CheckoutLine(item_id="tea", category="drinks", unit_price=8_000),
]
READS = frozenset({"members:read", "coupons:read"})


def viewer_of(member: Member) -> Viewer:
    return Viewer(Role.MEMBER, id=member.id)


def quoted(
    member: Member, *, viewer: Viewer | None = None, clock: Clock = CLOCK, **asked: Any
) -> Quote:
    given = Checkout(**{"member_id": member.id, "lines": LINES, **asked})
    return service.quote(given, viewer=viewer or viewer_of(member), clock=clock)


def reservation(member: Member, **asked: Any) -> CheckoutReserve:
    """What is asked where the sum of the lines less 10 yuan of a coupon and of points is agreed."""
    given = {"source": "mall", "external_id": "M-1", "points": 1_000, "payable": 18_000}
    return CheckoutReserve(**{"member_id": member.id, "lines": LINES, **given, **asked})


def reserve(
    member: Member, *, viewer: Viewer | None = None, clock: Clock = CLOCK, **asked: Any
) -> Reservation:
    given = reservation(member, **asked)
    done = service.reserve(given, viewer=viewer or viewer_of(member), clock=clock)
    return done.reservation


def release(member: Member, *, clock: Clock = CLOCK, external_id: str = "M-1") -> Reservation:
    given = CheckoutRelease(member_id=member.id, source="mall", external_id=external_id)
    return service.release(given, viewer=viewer_of(member), clock=clock)


def figures(member: Member) -> tuple[int, int]:
    """What can be spent, and what is frozen."""
    now = members.get(member.id)
    assert now is not None
    return int(now.points), int(now.points_frozen)


def state_of(coupon: Coupon) -> tuple[CouponState, str | None]:
    [now] = coupons.find([coupon.coupon_id])
    assert now is not None
    return now.state, now.lock_key


def everything() -> list[str]:
    """All that a checkout may write."""
    tables = (CheckoutItem, PointsItem, CouponsItem, MembersItem)
    return sorted(
        json.dumps(item.serialize(), sort_keys=True)
        for table in tables
        for item in table.scan(consistent_read=True)
    )


@pytest.fixture
def coupon(member: Member) -> Coupon:
    """10 yuan off."""
    return issue(member, make_template())


@pytest.fixture
def rich(member: Member) -> Member:
    """The member with 3,000 points."""
    return points.grant(member.id, 3_000, key="start", cause=Cause(CLOCK))


def test_quote_takes_tier_coupons_and_points_as_they_are_stored_and_writes_nothing(
    rich: Member, coupon: Coupon
) -> None:
    given = TierGrant(member_id=rich.id, tier="V4")
    standing.grant(given, viewer=SYSTEM, clock=CLOCK)
    before = everything()
    found = quoted(rich, points=500, shipping=1_200)
    assert [(s.kind, s.amount, s.reason) for s in found.steps] == [
        (StepKind.MEMBER_PRICE, 600, None),
        (StepKind.MEMBER_DAY, 0, Reason.NOT_TODAY),
        (StepKind.COUPON, 1_000, None),
        (StepKind.FREE_SHIPPING, 1_200, None),
        (StepKind.POINTS, 500, None),
    ]
    assert (found.total, found.payable, found.usable_points) == (18_400, 17_900, 3_000)
    assert found.coupon_ids == (coupon.coupon_id,)
    assert everything() == before


def test_quote_reads_the_same_whatever_is_in_the_basket(rich: Member, coupon: Coupon) -> None:
    quoted(rich)  # policies and benefits, once a minute
    for _ in range(3):
        issue(rich, make_template())
    many = [CheckoutLine(item_id=f"i{n}", unit_price=100) for n in range(100)]
    with counted() as calls:
        assert len(quoted(rich, lines=many, points=500).steps) == 7
    assert calls == {"Query": 2, "BatchGetItem": 7}
    reserve(rich)
    with counted() as calls:
        quoted(rich)
    assert calls == {"Query": 3, "BatchGetItem": 7}


def test_store_is_the_home_store_unless_another_is_named(member: Member, store: Store) -> None:
    document = {"memberDay": {"days": [10], "scope": {"units": [store.id]}}}
    publish(make_draft(PolicyKind.PRICING, document))
    assert quoted(member).off == 500
    assert quoted(member, store_id=make_store("S2").id).off == 0
    with pytest.raises(NotFound) as refused:
        quoted(member, store_id="sto_1")
    assert refused.value.field == ("input", "store_id")


def test_named_coupons_are_the_members_own_once_each(member: Member, coupon: Coupon) -> None:
    other = issue(make_member(make_store("S2")), make_template())
    found = quoted(member, coupons=[coupon.code, coupon.coupon_id, other.coupon_id, "nothing"])
    told = {s.name: s.coupon_reasons for s in found.steps if s.kind is StepKind.COUPON}
    assert told == {
        coupon.coupon_id: (),
        other.coupon_id: (CouponReason.NOT_FOUND,),
        "nothing": (CouponReason.NOT_FOUND,),
    }
    assert quoted(member, coupons=[]).off == 0


def test_strangers_see_no_quote_and_keys_need_the_scope_for_points(rich: Member) -> None:
    stranger = make_member(make_store("S2"))
    with pytest.raises(NotFound):
        quoted(rich, viewer=viewer_of(stranger))
    key = Viewer(Role.INTEGRATION, id="key_1", scopes=READS)
    assert quoted(rich, viewer=key).usable_points is None
    with pytest.raises(Forbidden) as refused:
        quoted(rich, viewer=key, points=1)
    assert refused.value.field == ("input", "points")
    knows = Viewer(Role.INTEGRATION, id="key_1", scopes=READS | {"points:read"})
    assert quoted(rich, viewer=knows, points=1_000).points == 1_000


def test_reservation_keeps_points_and_coupons_and_again_is_the_same(
    rich: Member, coupon: Coupon
) -> None:
    kept = reserve(rich)
    assert (kept.points, kept.coupon_ids) == (1_000, [coupon.coupon_id])
    assert kept.until - kept.reserved_at == timedelta(minutes=30)
    assert kept.state_at(CLOCK.now()) is ReservationState.HELD
    assert figures(rich) == (2_000, 1_000)
    assert state_of(coupon) == (CouponState.LOCKED, kept.order_id)
    before = everything()
    again = service.reserve(reservation(rich), viewer=viewer_of(rich), clock=later(minutes=5))
    assert (again.reservation.until, again.quote) == (kept.until, None)
    assert everything() == before


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"points": 900}, ForbiddenTransition),
        ({"external_id": "M-2", "payable": 18_000, "coupons": []}, QuoteChanged),
        ({"external_id": "M-2", "payable": 18_000}, QuoteChanged),
        ({"external_id": "M-2", "store_id": "sto_1"}, NotFound),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_written(
    rich: Member, coupon: Coupon, change: dict[str, Any], refusal: type[AppError]
) -> None:
    reserve(rich)
    before = everything()
    with pytest.raises(refusal):
        reserve(rich, **change)
    assert everything() == before


def test_price_that_changed_is_told_with_the_quote_of_now(rich: Member, coupon: Coupon) -> None:
    with pytest.raises(Conflict) as refused:
        reserve(rich, payable=18_500)
    assert isinstance(refused.value, QuoteChanged)
    assert refused.value.quote.payable == 18_000
    assert (refused.value.message, refused.value.field) == (
        "180.00 is left to pay by now",
        ("input", "payable"),
    )
    assert repository.held_of_lives(rich.lives) == []


def test_release_gives_everything_back_once(rich: Member, coupon: Coupon) -> None:
    reserve(rich)
    released = release(rich)
    assert released.state_at(CLOCK.now()) is ReservationState.RELEASED
    assert figures(rich) == (3_000, 0)
    assert state_of(coupon) == (CouponState.ISSUED, None)
    before = everything()
    assert release(rich, clock=later(minutes=5)).released_at == released.released_at
    assert everything() == before
    with pytest.raises(NotFound) as refused:
        release(rich, external_id="M-2")
    assert refused.value.field == ("input", "external_id")


def test_order_number_can_be_kept_for_again_after_a_release(rich: Member, coupon: Coupon) -> None:
    reserve(rich)
    release(rich)
    kept = reserve(rich, points=500, payable=18_500, clock=later(minutes=1))
    assert (figures(rich), kept.state_at(CLOCK.now())) == ((2_500, 500), ReservationState.HELD)
    assert state_of(coupon) == (CouponState.LOCKED, kept.order_id)


def test_what_ran_out_is_free_for_the_next_checkout(rich: Member, coupon: Coupon) -> None:
    reserve(rich, points=3_000, payable=16_000)
    soon, over = later(minutes=29), later(minutes=30)
    assert quoted(rich, clock=soon).usable_points == 0
    assert quoted(rich, clock=soon).coupon_ids == ()
    assert quoted(rich, clock=over).usable_points == 3_000
    assert quoted(rich, clock=over).coupon_ids == (coupon.coupon_id,)
    kept = reserve(rich, external_id="M-2", points=3_000, payable=16_000, clock=over)
    assert figures(rich) == (0, 3_000)
    assert state_of(coupon) == (CouponState.LOCKED, kept.order_id)
    assert release(rich, clock=over).released_at is not None
    assert figures(rich) == (0, 3_000)


def test_key_needs_the_scope_to_keep_points(rich: Member) -> None:
    key = Viewer(Role.INTEGRATION, id="key_1", scopes=READS | {"points:read", "coupons:write"})
    with pytest.raises(Forbidden):
        reserve(rich, viewer=key, payable=19_000)
    assert reserve(rich, viewer=key, points=0, payable=20_000).points == 0
