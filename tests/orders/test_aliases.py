"""Orders of members who were merged: the survivor has them, wherever they stand yet."""

from datetime import date, timedelta

import pytest

from graphql_api.errors import Invalid
from graphql_api.members.models import Member
from graphql_api.orders import repository, service
from graphql_api.orders.service import Snapshot
from graphql_api.stores.models import Store
from tests.factories import CLOCK, PAID_AT, make_member, make_refund, make_shell, make_snapshot
from tests.members.aliases import put_in_place_of
from tests.orders.storage import facts_of, member_now, order_of

DAY = date(2018, 1, 5)


def apply(snapshot: Snapshot) -> service.Applied:
    return service.apply(snapshot, clock=CLOCK)


def merged(loser: Member, survivor: Member) -> None:
    """The survivor has the loser's place and facts; the orders still stand under the loser."""
    put_in_place_of(member_now(survivor.id), member_now(loser.id))


@pytest.fixture
def loser_and_survivor(store: Store) -> tuple[Member, Member]:
    return make_member(store), make_member(store)


def test_order_that_names_an_alias_comes_to_the_survivor(
    store: Store, loser_and_survivor: tuple[Member, Member]
) -> None:
    loser, survivor = loser_and_survivor
    merged(loser, survivor)
    order = make_snapshot(store, member_id=loser.id)
    assert apply(order).order.member_id == survivor.id
    assert facts_of(survivor.id).paid == 10_000
    assert not apply(order).changed


def test_refund_of_an_order_that_stands_under_an_alias_takes_it_along(
    store: Store, loser_and_survivor: tuple[Member, Member]
) -> None:
    loser, survivor = loser_and_survivor
    first, last = (
        make_snapshot(store, member_id=loser.id, paid_at=PAID_AT + timedelta(days=n))
        for n in (0, 1)
    )
    apply(first)
    apply(last)
    merged(loser, survivor)
    # The last day goes away: what comes next is found under the alias.
    refund = make_shell(make_refund(amount=10_000), external_id=last.external_id)
    assert apply(refund).order.member_id == survivor.id
    facts = facts_of(survivor.id)
    assert (facts.orders, facts.paid, facts.refunded, facts.last_on) == (1, 20_000, 10_000, DAY)
    assert order_of(last).owner == survivor.id
    assert order_of(first).owner == loser.id
    assert [o.id for o in repository.all_of_member(member_now(survivor.id))] == [
        first.order_id,
        last.order_id,
    ]


def test_history_of_an_alias_is_that_of_the_survivor(
    store: Store, loser_and_survivor: tuple[Member, Member]
) -> None:
    loser, survivor = loser_and_survivor
    old = make_snapshot(store, member_id=loser.id)
    apply(old)
    merged(loser, survivor)
    new = make_snapshot(store, member_id=survivor.id)
    assert service.backfill(loser.id, [old, new], clock=CLOCK, job="j") == 2
    assert facts_of(survivor.id).orders == 2
    assert {order_of(one).owner for one in (old, new)} == {survivor.id}
    stranger = make_member(store)
    with pytest.raises(Invalid, match="names another member"):
        service.backfill(stranger.id, [new], clock=CLOCK, job="j")
