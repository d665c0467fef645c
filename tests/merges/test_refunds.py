"""Orders of two members who are one person: a refund undoes what either of them was given."""

import pytest

from graphql_api.coupons import repository as coupons
from graphql_api.coupons.models import Coupon
from graphql_api.coupons.rules import CouponState
from graphql_api.members.models import Member
from graphql_api.orders import repository as orders
from graphql_api.orders import service
from graphql_api.orders.service import Snapshot
from graphql_api.points import service as points
from graphql_api.points.service import Cause
from graphql_api.standing import repository as standing
from graphql_api.stores.models import Store
from scripts.audit_checks import AT_ONCE
from scripts.audit_subject import Subject
from tests.coupons.factories import issue, make_template
from tests.factories import CLOCK, NOW, make_member, make_refund, make_shell, make_snapshot
from tests.merges.test_interruptions import begun, finished, merge
from tests.orders.storage import facts_of, member_now
from tests.points.storage import figures_of


@pytest.fixture
def two(store: Store) -> tuple[Member, Member]:
    """A survivor and a loser, with 300 points each."""
    found = make_member(store), make_member(store)
    for member in found:
        points.grant(member.id, 300, key="g", cause=Cause(CLOCK))
    return found


@pytest.fixture
def bought(store: Store, two: tuple[Member, Member]) -> list[tuple[Snapshot, Coupon]]:
    """An order of each, paid with points and a coupon of theirs."""
    template = make_template()
    found = []
    for member in two:
        coupon = issue(member, template)
        order = make_snapshot(
            store, member_id=member.id, points_used=120, coupons=[coupon.code], paid_at=NOW
        )
        service.apply(order, clock=CLOCK)
        found.append((order, coupon))
    return found


def refund(order: Snapshot, fen: int, id: str) -> None:
    told = make_shell(make_refund(id, amount=fen), external_id=order.external_id)
    service.apply(told, clock=CLOCK)


def differences(member: Member) -> list[object]:
    """What `make audit` finds of a member."""
    now = member_now(member.id)
    subject = Subject(now, orders.all_of_member(now), CLOCK, standing.in_force())
    return [one.shown for check in AT_ONCE for one in check(subject)]


@pytest.mark.parametrize("when", ["before", "on the way", "after"])
def test_refund_of_everything_leaves_who_was_two_with_the_points_of_both(
    two: tuple[Member, Member], bought: list[tuple[Snapshot, Coupon]], when: str
) -> None:
    survivor, loser = two

    def refund_all() -> None:
        for order, _ in bought:
            refund(order, 4_000, "r1")
            refund(order, 6_000, "r2")

    if when == "before":
        refund_all()
    job = begun(survivor, loser)
    if when == "on the way":
        refund_all()
    finished(job)
    if when == "after":
        assert figures_of(survivor.id) == (360, 200, 0)
        refund_all()
    assert figures_of(survivor.id) == (600, 0, 0)
    facts = facts_of(survivor.id)
    assert (facts.orders, facts.paid, facts.refunded) == (0, 20_000, 20_000)
    held = coupons.find([coupon.coupon_id for _, coupon in bought])
    assert [(c.member_id, c.state) for c in held if c] == [(survivor.id, CouponState.ISSUED)] * 2
    assert differences(survivor) == []


def test_next_version_of_an_order_of_the_loser_goes_on_from_what_it_gave(
    store: Store, two: tuple[Member, Member], bought: list[tuple[Snapshot, Coupon]]
) -> None:
    survivor, loser = two
    order, coupon = bought[1]
    merge(survivor, loser)
    service.apply(
        make_snapshot(
            store,
            external_id=order.external_id,
            revision=2,
            member_id=loser.id,
            total=5_000,
            points_used=20,
            coupons=[coupon.code],
            paid_at=NOW,
        ),
        clock=CLOCK,
    )
    assert figures_of(survivor.id) == (300 + 300 - 120 - 20, 100 + 50, 0)
    assert differences(survivor) == []
