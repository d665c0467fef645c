"""Youzan's customers: as a message tells them, and asked for."""

from datetime import datetime

from graphql_api.connectors import repository
from graphql_api.connectors.adapters import CustomersPage, Handled
from graphql_api.connectors.doors import customers, guides, points, tags
from graphql_api.connectors.doors.customers import Customer
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import CopyKind, LinkKind, Outcome, PointsMaster
from graphql_api.connectors.service import masters
from graphql_api.connectors.turns import turn_of
from graphql_api.connectors.walks import Walk
from graphql_api.connectors.youzan import api
from graphql_api.connectors.youzan.payloads import CustomerEvent
from graphql_api.kit.time import Clock
from graphql_api.members.rules import Gender

_GENDERS = {1: Gender.MALE, 2: Gender.FEMALE}


def person_of(key: str, told: CustomerEvent | api.Customer, *, store_key: str | None) -> Customer:
    """A customer in our words."""
    birthday, year = _birthday(told.birthday)
    return Customer(
        key,
        phone=told.mobile,
        name=told.name,
        gender=_GENDERS.get(told.gender or 0),
        birthday=birthday,
        birth_year=year,
        store_key=store_key,
        joined_at=told.joined_at if isinstance(told, api.Customer) else None,
    )


def refresh(shop: Shop, customer: str, *, event_id: str, clock: Clock) -> Handled:
    """Ask who a customer is now, what points, tags and guide they have, and have it so here.

    Of who is nobody here nothing more is asked.
    """
    told = api.customer(shop, customer)
    if told is None:
        return Handled(Outcome.IGNORED, "no such customer")
    person = person_of(customer, told, store_key=told.ascription_kdt_id)
    with turn_of(shop.id, "refresh", customer):
        outcome = customers.changed(shop, person, is_member=told.is_one, clock=clock)
        if outcome is Outcome.IGNORED:
            return Handled(outcome, "no member")
        done = [
            outcome,
            _points(shop, customer, event_id, clock),
            _tags(shop, customer, clock),
        ]
        if CopyKind.GUIDE not in shop.tells:
            done.append(take_guide(shop, customer, clock=clock))
    return Handled(Outcome.APPLIED if Outcome.APPLIED in done else Outcome.UNCHANGED)


def take_guide(shop: Shop, customer: str, *, clock: Clock) -> Outcome:
    """Have who looks after a customer 专属导购 there do so here.

    A shop without linked guides is not asked: theirs may not have the plug-in that answers.
    """
    if not repository.has_link(shop.id, LinkKind.GUIDE):
        return Outcome.IGNORED
    relation = api.guide_of(shop, customer)
    guide = relation.guide_yz_open_id if relation else None
    return guides.told(shop, customer, guide, clock=clock)


def _points(shop: Shop, customer: str, event_id: str, clock: Clock) -> Outcome:
    """What theirs are counts where Youzan is the master; where ours are told, they are compared."""
    if masters.master() is not PointsMaster.YOUZAN and CopyKind.POINTS not in shop.tells:
        return Outcome.IGNORED
    total = api.points_of(shop, customer)
    return points.told(shop, customer, total, event_id=event_id, clock=clock)


def _tags(shop: Shop, customer: str, clock: Clock) -> Outcome:
    """Where tags are ours to tell, the vendor's are copies; else they are as the vendor says."""
    linked = [] if CopyKind.TAGS in shop.tells else repository.linked_tags(shop.id)
    if not linked:
        return Outcome.IGNORED
    names = api.tags_of(shop, customer)
    gone = [key for key in linked if key not in names]
    return tags.told(shop, customer, names, gone, clock=clock)


def since(shop: Shop, begin: datetime, end: datetime, cursor: str | None) -> CustomersPage:
    """Customers who became such in a window, a page a call; see `orders.changed`."""
    walk = Walk.at(cursor, begin, end)
    listed = api.customers_since(shop, walk.since, walk.until, walk.page)
    if listed.total > api.MOST_CUSTOMERS and walk.can_halve:
        return CustomersPage([], walk.halved().text)
    after = walk.on(walk.page * api.CUSTOMERS_AT_ONCE >= listed.total)
    found = [customer.yz_open_id for customer in listed.record_list]
    return CustomersPage(found, after.text if after.part == 0 else None)


def _birthday(text: str | None) -> tuple[str | None, int | None]:
    """`1990-02-28 00:00:00` as the day `02-28` and the year; a day alone has none."""
    day = (text or "")[:10]
    if len(day) != len("yyyy-mm-dd") or not day.replace("-", "").isdigit():
        return None, None
    year = int(day[:4])
    return day[5:], year if 1900 <= year <= 2100 else None
