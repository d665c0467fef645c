"""Doors may be knocked at twice and in any order: what is here in the end is the same."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphql_api.connectors import service
from graphql_api.connectors.doors import customers, guides, merges, orders, people, points, tags
from graphql_api.connectors.doors.customers import Customer, plain_phone
from graphql_api.connectors.errors import Later, NotLinked
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, Outcome, PointsMaster, Vendor
from graphql_api.connectors.service import LinkSet, MasterSet, ShopLink
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Gender, IdentityKind
from graphql_api.orders.service import attach
from graphql_api.points import repository as point_repository
from graphql_api.points import service as point_service
from graphql_api.points.service import Cause
from graphql_api.privacy import service as privacy
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.factories import (
    CLOCK,
    NOW,
    make_guide,
    make_identity,
    make_member,
    make_snapshot,
    make_store,
)
from tests.tags.factories import make_tag


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


@pytest.fixture
def shop(store: Store) -> Shop:
    linked = ShopLink(vendor=Vendor.YOUZAN, vendor_key="1001", client_id="app-1", name="店")
    shop = service.link(linked, viewer=SYSTEM, at=NOW)
    link(shop, LinkKind.STORE, "52323", store.id)
    service.set_master(MasterSet(master=PointsMaster.YOUZAN), viewer=SYSTEM, at=NOW)
    return shop


def link(shop: Shop, kind: LinkKind, key: str, our_id: str) -> None:
    told = LinkSet(shop_id=shop.id, kind=kind, vendor_key=key, our_id=our_id)
    service.set_link(told, viewer=SYSTEM, at=NOW)


def join(shop: Shop, key: str, *, is_member: bool = True, **told: object) -> Outcome:
    known = Customer(key, store_key="52323", **told)  # type: ignore[arg-type]  # by name
    return customers.changed(shop, known, is_member=is_member, clock=CLOCK)


def member(shop: Shop, key: str) -> Member:
    found = people.member_of(shop, key)
    assert found is not None
    return found


# --- customers -------------------------------------------------------------------------------


def test_member_there_is_enrolled_once_and_kept_as_told(shop: Shop) -> None:
    assert join(shop, "a", name="王芳", gender=Gender.FEMALE, birthday="02-29") is Outcome.APPLIED
    assert join(shop, "a", name="王芳", gender=Gender.FEMALE) is Outcome.UNCHANGED
    assert join(shop, "a", name="王*", birthday="03-01", birth_year=1990) is Outcome.UNCHANGED
    assert join(shop, "a", name="王丽") is Outcome.APPLIED
    known = member(shop, "a")
    assert (known.name, known.gender, known.birthday) == ("王丽", Gender.FEMALE, "02-29")


def test_customer_who_is_no_member_and_one_without_a_store_are_not_enrolled(shop: Shop) -> None:
    assert join(shop, "a", is_member=False) is Outcome.IGNORED
    elsewhere = Customer("b", store_key="9")
    with pytest.raises(NotLinked, match="STORE 9"):
        customers.changed(shop, elsewhere, is_member=True, clock=CLOCK)
    assert people.member_of(shop, "a") is people.member_of(shop, "b") is None


def test_phone_that_is_plain_finds_who_has_it_and_a_masked_one_nobody(
    shop: Shop, store: Store
) -> None:
    phone = make_identity("13800138000", IdentityKind.PHONE)
    known = make_member(store, phone)
    assert join(shop, "a", phone="138****8000") is Outcome.APPLIED
    assert member(shop, "a").id != known.id
    assert join(shop, "b", phone="13800138000") is Outcome.APPLIED
    assert member(shop, "b").id == known.id
    assert [plain_phone(text) for text in ("138****8000", "$x9==", None, "123")] == [None] * 4


def test_impossible_birthday_is_left_out(shop: Shop) -> None:
    join(shop, "a", name="王芳", birthday="02-30")
    join(shop, "a", birthday="02-29", birth_year=1999)
    assert member(shop, "a").birthday is None


def test_person_who_was_erased_is_not_brought_back(shop: Shop) -> None:
    join(shop, "a", name="王芳")
    privacy.erase(member(shop, "a").id, viewer=SYSTEM, clock=CLOCK)
    assert join(shop, "a", name="王芳") is Outcome.IGNORED
    assert customers.closed(shop, "a", clock=CLOCK) is Outcome.IGNORED
    assert people.member_of(shop, "a") is None


def test_what_was_erased_is_added_to_nobody_else(shop: Shop, store: Store) -> None:
    join(shop, "a", phone="13800138000")
    privacy.erase(member(shop, "a").id, viewer=SYSTEM, clock=CLOCK)
    join(shop, "b", name="乙")
    assert join(shop, "b", phone="13800138000") is Outcome.UNCHANGED
    assert customers.phone_changed(shop, "b", "13800138000") is Outcome.IGNORED
    other = make_member(store, make_identity("13900139000", IdentityKind.PHONE))
    assert join(shop, "a", phone="13900139000", name="甲") is Outcome.IGNORED
    assert merges.merged(shop, "a", "b", event_id="m", clock=CLOCK) is Outcome.IGNORED
    assert member(shop, "b").identity_claims == ["YOUZAN#b"]
    kept = members.get(other.id)
    assert kept is not None
    assert (kept.name, len(kept.identity_claims)) == (other.name, len(other.identity_claims))


def test_who_is_enrolled_by_somebody_else_meanwhile_is_found_the_next_time(
    shop: Shop, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, enrol = make_identity("13800138000", IdentityKind.PHONE), member_service.enrol
    first = []

    def enrol_second(*given: Any, **named: Any) -> Member:
        monkeypatch.undo()
        first.append(make_member(store, phone).id)
        return enrol(*given, **named)

    monkeypatch.setattr(member_service, "enrol", enrol_second)
    with pytest.raises(Later):
        join(shop, "a", phone="13800138000")
    assert join(shop, "a", phone="13800138000") is Outcome.APPLIED
    assert [member(shop, "a").id] == first


def test_birth_year_that_nobody_has_leaves_the_birthday_out(shop: Shop) -> None:
    assert join(shop, "a", birthday="01-01", birth_year=1899) is Outcome.APPLIED
    assert member(shop, "a").birthday is None


def test_end_of_an_account_that_became_another_one_erases_nobody(shop: Shop) -> None:
    join(shop, "a")
    join(shop, "b")
    merges.merged(shop, "a", "b", event_id="m", clock=CLOCK)
    assert customers.closed(shop, "a", clock=CLOCK) is Outcome.IGNORED
    assert member(shop, "a").id == member(shop, "b").id
    assert customers.closed(shop, "b", clock=CLOCK) is Outcome.APPLIED
    assert people.member_of(shop, "a") is people.member_of(shop, "b") is None


# --- merges ----------------------------------------------------------------------------------


def test_merge_comes_to_the_same_whatever_comes_first_and_twice(shop: Shop, store: Store) -> None:
    ends = []
    for n, sequence in enumerate(itertools.permutations(range(4))):
        one, other = f"{n}-a", f"{n}-b"
        bought = make_snapshot(store, buyer=[make_identity(one, IdentityKind.YOUZAN)])
        knocks: list[Callable[[], object]] = [
            lambda one=one: join(shop, one, name="甲"),  # type: ignore[misc]  # bound now
            lambda other=other: join(shop, other, name="乙"),  # type: ignore[misc]
            lambda a=one, b=other: merges.merged(shop, a, b, event_id="m", clock=CLOCK),  # type: ignore[misc]
            lambda bought=bought: orders.apply(bought, clock=CLOCK),  # type: ignore[misc]
        ]
        for place in (*sequence, *sequence[::2]):
            knocks[place]()
        attach(bought.order_id, clock=CLOCK)  # as the stream does that follows claims
        found = member(shop, one)
        assert found.id == member(shop, other).id
        ends.append((found.name, found.facts.orders, len(found.identity_claims)))
    assert set(ends) == {("乙", 1, 2)}


# --- points ----------------------------------------------------------------------------------


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(-5, 300), st.integers(0, 6), st.booleans()), max_size=9))
def test_balance_is_the_last_total_told_and_the_ledger_sums_to_it(
    shop: Shop, store: Store, told: list[tuple[int, int, bool]]
) -> None:
    known = make_member(store)
    balance, seen = 0, set[int]()
    for total, key, is_grant in told:
        if is_grant:
            point_service.grant(known.id, 7, key=f"g{len(seen)}-{total}-{key}", cause=Cause(CLOCK))
            now = members.get(known.id)
            assert now is not None
            balance = int(now.points)
            continue
        point_service.have_balance(known.id, total, key=str(key), cause=Cause(CLOCK))
        if key not in seen:
            seen.add(key)
            balance = max(total, 0)
    now = members.get(known.id)
    assert now is not None
    assert now.points == balance
    ledger = point_repository.all_entries(known.id)
    assert sum(int(entry.balance_moved) for entry in ledger) == balance


def test_points_of_a_vendor_that_is_not_the_master_change_nothing_here(shop: Shop) -> None:
    join(shop, "a")
    service.set_master(MasterSet(master=PointsMaster.OURS), viewer=SYSTEM, at=NOW)
    assert points.told(shop, "a", 500, event_id="1", clock=CLOCK) is Outcome.IGNORED
    assert member(shop, "a").points == 0
    assert points.told(shop, "nobody", 500, event_id="1", clock=CLOCK) is Outcome.IGNORED


# --- tags and guides -------------------------------------------------------------------------


def test_linked_tags_come_and_go_and_others_are_of_no_concern(shop: Shop) -> None:
    join(shop, "a")
    tag = make_tag()
    link(shop, LinkKind.TAG, "高价值", tag.id)
    assert tags.told(shop, "a", ["高价值", "别的"], [], clock=CLOCK) is Outcome.APPLIED
    assert tags.told(shop, "a", ["高价值"], [], clock=CLOCK) is Outcome.UNCHANGED
    assert list(member(shop, "a").tags) == [tag.id]
    assert tags.told(shop, "a", ["别的"], [], clock=CLOCK) is Outcome.IGNORED
    assert tags.told(shop, "a", [], ["高价值"], clock=CLOCK) is Outcome.APPLIED
    assert list(member(shop, "a").tags) == []


def test_guide_of_another_store_brings_the_member_and_nobody_lets_go(shop: Shop) -> None:
    join(shop, "a")
    guide = make_guide(make_store("S2"))
    link(shop, LinkKind.GUIDE, "g1", guide.id)
    assert guides.told(shop, "a", "g1", clock=CLOCK) is Outcome.APPLIED
    assert guides.told(shop, "a", "g1", clock=CLOCK) is Outcome.UNCHANGED
    assert member(shop, "a").store_id == guide.store_id
    assert guides.told(shop, "a", "g2", clock=CLOCK) is Outcome.IGNORED
    assert guides.told(shop, "a", None, clock=CLOCK) is Outcome.APPLIED
    assert guides.told(shop, "a", None, clock=CLOCK) is Outcome.UNCHANGED
