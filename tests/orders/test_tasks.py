"""What follows from a claimed identity, run twice."""

from graphql_api.members import service as members
from graphql_api.members.rules import Origin
from graphql_api.orders import repository, service, tasks
from graphql_api.stores.models import Store
from tests.calls import counted
from tests.factories import CLOCK, make_identity, make_member, make_shell, make_snapshot
from tests.orders.storage import everything, facts_of, first_purchases, order_of


def test_every_order_that_waited_comes_to_the_member_once(store: Store) -> None:
    buyer, stranger = make_identity(), make_identity()
    waiting = [make_snapshot(store, buyer=[buyer], total=100 * n) for n in (1, 2, 3)]
    other = make_snapshot(store, buyer=[stranger])
    for snapshot in (*waiting, other):
        service.apply(snapshot, clock=CLOCK)
    member = make_member(store, buyer)
    [claim] = members.claims_of(buyer)
    assert tasks.attach_waiting(claim, clock=CLOCK) == 3
    assert {order_of(snapshot).member_id for snapshot in waiting} == {member.id}
    assert order_of(other).member_id is None
    assert (facts_of(member.id).orders, facts_of(member.id).paid) == (3, 600)
    [effect] = first_purchases(member.id)
    assert effect.origin is Origin.LIVE
    before = everything()
    with counted() as calls:
        assert tasks.attach_waiting(claim, clock=CLOCK) == 0
    assert calls == {"Query": 1}
    assert everything() == before


def test_refund_of_an_order_that_waits_is_there_when_it_comes(store: Store) -> None:
    buyer = make_identity()
    snapshot = make_snapshot(store, buyer=[buyer])
    service.apply(snapshot, clock=CLOCK)
    service.apply(make_shell(external_id=snapshot.external_id), clock=CLOCK)
    member = make_member(store, buyer)
    [claim] = members.claims_of(buyer)
    tasks.attach_waiting(claim, clock=CLOCK)
    assert facts_of(member.id).refunded == 1_000


def test_identity_that_nobody_waits_for_brings_nothing(store: Store) -> None:
    before = everything()
    assert tasks.attach_waiting("OPENID#nobody", clock=CLOCK) == 0
    assert everything() == before


def test_order_goes_on_waiting_while_nobody_claims_its_identity(store: Store) -> None:
    snapshot = make_snapshot(store, buyer=[make_identity("openid-x")])
    service.apply(snapshot, clock=CLOCK)
    before = everything()
    assert tasks.attach_waiting("OPENID#openid-x", clock=CLOCK) == 0
    assert everything() == before
    assert repository.waiting_for("OPENID#openid-x") == [snapshot.order_id]


def test_order_that_is_not_known_is_not_attached(chain: str) -> None:
    assert service.attach(make_shell().order_id, clock=CLOCK) is None
