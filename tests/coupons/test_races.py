"""Sixteen at once on one stock, one limit, one coupon: counts are exact and nothing is lost."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from graphql_api.coupons import service
from graphql_api.coupons.models import Coupon, Template
from graphql_api.coupons.rules import CouponSource, CouponState, OrderCoupons
from graphql_api.coupons.service import GiftAccept, Redeem, Shown, WithReason
from graphql_api.errors import AppError, ErrorCode
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.stores.models import Store
from tests.coupons.factories import (
    CLOCK,
    HEADQUARTERS,
    claim,
    follow,
    issue,
    make_template,
    make_terms,
    use_of,
    viewer_of,
)
from tests.coupons.storage import all_coupons, coupon_now, require_consistent, state_of, stock
from tests.factories import make_member
from tests.threads import at_once

WORKERS = 16

pytestmark = pytest.mark.usefixtures("patient")

Outcome = Coupon | OrderCoupons | ErrorCode | None


def tried(work: Callable[[], Outcome]) -> Callable[[], Outcome]:
    """Its result, or the code of its refusal."""

    def attempt() -> Outcome:
        try:
            return work()
        except AppError as refusal:
            return refusal.code

    return attempt


def codes(outcomes: list[Outcome]) -> Counter[str]:
    """How many were done, and how many were refused with which code."""
    return Counter(o.value if isinstance(o, ErrorCode) else "done" for o in outcomes)


def test_stock_gives_out_what_it_has_to_sixteen_at_once(store: Store) -> None:
    template = make_template(stock=10)
    people = [make_member(store) for _ in range(WORKERS)]
    outcomes = at_once([tried(partial(claim, one, template)) for one in people])
    assert codes(outcomes) == {"done": 10, "LIMIT_EXCEEDED": 6}
    assert stock(template) == (0, 10, 0)
    require_consistent(template)


def test_limit_of_a_member_holds_for_sixteen_at_once(member: Member) -> None:
    template = make_template(stock=80, per_member=3)
    outcomes = at_once([tried(partial(claim, member, template)) for _ in range(WORKERS)])
    assert codes(outcomes) == {"done": 3, "LIMIT_EXCEEDED": 13}
    assert stock(template) == (77, 3, 0)
    require_consistent(template)


def test_limit_of_a_store_holds_for_sixteen_at_once(store: Store) -> None:
    template = make_template(per_store=5)
    people = [make_member(store) for _ in range(WORKERS)]
    outcomes = at_once([tried(partial(issue, one, template, store=store)) for one in people])
    assert codes(outcomes) == {"done": 5, "LIMIT_EXCEEDED": 11}
    require_consistent(template)


def test_what_has_a_key_is_issued_once_to_sixteen_who_ask(member: Member) -> None:
    template = make_template(stock=80)

    def give(tx: Transaction) -> Coupon:
        found = members.get(member.id)
        assert found is not None
        coupon = service.issue_in(
            tx,
            found,
            template,
            source=CouponSource.BENEFIT,
            origin=Origin.LIVE,
            clock=CLOCK,
            key="joining",
        )
        members.require_present(tx, member.id)
        return coupon

    given = at_once([lambda: transact(give).coupon_id for _ in range(WORKERS)])
    assert len(set(given)) == 1
    assert stock(template) == (79, 1, 0)
    require_consistent(template)


def test_one_coupon_is_used_by_one_of_sixteen_orders(member: Member) -> None:
    coupon = claim(member, make_template())
    kept = at_once(
        [partial(follow, member, use_of(coupon, order_id=f"ord_{n}")) for n in range(WORKERS)]
    )
    used = [one for one in kept if one is not None and one.redeemed]
    assert len(used) == 1
    assert coupon_now(coupon).order_id == used[0].order_id
    assert Counter(p.reason for one in kept if one for p in one.problems) == {"REDEEMED": 15}


def test_one_version_of_an_order_sixteen_times_is_one(member: Member) -> None:
    coupon = claim(member, make_template())
    kept = at_once([partial(follow, member, use_of(coupon)) for _ in range(WORKERS)])
    assert set(kept) == {OrderCoupons("ord_1", (coupon.coupon_id,))}
    assert coupon_now(coupon).version == 2


def redeem(coupon: Coupon, store: Store, reference: str) -> Coupon:
    given = Redeem(coupon=Shown(code=coupon.code), store_id=store.id, reference=reference)
    return service.redeem(given, viewer=HEADQUARTERS, clock=CLOCK)


def roll_back(coupon: Coupon) -> Coupon:
    given = WithReason(id=coupon.coupon_id, reason="扫错了")
    return service.roll_back(given, viewer=HEADQUARTERS, clock=CLOCK)


def recycle(coupon: Coupon) -> Coupon:
    given = WithReason(id=coupon.coupon_id, reason="误发")
    return service.recycle(given, viewer=HEADQUARTERS, clock=CLOCK)


def test_gift_is_taken_by_one_of_sixteen_friends(store: Store, member: Member) -> None:
    template = make_template(make_terms(giftable=True), stock=8, per_member=1)
    coupon = claim(member, template)
    token = service.offer(coupon.coupon_id, viewer=viewer_of(member), clock=CLOCK).token
    friends = [make_member(store) for _ in range(WORKERS)]

    def take(friend: Member) -> Coupon:
        return service.accept(GiftAccept(token=token), viewer=viewer_of(friend), clock=CLOCK)

    outcomes = at_once([tried(partial(take, friend)) for friend in friends])
    assert codes(outcomes) == {"done": 1, "FORBIDDEN_TRANSITION": 15}
    assert state_of(coupon) is CouponState.GIFTED
    assert stock(template) == (7, 1, 0)
    require_consistent(template)


def test_everything_at_once_leaves_what_must_be_true(store: Store, member: Member) -> None:
    template = make_template(stock=12, per_member=6)
    held = [claim(member, template) for _ in range(4)]
    work: list[Callable[[], Outcome]] = []
    for n, coupon in enumerate(held):
        work += [
            partial(redeem, coupon, store, f"小票 {n}"),
            partial(follow, member, use_of(coupon, order_id=f"ord_{n}")),
            partial(roll_back, coupon),
            partial(recycle, coupon),
        ]
    at_once([tried(one) for one in work])
    newcomers = [make_member(store) for _ in range(WORKERS - 8)]
    more = [partial(claim, member, template) for _ in range(8)]
    more += [partial(claim, one, template) for one in newcomers]
    outcomes = at_once([tried(one) for one in more])
    require_consistent(template)
    recycled = sum(1 for coupon in held if state_of(coupon) is CouponState.RECYCLED)
    assert codes(outcomes)["done"] == min(8 + recycled, 2 + len(newcomers))
    assert len(all_coupons()) == 4 + codes(outcomes)["done"]


def test_stop_holds_for_who_comes_after_it_and_stock_agrees(store: Store) -> None:
    template = make_template(stock=80)
    people = [make_member(store) for _ in range(WORKERS - 1)]

    def stop() -> Template:
        return service.stop_template(template.id, viewer=HEADQUARTERS)

    work: list[Callable[[], Outcome]] = [tried(partial(claim, one, template)) for one in people]
    at_once([*work, lambda: stop() and None])
    left, issued, _ = stock(template)
    assert left == 80 - issued
    assert len(all_coupons()) == issued
    [outcome] = [tried(partial(claim, people[0], template))()]
    assert outcome is ErrorCode.FORBIDDEN_TRANSITION
    require_consistent(template)
