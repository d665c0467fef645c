"""Sixteen workers at once on one member, on one stock and on one limit: exact, and nothing lost."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from graphql_api.coupons import repository as coupons
from graphql_api.coupons.rules import CouponState
from graphql_api.errors import LimitExceeded
from graphql_api.members.models import Member
from graphql_api.orders import service
from graphql_api.points import service as points
from graphql_api.points.service import Cause, PointsAdjust, PointsFreeze
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.coupons.factories import claim, issue, make_template
from tests.factories import CLOCK, NOW, make_member, make_refund, make_shell, make_snapshot
from tests.orders.storage import facts_of, member_now
from tests.points.storage import figures_of, ledger_of
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("patient")

WORKERS = 16
Work = Callable[[], object]


def test_orders_refunds_spends_and_holds_of_one_member_at_once_are_all_counted(
    store: Store,
) -> None:
    member = make_member(store)
    cause = Cause(CLOCK)
    points.grant(member.id, 1_000, key="g", cause=cause)
    template = make_template()
    held = [issue(member, template) for _ in range(2)]
    earlier = [make_snapshot(store, member_id=member.id) for _ in range(4)]
    for order in earlier:
        service.apply(order, clock=CLOCK)

    def told(order: service.Snapshot) -> Work:
        return partial(service.apply, order, clock=CLOCK)

    def refund(order: service.Snapshot, fen: int) -> Work:
        return told(make_shell(make_refund(amount=fen), external_id=order.external_id))

    def adjust(many: int) -> Work:
        given = PointsAdjust(member_id=member.id, points=many, reason="x")
        return partial(points.adjust, given, viewer=SYSTEM, clock=CLOCK)

    def freeze(many: int, key: str) -> Work:
        given = PointsFreeze(member_id=member.id, points=many, key=key)
        return partial(points.freeze, given, viewer=SYSTEM, clock=CLOCK)

    small = partial(make_snapshot, store, member_id=member.id, total=1_000, paid_at=NOW)
    doubled = small(points_used=10)
    bought: list[Work] = [
        told(small(points_used=50)),
        *(told(small(coupons=[coupon.code])) for coupon in held),
        *[told(doubled)] * 2,
    ]
    back = [
        refund(order, fen) for order, fen in zip(earlier, (10_000, 5_000, 1, 10_000), strict=True)
    ]
    moved = [adjust(-100), adjust(-20), adjust(7), freeze(30, "h1"), freeze(40, "h2")]
    moved += [adjust(-3), freeze(5, "h3")]
    work = [*bought, *back, *moved]
    assert len(work) == WORKERS
    at_once(work)

    # V1 and V2 earn the same, so that it does not matter who came first.
    earned = 4 * 100 + 4 * 10 - 100 - 50 - 1 - 100
    spendable = 1_000 - 50 - 10 - 100 - 20 + 7 - 3 - 30 - 40 - 5
    figures = figures_of(member.id)
    assert figures.balance + figures.pending == spendable + earned
    assert figures.frozen == 75
    facts = facts_of(member.id)
    assert (facts.orders, facts.paid, facts.refunded) == (6, 44_000, 25_001)
    assert {c.state for c in coupons.find([c.code for c in held]) if c} == {CouponState.REDEEMED}
    assert Counter(kind for kind, *_ in ledger_of(member.id)) == {
        "GRANT": 1,
        "EARN": 8,
        "SPEND": 2,
        "REVERSE": 4,
        "ADJUST": 4,
        "FREEZE": 3,
    }
    assert int(member_now(member.id).version) >= 1 + 1 + 4 + WORKERS - 1


def outcome(do: Work) -> str:
    """What became of a claim."""
    try:
        do()
    except LimitExceeded:
        return "refused"
    return "given"


def test_stock_of_seven_is_given_to_seven_of_sixteen_who_claim_at_once(store: Store) -> None:
    template = make_template(stock=7)
    crowd: list[Member] = [make_member(store) for _ in range(WORKERS)]
    work = [partial(outcome, partial(claim, member, template)) for member in crowd]
    assert Counter(at_once(work)) == {"given": 7, "refused": 9}
    parts = coupons.stock_of(template.id)
    assert (sum(int(p.issued) for p in parts), sum(int(p.left or 0) for p in parts)) == (7, 0)
    assert min(int(part.left or 0) for part in parts) == 0


def test_limit_of_three_gives_three_of_sixteen_claims_of_one_member_at_once(store: Store) -> None:
    template = make_template(per_member=3)
    member = make_member(store)
    work = [partial(outcome, partial(claim, member, template))] * WORKERS
    assert Counter(at_once(work)) == {"given": 3, "refused": 13}
    assert int(coupons.get_claims(member.id, template.id).total) == 3
    assert len(coupons.some_of_member(member.id, at_most=99)) == 3
    assert sum(int(part.issued) for part in coupons.stock_of(template.id)) == 3
