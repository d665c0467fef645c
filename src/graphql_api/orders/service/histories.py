"""A whole history taken in at once: folded in memory, written and decided on once."""

from collections.abc import Sequence
from dataclasses import dataclass

from graphql_api.errors import Conflict, Invalid
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.orders import buyers, repository, rules
from graphql_api.orders.models import Order
from graphql_api.orders.rules import State
from graphql_api.orders.service.applying import guide_of, note_first_purchase, write
from graphql_api.orders.service.commands import Snapshot
from graphql_api.orders.service.snapshots import facts_of, new_order, require_room, state_of
from graphql_api.standing import service as standing


def backfill(member_id: str, snapshots: Sequence[Snapshot], *, clock: Clock, job: str) -> int:
    """Fold a member's history in memory and write it once, with origin BACKFILL.

    Orders and facts are those of applying the snapshots one by one to this member; decisions are
    taken once, from the whole history. The member is locked by `job` meanwhile; a job that died is
    resumed by the same call. Gives how many orders were written. Raises Invalid for a snapshot that
    names another member or another's order, Conflict when somebody else has the lock.
    """
    history = _history(member_id, snapshots, clock)
    known = _known(list(history), member_id)
    member = member_service.lock(member_id, job, clock=clock)
    new = [_folded(told, member, clock) for id_, told in history.items() if id_ not in known]
    written = {order.id for order in new}
    others = [o for o in repository.all_of_member(member) if o.id not in written]
    repository.put_all(new)
    _settle(member, [*others, *new], job, clock)
    # What was stored before may move: that takes a transaction, one for each.
    newer = [
        _catch_up(id_, history[id_].state, member, clock)
        for id_, order in known.items()
        if order.member_id != member.id or history[id_].adds_to(order)
    ]
    return len(new) + sum(newer)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a history says of one order: the first snapshot of it, and all of them together."""

    snapshot: Snapshot
    state: State

    def adds_to(self, order: Order) -> bool:
        """Whether this says anything that the stored order does not."""
        return rules.merge(order.state, self.state) != order.state


def _history(member_id: str, snapshots: Sequence[Snapshot], clock: Clock) -> dict[str, _Told]:
    """What the snapshots say of each order, by its id; Invalid when one names another member."""
    history: dict[str, _Told] = {}
    for snapshot in snapshots:
        named = snapshot.body.member_id if snapshot.body else None
        if named is not None and not members.are_one(named, member_id):
            raise Invalid(f"Order {snapshot.external_id} names another member")
        told = history.get(snapshot.order_id, _Told(snapshot, State()))
        state = rules.merge(told.state, state_of(snapshot, clock))
        history[snapshot.order_id] = _Told(told.snapshot, state)
    gone = buyers.gone_of(told.state for told in history.values())
    for told in history.values():
        require_room(told.state)
    return {
        id_: _Told(told.snapshot, rules.without(told.state, gone)) for id_, told in history.items()
    }


def _known(order_ids: Sequence[str], member_id: str) -> dict[str, Order]:
    """Those of the orders that are stored; Invalid when one belongs to another member."""
    found = [order for order in repository.get_now(order_ids) if order is not None]
    for order in found:
        if order.member_id is not None and not members.are_one(order.member_id, member_id):
            raise Invalid(f"Order {order.external_id} belongs to another member")
    return {order.id: order for order in found}


def _folded(told: _Told, member: Member, clock: Clock) -> Order:
    """A new order of a history; a shell belongs to nobody until its body arrives."""
    order = new_order(told.snapshot, clock, Origin.BACKFILL, told.state)
    owned = told.state.body is not None
    order.exclusive_guide_id = guide_of(member, clock) if owned else None
    order.hold(told.state, member.id if owned else None)
    return order


def _settle(member: Member, orders: Sequence[Order], job: str, clock: Clock) -> None:
    """Write a locked member's facts from all of its orders, and let go of it."""
    facts = facts_of(orders)

    def attempt(tx: Transaction) -> None:
        current = members.get(member.id)
        if current is None or current.lock_owner != job:
            raise Conflict("The lock of this back-fill was lost")
        note_first_purchase(tx, current, facts, Origin.BACKFILL, clock)
        current.lock_owner = current.locked_until = None
        standing.take_in(tx, current, facts, clock=clock, origin=Origin.BACKFILL)
        members.save(tx, current)

    transact(attempt)


def _catch_up(order_id: str, told: State, member: Member, clock: Clock) -> bool:
    """Bring a stored order up to date, and to the member; whether that changed it."""

    def attempt(tx: Transaction) -> bool:
        order = repository.get(order_id)
        if order is None or order.member_id not in {None, member.id, *member.alias_ids}:
            return False
        if order.erased_at is not None:
            return False
        new = rules.merge(order.state, told)
        owner_id = member.id if new.body else None
        return write(tx, order, new, owner_id, clock, Origin.BACKFILL).changed

    return transact(attempt)
