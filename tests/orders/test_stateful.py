"""One member through whatever happens, against storage, beside a model of a few sums.

Orders, refunds, corrections, settlements, spends, freezes, days that pass, everything told twice,
and attempts that die before or after their transaction.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from graphql_api.coupons import repository as coupons
from graphql_api.coupons import service as coupon_service
from graphql_api.coupons.models import Template
from graphql_api.coupons.rules import CouponState
from graphql_api.errors import AppError
from graphql_api.kit.dynamo import Transaction
from graphql_api.kit.time import Clock
from graphql_api.orders import repository, service
from graphql_api.orders.service import Snapshot, SnapshotBody
from graphql_api.points import repository as points_repository
from graphql_api.points import service as points
from graphql_api.points.rules import EntryKind
from graphql_api.standing import repository as standing
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from scripts.audit_checks import AT_ONCE
from scripts.audit_subject import Subject
from tests.coupons.factories import issue, make_template
from tests.factories import NOW, fresh, make_member, make_refund, make_settled, make_shell
from tests.orders.storage import first_purchases, member_now
from tests.points.storage import publish_points

LIVES = int(os.environ.get("LIVES", "2"))  # `make lives` leads many
STEPS = 8 if LIVES < 10 else 20


class Died(BaseException):
    """The process ended here."""


@dataclass
class Told:
    """What a till knows of an order, and has told so far."""

    number: str
    total: int
    used: int
    coupon: str | None
    day: int
    revision: int = 1
    refunds: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def refunded(self) -> int:
        """Fen refunded, never more than was paid."""
        return min(self.total, sum(fen for fen, _ in self.refunds.values()))

    @property
    def back(self) -> int:
        """How many of the points that it was paid with its refunds give back."""
        if self.refunded == self.total:
            return self.used
        return self.used * self.refunded // self.total


class Life(RuleBasedStateMachine):
    """A member of a chain whose points run out after a month."""

    store: Store
    template: Template

    def __init__(self) -> None:
        super().__init__()
        self.member = make_member(self.store)
        self.coupons = [issue(self.member, self.template).coupon_id for _ in range(2)]
        self.passed = 0
        self.orders: list[Told] = []
        self.snapshots: list[Snapshot] = []
        self.given = self.spent = 0
        self.holds: list[str] = []

    # --- what happens -------------------------------------------------------------------------

    @rule(
        fen=st.sampled_from([1, 9_950, 30_000, 150_000]),
        used=st.sampled_from([0, 0, 45, 400]),
        coupon=st.sampled_from([None, None, 0, 1]),
        dies=st.sampled_from([None, None, "before", "after"]),
    )
    def buy(self, fen: int, used: int, coupon: int | None, dies: str | None) -> None:
        named = None if coupon is None else self.coupons[coupon]
        told = Told(fresh("S"), fen, used, named, self.passed)
        self.orders.append(told)
        self.tell(self.body(told), dies)

    @precondition(lambda self: self.orders)
    @rule(
        of=st.integers(0, 3),
        id=st.sampled_from(["r1", "r2"]),
        part=st.sampled_from([0, 3, 10, 10]),
        dies=st.sampled_from([None, None, "before", "after"]),
    )
    def refund(self, of: int, id: str, part: int, dies: str | None) -> None:
        told = self.orders[of % len(self.orders)]
        revision = told.refunds.get(id, (0, 0))[1] + 1
        told.refunds[id] = told.total * part // 10, revision
        refund = make_refund(id, amount=told.refunds[id][0], revision=revision, at=self.clock.now())
        self.tell(make_shell(refund, external_id=told.number), dies)

    @precondition(lambda self: self.orders)
    @rule(of=st.integers(0, 3), fen=st.sampled_from([1, 20_000]), used=st.sampled_from([0, 90]))
    def correct(self, of: int, fen: int, used: int) -> None:
        told = self.orders[of % len(self.orders)]
        told.total, told.used, told.revision = fen, used, told.revision + 1
        self.tell(self.body(told))

    @precondition(lambda self: self.orders)
    @rule(of=st.integers(0, 3))
    def settle(self, of: int) -> None:
        self.tell(make_settled(self.orders[of % len(self.orders)].number, self.clock.now()))

    @precondition(lambda self: self.snapshots)
    @rule(which=st.integers(0, 30))
    def repeat(self, which: int) -> None:
        """Anything that was told before is told again: it changes nothing."""
        version = member_now(self.member.id).version
        again = service.apply(self.snapshots[which % len(self.snapshots)], clock=self.clock)
        assert not again.changed
        assert member_now(self.member.id).version == version

    @rule(many=st.sampled_from([60, 500]))
    def give(self, many: int) -> None:
        points.grant(self.member.id, many, key=fresh("g"), cause=points.Cause(self.clock))
        self.given += many

    @rule(many=st.sampled_from([1, 80, 300]), keep=st.booleans())
    def freeze(self, many: int, keep: bool) -> None:
        key = fresh("h")
        until = None if keep else self.clock.today() + timedelta(days=3)
        held = points.PointsFreeze(member_id=self.member.id, points=many, key=key, until=until)
        if self.done(lambda: points.freeze(held, viewer=SYSTEM, clock=self.clock)):
            self.holds.append(key)

    @precondition(lambda self: self.holds)
    @rule(which=st.integers(0, 3), spend=st.booleans())
    def release(self, which: int, spend: bool) -> None:
        key = self.holds.pop(which % len(self.holds))
        hold = points.current(points_repository.get(self.member.id), self.clock.today()).hold(key)
        given = points.PointsRelease(member_id=self.member.id, key=key)
        do = points.consume if spend else points.unfreeze
        done = self.done(lambda: do(given, viewer=SYSTEM, clock=self.clock))
        assert done or hold is None
        if spend and hold is not None:
            self.spent += hold.points

    @rule(days=st.sampled_from([1, 8, 40]), worked=st.booleans())
    def pass_days(self, days: int, worked: bool) -> None:
        """Days pass; the work of the last one is done, or falls to whoever comes next."""
        self.passed += days
        if worked:
            points.settle(self.member.id, points.Cause(self.clock))
            for coupon in coupons.find(self.coupons):
                assert coupon is not None
                coupon_service.settle(coupon.key, self.clock.today(), clock=self.clock)

    # --- what holds ---------------------------------------------------------------------------

    @invariant()
    def everything_is_what_it_follows_from(self) -> None:
        member = member_now(self.member.id)
        orders = repository.all_of_member(member)
        subject = Subject(member, orders, self.clock, standing.in_force())
        assert [one.shown for check in AT_ONCE for one in check(subject)] == []
        assert len(first_purchases(member.id)) <= 1

    @invariant()
    def figures_are_those_of_the_model(self) -> None:
        member = member_now(self.member.id)
        kept = {order.external_id: order for order in repository.all_of_member(member)}
        earned = net = 0
        for told in self.orders:
            order = kept[told.number]
            assert order.points is not None
            assert (int(order.total), int(order.refunded)) == (told.total, told.refunded)
            percent = order.points.percent
            assert order.points.earned == (told.total - told.refunded) * percent // 10_000
            earned += order.points.earned
            net += told.used - told.back
        entries = points_repository.all_entries(member.id)
        lost = -sum(one.moved.balance for one in entries if one.kind is EntryKind.EXPIRE)
        held = int(member.points) + int(member.points_pending) + int(member.points_frozen)
        assert held == self.given - self.spent + earned - net - lost

    def teardown(self) -> None:
        """A refund of everything leaves the member as if nothing had been bought."""
        for told in self.orders:
            told.refunds = {"all": (told.total, 1)}
            refund = make_refund("all", amount=told.total, at=self.clock.now())
            self.tell(make_shell(refund, external_id=told.number))
        self.everything_is_what_it_follows_from()
        self.figures_are_those_of_the_model()
        facts = member_now(self.member.id).facts
        assert (facts.orders, facts.growth, facts.paid - facts.refunded) == (0, 0, 0)
        assert facts.last_on is None
        for coupon in coupons.find(self.coupons):
            assert coupon is not None
            assert coupon.state in {CouponState.ISSUED, CouponState.EXPIRED}
            assert coupon.order_id is None

    # --- how it is done -----------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """Noon in Shanghai, so many days after the beginning."""
        return Clock(wall=lambda: NOW + timedelta(days=self.passed))

    def body(self, told: Told) -> Snapshot:
        """An order as its till tells it now."""
        return Snapshot(
            source="pos",
            external_id=told.number,
            body=SnapshotBody(
                revision=told.revision,
                paid_at=NOW + timedelta(days=told.day),
                total=told.total,
                store_id=self.store.id,
                member_id=self.member.id,
                points_used=told.used,
                coupons=[told.coupon] if told.coupon else [],
            ),
        )

    def tell(self, snapshot: Snapshot, dies: str | None = None) -> None:
        """Take a snapshot in; who dies on the way is followed by one who tells it again."""
        self.snapshots.append(snapshot)
        if dies is not None:
            with dying(dies), pytest.raises(Died):
                service.apply(snapshot, clock=self.clock)
        service.apply(snapshot, clock=self.clock)

    def done(self, do: Callable[[], object]) -> bool:
        """Whether a command was done, and not refused."""
        try:
            do()
        except AppError:
            return False
        return True


@contextmanager
def dying(when: str) -> Iterator[None]:
    """The next transaction ends its process, before it is sent or once it is written."""
    send = Transaction._send

    def dead(tx: Transaction, groups: Any) -> None:
        if when == "after":
            send(tx, groups)
        raise Died

    with patch.object(Transaction, "_send", dead):
        yield


def test_whatever_happens_sums_hold_and_a_refund_of_everything_undoes_everything(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_points(expiryMonths=1, rounding="NONE")
    monkeypatch.setattr(Life, "store", store, raising=False)
    monkeypatch.setattr(Life, "template", make_template(), raising=False)
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
