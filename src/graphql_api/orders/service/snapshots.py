"""Snapshots as rules take them, and the orders that they begin."""

from collections.abc import Iterable
from datetime import timedelta

from graphql_api.errors import Invalid, LimitExceeded, NotFound
from graphql_api.guides import repository as guides
from graphql_api.kit import ids
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members import rules as member_rules
from graphql_api.members import service as member_service
from graphql_api.members.rules import Contribution, Facts, Origin
from graphql_api.orders import rules
from graphql_api.orders.models import Order, size_of
from graphql_api.orders.rules import Body, Line, Refund, RefundLine, Settlement, State
from graphql_api.orders.service.commands import Snapshot
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import GrowthPolicy, PolicyKind
from graphql_api.stores import repository as stores
from graphql_api.viewer import Viewer

MAX_BYTES = 380_000  # of the 409,600 that DynamoDB allows an item
_CLOCK_SKEW = timedelta(days=1)


def state_of(snapshot: Snapshot, clock: Clock) -> State:
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
    settled = _settlement(snapshot, clock)
    if body is None:
        return State(None, refunds, settled)
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
            points_used=body.points_used,
            coupons=tuple(body.coupons),
        ),
        refunds,
        settled,
    )


def _settlement(snapshot: Snapshot, clock: Clock) -> Settlement | None:
    if snapshot.settled_at is None:
        return None
    if snapshot.settled_at > clock.now() + _CLOCK_SKEW:
        text = "An order is not settled in the future"
        raise Invalid(text, field=("input", "settled_at"))
    return Settlement(to_the_millisecond(snapshot.settled_at), clock.day_of(snapshot.settled_at))


def check_references(snapshot: Snapshot, viewer: Viewer) -> None:
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


def require_room(state: State) -> None:
    if size_of(state) > MAX_BYTES:
        text = f"The lines and refunds of an order take at most {MAX_BYTES:,} bytes"
        raise LimitExceeded(text, field=("input",))


def new_order(snapshot: Snapshot, clock: Clock, origin: Origin, state: State) -> Order:
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


def gives(order: Order, state: State) -> Contribution | None:
    """What an order gives in a state, by the growth policy that was in force when it came."""
    growth = policies.document_of(PolicyKind.GROWTH, int(order.growth_version))
    assert isinstance(growth, GrowthPolicy)
    return rules.contribution(state, growth)


def facts_of(orders: Iterable[Order]) -> Facts:
    """The facts of a member with these orders, each by the growth policy that it came under."""
    given = [gives(order, order.state) for order in orders]
    return member_rules.derive(one for one in given if one is not None)
