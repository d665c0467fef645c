"""What follows an order inside its transaction: points and coupons of whom it leaves and joins."""

from graphql_api.coupons import service as coupons
from graphql_api.coupons.rules import CouponUse
from graphql_api.kit.dynamo import Transaction
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.orders import rules
from graphql_api.orders.models import Order
from graphql_api.orders.rules import OrderStatus, State
from graphql_api.points import service as points
from graphql_api.points.rules import Purchase
from graphql_api.standing import models as standing_models
from graphql_api.standing import repository as standing_repository
from graphql_api.standing import service as standing


def follow(
    tx: Transaction,
    order: Order,
    new: State,
    left: Member | None,
    owner: Member | None,
    *,
    clock: Clock,
    origin: Origin,
) -> None:
    """Have points and coupons follow an order into a new state and to an owner.

    Whom it leaves has back what it was paid with and gives back what it gave; the order holds what
    came of it. The caller writes the order and both members. What came as history gives nothing,
    so that nothing of it is ever taken back.
    """
    if not _counts(order, origin):
        return
    if left is not None and left is not owner:
        points.follow_order(tx, left, None, order.points, tier=None, clock=clock, origin=origin)
        coupons.follow_order(tx, left, None, order.coupons, clock=clock, origin=origin)
        order.points = order.coupons = None
    if owner is not None:
        tier = None if order.points else _tier(owner, clock)
        order.points = points.follow_order(
            tx,
            owner,
            _purchase(order.id, new),
            order.points,
            tier=tier,
            clock=clock,
            origin=origin,
        )
    use = _coupon_use(order.id, new)
    order.coupons = coupons.follow_order(tx, owner, use, order.coupons, clock=clock, origin=origin)


def points_are_as_told(order: Order) -> bool:
    """Whether what stands on an order of points is what its state and its terms say."""
    kept, purchase = order.points, _purchase(order.id, order.state)
    if kept is None or kept.exempt:
        return True
    return purchase is not None and points.is_as_it_was(purchase, kept)


def _counts(order: Order, origin: Origin) -> bool:
    """Whether the body of an order came live, or comes so now."""
    if order.revision_number is None:
        return origin is Origin.LIVE
    return order.body_origin is Origin.LIVE


def _tier(member: Member, clock: Clock) -> str:
    """The tier that a member has as an order arrives: what is due by time, and nothing of it."""
    today = clock.today()
    held = standing_models.tier_and_state(member)
    if held is not None and not standing.is_due(member, today):
        return held[0]
    joined = clock.day_of(member.joined_at)
    policies = standing_repository.in_force(standing_models.standing(member, joined))
    return standing.current(member, today, clock=clock, policies=policies).standing.tier.name


def _purchase(order_id: str, state: State) -> Purchase | None:
    """An order as points see it; None for a shell."""
    body = state.body
    if body is None:
        return None
    return Purchase(
        order_id=order_id,
        day=body.day,
        net=state.total - state.refunded,
        channel=body.channel,
        lines=tuple((line.category, net) for line, net in rules.net_lines(state)),
        used=body.points_used,
        share_refunded=(state.refunded, state.total),
        settled_on=state.settled.day if state.settled else None,
    )


def _coupon_use(order_id: str, state: State) -> CouponUse | None:
    """An order as coupons see it; None for a shell."""
    body = state.body
    if body is None:
        return None
    return CouponUse(
        order_id=order_id,
        codes=body.coupons,
        wholly_refunded=state.status is OrderStatus.REFUNDED,
        store_id=body.store_id,
        at=body.paid_at,
    )
