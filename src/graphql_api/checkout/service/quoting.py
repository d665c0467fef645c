"""What a basket costs a member now: facts gathered, then priced by the rules."""

from graphql_api.benefits import repository as benefits
from graphql_api.checkout import repository, rules
from graphql_api.checkout.rules import (
    Basket,
    Choice,
    Line,
    MemberTerms,
    PointsTerms,
    Quote,
    ReservationState,
    Terms,
)
from graphql_api.checkout.service.commands import Checkout
from graphql_api.coupons import repository as coupons
from graphql_api.coupons import rules as coupon_rules
from graphql_api.coupons.models import Coupon
from graphql_api.coupons.rules import Candidate, CouponReason, CouponState
from graphql_api.errors import Forbidden, NotFound
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import rules as member_rules
from graphql_api.members.models import Member
from graphql_api.points import repository as points_repository
from graphql_api.points import service as points
from graphql_api.points.rules import Account, Hold
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import PointsPolicy, PolicyKind, PricingPolicy
from graphql_api.standing import repository as standing_repository
from graphql_api.standing import service as standing
from graphql_api.stores import repository as stores
from graphql_api.viewer import READ_POINTS, Role, Viewer

MAX_HELD = 50
"""How many of the coupons that a member holds are looked at, those that run out first."""


def quote(asked: Checkout, *, viewer: Viewer, clock: Clock) -> Quote:
    """What a basket costs a member within reach; nothing is written."""
    member = reached(asked.member_id, viewer)
    require_scope(viewer, asked.points, READ_POINTS)
    return priced(asked, member, viewer=viewer, clock=clock)


def priced(
    asked: Checkout, member: Member, *, viewer: Viewer, clock: Clock, exact: bool = False
) -> Quote:
    """What a basket costs a member as they were read; `exact` reads coupons strongly consistent."""
    basket = _basket(asked, member, viewer, clock)
    version, pricing = policies.remembered(PolicyKind.PRICING)
    assert isinstance(pricing, PricingPolicy)
    _, brought = benefits.in_force()
    tier = brought.of_tier(basket.tier)
    terms = Terms(
        pricing,
        version,
        MemberTerms(tier.discount_percent, tier.free_shipping_over),
        _choices(asked, member, clock, exact=exact),
        _points(member, viewer, clock),
        asked.points,
    )
    return rules.quote(basket, terms)


def reached(member_id: str, viewer: Viewer) -> Member:
    """A member as they are now, when the viewer may see them."""
    member = members.get(member_id) if ids.prefix_of(member_id) == "mbr" else None
    if member is None or not member_rules.reaches(viewer, member):
        raise NotFound("There is no such member", field=("input", "member"))
    return member


def require_scope(viewer: Viewer, asked: int, scope: str) -> None:
    """Have a key that asks for points hold the scope for it."""
    if asked and viewer.role is Role.INTEGRATION and not viewer.holds(scope):
        raise Forbidden(f"Points need `{scope}`", field=("input", "points"))


def _basket(asked: Checkout, member: Member, viewer: Viewer, clock: Clock) -> Basket:
    store_id = asked.store_id or member.store_id
    known = ids.prefix_of(store_id) == "sto" and stores.get_many([store_id])[0]
    if not known or not viewer.reaches_store(store_id):
        raise NotFound("There is no such store", field=("input", "store_id"))
    [above] = stores.lineages([store_id])
    now, today = clock.now(), clock.today()
    held = standing_repository.in_force()
    decision = standing.current(member, today, clock=clock, policies=held)
    return Basket(
        lines=tuple(
            Line(one.item_id, one.category, one.unit_price, one.quantity) for one in asked.lines
        ),
        at=now,
        zone=clock.zone,
        day=today,
        channel=asked.channel,
        places=frozenset((store_id, *above)),
        tier=decision.standing.tier.name,
        shipping=asked.shipping,
    )


def _points(member: Member, viewer: Viewer, clock: Clock) -> PointsTerms | None:
    if viewer.role is Role.INTEGRATION and not viewer.holds(READ_POINTS):
        return None
    _, policy = policies.remembered(PolicyKind.POINTS)
    assert isinstance(policy, PointsPolicy)
    account = points.current(points_repository.get(member.id), clock.today())
    over = lapsed(member, account, clock)
    balance = account.figures.balance + sum(hold.points for hold in over)
    return PointsTerms(
        policy.points_per_yuan, policy.payable_percent, policy.least_payment, balance
    )


def lapsed(member: Member, account: Account, clock: Clock) -> list[Hold]:
    """The holds of checkouts whose time is over; an account itself counts in whole days."""
    if not account.holds:
        return []
    now = clock.now()
    kept = repository.held_of_lives(member.lives)
    over = {one.order_id for one in kept if one.state_at(now) is ReservationState.EXPIRED}
    return [hold for hold in account.holds if hold.key in over]


def _choices(asked: Checkout, member: Member, clock: Clock, *, exact: bool) -> tuple[Choice, ...]:
    """The coupons that were named, or those that the member could use now, once each."""
    found: list[tuple[str, Coupon | None]] = []
    if asked.coupons is None:
        found += [(c.coupon_id, c) for c in _held(member, clock)]
    else:
        load = coupons.find if exact else coupons.get_many
        found += _named(asked.coupons, load(asked.coupons), member)
    templates = coupons.get_templates([c.template_id for _, c in found if c])
    terms = {template.id: template.terms for template in templates if template}
    at, today = clock.now(), clock.today()
    chosen = {}
    for name, coupon in found:
        if coupon is None:
            chosen[name] = Choice(name, unfit=(CouponReason.NOT_FOUND,))
            continue
        problem = coupon_rules.problem_of_state(coupon_rules.state_at(coupon, at, today))
        candidate = Candidate(coupon.coupon_id, terms[coupon.template_id], coupon.valid_until)
        chosen[name] = Choice(name, candidate, coupon.days, (problem,) if problem else ())
    return tuple(chosen.values())


def _named(
    names: list[str], found: list[Coupon | None], member: Member
) -> list[tuple[str, Coupon | None]]:
    """Each coupon under its id; what is not the member's is not there, under the name given."""
    theirs = [c if c and c.member_id in member.lives else None for c in found]
    return [(c.coupon_id if c else name, c) for name, c in zip(names, theirs, strict=True)]


def _held(member: Member, clock: Clock) -> list[Coupon]:
    page = coupons.page_in_states(
        member.lives,
        (CouponState.ISSUED,),
        clock.now(),
        clock.today(),
        first=MAX_HELD,
        after=None,
        reverse=False,
    )
    return list(page.items)
