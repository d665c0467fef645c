"""Coupons to test with; the chain is set up already."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

from graphql_api.coupons import models, service
from graphql_api.coupons.models import Coupon, CouponsItem, IssueJob, Template
from graphql_api.coupons.repository import coupons as coupon_repository
from graphql_api.coupons.repository import templates as template_repository
from graphql_api.coupons.rules import (
    CouponKind,
    CouponSource,
    CouponUse,
    IssueTo,
    OrderCoupons,
    TemplateState,
    Terms,
    Validity,
    ValidityKind,
    days_of,
)
from graphql_api.coupons.service import Claim, Issue, TemplateCreate, issuing
from graphql_api.kit.dynamo import transact
from graphql_api.kit.ids import new_id
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.stores.models import Store
from graphql_api.viewer import Role, Viewer

NOW = datetime(2018, 1, 10, 4, 0, tzinfo=UTC)
TODAY = date(2018, 1, 10)
CLOCK = Clock(wall=lambda: NOW)
HEADQUARTERS = Viewer(Role.OPERATOR, id="opr_1")

_numbers = itertools.count(1)


def later(**passed: float) -> Clock:
    """The clock after so much time."""
    return Clock(wall=lambda: NOW + timedelta(**passed))


def make_terms(kind: CouponKind = CouponKind.AMOUNT, **more: Any) -> Terms:
    """Terms of a kind: 10 yuan off, for 30 days from the day of issue."""
    of_kind: dict[CouponKind, dict[str, Any]] = {
        CouponKind.AMOUNT: {"amount": 1_000},
        CouponKind.THRESHOLD: {"amount": 1_000, "threshold": 10_000},
        CouponKind.PERCENT: {"percent": 10},
        CouponKind.GIFT: {"item_id": "tea", "item_name": "茶"},
        CouponKind.EXCHANGE: {"item_id": "tea", "item_name": "茶"},
        CouponKind.FREE_SHIPPING: {},
    }
    validity = more.pop("validity", None) or delayed(30)
    return Terms(kind=kind, **{**of_kind[kind], "validity": validity, **more})


def delayed(for_days: int, after_days: int = 0, **more: Any) -> Validity:
    """So many days, counted from the day of issue."""
    return Validity(kind=ValidityKind.DELAYED, for_days=for_days, after_days=after_days, **more)


def fixed(starts_on: date, ends_on: date, **more: Any) -> Validity:
    """The same days for all."""
    return Validity(kind=ValidityKind.FIXED, starts_on=starts_on, ends_on=ends_on, **more)


def draft(terms: Terms | None = None, **more: Any) -> Template:
    """A stored template of which nothing is given out yet."""
    given = {"name": f"券{next(_numbers)}", "public": True, **more}
    new = TemplateCreate(terms=terms or make_terms(), **given)
    return service.create_template(new, viewer=HEADQUARTERS, clock=CLOCK)


def make_template(terms: Terms | None = None, *, clock: Clock = CLOCK, **more: Any) -> Template:
    """A stored template that anybody may claim."""
    template = draft(terms, **more)
    return service.activate_template(template.id, viewer=HEADQUARTERS, clock=clock)


def prepared_template(terms: Terms, **more: Any) -> tuple[Template, list[CouponsItem]]:
    """A template with its stock, not stored: for what is put in bulk."""
    known = {"name": f"券{next(_numbers)}", "state": TemplateState.ACTIVE, "public": True, **more}
    template = Template(
        new_id("ctp"),
        terms_document=terms.document(),
        created_at=NOW,
        activated_at=None if known["state"] is TemplateState.DRAFT else NOW,
        version=1,
        **known,
    )
    template_repository._list(template)
    left = None if template.stock is None else int(template.stock) // models.STOCK_PARTS
    parts = [
        models.Stock(template.id, models.stock_sort(n), is_open=True, left=left)
        for n in range(models.STOCK_PARTS)
    ]
    return template, list(parts)


def prepared_coupon(member: Member, template: Template, *, clock: Clock, **more: Any) -> Coupon:
    """A coupon of a member that staff gave, not stored."""
    now, coupon_id = clock.now(), new_id("cpn")
    days = days_of(template.terms.validity, clock.today())
    assert days is not None
    return Coupon(
        member.id,
        models.coupon_sort(coupon_id, now),
        coupon_id=coupon_id,
        code=issuing.new_code(),
        template_id=template.id,
        valid_from=days.first,
        valid_until=days.last,
        source=CouponSource.STAFF,
        origin=Origin.LIVE,
        by_role=Role.OPERATOR,
        by_id="opr_1",
        issued_at=now,
        version=1,
        **more,
    )


def with_pointers(coupon: Coupon) -> list[CouponsItem]:
    """A coupon as it is stored, and what leads to it."""
    coupon_repository._index(coupon)
    names = (coupon.coupon_id, models.code_id(coupon.code))
    places: dict[str, Any] = {"member_id": coupon.member_id, "place": coupon.sort}
    return [coupon, *(models.CouponPointer(name, **places) for name in names)]


def prepared_job(template: Template, by_id: str, role: Role, **more: Any) -> IssueJob:
    """A job over listed members, not stored."""
    job_id = new_id("cpj")
    return IssueJob(
        job_id,
        listed=models.jobs_of(by_id),
        list_place=job_id,
        template_id=template.id,
        members=IssueTo.LISTED,
        by_role=role,
        by_id=by_id,
        day=TODAY,
        created_at=NOW,
        version=1,
        **more,
    )


def viewer_of(member: Member) -> Viewer:
    """The member who is logged in."""
    return Viewer(Role.MEMBER, id=member.id)


def claim(member: Member, template: Template, *, clock: Clock = CLOCK) -> Coupon:
    """A coupon that a member claimed."""
    given = Claim(template_id=template.id)
    return service.claim(given, viewer=viewer_of(member), clock=clock)


def issue(
    member: Member,
    template: Template,
    *,
    viewer: Viewer = HEADQUARTERS,
    clock: Clock = CLOCK,
    store: Store | None = None,
) -> Coupon:
    """A coupon that staff gave."""
    store_id = store.id if store else None
    given = Issue(member_id=member.id, template_id=template.id, store_id=store_id)
    return service.issue(given, viewer=viewer, clock=clock)


def follow(
    member: Member | None,
    use: CouponUse | None,
    kept: OrderCoupons | None = None,
    *,
    clock: Clock = CLOCK,
) -> OrderCoupons | None:
    """What an order makes of coupons, in a transaction as orders have."""
    return transact(
        lambda tx: service.follow_order(tx, member, use, kept, clock=clock, origin=Origin.LIVE)
    )


def use_of(
    *coupons: Coupon | str,
    order_id: str = "ord_1",
    refunded: bool = False,
    at: datetime = NOW,
    store_id: str | None = None,
) -> CouponUse:
    """An order that names these coupons, by code."""
    codes = tuple(one if isinstance(one, str) else one.code for one in coupons)
    return CouponUse(order_id, codes, refunded, store_id, at)


def fresh_member(member: Member) -> Member:
    """The member as it is now."""
    found = members.get(member.id)
    assert found is not None
    return found
