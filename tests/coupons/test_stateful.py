"""Any sequence of what can happen to coupons ends as a plain model says, and the laws hold.

Each example has a template and two members of its own, so the tables need not be fresh. Whatever
is done is done twice: the second time is a duplicate.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from graphql_api.coupons import rules, service, tasks
from graphql_api.coupons.models import Coupon, Template
from graphql_api.coupons.rules import CouponState, OrderCoupons
from graphql_api.coupons.service import GiftAccept, Lock, Redeem, Shown, Unlock, WithReason
from graphql_api.errors import AppError
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from tests.coupons.factories import (
    HEADQUARTERS,
    claim,
    delayed,
    follow,
    later,
    make_template,
    make_terms,
    use_of,
    viewer_of,
)
from tests.coupons.storage import coupon_now, require_consistent, stock
from tests.factories import make_member

STOCK, LIMIT, LASTS = 3, 2, 3
FREE, USED, HELD = CouponState.ISSUED, CouponState.REDEEMED, CouponState.LOCKED

numbers = st.integers(0, 9)


@dataclass
class Known:
    """What anybody would expect of a coupon."""

    coupon: Coupon
    owner: int
    ends: int
    state: CouponState = FREE
    key: str | None = None
    order: str | None = None


@dataclass
class Model:
    """What anybody would expect of all coupons of a template, by day."""

    day: int = 0
    left: int = STOCK
    taken: dict[int, int] = field(default_factory=lambda: {0: 0, 1: 0})
    coupons: list[Known] = field(default_factory=list)

    def may_have(self, member: int) -> bool:
        return self.taken[member] < LIMIT

    def pass_days(self, days: int) -> None:
        self.day += days
        for one in self.coupons:
            if one.state is HELD and one.key is not None and days:
                one.state, one.key = FREE, None
            if one.state is FREE and one.ends < self.day:
                one.state = CouponState.EXPIRED

    def come_back(self, one: Known) -> None:
        one.order = None
        one.state = FREE if one.ends >= self.day else CouponState.EXPIRED


class Coupons(RuleBasedStateMachine):
    """Two members, a stock of three, two for each, three days to use them."""

    store: Store

    @initialize()
    def begin(self) -> None:
        terms = make_terms(validity=delayed(LASTS), giftable=True)
        self.template: Template = make_template(terms, stock=STOCK, per_member=LIMIT)
        self.members: list[Member] = [make_member(self.store) for _ in range(2)]
        self.model = Model()
        self.kept: dict[str, OrderCoupons | None] = {}

    @property
    def clock(self) -> Clock:
        return later(days=self.model.day)

    def twice(self, work: Callable[[], Any], *, done: bool) -> Any:
        """Do it, and do it again; the first time it is done or refused as expected."""
        try:
            answer = work()
        except AppError:
            assert not done
            return None
        assert done
        return answer

    def some(self, n: int) -> Known:
        return self.model.coupons[n % len(self.model.coupons)]

    @rule(member=st.integers(0, 1))
    def claim(self, member: int) -> None:
        model = self.model
        fine = model.left > 0 and model.may_have(member)
        work = lambda: claim(self.members[member], self.template, clock=self.clock)  # noqa: E731
        coupon = self.twice(work, done=fine)
        if coupon is not None:
            model.left -= 1
            model.taken[member] += 1
            model.coupons.append(Known(coupon, member, model.day + LASTS - 1))

    @precondition(lambda self: self.model.coupons)
    @rule(n=numbers, key=st.sampled_from(["ord_1", "ord_2"]))
    def lock(self, n: int, key: str) -> None:
        one = self.some(n)
        until = self.clock.now() + timedelta(hours=1)
        given = Lock(coupon=Shown(code=one.coupon.code), key=key, until=until)
        fine = one.state is FREE or (one.state is HELD and one.key == key)
        for _ in range(2):
            self.twice(
                lambda: service.lock(given, viewer=HEADQUARTERS, clock=self.clock), done=fine
            )
        if fine:
            one.state, one.key = HELD, key

    @precondition(lambda self: self.model.coupons)
    @rule(n=numbers, key=st.sampled_from(["ord_1", "ord_2"]))
    def unlock(self, n: int, key: str) -> None:
        one = self.some(n)
        given = Unlock(coupon=Shown(id=one.coupon.coupon_id), key=key)
        fine = one.state is not HELD or one.key == key
        for _ in range(2):
            work = lambda: service.unlock(given, viewer=HEADQUARTERS, clock=self.clock)  # noqa: E731
            self.twice(work, done=fine)
        if fine and one.state is HELD:
            one.state, one.key = FREE, None

    @precondition(lambda self: self.model.coupons)
    @rule(n=numbers, order=st.sampled_from(["ord_1", "ord_2"]), refunded=st.booleans())
    def order(self, n: int, order: str, refunded: bool) -> None:
        one = self.some(n)
        use = use_of(one.coupon, order_id=order, refunded=refunded, at=self.clock.now())
        before = self.kept.get(order)
        owner = self.members[one.owner]
        for _ in range(2):
            before = follow(owner, use, before, clock=self.clock)
        self.kept[order] = before
        for other in self.model.coupons:
            if other.order == order and other is not one:
                self.model.come_back(other)
        free = one.state is FREE or (one.state is HELD and one.key == order)
        mine = one.state is USED and one.order in {None, order}
        if refunded and mine:
            self.model.come_back(one)
        elif not refunded and (free or mine):
            one.state, one.key, one.order = USED, None, order

    @precondition(lambda self: self.model.coupons)
    @rule(n=numbers, key=st.sampled_from(["ord_1", "小票"]))
    def redeem(self, n: int, key: str) -> None:
        one = self.some(n)
        given = Redeem(coupon=Shown(code=one.coupon.code), store_id=self.store.id, reference=key)
        again = one.state is USED and coupon_now(one.coupon).reference == key
        fine = one.state is FREE or (one.state is HELD and one.key == key) or again
        for _ in range(2):
            work = lambda: service.redeem(given, viewer=HEADQUARTERS, clock=self.clock)  # noqa: E731
            self.twice(work, done=fine)
        if fine and not again:
            one.state, one.key, one.order = USED, None, None

    @precondition(lambda self: self.model.coupons)
    @rule(n=numbers)
    def roll_back(self, n: int) -> None:
        one = self.some(n)
        given = WithReason(id=one.coupon.coupon_id, reason="扫错了")
        fine = one.state is USED and one.order is None
        work = lambda: service.roll_back(given, viewer=HEADQUARTERS, clock=self.clock)  # noqa: E731
        self.twice(work, done=fine)
        if fine:
            self.model.come_back(one)

    @precondition(lambda self: self.model.coupons)
    @rule(n=numbers)
    def recycle(self, n: int) -> None:
        one = self.some(n)
        given = WithReason(id=one.coupon.coupon_id, reason="误发")
        fine = one.state in {FREE, CouponState.RECYCLED}
        for _ in range(2):
            work = lambda: service.recycle(given, viewer=HEADQUARTERS, clock=self.clock)  # noqa: E731
            self.twice(work, done=fine)
        if one.state is FREE:
            one.state = CouponState.RECYCLED
            self.model.left += 1

    @precondition(lambda self: self.model.coupons)
    @rule(n=numbers, withdrawn=st.booleans())
    def give(self, n: int, withdrawn: bool) -> None:
        one = self.some(n)
        giver, friend = self.members[one.owner], 1 - one.owner
        offer = lambda: service.offer(  # noqa: E731
            one.coupon.coupon_id, viewer=viewer_of(giver), clock=self.clock
        )
        fine = one.state is FREE or (one.state is HELD and one.key == "gift")
        gift = self.twice(offer, done=fine)
        if gift is None:
            return
        one.state, one.key = HELD, "gift"
        if withdrawn:
            for _ in range(2):
                service.withdraw(one.coupon.coupon_id, viewer=viewer_of(giver), clock=self.clock)
            one.state, one.key = FREE, None
        accepted = not withdrawn and self.model.may_have(friend)
        given = GiftAccept(token=gift.token)
        taken = None
        for _ in range(2):
            accept = lambda: service.accept(  # noqa: E731
                given, viewer=viewer_of(self.members[friend]), clock=self.clock
            )
            taken = self.twice(accept, done=accepted)
        if taken is not None:
            one.state, one.key = CouponState.GIFTED, None
            self.model.taken[friend] += 1
            self.model.coupons.append(Known(taken, friend, one.ends))

    @rule(days=st.integers(1, 2), written=st.booleans())
    def days_pass(self, days: int, written: bool) -> None:
        self.model.pass_days(days)
        if written:
            tasks.expire(self.clock.today(), clock=self.clock)
            assert tasks.expire(self.clock.today(), clock=self.clock) == 0

    @invariant()
    def every_coupon_stands_where_it_should(self) -> None:
        if not hasattr(self, "model"):
            return
        for one in self.model.coupons:
            stored = coupon_now(one.coupon)
            found = rules.state_at(stored, self.clock.now(), self.clock.today())
            assert found is one.state, one
            assert stored.member_id == self.members[one.owner].id
        assert stock(self.template)[0] == self.model.left
        require_consistent(self.template)


def test_any_sequence_ends_as_the_model_says(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Coupons, "store", store, raising=False)
    run_state_machine_as_test(
        Coupons,
        settings=settings(
            max_examples=5,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
