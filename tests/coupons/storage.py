"""What is stored of coupons, to compare whole, and what must always be true of it."""

import json
from collections import Counter

from graphql_api.coupons import models, repository
from graphql_api.coupons.models import Claims, Coupon, CouponPointer, CouponsItem, Template
from graphql_api.coupons.rules import LIMITED, CouponState


def everything() -> list[str]:
    """Every item of coupons as text."""
    items = [item.serialize() for item in CouponsItem.scan()]
    return sorted(json.dumps(item, sort_keys=True) for item in items)


def coupon_now(coupon: Coupon) -> Coupon:
    """A coupon as it is now."""
    [found] = repository.find([coupon.coupon_id])
    assert found is not None
    return found


def state_of(coupon: Coupon) -> CouponState:
    """The state in which a coupon is stored."""
    return coupon_now(coupon).state


def all_coupons() -> list[Coupon]:
    """Every coupon of everybody."""
    return list(Coupon.scan(Coupon.sort.startswith(models.COUPON)))


def stock(template: Template) -> tuple[int | None, int, int]:
    """How many are left, were issued, were taken back."""
    parts = repository.stock_of(template.id)
    left = None if template.stock is None else sum(int(part.left or 0) for part in parts)
    return left, sum(int(p.issued) for p in parts), sum(int(p.recycled) for p in parts)


def require_consistent(*templates: Template) -> None:
    """Hold the laws: stock and what was issued come to the total, each coupon stands once and is
    found by id and code, limits count what was taken."""
    coupons = all_coupons()
    pointers = {
        p.id: (p.member_id, p.place)
        for p in CouponPointer.scan(CouponPointer.member_id.exists() & CouponPointer.place.exists())
    }
    expected = {id_: c.key for c in coupons for id_ in (c.coupon_id, models.code_id(c.code))}
    assert pointers == expected
    assert len({c.coupon_id for c in coupons}) == len(coupons)
    for template in templates:
        mine = [c for c in coupons if c.template_id == template.id]
        given_out = [c for c in mine if c.source != "GIFT"]
        left, issued, recycled = stock(template)
        assert issued == len(given_out)
        assert recycled == sum(1 for c in mine if c.state is CouponState.RECYCLED)
        if template.stock is not None:
            assert left == int(template.stock) - issued + recycled
        taken = Counter(c.member_id for c in mine if c.source in LIMITED)
        claims = Claims.scan(Claims.sort == models.claims_sort(template.id))
        assert {row.id: int(row.total) for row in claims} == dict(taken)
        limit = template.limits.per_member
        assert limit is None or all(n <= limit for n in taken.values())
