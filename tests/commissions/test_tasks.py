"""Rows follow the stream of orders once, in any sequence; time settles them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graphql_api.commissions import repository, rules, tasks
from graphql_api.commissions.models import FirstOrder
from graphql_api.guides.models import Guide
from graphql_api.kit.dynamo import Transaction
from graphql_api.members.rules import Origin
from graphql_api.merges.service import MembersMerge, merge
from graphql_api.orders import repository as order_repository
from graphql_api.orders import service as orders
from graphql_api.ownership import service as ownership
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import SHIPPED_COMMISSION, PolicyKind
from graphql_api.privacy import service as privacy
from graphql_api.privacy import tasks as privacy_tasks
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.calls import counted
from tests.commissions.storage import (
    applied,
    drifted,
    everything,
    followed,
    image_of,
    month,
    on,
    rows,
    summed,
    told,
)
from tests.factories import (
    CLOCK,
    PAID_AT,
    make_guide,
    make_member,
    make_refund,
    make_shell,
    make_snapshot,
)
from tests.policies.factories import make_draft, publish

BEFORE, SETTLED_ON, AFTER = on("2018-01-19"), on("2018-01-20"), on("2018-02-03")


def settle(day: Any = SETTLED_ON) -> int:
    return tasks.settle(day.today())


def test_order_is_a_row_that_waits_and_counts_for_guide_and_store(
    store: Store, guide: Guide
) -> None:
    order = applied(make_snapshot(store, guide_id=guide.id))
    policies.remembered(PolicyKind.COMMISSION)
    with counted() as calls:
        assert tasks.follow(order, clock=CLOCK) == 1
    assert calls == {"BatchGetItem": 2, "TransactWriteItems": 1}
    [row] = rows()
    assert told() == [("2018-01-05", "SELLING", 150, "PENDING")]
    assert (row.order_id, row.order_version, row.level) == (order.id, 1, 5)
    assert month(guide.id) == month(store.id) == (150, 0, 0)
    stored = everything()
    assert tasks.follow(order, clock=CLOCK) == 0
    assert everything() == stored


def test_refund_before_settlement_lessens_what_waits(store: Store, guide: Guide) -> None:
    order = make_snapshot(store, guide_id=guide.id)
    followed(order)
    followed(make_shell(make_refund(amount=4_000), external_id=order.external_id))
    assert [fen for _, _, fen, _ in told()] == [150, -60]
    assert month(guide.id) == (90, 0, 0)
    assert settle() == 1
    assert (month(guide.id), {state for *_, state in told()}) == ((0, 90, 0), {"SETTLED"})


def test_settlement_waits_for_its_day_and_happens_once(store: Store, guide: Guide) -> None:
    followed(make_snapshot(store, guide_id=guide.id))
    assert settle(BEFORE) == 0
    assert month(guide.id) == (150, 0, 0)
    assert settle() == 1
    stored = everything()
    assert (month(guide.id), month(store.id)) == ((0, 150, 0), (0, 150, 0))
    assert [str(row.settled_on) for row in rows()] == ["2018-01-20"]
    assert settle() == 0
    assert everything() == stored


def test_refund_after_settlement_is_a_negative_row_of_its_month(store: Store, guide: Guide) -> None:
    order = make_snapshot(store, guide_id=guide.id)
    followed(order)
    settle()
    back = make_refund(amount=10_000, at=AFTER.now())
    followed(make_shell(back, external_id=order.external_id), clock=AFTER)
    assert told() == [
        ("2018-01-05", "SELLING", 150, "SETTLED"),
        ("2018-02-03", "SELLING", -150, "REVERSED"),
    ]
    assert (month(guide.id), month(guide.id, "2018-02")) == ((0, 150, 0), (0, 0, -150))
    assert drifted() == {}


def test_older_version_that_comes_late_changes_nothing(store: Store, guide: Guide) -> None:
    snapshot = make_snapshot(store, guide_id=guide.id)
    first = applied(snapshot)
    second = applied(make_shell(make_refund(amount=4_000), external_id=snapshot.external_id))
    assert [tasks.follow(order, clock=CLOCK) for order in (second, first, second)] == [1, 0, 0]
    assert month(guide.id) == (90, 0, 0)


def test_guide_who_was_taken_off_earns_nothing_though_the_first_version_comes_last(
    store: Store, guide: Guide
) -> None:
    snapshot = make_snapshot(store, guide_id=guide.id)
    first = applied(snapshot)
    second = applied(make_snapshot(store, external_id=snapshot.external_id, revision=2))
    for order in (second, first):
        tasks.follow(order, clock=CLOCK)
    assert rows() == []


def test_order_that_nobody_earns_by_costs_no_write(store: Store) -> None:
    with counted() as calls:
        order = applied(make_snapshot(store))
        calls.clear()
        assert tasks.follow(order, clock=CLOCK) == 0
    assert calls == {"BatchGetItem": 1}
    assert everything() == []


def test_shell_waits_for_its_body(store: Store, guide: Guide) -> None:
    shell = make_shell(make_refund(amount=4_000))
    followed(shell)
    assert everything() == []
    followed(make_snapshot(store, external_id=shell.external_id, guide_id=guide.id))
    assert month(guide.id) == (90, 0, 0)


def test_history_gives_nothing_whatever_comes_of_it(store: Store, guide: Guide) -> None:
    member = make_member(store, guide_id=guide.id)
    old = make_snapshot(store, guide_id=guide.id, member_id=member.id)
    orders.backfill(member.id, [old], clock=CLOCK, job="j")
    [stored] = order_repository.all_of_member(member)
    tasks.follow(image_of(stored), clock=CLOCK)
    order = followed(make_shell(make_refund(), external_id=old.external_id))
    assert (order.origin, everything()) == (Origin.LIVE, [])


def test_own_guide_shares_and_a_hand_over_moves_nothing(store: Store, guide: Guide) -> None:
    colleague = make_guide(store, "陈静", level=9)
    member = make_member(store, guide_id=colleague.id)
    order = make_snapshot(store, guide_id=guide.id, member_id=member.id)
    followed(order)
    assert (month(guide.id), month(colleague.id)) == ((605, 0, 0), (60, 0, 0))
    taken = ownership.TakeOver(member_id=member.id, guide_id=guide.id, force=True)
    ownership.take_over(taken, viewer=SYSTEM, clock=CLOCK)
    followed(make_shell(make_refund(amount=5_000), external_id=order.external_id))
    assert (month(guide.id), month(colleague.id)) == ((552, 0, 0), (30, 0, 0))


def test_terms_are_those_of_when_it_first_counted(store: Store, guide: Guide) -> None:
    order = make_snapshot(store, guide_id=guide.id)
    followed(order)
    rates = {"levels": [{"fromLevel": 1, "basisPoints": 1_000}], "settleDays": 1}
    publish(make_draft(PolicyKind.COMMISSION, rates))
    policies.forget()
    followed(make_shell(make_refund(amount=4_000), external_id=order.external_id))
    assert month(guide.id) == (90, 0, 0)
    followed(make_snapshot(store, guide_id=guide.id))
    assert month(guide.id) == (1_090, 0, 0)
    assert {int(row.policy_version) for row in rows()} == {0, 1}


def test_first_purchase_gives_a_bonus_once(store: Store, guide: Guide) -> None:
    member = make_member(store)
    more = {"guide_id": guide.id, "member_id": member.id}
    second = applied(make_snapshot(store, **more, paid_at=PAID_AT.replace(hour=5)))
    first = make_snapshot(store, **more)
    tasks.follow(applied(first), clock=CLOCK)
    tasks.follow(second, clock=CLOCK)
    followed(make_snapshot(store, **more, paid_at=PAID_AT.replace(hour=3)))
    assert [r.order_id for r in rows() if r.kind == "NEW_MEMBER"] == [first.order_id]
    followed(make_shell(make_refund(amount=10_000), external_id=first.external_id))
    bonus = [(r.order_version, int(r.amount)) for r in rows() if r.kind == "NEW_MEMBER"]
    assert bonus == [(1, 500), (2, -500)]


def test_order_of_nobody_gives_the_bonus_when_its_member_is_known(
    store: Store, guide: Guide
) -> None:
    nobodys = make_snapshot(store, guide_id=guide.id)
    followed(nobodys)
    member = make_member(store)
    told_again: dict[str, Any] = {"external_id": nobodys.external_id, "revision": 2}
    followed(make_snapshot(store, guide_id=guide.id, member_id=member.id, **told_again))
    assert [(k, fen) for _, k, fen, _ in told()] == [("SELLING", 150), ("NEW_MEMBER", 500)]


def test_members_who_become_one_keep_what_their_orders_gave(store: Store, guide: Guide) -> None:
    survivor, loser = make_member(store), make_member(store)
    order = make_snapshot(store, guide_id=guide.id, member_id=loser.id)
    followed(order)
    two = MembersMerge(survivor_id=survivor.id, loser_id=loser.id, reason="同一个人")
    merge(two, viewer=SYSTEM, clock=CLOCK)
    [moved] = order_repository.all_of_member(survivor)
    tasks.follow(image_of(moved), clock=CLOCK)
    followed(make_snapshot(store, guide_id=guide.id, member_id=survivor.id))
    assert month(guide.id) == (800, 0, 0)


def test_person_is_forgotten_and_the_books_stay(store: Store, guide: Guide) -> None:
    member = make_member(store, guide_id=guide.id)
    order = make_snapshot(store, guide_id=guide.id, member_id=member.id)
    followed(order)
    job = privacy.erase(member.id, viewer=SYSTEM, clock=CLOCK)
    privacy_tasks.run(job.id, clock=CLOCK)
    [stored] = order_repository.get_many([order.order_id])
    assert stored is not None
    assert (tasks.follow(image_of(stored), clock=CLOCK), month(guide.id)) == (0, (650, 0, 0))
    assert FirstOrder.count(member.id) == 0
    followed(make_shell(make_refund(amount=10_000), external_id=order.external_id))
    assert month(guide.id) == (0, 0, 0)


class PowerCut(Exception):
    """The process is gone."""


@contextmanager
def power_for(transactions: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let so many transactions be written, and cut the power before the next."""
    left, commit = [transactions], Transaction.commit

    def counted_commit(self: Transaction) -> bool:
        if not left[0]:
            raise PowerCut
        left[0] -= 1
        return commit(self)

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "commit", counted_commit)
        yield


@pytest.mark.parametrize("written", [0, 1])
def test_settlement_that_was_killed_ends_as_one_that_was_not(
    store: Store, guide: Guide, written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = make_snapshot(store, guide_id=guide.id)
    followed(snapshot)
    for n in range(21):
        back = make_refund(f"r{n:02d}", amount=100)
        followed(make_shell(back, external_id=snapshot.external_id))
    with pytest.raises(PowerCut), power_for(written, monkeypatch):
        settle()
    refund = make_refund("late", amount=900)
    followed(make_shell(refund, external_id=snapshot.external_id), clock=SETTLED_ON)
    settle()
    assert month(guide.id) == (0, 105, 0)
    assert ({r.state for r in rows()}, drifted()) == ({rules.CommissionState.SETTLED}, {})


def test_version_that_was_killed_is_followed_when_it_comes_again(
    store: Store, guide: Guide, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = applied(make_snapshot(store, guide_id=guide.id))
    with pytest.raises(PowerCut), power_for(0, monkeypatch):
        tasks.follow(order, clock=CLOCK)
    assert everything() == []
    assert tasks.follow(order, clock=CLOCK) == 1


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_rows_come_to_what_the_last_version_earns(
    store: Store, guide: Guide, data: st.DataObject
) -> None:
    """In any sequence, however often, and wherever the settlement falls."""
    snapshot = make_snapshot(store, guide_id=guide.id)
    versions = [applied(snapshot)]
    for n, fen in enumerate(data.draw(st.lists(st.integers(1, 6_000), max_size=3))):
        back = make_refund(f"r{n}", amount=fen, at=AFTER.now())
        versions.append(applied(make_shell(back, external_id=snapshot.external_id), clock=AFTER))
    delivered = data.draw(st.lists(st.sampled_from(versions), max_size=5))
    delivered.append(versions[-1])
    settled_after = data.draw(st.integers(0, len(delivered)))
    for n, order in enumerate(delivered):
        tasks.follow(order, clock=AFTER)
        if n == settled_after:
            tasks.settle(AFTER.today())
    last = rules.sale_of(versions[-1].state, None)
    due = rules.commission_of(last, SHIPPED_COMMISSION, {guide.id: 5}, first=False)
    mine = [row for row in rows() if row.order_id == snapshot.order_id]
    assert summed(mine) == due
    books = repository.ledger_of(snapshot.order_id)
    assert books is not None
    assert books.ledger.amounts == due
    assert drifted() == {}
