"""Delivered, killed and tried again in whatever sequence: no gift twice, none in part."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.benefits import repository, rules, service, tasks
from graphql_api.benefits.rules import GiftKind, GiftState
from graphql_api.benefits.service import GiftRetry
from graphql_api.coupons import repository as coupons
from graphql_api.coupons.models import Template
from graphql_api.coupons.service import TemplateUpdate, update_template
from graphql_api.errors import AppError
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import EffectKind, Origin
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.benefits.factories import put_in_force
from tests.coupons.factories import HEADQUARTERS, make_template
from tests.factories import CLOCK, make_member
from tests.orders.storage import on_storage

TODAY = date(2018, 1, 10)
TERMS = {"joiningGift": 20, "upgradeGift": 300, "birthdayGift": 4_000}


class PowerCut(BaseException):
    """The process ended here."""


class Person:
    """A member to whom things happen, and the template of their coupons."""

    def __init__(self, store: Store, template: Template) -> None:
        self.member = make_member(store, birthday="01-11")
        self.template = template

    def joined(self) -> None:
        tasks.follow(self.member.id, EffectKind.ENROLLED, "-", Origin.LIVE, clock=CLOCK)

    def rose(self) -> None:
        tasks.follow(self.member.id, EffectKind.TIER_UPGRADED, "V2", Origin.LIVE, clock=CLOCK)

    def filled_in(self) -> None:
        tasks.follow(self.member.id, EffectKind.TIER_UPGRADED, "V3", Origin.BACKFILL, clock=CLOCK)

    def day(self) -> None:
        day = rules.birthday(date(2018, 1, 11))
        service.give(self.member.id, day, TODAY, clock=CLOCK)

    def restocked(self) -> None:
        now = coupons.get_template(self.template.id)
        assert now is not None
        more = TemplateUpdate(id=now.id, stock=int(now.stock or 0) + 1)
        update_template(more, viewer=HEADQUARTERS)

    def retried(self) -> None:
        for kind, level in (("JOINING", "-"), ("UPGRADE", "V2"), ("BIRTHDAY", "2018")):
            given = GiftRetry(member_id=self.member.id, kind=GiftKind(kind), level=level)
            try:
                service.retry(given, viewer=SYSTEM, clock=CLOCK)
            except AppError:
                continue


EVENTS: dict[str, Callable[[Person], None]] = {
    "joined": Person.joined,
    "rose": Person.rose,
    "filled in": Person.filled_in,
    "day": Person.day,
    "restocked": Person.restocked,
    "retried": Person.retried,
}


def killed(happen: Callable[[Person], None], person: Person) -> None:
    """The power goes when the gift is to be written with what belongs to it."""
    with pytest.MonkeyPatch.context() as power, suppress(PowerCut):
        power.setattr(repository, "create", cut)
        power.setattr(repository, "save", cut)
        happen(person)


def cut(*_: Any, **__: Any) -> None:
    raise PowerCut


def state(member: Member) -> tuple[list[Any], int, int]:
    page = repository.gifts_of_member(member.id, first=100, after=None, reverse=False)
    now = members.get(member.id)
    assert now is not None
    held = coupons.page_of_member(member.id, first=100, after=None, reverse=False)
    return list(page.items), int(now.points), len(held.items)


@settings(on_storage, max_examples=10)
@given(events=st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), st.booleans()), max_size=8))
def test_points_and_coupons_are_those_of_the_gifts_given_each_once(
    events: list[tuple[str, bool]], store: Store
) -> None:
    template = make_template(stock=1)
    gifts = {name: {"points": n, "coupons": [template.id]} for name, n in TERMS.items()}
    put_in_force({"V1": gifts, "V2": gifts, "V3": gifts})
    person = Person(store, template)
    for name, dies in events:
        if dies:
            killed(EVENTS[name], person)
        else:
            EVENTS[name](person)
    found, points, coupons_held = state(person.member)
    given = [gift for gift in found if gift.state is GiftState.GIVEN]
    assert points == sum(int(gift.points) for gift in given)
    assert coupons_held == len(given)
    assert all(gift.coupon_ids == [] for gift in found if gift.state is not GiftState.GIVEN)
    assert set(Counter(gift.kind for gift in given).values()) <= {1}
    wanted = {"joined": GiftKind.JOINING, "rose": GiftKind.UPGRADE, "day": GiftKind.BIRTHDAY}
    happened = {wanted[name] for name, dies in events if name in wanted and not dies}
    assert happened <= {gift.kind for gift in found}
