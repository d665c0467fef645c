"""Coupons are locked, redeemed by staff, brought back, taken back, and run out."""

from datetime import timedelta

import pytest

from graphql_api.coupons import repository, service, tokens
from graphql_api.coupons.models import Coupon
from graphql_api.coupons.rules import CouponKind, CouponState
from graphql_api.coupons.service import Lock, Redeem, Shown, Unlock, WithReason
from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, NotFound
from graphql_api.kit.dynamo import transact
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from graphql_api.viewer import Role, Viewer
from tests.coupons.factories import (
    CLOCK,
    HEADQUARTERS,
    NOW,
    claim,
    delayed,
    follow,
    fresh_member,
    later,
    make_template,
    make_terms,
    use_of,
    viewer_of,
)
from tests.coupons.storage import coupon_now, everything, require_consistent, state_of, stock
from tests.factories import make_store

HOUR = timedelta(hours=1)


@pytest.fixture
def coupon(member: Member) -> Coupon:
    """A coupon of the member."""
    return claim(member, make_template())


@pytest.fixture
def guide(store: Store) -> Viewer:
    """Somebody at the till of the store."""
    return Viewer(Role.GUIDE, id="gde_1", unit_id=store.id, store_ids=frozenset({store.id}))


def lock(coupon: Coupon, key: str = "ord_1", hours: float = 1, *, clock: Clock = CLOCK) -> Coupon:
    given = Lock(coupon=Shown(code=coupon.code), key=key, until=clock.now() + hours * HOUR)
    return service.lock(given, viewer=HEADQUARTERS, clock=clock)


def unlock(coupon: Coupon, key: str = "ord_1", *, clock: Clock = CLOCK) -> Coupon:
    given = Unlock(coupon=Shown(id=coupon.coupon_id), key=key)
    return service.unlock(given, viewer=HEADQUARTERS, clock=clock)


def redeem(
    coupon: Coupon,
    store: Store,
    viewer: Viewer = HEADQUARTERS,
    *,
    clock: Clock = CLOCK,
    amount: int | None = None,
    reference: str | None = None,
) -> Coupon:
    shown = Shown(code=coupon.code)
    given = Redeem(coupon=shown, store_id=store.id, amount=amount, reference=reference)
    return service.redeem(given, viewer=viewer, clock=clock)


# --- locks -----------------------------------------------------------------------------------


def test_locked_coupon_is_nobody_elses_until_it_is_unlocked_or_its_time_is_over(
    coupon: Coupon,
) -> None:
    lock(coupon)
    before = everything()
    with pytest.raises(ForbiddenTransition, match="held for something else"):
        lock(coupon, "ord_2")
    with pytest.raises(ForbiddenTransition, match="held for something else"):
        unlock(coupon, "ord_2")
    assert lock(coupon).lock_key == "ord_1"
    assert everything() == before
    assert lock(coupon, "ord_2", clock=later(hours=1)).lock_key == "ord_2"
    assert unlock(coupon, "ord_2", clock=later(hours=1)).state is CouponState.ISSUED
    assert unlock(coupon, "ord_2").lock_key is None


def test_lock_is_renewed_by_its_key_and_lasts_seven_days_at_most(coupon: Coupon) -> None:
    lock(coupon)
    assert lock(coupon, hours=2).locked_until == NOW + 2 * HOUR
    for hours in (0, 7 * 24 + 0.1):
        with pytest.raises(Invalid, match="seven days at most"):
            lock(coupon, hours=hours)


def test_coupon_that_does_not_hold_today_is_not_locked(member: Member) -> None:
    early = claim(member, make_template(make_terms(validity=delayed(3, after_days=1))))
    with pytest.raises(ForbiddenTransition, match="does not hold yet"):
        lock(early)
    lock(early, clock=later(days=1))
    late = claim(member, make_template(make_terms(validity=delayed(1))))
    with pytest.raises(ForbiddenTransition, match="has run out"):
        lock(late, clock=later(days=1))


def test_coupon_that_ran_out_while_it_was_locked_has_run_out_when_unlocked(
    member: Member,
) -> None:
    coupon = claim(member, make_template(make_terms(validity=delayed(1))))
    lock(coupon, hours=48)
    assert unlock(coupon, clock=later(days=1)).state is CouponState.EXPIRED


def test_other_services_lock_in_their_own_transaction(member: Member, coupon: Coupon) -> None:
    until = NOW + HOUR
    transact(
        lambda tx: service.lock_in(
            tx, fresh_member(member), coupon.code, key="q", until=until, clock=CLOCK
        )
    )
    assert state_of(coupon) is CouponState.LOCKED
    transact(
        lambda tx: service.unlock_in(tx, fresh_member(member), coupon.code, key="q", clock=CLOCK)
    )
    assert state_of(coupon) is CouponState.ISSUED


# --- staff -----------------------------------------------------------------------------------


def test_staff_redeem_what_they_are_shown_once(coupon: Coupon, store: Store, guide: Viewer) -> None:
    token = Shown(token=tokens.of_coupon(coupon.coupon_id, at=NOW))
    shown = service.verify(token, viewer=guide, clock=CLOCK)
    assert shown is not None
    given = Redeem(coupon=token, store_id=store.id, reference="小票 17")
    used = service.redeem(given, viewer=guide, clock=CLOCK)
    assert (used.state, used.redeemed_store_id, used.redeemed_by_id) == (
        "REDEEMED",
        store.id,
        "gde_1",
    )
    before = everything()
    assert service.redeem(given, viewer=guide, clock=CLOCK).version == used.version
    for reference in (None, "小票 18"):
        with pytest.raises(ForbiddenTransition, match="is used"):
            redeem(coupon, store, guide, reference=reference)
    assert everything() == before


def test_qr_code_is_good_for_five_minutes_and_a_code_with_a_slip_is_none(
    coupon: Coupon, store: Store
) -> None:
    given = Redeem(
        coupon=Shown(token=tokens.of_coupon(coupon.coupon_id, at=NOW)), store_id=store.id
    )
    with pytest.raises(Invalid, match="has run out"):
        service.redeem(given, viewer=HEADQUARTERS, clock=later(minutes=5))
    slip = coupon.code[:-1] + ("3" if coupon.code[-1] == "2" else "2")
    with pytest.raises(Invalid, match="no code of a coupon"):
        service.verify(Shown(code=slip), viewer=HEADQUARTERS, clock=CLOCK)


def test_coupon_is_redeemed_where_when_and_by_whom_its_terms_say(
    member: Member, store: Store
) -> None:
    other = make_store("S2")
    refusals = {
        "other stores": make_terms(store_ids=[other.id]),
        "another channel": make_terms(channels=["MALL"]),
        "other tiers": make_terms(tiers=["V6"]),
        "this weekday": make_terms(validity=delayed(9, hours=[{"weekday": 1}])),
        "this hour": make_terms(validity=delayed(9, hours=[{"weekday": 3, "opens": "13:00"}])),
        "come to what": make_terms(CouponKind.THRESHOLD),
    }
    for text, terms in refusals.items():
        coupon = service.issue(
            service.Issue(member_id=member.id, template_id=make_template(terms).id),
            viewer=HEADQUARTERS,
            clock=CLOCK,
        )
        with pytest.raises(ForbiddenTransition, match=text):
            redeem(coupon, store, amount=9_999)
        assert state_of(coupon) is CouponState.ISSUED
    enough = claim(member, make_template(make_terms(CouponKind.THRESHOLD)))
    assert redeem(enough, store, amount=10_000).state is CouponState.REDEEMED


def test_staff_redeem_in_their_own_store_and_members_see_their_own(
    coupon: Coupon, store: Store, guide: Viewer
) -> None:
    before = everything()
    with pytest.raises(NotFound):
        redeem(coupon, make_store("S2"), guide)
    stranger = Viewer(Role.MEMBER, id="mbr_1")
    assert service.verify(Shown(code=coupon.code), viewer=stranger, clock=CLOCK) is None
    assert everything() == before


def test_coupon_used_by_mistake_comes_back_but_not_one_that_an_order_used(
    member: Member, coupon: Coupon, store: Store, guide: Viewer
) -> None:
    given = WithReason(id=coupon.coupon_id, reason="扫错了")
    with pytest.raises(ForbiddenTransition, match="is ISSUED"):
        service.roll_back(given, viewer=guide, clock=CLOCK)
    redeem(coupon, store, guide)
    other = Viewer(Role.STORE_MANAGER, id="stm_2", store_ids=frozenset({make_store("S2").id}))
    with pytest.raises(Forbidden, match="another store"):
        service.roll_back(given, viewer=other, clock=CLOCK)
    back = service.roll_back(given, viewer=guide, clock=CLOCK)
    assert (back.state, back.reason, back.redeemed_at) == ("ISSUED", "扫错了", None)
    follow(member, use_of(coupon, store_id=store.id))
    with pytest.raises(ForbiddenTransition, match="refund of the order"):
        service.roll_back(given, viewer=HEADQUARTERS, clock=CLOCK)
    assert state_of(coupon) is CouponState.REDEEMED


def test_what_is_taken_back_returns_to_the_stock_and_stays_counted(member: Member) -> None:
    template = make_template(stock=5, per_member=1)
    coupon = claim(member, template)
    given = WithReason(id=coupon.coupon_id, reason="误发")
    assert service.recycle(given, viewer=HEADQUARTERS, clock=CLOCK).state is CouponState.RECYCLED
    before = everything()
    service.recycle(given, viewer=HEADQUARTERS, clock=CLOCK)
    assert everything() == before
    assert stock(template) == (5, 1, 1)
    require_consistent(template)


def test_used_coupon_is_not_taken_back(coupon: Coupon, store: Store) -> None:
    redeem(coupon, store)
    with pytest.raises(ForbiddenTransition, match="is REDEEMED"):
        service.recycle(
            WithReason(id=coupon.coupon_id, reason="x"), viewer=HEADQUARTERS, clock=CLOCK
        )


def test_coupon_becomes_nothing_that_the_table_does_not_say(coupon: Coupon) -> None:
    coupon.become(CouponState.ISSUED)
    coupon.become(CouponState.LOCKED)
    coupon.become(CouponState.GIFTED)
    with pytest.raises(ValueError, match="GIFTED does not become ISSUED"):
        coupon.become(CouponState.ISSUED)


# --- lists -----------------------------------------------------------------------------------


def test_members_see_what_they_can_use_now_whatever_is_stored(member: Member) -> None:
    lasting, short, held, used = (
        claim(member, make_template(make_terms(validity=delayed(days)))) for days in (9, 1, 5, 7)
    )
    lock(held)
    follow(fresh_member(member), use_of(used))

    def listed(state: CouponState, *, clock: Clock = CLOCK) -> list[str]:
        found = repository.page_in_states(
            (member.id,), (state,), clock.now(), clock.today(), first=9, after=None, reverse=False
        )
        return [c.coupon_id for c in found.items]

    assert listed(CouponState.ISSUED) == [short.coupon_id, lasting.coupon_id]
    assert listed(CouponState.LOCKED) == [held.coupon_id]
    assert listed(CouponState.REDEEMED) == [used.coupon_id]
    tomorrow = later(days=1)
    assert listed(CouponState.ISSUED, clock=tomorrow) == [lasting.coupon_id, held.coupon_id]
    assert listed(CouponState.EXPIRED, clock=tomorrow) == [short.coupon_id]
    assert listed(CouponState.LOCKED, clock=tomorrow) == []


# --- gifts -----------------------------------------------------------------------------------


@pytest.fixture
def friend(store: Store) -> Member:
    """Another member."""
    from tests.factories import make_member

    return make_member(store)


@pytest.fixture
def present(member: Member) -> Coupon:
    """A coupon that may be given away."""
    return claim(member, make_template(make_terms(giftable=True), stock=5, per_member=1))


def offer(coupon: Coupon, member: Member) -> str:
    return service.offer(coupon.coupon_id, viewer=viewer_of(member), clock=CLOCK).token


def accept(token: str, friend: Member, *, clock: Clock = CLOCK) -> Coupon:
    given = service.GiftAccept(token=token)
    return service.accept(given, viewer=viewer_of(friend), clock=clock)


def test_friend_has_the_coupon_with_its_days_and_the_giver_no_more(
    member: Member, friend: Member, present: Coupon
) -> None:
    token = offer(present, member)
    taken = accept(token, friend)
    assert (taken.member_id, taken.valid_until, taken.source) == (
        friend.id,
        present.valid_until,
        "GIFT",
    )
    given = coupon_now(present)
    assert (given.state, given.gift_id) == ("GIFTED", taken.coupon_id)
    assert taken.code != present.code
    before = everything()
    assert accept(token, friend).coupon_id == taken.coupon_id
    assert everything() == before
    [template] = repository.get_templates([present.template_id])
    assert template is not None
    assert stock(template) == (4, 1, 0)
    require_consistent(template)


def test_gift_is_taken_by_one_friend_within_a_day_and_not_by_the_giver(
    store: Store, member: Member, friend: Member, present: Coupon
) -> None:
    from tests.factories import make_member

    token = offer(present, member)
    with pytest.raises(Forbidden, match="your own"):
        accept(token, member)
    with pytest.raises(Invalid, match="has run out"):
        accept(token, friend, clock=later(days=1))
    newer = offer(present, member)
    with pytest.raises(ForbiddenTransition):
        accept(token, friend)
    accept(newer, friend)
    with pytest.raises(ForbiddenTransition, match="given to a friend"):
        accept(newer, make_member(store))


def test_gift_is_withdrawn_and_held_for_nothing_else(
    member: Member, friend: Member, present: Coupon, store: Store
) -> None:
    viewer = viewer_of(member)
    token = offer(present, member)
    with pytest.raises(ForbiddenTransition, match="held for something else"):
        redeem(present, store)
    assert service.withdraw(present.coupon_id, viewer=viewer, clock=CLOCK).state == "ISSUED"
    before = everything()
    service.withdraw(present.coupon_id, viewer=viewer, clock=CLOCK)
    with pytest.raises(ForbiddenTransition):
        accept(token, friend)
    assert everything() == before


def test_only_what_may_be_given_is_given_and_limits_hold_for_the_friend(
    member: Member, friend: Member, coupon: Coupon, present: Coupon
) -> None:
    with pytest.raises(ForbiddenTransition, match="not for giving away"):
        offer(coupon, member)
    with pytest.raises(NotFound):
        offer(present, friend)
    [template] = repository.get_templates([present.template_id])
    assert template is not None
    claim(friend, template)
    token = offer(present, member)
    with pytest.raises(Exception, match="all that one may have"):
        accept(token, friend)
    require_consistent(template)
