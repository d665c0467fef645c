"""What becomes of a member's coupon: locked, redeemed, brought back, taken back, run out."""

from datetime import date, datetime, timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from graphql_api.coupons import repository, rules, tokens
from graphql_api.coupons.models import Coupon, Template
from graphql_api.coupons.rules import CouponKind, CouponReason, CouponState, LockKind
from graphql_api.coupons.service.commands import NO_COUPON, Command, Text, out_of, unusable
from graphql_api.coupons.service.issuing import require_store, tier_of
from graphql_api.coupons.tokens import TokenKind
from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.stores import repository as stores
from graphql_api.viewer import Viewer

MAX_LOCK = timedelta(days=7)

Reference = Annotated[str, Field(min_length=1, max_length=128)]
Code = Annotated[str, Field(min_length=1, max_length=64)]


class Shown(Command):
    """A coupon as somebody shows it: its id, its code, or the token of its QR code."""

    id: str | None = None
    code: Code | None = None
    token: str | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if [self.id, self.code, self.token].count(None) != 2:
            raise ValueError("name a coupon, its code or a token")
        return self


class Lock(Command):
    """A coupon that is held for an order until an instant."""

    coupon: Shown
    key: Reference
    until: datetime


class Unlock(Command):
    """A coupon that is not held any more for the order that it was held for."""

    coupon: Shown
    key: Reference


class Redeem(Command):
    """A coupon that is used in a store, and where it is known for what."""

    coupon: Shown
    store_id: str
    amount: Annotated[int, Field(ge=0, le=10_000_000_000)] | None = None
    reference: Reference | None = None


class WithReason(Command):
    """A coupon, and why something is done to it."""

    id: str
    reason: Text


# --- for other services, in their transactions -----------------------------------------------


def lock_in(
    tx: Transaction, member: Member, named: str, *, key: str, until: datetime, clock: Clock
) -> Coupon:
    """Hold a member's coupon, named by its id or code, for what the key says, until an instant.

    Held under this key already, it is held until then instead. Refuses a coupon that is not the
    member's, that is used or held for something else, and one that does not hold today.
    """
    coupon = of_member(member, named)
    _lock(tx, coupon, key, until, clock)
    return coupon


def unlock_in(tx: Transaction, member: Member, named: str, *, key: str, clock: Clock) -> Coupon:
    """Hold a member's coupon no more for what the key says; else nothing changes."""
    coupon = of_member(member, named)
    _unlock(tx, coupon, key, clock)
    return coupon


def of_member(member: Member, named: str, field: tuple[str, ...] = ()) -> Coupon:
    """A coupon of a member by its id or code, as it is now (strongly consistent)."""
    [coupon] = repository.find([named])
    if coupon is None or coupon.member_id not in member.lives:
        raise NotFound(NO_COUPON, field=field)
    return coupon


# --- commands --------------------------------------------------------------------------------


def verify(shown: Shown, *, viewer: Viewer, clock: Clock) -> Coupon | None:
    """The coupon that somebody shows, to whoever may see it."""
    named = named_by(shown, clock)
    [coupon] = repository.get_many([named])
    return coupon if coupon and rules.sees_coupon(viewer, coupon) else None


def lock(given: Lock, *, viewer: Viewer, clock: Clock) -> Coupon:
    """A coupon that is held for an order of another system; again with the key renews it."""
    named = named_by(given.coupon, clock)

    def attempt(tx: Transaction) -> Coupon:
        coupon = _found(named, viewer)
        _lock(tx, coupon, given.key, given.until, clock)
        return coupon

    return transact(attempt)


def unlock(given: Unlock, *, viewer: Viewer, clock: Clock) -> Coupon:
    """A coupon that is free again; one that is held for something else is refused."""
    named = named_by(given.coupon, clock)

    def attempt(tx: Transaction) -> Coupon:
        coupon = _found(named, viewer)
        held = rules.state_at(coupon, clock.now(), clock.today()) is CouponState.LOCKED
        if held and coupon.lock_key != given.key:
            raise unusable(CouponReason.LOCKED, ("input", "key"))
        _unlock(tx, coupon, given.key, clock)
        return coupon

    return transact(attempt)


def redeem(given: Redeem, *, viewer: Viewer, clock: Clock, origin: Origin = Origin.LIVE) -> Coupon:
    """A coupon that is used in a store within reach, by whoever verified it.

    The same again, by the same reference, changes nothing. Looks at state, days and hours, store,
    channel, tier, and where the amount is given at the threshold.
    """
    require_store(given.store_id, viewer)
    named = named_by(given.coupon, clock)

    def attempt(tx: Transaction) -> Coupon:
        coupon = _found(named, viewer)
        if _is_done(coupon, given):
            return coupon
        _require_usable(coupon, given, clock)
        coupon.become(CouponState.REDEEMED)
        coupon.unlock()
        coupon.redeemed_at = to_the_millisecond(clock.now())
        coupon.redeemed_store_id = given.store_id
        coupon.redeemed_by_role, coupon.redeemed_by_id = viewer.role, viewer.id
        coupon.reference = given.reference
        coupon.origin = origin
        repository.save(tx, coupon)
        return coupon

    return transact(attempt)


def roll_back(given: WithReason, *, viewer: Viewer, clock: Clock) -> Coupon:
    """A coupon that was used by mistake and is the member's again; not one that an order used."""

    def attempt(tx: Transaction) -> Coupon:
        coupon = _found(given.id, viewer, "input", "id")
        if coupon.state is not CouponState.REDEEMED:
            raise out_of(rules.state_at(coupon, clock.now(), clock.today()), ("input", "id"))
        if not viewer.reaches_store(coupon.redeemed_store_id):
            raise Forbidden("It was used in another store", field=("input", "id"))
        if coupon.order_id is not None:
            text = "An order used it; the refund of the order brings it back"
            raise ForbiddenTransition(text, field=("input", "id"))
        coupon.reason = given.reason
        bring_back(coupon, template_of(coupon), clock)
        coupon.origin = Origin.LIVE
        repository.save(tx, coupon)
        return coupon

    return transact(attempt)


def recycle(given: WithReason, *, viewer: Viewer, clock: Clock) -> Coupon:
    """A coupon that is taken back unused; its place in the stock is free, its limit is not."""

    def attempt(tx: Transaction) -> Coupon:
        coupon = _found(given.id, viewer, "input", "id")
        state = rules.state_at(coupon, clock.now(), clock.today())
        if state is CouponState.RECYCLED:
            return coupon
        if state is not CouponState.ISSUED:
            raise out_of(state, ("input", "id"))
        coupon.become(CouponState.RECYCLED)
        coupon.reason = given.reason
        coupon.ended_at = to_the_millisecond(clock.now())
        coupon.unlock()
        coupon.origin = Origin.LIVE
        repository.save(tx, coupon)
        repository.give_back(tx, repository.stock_of(coupon.template_id)[0])
        return coupon

    return transact(attempt)


def settle(key: tuple[str, str], as_of: date, *, clock: Clock) -> bool:
    """Write what time has made of a coupon by a business day; whether anything changed."""
    at = clock.now()

    def attempt(tx: Transaction) -> bool:
        [coupon] = repository.get_at([key])
        if coupon is None:
            return False
        state = rules.state_at(coupon, at, as_of)
        if state is coupon.state:
            return False
        coupon.become(state)
        coupon.unlock()
        if state is CouponState.EXPIRED:
            coupon.ended_at = to_the_millisecond(at)
        repository.save(tx, coupon)
        return True

    return transact(attempt)


# --- shared ----------------------------------------------------------------------------------


def bring_back(coupon: Coupon, template: Template, clock: Clock) -> None:
    """Have a redeemed coupon be the member's again, for its days or those of grace."""
    today = clock.today()
    grace = template.terms.grace_days
    coupon.valid_until = rules.last_day_after_return(coupon.valid_until, today, grace)
    coupon.unredeem()
    coupon.returned_at = to_the_millisecond(clock.now())
    coupon.become(CouponState.ISSUED)
    if coupon.valid_until < today:
        coupon.become(CouponState.EXPIRED)
        coupon.ended_at = coupon.returned_at


def template_of(coupon: Coupon) -> Template:
    """The template of a coupon; templates are never deleted."""
    [template] = repository.get_templates([coupon.template_id])
    assert template is not None
    return template


def places_of(store_id: str | None) -> frozenset[str]:
    """A store with the org units above it."""
    if store_id is None:
        return frozenset()
    [above] = stores.lineages([store_id])
    return frozenset((store_id, *above))


def named_by(shown: Shown, clock: Clock) -> str:
    """The id or the code of the coupon that somebody shows."""
    if shown.token is not None:
        field = ("input", "coupon", "token")
        return tokens.read(TokenKind.COUPON, shown.token, at=clock.wall(), field=field)[0]
    if shown.code is not None and rules.read_code(shown.code) is None:
        raise Invalid("This is no code of a coupon", field=("input", "coupon", "code"))
    return str(shown.id or shown.code)


def _found(named: str, viewer: Viewer, *field: str) -> Coupon:
    known = ids.prefix_of(named) == "cpn" or rules.read_code(named) is not None
    [coupon] = repository.find([named]) if known else [None]
    if coupon is None or not rules.sees_coupon(viewer, coupon):
        raise NotFound(NO_COUPON, field=field or ("input", "coupon"))
    return coupon


def _lock(tx: Transaction, coupon: Coupon, key: str, until: datetime, clock: Clock) -> None:
    now = clock.now()
    if not now < until <= now + MAX_LOCK:
        raise Invalid("A coupon is held for seven days at most", field=("input", "until"))
    state = rules.state_at(coupon, now, clock.today())
    same = state is CouponState.LOCKED and coupon.lock_key == key
    if not same and (reason := rules.problem_of_state(state)):
        raise unusable(reason)
    if not same and (reason := rules.in_days(coupon.days, clock.today())):
        raise unusable(reason)
    until = to_the_millisecond(until)
    if same and coupon.locked_until == until:
        return
    coupon.become(CouponState.LOCKED)
    coupon.lock_kind = LockKind.ORDER
    coupon.lock_key, coupon.locked_until = key, until
    coupon.origin = Origin.LIVE
    repository.save(tx, coupon)


def _unlock(tx: Transaction, coupon: Coupon, key: str, clock: Clock) -> None:
    if coupon.state is not CouponState.LOCKED or coupon.lock_key != key:
        return
    coupon.unlock()
    coupon.become(CouponState.ISSUED)
    if coupon.valid_until < clock.today():
        coupon.become(CouponState.EXPIRED)
        coupon.ended_at = to_the_millisecond(clock.now())
    coupon.origin = Origin.LIVE
    repository.save(tx, coupon)


def _is_done(coupon: Coupon, given: Redeem) -> bool:
    return (
        coupon.state is CouponState.REDEEMED
        and given.reference is not None
        and (coupon.reference, coupon.redeemed_store_id) == (given.reference, given.store_id)
    )


def _require_usable(coupon: Coupon, given: Redeem, clock: Clock) -> None:
    state = rules.state_at(coupon, clock.now(), clock.today())
    held_for_it = state is CouponState.LOCKED and coupon.lock_key == given.reference
    if not held_for_it and (reason := rules.problem_of_state(state)):
        raise unusable(reason, ("input", "coupon"))
    terms = template_of(coupon).terms
    reasons = rules.usable(
        terms, coupon.days, at=clock.now(), zone=clock.zone, places=places_of(given.store_id)
    )
    if held_for_it:
        reasons = [reason for reason in reasons if reason is not CouponReason.EXPIRED]
    if terms.kind is CouponKind.FREE_SHIPPING or (terms.channels and "STORE" not in terms.channels):
        reasons.append(CouponReason.CHANNEL)
    if terms.tiers:
        member = members.get(coupon.member_id)
        if member is None or tier_of(member) not in terms.tiers:
            reasons.append(CouponReason.TIER)
    if given.amount is not None and given.amount < terms.threshold:
        reasons.append(CouponReason.THRESHOLD)
    if reasons:
        raise unusable(reasons[0], ("input", "coupon"))
