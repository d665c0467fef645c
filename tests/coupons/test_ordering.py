"""Orders redeem the coupons that they name, once; refunds bring them back; misfits are noted."""

from datetime import timedelta

import pytest

from graphql_api.coupons import service
from graphql_api.coupons.models import Coupon
from graphql_api.coupons.rules import CouponReason, CouponState, OrderCoupons
from graphql_api.coupons.service import Redeem, Shown
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from tests.coupons.factories import (
    CLOCK,
    HEADQUARTERS,
    NOW,
    TODAY,
    claim,
    delayed,
    fixed,
    follow,
    fresh_member,
    later,
    make_template,
    make_terms,
    use_of,
)
from tests.coupons.storage import coupon_now, everything, state_of
from tests.factories import make_member, make_store


@pytest.fixture
def coupon(member: Member) -> Coupon:
    """A coupon of the member."""
    return claim(member, make_template())


def reasons(kept: OrderCoupons | None) -> list[CouponReason]:
    assert kept is not None
    return [problem.reason for problem in kept.problems]


def test_order_redeems_by_code_or_id_and_again_changes_nothing(
    member: Member, coupon: Coupon
) -> None:
    kept = follow(member, use_of(coupon))
    assert kept == OrderCoupons("ord_1", (coupon.coupon_id,))
    stored = coupon_now(coupon)
    assert (stored.state, stored.order_id, stored.redeemed_at) == ("REDEEMED", "ord_1", NOW)
    before = everything()
    assert follow(member, use_of(coupon), kept) == kept
    assert follow(member, use_of(coupon.coupon_id, coupon), kept) == kept
    assert everything() == before
    assert OrderCoupons.of_row(kept.row) == kept


def test_order_without_coupons_reads_nothing_and_keeps_nothing(member: Member) -> None:
    assert follow(member, use_of()) is None
    assert follow(member, None) is None


def test_whole_refund_brings_the_coupon_back_and_its_withdrawal_takes_it_again(
    member: Member, coupon: Coupon
) -> None:
    kept = follow(member, use_of(coupon))
    back = follow(member, use_of(coupon, refunded=True), kept)
    assert back == OrderCoupons("ord_1", (), (coupon.coupon_id,))
    stored = coupon_now(coupon)
    assert (stored.state, stored.order_id, stored.returned_at) == ("ISSUED", None, NOW)
    assert follow(member, use_of(coupon, refunded=True), back) == back
    again = follow(member, use_of(coupon), back)
    assert again == kept
    assert state_of(coupon) is CouponState.REDEEMED


def test_coupon_that_a_refund_does_not_bring_back_stays_used(member: Member) -> None:
    coupon = claim(member, make_template(make_terms(returned_by_refund=False)))
    kept = follow(member, use_of(coupon))
    assert follow(member, use_of(coupon, refunded=True), kept) == kept
    assert state_of(coupon) is CouponState.REDEEMED


def test_coupon_comes_back_for_the_days_of_grace_or_to_have_run_out(member: Member) -> None:
    graceful = claim(member, make_template(make_terms(validity=delayed(2), grace_days=3)))
    strict = claim(member, make_template(make_terms(validity=delayed(2))))
    kept = follow(member, use_of(graceful, strict))
    follow(member, use_of(graceful, strict, refunded=True), kept, clock=later(days=5))
    assert coupon_now(graceful).valid_until == TODAY + timedelta(days=7)
    assert state_of(graceful) is CouponState.ISSUED
    assert state_of(strict) is CouponState.EXPIRED


def test_order_that_leaves_its_member_gives_the_coupon_back(member: Member, coupon: Coupon) -> None:
    kept = follow(member, use_of(coupon))
    assert follow(member, None, kept) is None
    assert state_of(coupon) is CouponState.ISSUED


def test_newer_version_that_names_another_coupon_frees_the_first(member: Member) -> None:
    one, other = (claim(member, make_template()) for _ in range(2))
    kept = follow(member, use_of(one))
    kept = follow(member, use_of(other), kept)
    assert kept == OrderCoupons("ord_1", (other.coupon_id,))
    assert (state_of(one), state_of(other)) == (CouponState.ISSUED, CouponState.REDEEMED)
    assert follow(member, use_of(), kept) is None
    assert state_of(other) is CouponState.ISSUED


def test_what_is_not_the_members_to_use_stands_as_a_problem(
    store: Store, member: Member, coupon: Coupon
) -> None:
    theirs = claim(make_member(store), make_template())
    used = claim(member, make_template())
    follow(member, use_of(used, order_id="ord_0"))
    held = claim(member, make_template())
    service.lock(
        service.Lock(coupon=Shown(id=held.coupon_id), key="ord_9", until=NOW + timedelta(hours=1)),
        viewer=HEADQUARTERS,
        clock=CLOCK,
    )
    gone = claim(member, make_template())
    service.recycle(
        service.WithReason(id=gone.coupon_id, reason="误发"), viewer=HEADQUARTERS, clock=CLOCK
    )
    before = everything()
    kept = follow(member, use_of(theirs, used, held, gone, "NOTHING"))
    assert reasons(kept) == [
        CouponReason.OTHER_MEMBER,
        CouponReason.REDEEMED,
        CouponReason.LOCKED,
        CouponReason.RECYCLED,
        CouponReason.NOT_FOUND,
    ]
    assert everything() == before
    assert reasons(follow(None, use_of(coupon))) == [CouponReason.NO_MEMBER]


def test_coupon_held_for_the_order_is_redeemed_by_it_even_after_its_last_day(
    member: Member,
) -> None:
    coupon = claim(member, make_template(make_terms(validity=delayed(1))))
    until = NOW + timedelta(days=2)
    lock = service.Lock(coupon=Shown(code=coupon.code), key="ord_1", until=until)
    service.lock(lock, viewer=HEADQUARTERS, clock=CLOCK)
    tomorrow = NOW + timedelta(days=1)
    kept = follow(member, use_of(coupon, at=tomorrow), clock=later(days=1))
    assert reasons(kept) == []
    assert state_of(coupon) is CouponState.REDEEMED


def test_word_that_comes_late_counts_by_the_day_of_the_purchase(member: Member) -> None:
    coupon = claim(member, make_template(make_terms(validity=delayed(2))))
    service.settle(coupon.key, TODAY + timedelta(days=5), clock=later(days=5))
    assert state_of(coupon) is CouponState.EXPIRED
    too_late = use_of(coupon, at=NOW + timedelta(days=2))
    kept = follow(member, too_late, clock=later(days=5))
    assert reasons(kept) == [CouponReason.EXPIRED]
    kept = follow(member, use_of(coupon, at=NOW + timedelta(days=1)), kept, clock=later(days=5))
    assert reasons(kept) == []
    assert state_of(coupon) is CouponState.REDEEMED


def test_coupon_that_does_not_fit_is_used_all_the_same_and_the_misfit_noted(
    store: Store, member: Member
) -> None:
    other = make_store("S2")
    monday = {"weekday": 1, "opens": "09:00", "closes": "12:00"}
    validity = fixed(TODAY, TODAY, hours=[monday])
    coupon = claim(member, make_template(make_terms(validity=validity, store_ids=[other.id])))
    kept = follow(member, use_of(coupon, store_id=store.id))
    assert kept is not None
    assert kept.redeemed == (coupon.coupon_id,)
    assert reasons(kept) == [CouponReason.WEEKDAY, CouponReason.STORE]


def test_coupon_that_staff_verified_for_the_order_becomes_the_orders(
    store: Store, member: Member, coupon: Coupon
) -> None:
    service.redeem(
        Redeem(coupon=Shown(code=coupon.code), store_id=store.id),
        viewer=HEADQUARTERS,
        clock=CLOCK,
    )
    kept = follow(fresh_member(member), use_of(coupon))
    assert kept == OrderCoupons("ord_1", (coupon.coupon_id,))
    assert coupon_now(coupon).order_id == "ord_1"
    assert coupon_now(coupon).redeemed_store_id == store.id
    assert reasons(follow(member, use_of(coupon, order_id="ord_2"))) == [CouponReason.REDEEMED]


def test_order_takes_ten_coupons_at_most(member: Member) -> None:
    template = make_template()
    coupons = [claim(member, template) for _ in range(11)]
    kept = follow(member, use_of(*coupons))
    assert kept is not None
    assert len(kept.redeemed) == 10
    assert [(p.code, p.reason) for p in kept.problems] == [
        (coupons[10].code, CouponReason.TOO_MANY)
    ]
