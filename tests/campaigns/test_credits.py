"""Campaigns are credited with orders from their stream, once, and refunds take it back."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graphql_api.campaigns import models, repository, tasks
from graphql_api.campaigns.models import Campaign, CreditRow, CreditSum
from graphql_api.campaigns.rules import Brought
from graphql_api.members.models import Member
from graphql_api.merges.service import MembersMerge, merge
from graphql_api.orders import repository as order_repository
from graphql_api.orders import service as orders
from graphql_api.orders.models import Order
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import PolicyKind
from graphql_api.privacy import service as privacy
from graphql_api.privacy import tasks as privacy_tasks
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.calls import counted
from tests.campaigns.factories import make_running, take_part
from tests.campaigns.storage import everything
from tests.commissions.storage import applied, image_of
from tests.factories import (
    CLOCK,
    PAID_AT,
    make_member,
    make_refund,
    make_shell,
    make_snapshot,
)
from tests.policies.factories import make_draft, publish

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def member(store: Store) -> Member:
    """A member of the store."""
    return make_member(store)


@pytest.fixture
def campaign(store: Store, member: Member) -> Campaign:
    """A campaign that the member joined an hour before the order is paid."""
    return joined(member, "春茶节", before=HOUR)


def joined(member: Member, name: str, *, before: timedelta, state: str = "JOINED") -> Campaign:
    """A campaign in which a member takes part, so long before the order is paid."""
    found = make_running(name, starts_at=PAID_AT - 20 * DAY)
    take_part(found, member, at=PAID_AT - before, state=state)
    return found


def credited(snapshot: orders.Snapshot) -> Order:
    """The version of an order that a snapshot makes, and what it is credited to."""
    order = applied(snapshot)
    tasks.credit(order, clock=CLOCK)
    return order


def brought(campaign: Campaign) -> Brought:
    [found] = repository.brought_by([campaign.id])
    return found


def rows() -> list[CreditRow]:
    found = CreditRow.scan(CreditRow.id.startswith(models.CREDIT), consistent_read=True)
    return sorted(found, key=lambda row: (row.order_id, row.order_version, row.campaign_id))


def drifted() -> dict[str, Any]:
    """Campaigns whose sums are not what their rows come to."""
    due, held = Counter[str](), Counter[str]()
    for row in rows():
        due[row.campaign_id + "#orders"] += int(row.orders)
        due[row.campaign_id + "#net"] += int(row.net)
    for part in CreditSum.scan(CreditSum.sort.startswith(models.CREDIT), consistent_read=True):
        held[part.id + "#orders"] += int(part.orders)
        held[part.id + "#net"] += int(part.net)
    return {key: (due[key], held[key]) for key in {*due, *held} if due[key] != held[key]}


def part_of(campaign: Campaign, member: Member) -> tuple[str, int | None, str | None]:
    """State, orders that converted, and the state before."""
    [part] = repository.get_participations(campaign.id, [member.id])
    assert part is not None
    count = part.converting_orders
    before = part.state_before.value if part.state_before else None
    return part.state.value, None if count is None else int(count), before


def test_order_is_credited_to_the_last_campaign_and_converts_the_part(
    store: Store, member: Member, campaign: Campaign
) -> None:
    earlier = joined(member, "会员日", before=3 * DAY)
    order = applied(make_snapshot(store, member_id=member.id))
    policies.remembered(PolicyKind.ATTRIBUTION)
    with counted() as calls:
        assert tasks.credit(order, clock=CLOCK) == 1
    # Its credit, the member (twice), the member's parts, and the one to convert.
    assert calls == {"BatchGetItem": 5, "Query": 1, "TransactWriteItems": 1}
    assert (brought(campaign), brought(earlier)) == (Brought(1, 10_000), Brought())
    assert part_of(campaign, member) == ("CONVERTED", 1, "JOINED")
    assert part_of(earlier, member) == ("JOINED", None, None)
    stored = everything()
    assert tasks.credit(order, clock=CLOCK) == 0
    assert everything() == stored


def test_policy_may_credit_every_campaign(store: Store, member: Member, campaign: Campaign) -> None:
    earlier = joined(member, "会员日", before=3 * DAY, state="INVITED")
    publish(make_draft(PolicyKind.ATTRIBUTION, {"credit": "ALL"}))
    policies.forget()
    credited(make_snapshot(store, member_id=member.id))
    assert brought(campaign) == brought(earlier) == Brought(1, 10_000)
    assert part_of(earlier, member) == ("CONVERTED", 1, "INVITED")


def test_refunds_take_back_what_was_credited(
    store: Store, member: Member, campaign: Campaign
) -> None:
    one, other = (make_snapshot(store, member_id=member.id) for _ in range(2))
    for order in (one, other):
        credited(order)
    credited(make_shell(make_refund(amount=4_000), external_id=one.external_id))
    assert brought(campaign) == Brought(2, 16_000)
    credited(make_shell(make_refund("r2", amount=6_000), external_id=one.external_id))
    assert (brought(campaign), part_of(campaign, member)) == (
        Brought(1, 10_000),
        ("CONVERTED", 1, "JOINED"),
    )
    credited(make_shell(make_refund(amount=10_000), external_id=other.external_id))
    assert (brought(campaign), part_of(campaign, member)) == (Brought(), ("JOINED", None, None))
    assert [(int(row.orders), int(row.net)) for row in rows() if row.order_id == one.order_id] == [
        (1, 10_000),
        (0, -4_000),
        (-1, -6_000),
    ]


def test_what_was_decided_stays_when_more_is_known_later(
    store: Store, member: Member, campaign: Campaign
) -> None:
    order = make_snapshot(store, member_id=member.id)
    credited(order)
    later = joined(member, "会员日", before=HOUR / 2)
    publish(make_draft(PolicyKind.ATTRIBUTION, {"windowDays": 0, "credit": "ALL"}))
    policies.forget()
    credited(make_shell(make_refund(amount=4_000), external_id=order.external_id))
    assert (brought(campaign), brought(later)) == (Brought(1, 6_000), Brought())


def test_older_version_and_one_of_nobody_change_nothing(
    store: Store, member: Member, campaign: Campaign
) -> None:
    snapshot = make_snapshot(store, member_id=member.id)
    first = applied(snapshot)
    second = applied(make_shell(make_refund(amount=4_000), external_id=snapshot.external_id))
    nobodys = applied(make_snapshot(store))
    found = [tasks.credit(order, clock=CLOCK) for order in (second, first, second, nobodys)]
    assert (found, brought(campaign)) == ([1, 0, 0, 0], Brought(1, 6_000))


def test_order_that_comes_to_another_member_is_credited_anew(
    store: Store, member: Member, campaign: Campaign
) -> None:
    other = make_member(store)
    take_part(campaign, other, at=PAID_AT - HOUR)
    order = make_snapshot(store, member_id=member.id)
    credited(order)
    moved: dict[str, Any] = {"external_id": order.external_id, "revision": 2}
    credited(make_snapshot(store, member_id=other.id, **moved))
    assert brought(campaign) == Brought(1, 10_000)
    assert part_of(campaign, member) == ("JOINED", None, None)
    assert part_of(campaign, other) == ("CONVERTED", 1, "JOINED")


def test_history_is_credited_to_nobody(store: Store, member: Member, campaign: Campaign) -> None:
    old = make_snapshot(store, member_id=member.id)
    orders.backfill(member.id, [old], clock=CLOCK, job="j")
    [stored] = order_repository.all_of_member(member)
    tasks.credit(image_of(stored), clock=CLOCK)
    credited(make_shell(make_refund(), external_id=old.external_id))
    assert (rows(), brought(campaign)) == ([], Brought())


def test_members_who_become_one_keep_their_parts_and_what_they_brought(
    store: Store, member: Member, campaign: Campaign
) -> None:
    survivor = make_member(store)
    take_part(campaign, survivor, at=PAID_AT - 2 * HOUR)
    one = make_snapshot(store, member_id=member.id)
    other = make_snapshot(store, member_id=survivor.id)
    for order in (one, other):
        credited(order)
    two = MembersMerge(survivor_id=survivor.id, loser_id=member.id, reason="同一个人")
    merge(two, viewer=SYSTEM, clock=CLOCK)
    assert part_of(campaign, survivor) == ("CONVERTED", 2, "JOINED")
    credited(make_shell(make_refund(amount=10_000), external_id=one.external_id))
    assert (brought(campaign), part_of(campaign, survivor)) == (
        Brought(1, 10_000),
        ("CONVERTED", 1, "JOINED"),
    )


def test_person_is_forgotten_and_the_campaign_keeps_what_they_brought(
    store: Store, member: Member, campaign: Campaign
) -> None:
    order = make_snapshot(store, member_id=member.id)
    credited(order)
    job = privacy.erase(member.id, viewer=SYSTEM, clock=CLOCK)
    privacy_tasks.run(job.id, clock=CLOCK)
    [stored] = order_repository.get_many([order.order_id])
    assert stored is not None
    tasks.credit(image_of(stored), clock=CLOCK)
    held = repository.credits_of(order.order_id)
    assert held is not None
    assert (held.member_id, brought(campaign)) == (None, Brought(1, 10_000))
    credited(make_shell(make_refund(amount=10_000), external_id=order.external_id))
    assert (brought(campaign), drifted()) == (Brought(), {})


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_rows_come_to_what_the_last_version_brought(
    store: Store, member: Member, campaign: Campaign, data: st.DataObject
) -> None:
    """In any sequence, however often."""
    snapshot = make_snapshot(store, member_id=member.id)
    versions = [applied(snapshot)]
    for n, fen in enumerate(data.draw(st.lists(st.integers(1, 6_000), max_size=3))):
        back = make_refund(f"r{n}", amount=fen)
        versions.append(applied(make_shell(back, external_id=snapshot.external_id)))
    delivered = data.draw(st.lists(st.sampled_from(versions), max_size=4))
    for order in [*delivered, versions[-1]]:
        tasks.credit(order, clock=CLOCK)
    net = versions[-1].net
    mine = [row for row in rows() if row.order_id == snapshot.order_id]
    assert sum(int(row.net) for row in mine) == net
    assert sum(int(row.orders) for row in mine) == (1 if net else 0)
    assert drifted() == {}
