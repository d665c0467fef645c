"""Points and coupons kept for an order to come, and let go."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import orjson

from graphql_api.checkout import models, repository
from graphql_api.checkout.models import Reservation
from graphql_api.checkout.rules import Quote, ReservationState
from graphql_api.checkout.service.commands import CheckoutRelease, CheckoutReserve
from graphql_api.checkout.service.quoting import lapsed, priced, reached, require_scope
from graphql_api.coupons import service as coupons
from graphql_api.errors import Conflict, ForbiddenTransition, InsufficientPoints, NotFound
from graphql_api.kit.dynamo import Stale, Transaction, transact
from graphql_api.kit.money import to_yuan
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.points import repository as points_repository
from graphql_api.points import service as points
from graphql_api.points.service import Cause, require_free
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import PolicyKind, PricingPolicy
from graphql_api.viewer import WRITE_POINTS, Viewer

_REMEMBERED = timedelta(days=7)


class QuoteChanged(Conflict):
    """The basket costs something else by now; `quote` says what."""

    def __init__(self, quote: Quote) -> None:
        text = f"{to_yuan(quote.payable)} is left to pay by now"
        super().__init__(text, field=("input", "payable"))
        self.quote = quote


@dataclass(frozen=True, slots=True)
class Reserved:
    """What is kept, and the quote behind it; None where it was kept already."""

    reservation: Reservation
    quote: Quote | None = None


def reserve(asked: CheckoutReserve, *, viewer: Viewer, clock: Clock) -> Reserved:
    """Keep the points and coupons of a quote for the order to come, in one transaction.

    Again with the same input gives what is kept already. Refuses when it costs something else by
    now, and another checkout for an order for which something is kept.
    """
    require_scope(viewer, asked.points, WRITE_POINTS)

    def attempt(tx: Transaction) -> Reserved:
        member = reached(asked.member_id, viewer)
        kept = repository.of_lives(member.lives, asked.order_id)
        if kept is not None and kept.state_at(clock.now()) is ReservationState.HELD:
            if kept.fingerprint == _fingerprint(asked):
                return Reserved(kept)
            text = "Another checkout is kept for this order; release it first"
            raise ForbiddenTransition(text, field=("input", "external_id"))
        quote = priced(asked, member, viewer=viewer, clock=clock, exact=True)
        if quote.payable != asked.payable:
            raise QuoteChanged(quote)
        reservation = _reservation(asked, member, quote, kept, clock)
        try:
            _keep(tx, member, reservation, Cause(clock, viewer))
        except (InsufficientPoints, ForbiddenTransition):
            # It was there when it was priced: who took it since leads to another quote.
            raise Stale from None
        repository.save(tx, reservation)
        return Reserved(reservation, quote)

    return transact(attempt)


def release(asked: CheckoutRelease, *, viewer: Viewer, clock: Clock) -> Reservation:
    """Let go of what was kept for an order; again changes nothing.

    What the order has taken already is the order's, and stays so.
    """

    def attempt(tx: Transaction) -> Reservation:
        member = reached(asked.member_id, viewer)
        kept = repository.of_lives(member.lives, asked.order_id)
        if kept is None:
            text = "Nothing is kept for this order"
            raise NotFound(text, field=("input", "external_id"))
        require_scope(viewer, int(kept.points), WRITE_POINTS)
        if kept.released_at is not None:
            return kept
        for coupon_id in kept.coupon_ids:
            coupons.unlock_in(tx, member, coupon_id, key=asked.order_id, clock=clock)
        if kept.points:
            cause = Cause(clock, viewer)
            require_free(member, cause)
            if points.unfreeze_in(tx, member, key=asked.order_id, cause=cause):
                members.save(tx, member)
        kept.released_at = to_the_millisecond(clock.now())
        repository.save(tx, kept)
        return kept

    return transact(attempt)


def kept(asked: CheckoutRelease, *, viewer: Viewer) -> Reservation | None:
    """What is kept of a member within reach for an order."""
    return repository.of_lives(reached(asked.member_id, viewer).lives, asked.order_id)


def _keep(tx: Transaction, member: Member, kept: Reservation, cause: Cause) -> None:
    """Lock the coupons and freeze the points, in place of those of checkouts that are over."""
    until, key, clock = kept.until, kept.order_id, cause.clock
    for coupon_id in kept.coupon_ids:
        coupons.lock_in(tx, member, coupon_id, key=key, until=until, clock=clock)
    if not kept.points:
        return
    require_free(member, cause)
    account = points.current(points_repository.get(member.id), clock.today())
    over = [hold.key for hold in lapsed(member, account, clock)]
    last = clock.day_of(until)
    points.freeze_anew_in(
        tx, member, int(kept.points), key=key, until=last, instead_of=over, cause=cause
    )
    members.save(tx, member)


def _reservation(
    asked: CheckoutReserve, member: Member, quote: Quote, old: Reservation | None, clock: Clock
) -> Reservation:
    """A new one, over the one that is over where there was one."""
    _, pricing = policies.remembered(PolicyKind.PRICING)
    assert isinstance(pricing, PricingPolicy)
    now = to_the_millisecond(clock.now())
    until = now + timedelta(minutes=pricing.hold_minutes)
    kept = old or Reservation(member.id, models.reservation_sort(asked.order_id))
    kept.order_id, kept.source, kept.external_id = asked.order_id, asked.source, asked.external_id
    kept.fingerprint = _fingerprint(asked)
    kept.payable, kept.points = quote.payable, quote.points
    kept.coupon_ids = list(quote.coupon_ids)
    kept.policy_version = quote.policy_version
    kept.reserved_at, kept.until, kept.released_at = now, until, None
    kept.forget_at = clock.wall() + (until - now) + _REMEMBERED
    return kept


def _fingerprint(asked: CheckoutReserve) -> str:
    """What was asked, told apart from anything else."""
    document = asked.model_dump(mode="json", exclude={"member_id"})
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
