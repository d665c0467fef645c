"""Coupons follow orders: redeemed by the order that names them, back with its whole refund."""

from datetime import timedelta

import pytest

from graphql_api.coupons import repository
from graphql_api.coupons.models import Coupon, Template
from graphql_api.coupons.rules import CouponProblem, CouponReason, CouponState, OrderCoupons
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.orders import buyers, service, tasks
from graphql_api.orders.service import Snapshot
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.coupons.factories import issue, make_template
from tests.factories import (
    CLOCK,
    NOW,
    make_identity,
    make_member,
    make_refund,
    make_shell,
    make_snapshot,
)
from tests.orders.storage import member_now, order_of

USED, FREE = CouponState.REDEEMED, CouponState.ISSUED


@pytest.fixture
def member(store: Store) -> Member:
    return make_member(store)


@pytest.fixture
def template(chain: str) -> Template:
    return make_template()


@pytest.fixture
def coupon(member: Member, template: Template) -> Coupon:
    return issue(member, template)


def apply(snapshot: Snapshot, origin: Origin = Origin.LIVE) -> OrderCoupons | None:
    """What the order made of its coupons, once the snapshot is taken in."""
    return service.apply(snapshot, clock=CLOCK, origin=origin).order.coupons


def refund(order: Snapshot, fen: int, id: str = "r1") -> Snapshot:
    return make_shell(make_refund(id, amount=fen), external_id=order.external_id)


def state_of(coupon: Coupon) -> tuple[CouponState, str | None]:
    [now] = repository.find([coupon.coupon_id])
    assert now is not None
    return now.state, now.order_id


@pytest.mark.parametrize("named", ["coupon_id", "code"])
def test_order_redeems_the_coupon_that_it_names_and_its_whole_refund_brings_it_back(
    store: Store, member: Member, coupon: Coupon, named: str
) -> None:
    order = make_snapshot(store, member_id=member.id, coupons=[getattr(coupon, named)], paid_at=NOW)
    assert apply(order) == OrderCoupons(order.order_id, redeemed=(coupon.coupon_id,))
    assert state_of(coupon) == (USED, order.order_id)
    apply(refund(order, 9_999))
    assert state_of(coupon) == (USED, order.order_id)
    back = apply(refund(order, 1, "r2"))
    assert back == OrderCoupons(order.order_id, returned=(coupon.coupon_id,))
    assert state_of(coupon) == (FREE, None)


def test_coupon_that_does_not_fit_stands_as_a_problem_of_an_order_that_is_booked(
    store: Store, member: Member, template: Template
) -> None:
    theirs = issue(make_member(store), template)
    named = [theirs.coupon_id, "NOBODYS1"]
    told = apply(make_snapshot(store, member_id=member.id, coupons=named, paid_at=NOW))
    assert told is not None
    assert told.problems == (
        CouponProblem(theirs.coupon_id, CouponReason.OTHER_MEMBER),
        CouponProblem("NOBODYS1", CouponReason.NOT_FOUND),
    )
    assert state_of(theirs) == (FREE, None)
    assert int(member_now(member.id).paid) == 10_000


def test_coupon_that_a_correction_no_longer_names_is_free_and_the_next_one_used(
    store: Store, member: Member, coupon: Coupon, template: Template
) -> None:
    other = issue(member, template)
    order = make_snapshot(store, member_id=member.id, coupons=[coupon.coupon_id], paid_at=NOW)
    apply(order)
    apply(
        make_snapshot(
            store,
            external_id=order.external_id,
            revision=2,
            member_id=member.id,
            coupons=[other.coupon_id],
            paid_at=NOW,
        )
    )
    assert (state_of(coupon), state_of(other)) == ((FREE, None), (USED, order.order_id))


def test_coupon_waits_with_its_order_for_the_member_and_leaves_with_them(
    store: Store, template: Template
) -> None:
    buyer = make_identity()
    member = make_member(store, buyer)
    coupon = issue(member, template)
    unknown, bob = make_identity(), make_member(store)
    order = make_snapshot(store, buyer=[unknown], coupons=[coupon.coupon_id], paid_at=NOW)
    told = apply(order)
    assert told is not None
    assert told.problems == (CouponProblem(coupon.coupon_id, CouponReason.NO_MEMBER),)
    known = member_service.IdentityChange(member_id=member.id, identity=unknown)
    member_service.add_identity(known, viewer=SYSTEM)
    [claim] = member_service.claims_of(unknown)
    assert tasks.attach_waiting(claim, clock=CLOCK) == 1
    assert state_of(coupon) == (USED, order.order_id)
    taken = apply(
        make_snapshot(
            store,
            external_id=order.external_id,
            revision=2,
            member_id=bob.id,
            coupons=[coupon.coupon_id],
            paid_at=NOW + timedelta(minutes=1),
        )
    )
    assert taken is not None
    assert taken.problems == (CouponProblem(coupon.coupon_id, CouponReason.OTHER_MEMBER),)
    assert state_of(coupon) == (FREE, None)


def test_history_leaves_coupons_alone_and_so_does_its_refund(
    store: Store, member: Member, coupon: Coupon
) -> None:
    order = make_snapshot(store, member_id=member.id, coupons=[coupon.code], paid_at=NOW)
    assert apply(order, Origin.BACKFILL) is None
    assert apply(refund(order, 10_000)) is None
    assert state_of(coupon) == (FREE, None)
    assert order_of(order).coupon_codes == [coupon.code]


def test_order_of_who_was_erased_names_no_coupon(
    store: Store, member: Member, coupon: Coupon
) -> None:
    order = make_snapshot(store, member_id=member.id, coupons=[coupon.code], paid_at=NOW)
    apply(order)
    buyers.anonymise([order.order_id], at=NOW)
    kept = order_of(order)
    assert (kept.coupons, kept.coupon_codes) == (None, [])
    assert service.apply(order, clock=CLOCK).changed is False
