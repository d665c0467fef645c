"""Coupons that a vendor's customers got and used there."""

from graphql_api.connectors import repository
from graphql_api.connectors.doors import people
from graphql_api.connectors.errors import NotLinked
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, Outcome
from graphql_api.connectors.service import links
from graphql_api.coupons import repository as coupon_repository
from graphql_api.coupons import service as coupons
from graphql_api.coupons.models import Coupon
from graphql_api.coupons.rules import CouponSource, CouponState
from graphql_api.coupons.service import Redeem, Shown, WithReason
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.viewer import SYSTEM


def given(shop: Shop, key: str, code: str, template_key: str, *, clock: Clock) -> Outcome:
    """Give the member the coupon of the linked template, once for the vendor's code.

    A template that is not linked is of no concern, and neither is a coupon that came from here.
    """
    if repository.our_id(shop.id, LinkKind.COUPON, code):
        return Outcome.UNCHANGED
    member_id = people.member_id_of(shop, key)
    template_id = repository.our_id(shop.id, LinkKind.COUPON_TEMPLATE, template_key)
    if member_id is None or template_id is None:
        return Outcome.IGNORED

    def attempt(tx: Transaction) -> bool:
        member = members.get(member_id)
        template = coupon_repository.get_template(template_id)
        if member is None or template is None:
            return False
        coupon = coupons.issue_in(
            tx,
            member,
            template,
            source=CouponSource.IMPORT,
            source_ref=shop.id,
            clock=clock,
            key=f"{shop.id}:{code}",
        )
        members.require_present(tx, member.id)
        repository.put_link(tx, shop.id, LinkKind.COUPON, code, coupon.coupon_id, at=clock.now())
        return True

    if not transact(attempt):
        return Outcome.IGNORED
    links.wake_for(shop.id, LinkKind.COUPON, code, at=clock.now())
    return Outcome.APPLIED


def used(shop: Shop, code: str, order_no: str | None, *, clock: Clock) -> Outcome:
    """Have a coupon that is linked be used, for an order of the vendor's; once.

    In the shop's default store: raises NotLinked without one.
    """
    coupon = _linked(shop, code)
    if coupon is None:
        return Outcome.IGNORED
    if coupon.state is CouponState.REDEEMED:
        return Outcome.UNCHANGED
    if shop.default_store_id is None:
        raise NotLinked(LinkKind.STORE, shop.vendor_key)
    coupons.redeem(
        Redeem(
            coupon=Shown(id=coupon.coupon_id),
            store_id=shop.default_store_id,
            reference=order_no,
        ),
        viewer=SYSTEM,
        clock=clock,
    )
    return Outcome.APPLIED


def back(shop: Shop, code: str, *, clock: Clock) -> Outcome:
    """Have a coupon be the member's again that was used there; an order's comes back with it."""
    coupon = _linked(shop, code)
    if coupon is None:
        return Outcome.IGNORED
    if coupon.state is not CouponState.REDEEMED or coupon.order_id is not None:
        return Outcome.UNCHANGED
    coupons.roll_back(
        WithReason(id=coupon.coupon_id, reason=shop.vendor.value), viewer=SYSTEM, clock=clock
    )
    return Outcome.APPLIED


def _linked(shop: Shop, code: str) -> Coupon | None:
    coupon_id = repository.our_id(shop.id, LinkKind.COUPON, code)
    return coupon_repository.find([coupon_id])[0] if coupon_id else None
