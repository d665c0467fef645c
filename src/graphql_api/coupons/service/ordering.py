"""Orders redeem the coupons that they name, and their refunds bring them back."""

from collections.abc import Sequence

from graphql_api.coupons import repository, rules
from graphql_api.coupons.models import Coupon, Template
from graphql_api.coupons.rules import (
    MAX_OF_ORDER,
    CouponProblem,
    CouponReason,
    CouponState,
    CouponUse,
    OrderCoupons,
)
from graphql_api.coupons.service.using import bring_back, places_of, template_of
from graphql_api.kit.dynamo import Transaction
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.viewer import Role


def follow_order(
    tx: Transaction,
    member: Member | None,
    use: CouponUse | None,
    kept: OrderCoupons | None,
    *,
    clock: Clock,
    origin: Origin,
) -> OrderCoupons | None:
    """Have the coupons of a member follow an order of theirs; the caller keeps what it gives.

    `use` is what the order says now, None where it is the member's no more; `kept` what this gave
    before. An order is a fact: it is never refused for a coupon that does not fit, which stands as
    a problem beside it. At most one write for each coupon named now or before, twenty in all.
    """
    was = kept.redeemed if kept else ()
    names = tuple(dict.fromkeys(use.codes)) if use else ()
    if not names and not was:
        return None
    order_id = use.order_id if use else kept.order_id if kept else ""
    wanted, problems = _wanted(member, use, names[:MAX_OF_ORDER], clock)
    problems += [CouponProblem(name, CouponReason.TOO_MANY) for name in names[MAX_OF_ORDER:]]
    dropped = [id_ for id_ in was if id_ not in {coupon.coupon_id for coupon in wanted}]
    for coupon in _of_order(dropped, order_id):
        _bring_back(tx, coupon, template_of(coupon), clock, origin)
    if use is None or not names:
        return None
    redeemed, returned = _apply(tx, wanted, use, clock, origin)
    return OrderCoupons(order_id, redeemed, returned, tuple(problems))


def _wanted(
    member: Member | None, use: CouponUse | None, names: Sequence[str], clock: Clock
) -> tuple[list[Coupon], list[CouponProblem]]:
    """The coupons that the order has or may have, and why it does not have the others."""
    if use is None or not names:
        return [], []
    if member is None:
        return [], [CouponProblem(name, CouponReason.NO_MEMBER) for name in names]
    wanted: dict[str, Coupon] = {}
    problems: list[CouponProblem] = []
    for name, coupon in zip(names, repository.find(names), strict=True):
        reason = _refusal(member, coupon, use, clock)
        if reason is not None:
            problems.append(CouponProblem(name, reason))
        elif coupon is not None:
            wanted[coupon.coupon_id] = coupon
            problems += [CouponProblem(name, why) for why in _misfits(coupon, use, clock)]
    return list(wanted.values()), problems


def _refusal(
    member: Member, coupon: Coupon | None, use: CouponUse, clock: Clock
) -> CouponReason | None:
    if coupon is None:
        return CouponReason.NOT_FOUND
    if coupon.member_id not in member.lives:
        return CouponReason.OTHER_MEMBER
    return rules.redeems(
        rules.state_at(coupon, clock.now(), clock.today()),
        was=coupon.state,
        held_by=coupon.lock_key,
        redeemed_for=coupon.order_id,
        order_id=use.order_id,
        is_moved=_is_moved(coupon, use),
        in_days=rules.in_days(coupon.days, clock.day_of(use.at)),
    )


def _is_moved(coupon: Coupon, use: CouponUse) -> bool:
    """Whether the order redeemed the coupon itself, at another instant than it says now."""
    by_itself = coupon.order_id == use.order_id and coupon.redeemed_by_role is Role.SYSTEM
    return by_itself and coupon.redeemed_at != to_the_millisecond(use.at)


def _misfits(coupon: Coupon, use: CouponUse, clock: Clock) -> list[CouponReason]:
    """What does not fit about a coupon that was used all the same."""
    found = rules.usable(
        template_of(coupon).terms,
        coupon.days,
        at=use.at,
        zone=clock.zone,
        places=places_of(use.store_id),
    )
    return [why for why in found if why not in {CouponReason.NOT_YET, CouponReason.EXPIRED}]


def _apply(
    tx: Transaction, wanted: Sequence[Coupon], use: CouponUse, clock: Clock, origin: Origin
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    redeemed: list[str] = []
    returned: list[str] = []
    for coupon in wanted:
        template = template_of(coupon)
        if not use.wholly_refunded or not template.terms.returned_by_refund:
            _redeem(tx, coupon, use, origin)
            redeemed.append(coupon.coupon_id)
            continue
        if coupon.state is CouponState.REDEEMED:
            _bring_back(tx, coupon, template, clock, origin)
        returned.append(coupon.coupon_id)
    return tuple(redeemed), tuple(returned)


def _redeem(tx: Transaction, coupon: Coupon, use: CouponUse, origin: Origin) -> None:
    was_used = coupon.state is CouponState.REDEEMED
    if was_used and coupon.order_id == use.order_id and not _is_moved(coupon, use):
        return
    if not was_used or _is_moved(coupon, use):
        coupon.redeemed_at = to_the_millisecond(use.at)
        coupon.redeemed_store_id = use.store_id
        coupon.redeemed_by_role, coupon.redeemed_by_id = Role.SYSTEM, "system"
        coupon.ended_at = None
    coupon.become(CouponState.REDEEMED)
    coupon.order_id, coupon.origin = use.order_id, origin
    coupon.unlock()
    repository.save(tx, coupon)


def _bring_back(
    tx: Transaction, coupon: Coupon, template: Template, clock: Clock, origin: Origin
) -> None:
    bring_back(coupon, template, clock)
    coupon.origin = origin
    repository.save(tx, coupon)


def _of_order(coupon_ids: Sequence[str], order_id: str) -> list[Coupon]:
    """Those of some coupons that this order redeemed."""
    found = repository.find(coupon_ids) if coupon_ids else []
    return [
        coupon
        for coupon in found
        if coupon is not None
        and coupon.state is CouponState.REDEEMED
        and coupon.order_id == order_id
    ]
