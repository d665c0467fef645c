"""No transaction of an order holds more than eighty items, whatever follows from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from graphql_api.coupons.models import Coupon
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.kit.time import Clock
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind
from graphql_api.orders import service, tasks
from graphql_api.points import service as points
from graphql_api.points.service import Cause
from graphql_api.policies.rules import PolicyKind
from graphql_api.standing import repository as standing
from graphql_api.standing import tasks as standing_tasks
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.coupons.factories import delayed, issue, make_template, make_terms
from tests.factories import CLOCK, NOW, make_identity, make_member, make_snapshot
from tests.orders.storage import member_now, order_of
from tests.policies.factories import make_draft, publish
from tests.tags.factories import make_tags

MOST = 80
RULES = 12


@contextmanager
def transactions() -> Iterator[list[int]]:
    """How many items each transaction holds that is sent until the block ends."""
    sizes: list[int] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        sizes.append(len(params["TransactItems"]))

    events = shared_client().meta.events
    name = "before-parameter-build.dynamodb.TransactWriteItems"
    events.register(name, note)
    try:
        yield sizes
    finally:
        events.unregister(name, note)


def test_order_that_waits_under_ever_new_identities(store: Store, three_hash_keys: None) -> None:
    phones = [make_identity(f"138001380{n:02d}", IdentityKind.PHONE) for n in range(16)]
    order = make_snapshot(store, buyer=phones[:8])
    told: dict[str, Any] = {"external_id": order.external_id, "paid_at": NOW}
    with transactions() as sizes:
        service.apply(order, clock=CLOCK)
        service.apply(make_snapshot(store, revision=2, buyer=phones[8:], **told), clock=CLOCK)
        member = make_member(store, phones[15])
        service.apply(make_snapshot(store, revision=3, buyer=phones[8:], **told), clock=CLOCK)
    # Under three hash keys eight phones are 24 identities to check and to wait for.
    assert sizes == [50, 75, 7, 32]
    assert max(sizes) <= MOST
    assert order_of(order).member_id == member.id


@pytest.fixture
def many_tags(chain: str) -> None:
    """Twelve tags that who bought for 1,000 yuan or more has by rule."""
    when = {"fact": "SPEND", "op": "AT_LEAST", "number": 100_000}
    rules = [
        {"name": f"R{n}", "tag": tag.id, "when": when} for n, tag in enumerate(make_tags(RULES))
    ]
    publish(make_draft(PolicyKind.TAG_RULES, {"rules": rules}))
    standing.forget()


def ten_coupons(member: Member) -> list[Coupon]:
    template = make_template(make_terms(validity=delayed(300)))
    return [issue(member, template) for _ in range(10)]


def test_order_with_ten_coupons_that_leaves_one_member_for_another(
    store: Store, many_tags: None
) -> None:
    ann, bob = make_member(store), make_member(store)
    points.grant(ann.id, 900, key="g", cause=Cause(CLOCK))
    mine, theirs = ten_coupons(ann), ten_coupons(bob)
    order = make_snapshot(
        store,
        member_id=ann.id,
        total=700_000,
        points_used=500,
        coupons=[coupon.code for coupon in mine],
        paid_at=NOW,
    )
    later = Clock(wall=lambda: NOW + timedelta(days=100))
    with transactions() as sizes:
        service.apply(order, clock=CLOCK)
        standing_tasks.follow(ann.id, clock=CLOCK)
        service.apply(
            make_snapshot(
                store,
                external_id=order.external_id,
                revision=2,
                member_id=bob.id,
                total=700_000,
                points_used=500,
                coupons=[coupon.code for coupon in theirs],
                paid_at=NOW,
            ),
            clock=later,
        )
    assert max(sizes) <= MOST
    assert sizes[-1] > 50
    kept = order_of(order)
    assert kept.coupons is not None
    assert len(kept.coupons.redeemed) == 10
    # Tags for which there was no room follow at once.
    for member in (ann, bob):
        while standing_tasks.follow(member.id, clock=later):
            pass
    assert (len(member_now(ann.id).tags), len(member_now(bob.id).tags)) == (0, RULES)


def test_order_with_ten_coupons_that_waited_under_24_identities(
    store: Store, many_tags: None, three_hash_keys: None
) -> None:
    member = make_member(store)
    coupons = ten_coupons(member)
    phones = [make_identity(f"138001380{n:02d}", IdentityKind.PHONE) for n in range(8)]
    order = make_snapshot(
        store,
        buyer=phones,
        total=700_000,
        points_used=500,
        coupons=[coupon.code for coupon in coupons],
        paid_at=NOW,
    )
    service.apply(order, clock=CLOCK)
    known = member_service.IdentityChange(member_id=member.id, identity=phones[0])
    member_service.add_identity(known, viewer=SYSTEM)
    with transactions() as sizes:
        assert tasks.attach_waiting(member_service.claims_of(phones[0])[0], clock=CLOCK) == 1
    assert max(sizes) <= MOST
    assert sizes[-1] > 50
    assert order_of(order).member_id == member.id
