"""A coupon goes to a friend: the giver offers it, the friend takes it, and has one of their own."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from graphql_api.coupons import models, repository, rules, tokens
from graphql_api.coupons.models import Coupon
from graphql_api.coupons.rules import CouponReason, CouponSource, CouponState, LockKind
from graphql_api.coupons.service.commands import NO_COUPON, Command, out_of, unusable
from graphql_api.coupons.service.issuing import count_gift, new_code
from graphql_api.coupons.service.using import of_member, template_of
from graphql_api.coupons.tokens import TokenKind
from graphql_api.errors import Forbidden, ForbiddenTransition, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.viewer import Viewer

OFFERED_FOR = timedelta(days=1)


class GiftAccept(Command):
    """What a friend was sent."""

    token: str


@dataclass(frozen=True, slots=True)
class CouponGift:
    """A coupon that is held for a friend, and what to send the friend."""

    coupon: Coupon
    token: str


def offer(coupon_id: str, *, viewer: Viewer, clock: Clock) -> CouponGift:
    """Hold a member's coupon for a friend for a day.

    Offered again, it is held for whoever was sent the new word; the old one is good no more.
    """

    def attempt(tx: Transaction) -> Coupon:
        coupon = _own(coupon_id, viewer)
        state = rules.state_at(coupon, clock.now(), clock.today())
        if not _is_offered(coupon, state) and (reason := rules.problem_of_state(state)):
            raise unusable(reason, ("id",))
        if not template_of(coupon).terms.giftable:
            raise ForbiddenTransition("This coupon is not for giving away", field=("id",))
        coupon.become(CouponState.LOCKED)
        coupon.lock_kind = LockKind.GIFT
        coupon.lock_key = secrets.token_urlsafe(12)
        coupon.locked_until = to_the_millisecond(clock.now() + OFFERED_FOR)
        coupon.origin = Origin.LIVE
        repository.save(tx, coupon)
        return coupon

    coupon = transact(attempt)
    seconds = int(OFFERED_FOR.total_seconds())
    parts = (coupon.coupon_id, str(coupon.lock_key))
    token = tokens.sign(TokenKind.GIFT, *parts, at=clock.wall(), seconds=seconds)
    return CouponGift(coupon, token)


def withdraw(coupon_id: str, *, viewer: Viewer, clock: Clock) -> Coupon:
    """A coupon that is the giver's again, as long as no friend took it; again changes nothing."""

    def attempt(tx: Transaction) -> Coupon:
        coupon = _own(coupon_id, viewer)
        state = rules.state_at(coupon, clock.now(), clock.today())
        if state is CouponState.ISSUED and coupon.state is CouponState.ISSUED:
            return coupon
        if state is not CouponState.ISSUED and not _is_offered(coupon, state):
            raise out_of(state, ("id",))
        coupon.unlock()
        coupon.become(CouponState.ISSUED)
        coupon.origin = Origin.LIVE
        repository.save(tx, coupon)
        return coupon

    return transact(attempt)


def accept(given: GiftAccept, *, viewer: Viewer, clock: Clock) -> Coupon:
    """The coupon that a friend takes over, with its days; the same again changes nothing.

    Refuses what was withdrawn or taken by somebody else, the giver, and more than the limits allow.
    """
    field = ("input", "token")
    coupon_id, key = tokens.read(TokenKind.GIFT, given.token, at=clock.wall(), field=field)
    new_id = ids.derived_id("cpn", coupon_id, key)

    def attempt(tx: Transaction) -> Coupon:
        friend = members.get(viewer.id)
        if friend is None or friend.archived_at is not None:
            raise NotFound("There is no such member")
        taken, coupon = repository.find([new_id, coupon_id])
        if taken is not None and taken.member_id in friend.lives:
            return taken
        if coupon is None:
            raise NotFound(NO_COUPON, field=field)
        state = rules.state_at(coupon, clock.now(), clock.today())
        if not _is_offered(coupon, state) or coupon.lock_key != key:
            raise unusable(rules.problem_of_state(state) or CouponReason.GIFTED, field)
        if coupon.member_id in friend.lives:
            raise Forbidden("It is your own", field=field)
        return _hand_over(tx, coupon, friend, new_id, viewer, clock)

    return transact(attempt)


def _hand_over(
    tx: Transaction, coupon: Coupon, friend: Member, new_id: str, viewer: Viewer, clock: Clock
) -> Coupon:
    now = to_the_millisecond(clock.now())
    count_gift(tx, template_of(coupon), friend.id)
    new = Coupon(
        friend.id,
        models.coupon_sort(new_id, now),
        coupon_id=new_id,
        code=new_code(),
        template_id=coupon.template_id,
        valid_from=coupon.valid_from,
        valid_until=coupon.valid_until,
        source=CouponSource.GIFT,
        source_ref=coupon.coupon_id,
        origin=Origin.LIVE,
        by_role=viewer.role,
        by_id=viewer.id,
        issued_at=now,
    )
    coupon.unlock()
    coupon.become(CouponState.GIFTED)
    coupon.ended_at, coupon.gift_id = now, new_id
    coupon.origin = Origin.LIVE
    repository.save(tx, coupon)
    repository.add(tx, new)
    members.require_present(tx, friend.id)
    return new


def _own(coupon_id: str, viewer: Viewer) -> Coupon:
    member = members.get(viewer.id)
    if member is None or ids.prefix_of(coupon_id) != "cpn":
        raise NotFound(NO_COUPON, field=("id",))
    return of_member(member, coupon_id, ("id",))


def _is_offered(coupon: Coupon, state: CouponState) -> bool:
    return state is CouponState.LOCKED and coupon.lock_kind is LockKind.GIFT
