"""What `make audit` asks of points and coupons: of each member, and of each template."""

from collections import Counter
from collections.abc import Iterator

from graphql_api.coupons import repository as coupons
from graphql_api.coupons.models import Coupon, Template
from graphql_api.coupons.rules import LIMITED, CouponSource, CouponState, TemplateState
from graphql_api.orders import service as orders
from graphql_api.points import repository as points
from graphql_api.points import rules as points_rules
from graphql_api.points.rules import Figures
from scripts.audit_subject import Difference, Subject

_PAGE = 100
_ALL = 1_000_000


def account(subject: Subject) -> Iterator[Difference]:
    """Figures on the member, lots and the ledger of all their lives say the same."""
    member = subject.member
    item = points.get(member.id)
    held = points_rules.NOTHING if item is None else item.held
    moved = [entry.moved for life in member.lives for entry in points.all_entries(life)]
    shown = Figures(int(member.points), int(member.points_pending), int(member.points_frozen))
    for problem in points_rules.differences(shown, held, moved):
        yield Difference("points", member.id, problem, None)


def order_points(subject: Subject) -> Iterator[Difference]:
    """What stands on an order of points follows from its state and its terms."""
    for order in subject.orders:
        if not orders.points_are_as_told(order):
            yield Difference("order.points", order.id, order.points_document, None)


def coupons_of_member(subject: Subject) -> Iterator[Difference]:
    """Coupons are found by id and code, used by the orders that say so, and counted for limits."""
    member = subject.member
    if member.merge_id is not None:
        return
    held = [c for life in member.lives for c in coupons.some_of_member(life, at_most=_ALL)]
    yield from _orders_of_coupons(subject, held)
    for name in ("coupon_id", "code"):
        found = coupons.find([getattr(coupon, name) for coupon in held])
        for coupon, there in zip(held, found, strict=True):
            if there is None or there.key != coupon.key:
                where = there.key if there else None
                yield Difference(f"coupon.{name}", coupon.coupon_id, where, coupon.key)
    yield from _limits(member.id, held)


def _orders_of_coupons(subject: Subject, held: list[Coupon]) -> Iterator[Difference]:
    by_order = {id_: o.id for o in subject.orders if o.coupons for id_ in o.coupons.redeemed}
    by_coupon = {
        coupon.coupon_id: coupon.order_id
        for coupon in held
        if coupon.state is CouponState.REDEEMED and coupon.order_id is not None
    }
    for id_ in sorted({*by_order, *by_coupon}):
        if by_order.get(id_) != by_coupon.get(id_):
            yield Difference("coupon.order", id_, by_coupon.get(id_), by_order.get(id_))


def _limits(member_id: str, held: list[Coupon]) -> Iterator[Difference]:
    took = Counter(coupon.template_id for coupon in held if coupon.source in LIMITED)
    claims = coupons.claims_of_member(member_id, at_most=_ALL)
    counted = {one.template_id: int(one.total) for one in claims}
    for id_ in sorted({*took, *counted}):
        if took[id_] != counted.get(id_, 0):
            where = f"{member_id} {id_}"
            yield Difference("coupon.taken", where, counted.get(id_, 0), took[id_])


def templates() -> Iterator[Difference]:
    """What is left of each stock is what was not issued, and no more stand than were issued.

    Fewer may stand: coupons of who was erased are gone.
    """
    after: str | None = None
    while True:
        page = coupons.page_of_states(tuple(TemplateState), first=_PAGE, after=after, reverse=False)
        for template in page.items:
            yield from _stock(template)
        if not page.more:
            return
        after = page.last


def _stock(template: Template) -> Iterator[Difference]:
    parts = coupons.stock_of(template.id)
    if not parts:
        return
    issued = sum(int(part.issued) for part in parts)
    recycled = sum(int(part.recycled) for part in parts)
    if template.stock is not None:
        left = sum(int(part.left or 0) for part in parts)
        due = int(template.stock) - issued + recycled
        if left != due or any(int(part.left or 0) < 0 for part in parts):
            yield Difference("stock.left", template.id, left, due)
    stand: Counter[str] = Counter()
    for coupon in _of_template(template.id):
        stand["issued"] += coupon.source is not CouponSource.GIFT
        stand["recycled"] += coupon.state is CouponState.RECYCLED
    for name, counted in (("issued", issued), ("recycled", recycled)):
        if stand[name] > counted:
            yield Difference(f"stock.{name}", template.id, counted, stand[name])


def _of_template(template_id: str) -> Iterator[Coupon]:
    after: str | None = None
    while True:
        page = coupons.page_of_template(template_id, first=_PAGE, after=after, reverse=False)
        yield from page.items
        if not page.more:
            return
        after = page.last
