"""Weimob's customers, asked for: who they are, and what points, tags and guide they have."""

from datetime import datetime

from graphql_api.connectors import repository
from graphql_api.connectors.adapters import CustomersPage, Handled
from graphql_api.connectors.doors import customers, guides, points, tags
from graphql_api.connectors.doors.customers import Customer
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import CopyKind, Outcome
from graphql_api.connectors.turns import turn_of
from graphql_api.connectors.weimob import api, details
from graphql_api.connectors.weimob.fields import CHINA
from graphql_api.kit.time import Clock
from graphql_api.members.rules import Gender

_GENDERS = {1: Gender.MALE, 2: Gender.FEMALE}
_PLAUSIBLE_YEARS = range(1900, 2101)


def person_of(told: details.Customer) -> Customer:
    """A customer in our words."""
    day = told.birthday.astimezone(CHINA) if told.birthday else None
    return Customer(
        told.wid,
        phone=told.phone,
        name=told.name or told.nickname,
        gender=_GENDERS.get(told.gender or 0),
        birthday=f"{day:%m-%d}" if day else None,
        birth_year=day.year if day and day.year in _PLAUSIBLE_YEARS else None,
        store_key=told.belong_vid,
        joined_at=told.became_member_at,
    )


def profile(shop: Shop, wid: str, *, is_member: bool, clock: Clock) -> Outcome:
    """Ask who somebody is, and have that be so here."""
    told = api.customer(shop, wid)
    if told is None:
        return Outcome.IGNORED
    is_one = is_member or told.has_card or told.became_member_at is not None
    return customers.changed(shop, person_of(told), is_member=is_one, clock=clock)


def refresh(shop: Shop, customer: str, *, event_id: str, clock: Clock) -> Handled:
    """Ask who a customer is now, what points, tags and guide they have, and have it so here."""
    with turn_of(shop.id, "refresh", customer):
        who = profile(shop, customer, is_member=False, clock=clock)
        if who is Outcome.IGNORED:
            return Handled(Outcome.IGNORED, "no such customer")
        total = api.points_of(shop, customer)
        done = [who, points.told(shop, customer, total, event_id=event_id, clock=clock)]
        if CopyKind.TAGS not in shop.tells:
            keys = api.tags_of(shop, customer)
            gone = [key for key in repository.linked_tags(shop.id) if key not in keys]
            done.append(tags.told(shop, customer, keys, gone, clock=clock))
        if CopyKind.GUIDE not in shop.tells:
            guide = api.guide_of(shop, customer)
            done.append(guides.told(shop, customer, guide, clock=clock))
    return Handled(Outcome.APPLIED if Outcome.APPLIED in done else Outcome.UNCHANGED)


def since(_shop: Shop, _begin: datetime, _end: datetime, _cursor: str | None) -> CustomersPage:
    """Weimob lists nobody by when they came: who bought is found by their orders."""
    return CustomersPage([])
