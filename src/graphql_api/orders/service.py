"""The only door for purchases and refunds, whoever knocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from graphql_api.errors import Conflict, Invalid, NotFound
from graphql_api.guides import repository as guides
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Stale, Transaction, transact
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members import repository as members
from graphql_api.members import rules as member_rules
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Contribution, EffectKind, Facts, Origin
from graphql_api.orders import repository, rules
from graphql_api.orders.models import Order
from graphql_api.orders.rules import Body, Line, OrderChannel, Refund, RefundLine, State
from graphql_api.policies.rules import SHIPPED_GROWTH
from graphql_api.stores import repository as stores
from graphql_api.viewer import SYSTEM, Viewer

MAX_LINES = 200
MAX_REFUNDS = 50
MAX_FEN = 10**12
_MAX_REVISION = 2**62
_CLOCK_SKEW = timedelta(days=1)

Fen = Annotated[int, Field(ge=0, le=MAX_FEN)]
Revision = Annotated[int, Field(ge=0, le=_MAX_REVISION)]
ExternalId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]
Source = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Text = Annotated[str, StringConstraints(max_length=200)]


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
    at: AwareDatetime
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
    paid_at: AwareDatetime
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

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.body is None and not self.refunds:
            raise ValueError("a snapshot has a body or a refund")
        if len({refund.id for refund in self.refunds}) < len(self.refunds):
            raise ValueError("a refund stands once in a snapshot")
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

    A snapshot that says nothing new changes nothing. Refuses an unknown store, guide or member, and
    a payment later than tomorrow; raises Conflict when the member stays busy to the deadline.
    """
    incoming = _state(snapshot, clock)
    _check_references(snapshot, viewer)
    return transact(lambda tx: _apply(tx, snapshot, incoming, clock, origin))


def attach(order_id: str, *, clock: Clock, origin: Origin = Origin.LIVE) -> Applied | None:
    """Look for the member of an order that has none, now that an identity was claimed."""

    def attempt(tx: Transaction) -> Applied | None:
        order = repository.get(order_id)
        if order is None or order.member_id is not None:
            return None if order is None else Applied(order, changed=False)
        return _write(tx, order, order.state, _member_of(order.state), clock, origin)

    return transact(attempt)


def backfill(
    member_id: str, snapshots: Sequence[Snapshot], *, clock: Clock, job: str
) -> tuple[Member, int]:
    """Fold a member's history in memory and write it once, with origin BACKFILL.

    The same as applying the snapshots one by one. The member is locked by `job` meanwhile; a job
    that died is resumed by the same call. Gives the member and how many orders were written.
    Raises Invalid for a snapshot that names another member.
    """
    member = member_service.lock(member_id, job, clock=clock)
    known = {order.id: order for order in repository.all_of_member(member_id)}
    elsewhere = _known_elsewhere(snapshots, known)
    for snapshot in snapshots:
        if snapshot.order_id in elsewhere:
            raise Invalid(f"Order {snapshot.external_id} is known under another owner")
    written: dict[str, Order] = {}
    for snapshot in snapshots:
        order = known.get(snapshot.order_id)
        old = order.state if order else State()
        new = rules.merge(old, _state(snapshot, clock))
        if new == old:
            continue
        if order is None:
            order = _new_order(snapshot, clock, Origin.BACKFILL, new)
        order.hold(new, member_id)
        order.exclusive_guide_id = order.exclusive_guide_id or member.guide_id
        known[order.id] = written[order.id] = order
    repository.put_all(list(written.values()))
    return _settle(member, list(known.values()), job, clock), len(written)


def _settle(member: Member, orders: Sequence[Order], job: str, clock: Clock) -> Member:
    """Write a locked member's facts from all of its orders, and let go of it."""
    given = [rules.contribution(order.state, SHIPPED_GROWTH) for order in orders]
    facts = member_rules.derive(c for c in given if c is not None)

    def attempt(tx: Transaction) -> Member:
        current = members.get(member.id)
        if current is None or current.lock_owner != job:
            raise Conflict("The lock of this back-fill was lost")
        _note_first_purchase(tx, current, facts, Origin.BACKFILL, clock)
        current.facts = facts
        current.lock_owner = current.locked_until = None
        members.save(tx, current)
        return current

    return transact(attempt)


def _known_elsewhere(snapshots: Sequence[Snapshot], known: dict[str, Order]) -> set[str]:
    unknown = [s.order_id for s in snapshots if s.order_id not in known]
    return {order.id for order in repository.get_now(unknown) if order is not None}


def _apply(
    tx: Transaction, snapshot: Snapshot, incoming: State, clock: Clock, origin: Origin
) -> Applied:
    order = repository.get(snapshot.order_id)
    old = order.state if order else State()
    new = rules.merge(old, incoming)
    if order is not None and new == old:
        return Applied(order, changed=False)
    member_id = order.member_id if order else None
    if new.body != old.body:
        member_id = _member_of(new)
    if order is None:
        order = _new_order(snapshot, clock, origin, new)
    return _write(tx, order, new, member_id, clock, origin)


def _write(
    tx: Transaction, order: Order, new: State, member_id: str | None, clock: Clock, origin: Origin
) -> Applied:
    """Add to the transaction what an order's new state and owner make of everything it touches."""
    is_new = order.version is None
    old = State() if is_new else order.state
    old_member_id = None if is_new else order.member_id
    if new == old and member_id == old_member_id:
        return Applied(order, changed=False)
    before = rules.contribution(old, SHIPPED_GROWTH)
    after = rules.contribution(new, SHIPPED_GROWTH)
    was_at = order.key
    _wait(tx, order, old, new, was=old_member_id is None and not is_new, now=member_id is None)
    order.hold(new, member_id)
    for member in _touched(old_member_id, member_id, clock):
        taken = before if member.id == old_member_id else None
        given = after if member.id == member_id else None
        if member.id == member_id and member_id != old_member_id:
            order.exclusive_guide_id = member.guide_id
        _update_facts(tx, member, order, taken, given, origin, clock)
    if member_id is None:
        order.exclusive_guide_id = None
    if is_new:
        repository.create(tx, order)
    else:
        repository.save(tx, order, was_at=was_at)
    return Applied(order, changed=True)


def _touched(old_id: str | None, new_id: str | None, clock: Clock) -> list[Member]:
    """The members that an order leaves, stays with or comes to, free to be decided on."""
    wanted = sorted({id_ for id_ in (old_id, new_id) if id_ is not None})
    found = [member for member in members.get_now(wanted) if member is not None]
    now = clock.now()
    if any(member_rules.held_by_another(m.lock_owner, m.locked_until, "", now) for m in found):
        raise Stale
    if len(found) < len(wanted):
        raise NotFound("There is no such member", field=("input", "body", "member_id"))
    return found


def _update_facts(
    tx: Transaction,
    member: Member,
    order: Order,
    before: Contribution | None,
    after: Contribution | None,
    origin: Origin,
    clock: Clock,
) -> None:
    facts = member_rules.change(member.facts, before, after)
    if facts is None:
        others = [o for o in repository.all_of_member(member.id) if o.id != order.id]
        given = [rules.contribution(o.state, SHIPPED_GROWTH) for o in others]
        facts = member_rules.derive(c for c in (*given, after) if c is not None)
    _note_first_purchase(tx, member, facts, origin, clock)
    member.facts = facts
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


def _wait(tx: Transaction, order: Order, old: State, new: State, *, was: bool, now: bool) -> None:
    """Keep the rows of identities that an order without a member waits for.

    The transaction holds to nobody having such an identity, so that whoever claims it later finds
    the row.
    """
    waited = set(old.body.buyer) if was and old.body else set()
    waits = set(new.body.buyer) if now and new.body else set()
    for claim in sorted(waits - waited):
        members.require_unclaimed(tx, claim)
        repository.wait(tx, claim, order.id)
    for claim in sorted(waited - waits):
        repository.stop_waiting(tx, claim, order.id)


def _new_order(snapshot: Snapshot, clock: Clock, origin: Origin, state: State) -> Order:
    recorded_at = clock.now()
    if origin is Origin.BACKFILL and state.body:
        recorded_at = state.body.paid_at
    return Order(
        id=snapshot.order_id,
        source=snapshot.source,
        external_id=snapshot.external_id,
        recorded_at=recorded_at,
    )


def _member_of(state: State) -> str | None:
    """The member that a body names, or who holds one of its buyer's identities."""
    if state.body is None:
        return None
    return state.body.member_id or members.id_by_claims(state.body.buyer)


def _state(snapshot: Snapshot, clock: Clock) -> State:
    body = snapshot.body
    refunds = {
        r.id: Refund(
            id=r.id,
            revision=r.revision,
            at=to_the_millisecond(r.at),
            amount=r.amount,
            lines=tuple(RefundLine(line.item_id, line.amount) for line in r.lines),
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
