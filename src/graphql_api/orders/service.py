"""The only door for purchases and refunds, whoever knocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from graphql_api.errors import Conflict, Invalid, LimitExceeded, NotFound
from graphql_api.guides import repository as guides
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Stale, Transaction, transact
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members import repository as members
from graphql_api.members import rules as member_rules
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Contribution, EffectKind, Facts, Origin
from graphql_api.orders import buyers, repository, rules
from graphql_api.orders.buyers import Buyer
from graphql_api.orders.models import Order, size_of
from graphql_api.orders.rules import Body, Line, OrderChannel, Refund, RefundLine, State
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import GrowthPolicy, PolicyKind
from graphql_api.standing import service as standing
from graphql_api.stores import repository as stores
from graphql_api.viewer import SYSTEM, Viewer

MAX_LINES = 200
MAX_REFUNDS = 50
MAX_FEN = 10**12
MAX_BYTES = 380_000  # of the 409,600 that DynamoDB allows an item
ABSORBED_AT_ONCE = 25  # three writes for each
_ABSORBED_BYTES = 2_000_000  # of the 4 MB that DynamoDB allows a transaction
_MAX_REVISION = 2**62
_CLOCK_SKEW = timedelta(days=1)
_FIRST_INSTANT, _LAST_INSTANT = (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 2200))
_NO_JOB = ""

Fen = Annotated[int, Field(ge=0, le=MAX_FEN)]
Revision = Annotated[int, Field(ge=0, le=_MAX_REVISION)]
ExternalId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]
Source = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Text = Annotated[str, StringConstraints(max_length=200)]
Instant = Annotated[AwareDatetime, Field(ge=_FIRST_INSTANT, lt=_LAST_INSTANT)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SnapshotLine(_Command):
    """One line as the vendor tells it; fen."""

    item_id: ExternalId
    name: Text = ""
    category: Text = ""
    quantity: int = Field(default=1, ge=0, le=10**6)
    amount: Fen


class SnapshotRefundLine(_Command):
    """What was refunded of one item; fen."""

    item_id: ExternalId
    amount: Fen


class SnapshotRefund(_Command):
    """One refund as the vendor tells it; fen."""

    id: ExternalId
    revision: Revision
    at: Instant
    amount: Fen
    lines: list[SnapshotRefundLine] = Field(default_factory=list, max_length=MAX_LINES)

    @model_validator(mode="after")
    def _lines_fit_the_amount(self) -> Self:
        if sum(line.amount for line in self.lines) > self.amount:
            raise ValueError("the lines of a refund come to more than its amount")
        return self


class SnapshotBody(_Command):
    """The order as the vendor tells it; `total` is fen paid, the sum of the lines if unset."""

    revision: Revision
    paid_at: Instant
    total: Fen | None = None
    channel: OrderChannel = OrderChannel.STORE
    store_id: str
    guide_id: str | None = None
    member_id: str | None = None
    buyer: list[member_service.NewIdentity] = Field(default_factory=list, max_length=8)
    lines: list[SnapshotLine] = Field(default_factory=list, max_length=MAX_LINES)


class Snapshot(_Command):
    """What a source knows of one order now: its body, refunds, or both."""

    source: Source
    external_id: ExternalId
    body: SnapshotBody | None = None
    refunds: list[SnapshotRefund] = Field(default_factory=list, max_length=MAX_REFUNDS)

    @field_validator("refunds")
    @classmethod
    def _stand_once(cls, refunds: list[SnapshotRefund]) -> list[SnapshotRefund]:
        if len({refund.id for refund in refunds}) < len(refunds):
            raise ValueError("a refund stands once in a snapshot")
        return refunds

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.body is None and not self.refunds:
            raise ValueError("a snapshot has a body or a refund")
        return self

    @property
    def order_id(self) -> str:
        """The id that this order has in this chain, known before it is stored."""
        return ids.derived_id("ord", self.source, self.external_id)


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
    incoming = _state(snapshot, clock)
    _check_references(snapshot, viewer)
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
        return _write(tx, order, order.state, buyer.member_id, clock, origin)

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
        state = rules.merge(told.state, _state(snapshot, clock))
        history[snapshot.order_id] = _Told(told.snapshot, state)
    gone = buyers.gone_of(told.state for told in history.values())
    for told in history.values():
        _require_room(told.state)
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
    order = _new_order(told.snapshot, clock, Origin.BACKFILL, told.state)
    owned = told.state.body is not None
    order.exclusive_guide_id = _guide_of(member, clock) if owned else None
    order.hold(told.state, member.id if owned else None)
    return order


def _settle(member: Member, orders: Sequence[Order], job: str, clock: Clock) -> None:
    """Write a locked member's facts from all of its orders, and let go of it."""
    given = [_gives(order, order.state) for order in orders]
    facts = member_rules.derive(c for c in given if c is not None)

    def attempt(tx: Transaction) -> None:
        current = members.get(member.id)
        if current is None or current.lock_owner != job:
            raise Conflict("The lock of this back-fill was lost")
        _note_first_purchase(tx, current, facts, Origin.BACKFILL, clock)
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
        return _write(tx, order, new, owner_id, clock, Origin.BACKFILL).changed

    return transact(attempt)


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
    _require_room(buyer.state)
    if order is None:
        order = _new_order(snapshot, clock, origin, new)
    if erased or buyer.erased:
        order.erased_at = order.erased_at or clock.now()
    return _write(tx, order, buyer.state, buyer.member_id, clock, origin)


def _write(
    tx: Transaction, order: Order, new: State, member_id: str | None, clock: Clock, origin: Origin
) -> Applied:
    """Add to the transaction what an order's new state and owner make of everything it touches."""
    old = order.state
    if new == old and member_id == order.member_id:
        return Applied(order, changed=False)
    before = _gives(order, old)
    after = _gives(order, new)
    touched = _touched(order.member_id, member_id, clock)
    left, owner = touched.get(order.member_id), touched.get(member_id)
    for member in {member.id: member for member in touched.values()}.values():
        taken = before if member is left else None
        given = after if member is owner else None
        _update_facts(tx, member, order.id, taken, given, origin, clock)
    order.origin = origin
    _keep(tx, order, new, owner, clock, stays=left is owner)
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


def _update_facts(
    tx: Transaction,
    member: Member,
    order_id: str,
    before: Contribution | None,
    after: Contribution | None,
    origin: Origin,
    clock: Clock,
) -> None:
    facts = member_rules.change(member.facts, before, after)
    if facts is None:
        others = [o for o in repository.all_of_member(member) if o.id != order_id]
        given = [_gives(o, o.state) for o in others]
        facts = member_rules.derive(c for c in (*given, after) if c is not None)
    if facts == member.facts:
        members.require_unmoved(tx, member)
        return
    _note_first_purchase(tx, member, facts, origin, clock)
    standing.take_in(tx, member, facts, clock=clock, origin=origin)
    members.save(tx, member)


def _note_first_purchase(
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
        order.exclusive_guide_id = _guide_of(owner, clock) if owner else None
    order.hold(new, member_id)
    if is_new:
        repository.create(tx, order)
    else:
        repository.save(tx, order, was_at=was_at)


def _guide_of(member: Member, clock: Clock) -> str | None:
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


def _require_room(state: State) -> None:
    if size_of(state) > MAX_BYTES:
        text = f"The lines and refunds of an order take at most {MAX_BYTES:,} bytes"
        raise LimitExceeded(text, field=("input",))


def _new_order(snapshot: Snapshot, clock: Clock, origin: Origin, state: State) -> Order:
    recorded_at = clock.now()
    if origin is Origin.BACKFILL and state.body:
        recorded_at = state.body.paid_at
    return Order(
        id=snapshot.order_id,
        source=snapshot.source,
        external_id=snapshot.external_id,
        recorded_at=recorded_at,
        origin=origin,
        growth_version=policies.remembered(PolicyKind.GROWTH)[0],
    )


def _gives(order: Order, state: State) -> Contribution | None:
    """What an order gives in a state, by the growth policy that was in force when it came."""
    growth = policies.document_of(PolicyKind.GROWTH, int(order.growth_version))
    assert isinstance(growth, GrowthPolicy)
    return rules.contribution(state, growth)


def _state(snapshot: Snapshot, clock: Clock) -> State:
    body = snapshot.body
    refunds = {
        r.id: Refund(
            id=r.id,
            revision=r.revision,
            at=to_the_millisecond(r.at),
            amount=r.amount,
            lines=tuple(RefundLine(line.item_id, line.amount) for line in r.lines),
            day=clock.day_of(r.at),
        )
        for r in snapshot.refunds
    }
    if body is None:
        return State(None, refunds)
    if body.paid_at > clock.now() + _CLOCK_SKEW:
        raise Invalid("An order is not paid in the future", field=("input", "body", "paid_at"))
    lines = tuple(
        Line(line.item_id, line.name, line.category, line.quantity, line.amount)
        for line in body.lines
    )
    claims = sorted({claim for i in body.buyer for claim in member_service.claims_of(i)})
    total = sum(line.amount for line in lines) if body.total is None else body.total
    return State(
        Body(
            revision=body.revision,
            paid_at=to_the_millisecond(body.paid_at),
            day=clock.day_of(body.paid_at),
            total=total,
            channel=body.channel,
            store_id=body.store_id,
            guide_id=body.guide_id,
            lines=lines,
            buyer=tuple(claims),
            member_id=body.member_id,
        ),
        refunds,
    )


def _check_references(snapshot: Snapshot, viewer: Viewer) -> None:
    body = snapshot.body
    if body is None:
        return
    known_store = ids.prefix_of(body.store_id) == "sto" and stores.get_many([body.store_id])[0]
    if not known_store or not viewer.reaches_store(body.store_id):
        raise NotFound("There is no such store", field=("input", "body", "store_id"))
    if body.guide_id is not None:
        guide = ids.prefix_of(body.guide_id) == "gde" and guides.get_many([body.guide_id])[0]
        if not guide:
            raise NotFound("There is no such guide", field=("input", "body", "guide_id"))
    if body.member_id is not None and ids.prefix_of(body.member_id) != "mbr":
        raise NotFound("There is no such member", field=("input", "body", "member_id"))
