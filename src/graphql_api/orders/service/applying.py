"""A snapshot taken in: the order, its member and what follows, in one transaction."""

from dataclasses import dataclass

from graphql_api.errors import NotFound
from graphql_api.kit.dynamo import Stale, Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import rules as member_rules
from graphql_api.members.models import Member
from graphql_api.members.rules import Contribution, EffectKind, Facts, Origin
from graphql_api.orders import buyers, repository, rules
from graphql_api.orders.buyers import Buyer
from graphql_api.orders.models import Order, size_of
from graphql_api.orders.rules import State
from graphql_api.orders.service.commands import Snapshot
from graphql_api.orders.service.following import follow
from graphql_api.orders.service.snapshots import (
    check_references,
    gives,
    new_order,
    require_room,
    state_of,
)
from graphql_api.standing import service as standing
from graphql_api.viewer import SYSTEM, Viewer

ABSORBED_AT_ONCE = 25  # three writes for each
_ABSORBED_BYTES = 2_000_000  # of the 4 MB that DynamoDB allows a transaction
_NO_JOB = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a snapshot: the order, and whether anything changed."""

    order: Order
    changed: bool


def apply(
    snapshot: Snapshot, *, clock: Clock, viewer: Viewer = SYSTEM, origin: Origin = Origin.LIVE
) -> Applied:
    """Take in a snapshot: the order, its member's facts and the effects, in one transaction.

    A snapshot that says nothing new changes nothing. Refuses an unknown store, guide or member, an
    order of a store out of reach, a payment later than tomorrow, and more than an item can hold;
    raises Conflict when the member stays busy to the deadline.
    """
    incoming = state_of(snapshot, clock)
    check_references(snapshot, viewer)
    try:
        return transact(lambda tx: _apply(tx, snapshot, incoming, viewer, clock, origin))
    except NotFound:
        if not buyers.forgotten(snapshot.order_id, incoming, at=clock.now()):
            raise
    # Whose it was is erased: the books keep the order, and it is nobody's.
    incoming = rules.anonymous(incoming)
    return transact(lambda tx: _apply(tx, snapshot, incoming, viewer, clock, origin, erased=True))


def attach(order_id: str, *, clock: Clock, origin: Origin = Origin.LIVE) -> Applied | None:
    """Look for the member of an order that has none, now that an identity was claimed."""

    def attempt(tx: Transaction) -> Applied | None:
        order = repository.get(order_id)
        if order is None or order.member_id is not None:
            return None if order is None else Applied(order, changed=False)
        buyer = buyers.find(order.state)
        return write(tx, order, order.state, buyer.member_id, clock, origin)

    return transact(attempt)


def absorb(tx: Transaction, survivor_id: str, loser_id: str) -> list[str]:
    """Put the next orders of a member under the one they are; their ids, none where none are left.

    Nothing else of an order changes. What they gave is in the facts of both already: see `unite`.
    """
    moved: list[str] = []
    room = _ABSORBED_BYTES
    for order in repository.some_of_member(loser_id, at_most=ABSORBED_AT_ONCE):
        room -= size_of(order.state)
        if moved and room < 0:
            break
        was_at = order.key
        order.hold(order.state, survivor_id)
        repository.save(tx, order, was_at=was_at)
        moved.append(order.id)
    return moved


def _apply(
    tx: Transaction,
    snapshot: Snapshot,
    incoming: State,
    viewer: Viewer,
    clock: Clock,
    origin: Origin,
    *,
    erased: bool = False,
) -> Applied:
    order = repository.get(snapshot.order_id)
    if order is not None and order.store_id and not viewer.reaches_store(order.store_id):
        raise NotFound("There is no such order", field=("input", "external_id"))
    old = order.state if order else State()
    if order is not None and order.erased_at is not None:
        incoming = rules.anonymous(incoming)
    new = rules.merge(old, incoming)
    buyer = Buyer(new, order.member_id if order else None)
    if new.body != old.body:
        buyer = buyers.find(new)
    if order is not None and buyer.state == old:
        return Applied(order, changed=False)
    require_room(buyer.state)
    if order is None:
        order = new_order(snapshot, clock, origin, new)
    if erased or buyer.erased:
        order.erased_at = order.erased_at or clock.now()
    return write(tx, order, buyer.state, buyer.member_id, clock, origin)


def write(
    tx: Transaction, order: Order, new: State, member_id: str | None, clock: Clock, origin: Origin
) -> Applied:
    """Add to the transaction what an order's new state and owner make of everything it touches."""
    old = order.state
    if new == old and member_id == order.member_id:
        return Applied(order, changed=False)
    before = gives(order, old)
    after = gives(order, new)
    touched = _touched(order.member_id, member_id, clock)
    left, owner = touched.get(order.member_id), touched.get(member_id)
    size = tx.size
    follow(tx, order, new, left, owner, clock=clock, origin=origin)
    followed = tx.size > size
    order.origin = origin
    _keep(tx, order, new, owner, clock, stays=left is owner)
    for member in {member.id: member for member in touched.values()}.values():
        taken = before if member is left else None
        given = after if member is owner else None
        facts = _changed(member, order.id, taken, given)
        _write_member(tx, member, facts, origin, clock, followed=followed)
    return Applied(order, changed=True)


def _touched(old_id: str | None, new_id: str | None, clock: Clock) -> dict[str | None, Member]:
    """The members that an order leaves, stays with or comes to, free to be decided on, by id.

    One who was merged stands for the other too: then the order leaves and comes to the same item.
    """
    wanted = sorted({id_ for id_ in (old_id, new_id) if id_ is not None})
    pairs = zip(wanted, members.get_now(wanted), strict=True)
    found: dict[str | None, Member] = {id_: member for id_, member in pairs if member}
    if len(found) < len(wanted):
        raise NotFound("There is no such member", field=("input", "body", "member_id"))
    now = clock.now()
    for member in found.values():
        if member_rules.held_by_another(member.lock_owner, member.locked_until, _NO_JOB, now):
            raise Stale
        # A lock that ran out is gone, or its job would settle facts that it read before this order.
        member.lock_owner = member.locked_until = None
    return found


def _changed(
    member: Member, order_id: str, before: Contribution | None, after: Contribution | None
) -> Facts:
    """The facts of a member when what one order gives has changed."""
    facts = member_rules.change(member.facts, before, after)
    if facts is not None:
        return facts
    others = [o for o in repository.all_of_member(member) if o.id != order_id]
    given = [gives(o, o.state) for o in others]
    return member_rules.derive(c for c in (*given, after) if c is not None)


def _write_member(
    tx: Transaction, member: Member, facts: Facts, origin: Origin, clock: Clock, *, followed: bool
) -> None:
    """Add a member with new facts, and what is decided of them.

    Where facts stay the same the member is written only for points and coupons that `followed`.
    """
    if facts != member.facts:
        note_first_purchase(tx, member, facts, origin, clock)
        standing.take_in(tx, member, facts, clock=clock, origin=origin)
    elif not followed:
        members.require_unmoved(tx, member)
        return
    members.save(tx, member)


def note_first_purchase(
    tx: Transaction, member: Member, facts: Facts, origin: Origin, clock: Clock
) -> None:
    """A first purchase is an effect once, whatever is refunded or arrives later."""
    if member.facts.orders or not facts.orders:
        return
    if not members.has_effect(member.id, EffectKind.FIRST_PURCHASE, "-"):
        kind, day = EffectKind.FIRST_PURCHASE, clock.today()
        members.put_effect(tx, member.id, kind, "-", origin=origin, day=day)


def _keep(
    tx: Transaction, order: Order, new: State, owner: Member | None, clock: Clock, *, stays: bool
) -> None:
    """Add the order itself to the transaction, in its new state and with its owner."""
    is_new, was_at = order.version is None, order.key
    member_id = owner.id if owner else None
    waited = _waited_for(order.state, order.member_id)
    _wait(tx, order.id, waited, _waited_for(new, member_id))
    if not stays:
        order.exclusive_guide_id = guide_of(owner, clock) if owner else None
    order.hold(new, member_id)
    if is_new:
        repository.create(tx, order)
    else:
        repository.save(tx, order, was_at=was_at)


def guide_of(member: Member, clock: Clock) -> str | None:
    """Who looks after a member as an order of theirs is recorded: nobody where that ran out."""
    owned = member.owned_on(clock.today())
    return owned.guide_id if owned else None


def _waited_for(state: State, member_id: str | None) -> set[str]:
    """The identities that an order waits for: those of its buyer, while it has no member."""
    return set(state.body.buyer) if state.body and member_id is None else set()


def _wait(tx: Transaction, order_id: str, old: set[str], new: set[str]) -> None:
    """Keep the rows of the identities that an order waits for.

    The transaction holds to nobody having a new one of them, so that whoever claims it later finds
    the row.
    """
    for claim in sorted(new - old):
        members.require_unclaimed(tx, claim)
        repository.wait(tx, claim, order_id)
    for claim in sorted(old - new):
        repository.stop_waiting(tx, claim, order_id)
