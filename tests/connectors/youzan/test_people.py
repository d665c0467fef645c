"""Customers of Youzan asked for: as they are there now, and no question more than is needed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from graphql_api.connectors import repository
from graphql_api.connectors.adapters import Handled
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import CopyKind, CopyState, LinkKind, Outcome, PointsMaster
from graphql_api.connectors.service import masters
from graphql_api.connectors.service.masters import MasterSet
from graphql_api.connectors.youzan import api, people
from graphql_api.connectors.youzan.adapter import ADAPTER
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Gender, IdentityKind
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.connectors.youzan.conftest import link
from tests.connectors.youzan.vendor import Youzan, failed
from tests.factories import CLOCK, NOW, make_guide, make_identity, make_member
from tests.tags.factories import make_tag

WHO = "LnhGm4rh576452722916618240"
DETAIL = "youzan.scrm.customer.detail.get"
POINTS = "youzan.crm.customer.points.get"
TAGS = "youzan.scrm.tagrelation.query"
GUIDE = "youzan.guide.relation.query.userId"
APPLIED, UNCHANGED = Handled(Outcome.APPLIED), Handled(Outcome.UNCHANGED)


@pytest.fixture(autouse=True)
def known(youzan: Youzan) -> None:
    """A member of the linked store, as Youzan tells of them."""
    youzan.answers |= {
        DETAIL: {
            "name": "继承",
            "gender": 2,
            "mobile": "138****0000",
            "member_created_at": 1500000000,
            "ascription_kdt_id": 52323,
        },
        POINTS: {"point": 24},
        TAGS: {"tags": [{"tag_id": 1, "name": "高价值"}, {"tag_id": 2, "name": "别的"}]},
        GUIDE: {"guide_yz_open_id": "g1", "cust_yz_open_id": WHO, "is_valid": True},
    }


def refresh(shop: Shop, event_id: str = "run:1") -> Handled:
    return ADAPTER.refresh(shop, WHO, event_id=event_id, clock=CLOCK)


def member() -> Member:
    found = member_service.find([make_identity(WHO, IdentityKind.YOUZAN)])
    assert found is not None
    known = members.get(found)
    assert known is not None
    return known


def guide_of(member: Member) -> str | None:
    owned = member.owned_on(CLOCK.today())
    return owned.guide_id if owned else None


def test_member_comes_whole_and_once(shop: Shop, store: Store, youzan: Youzan) -> None:
    guide, high, low = make_guide(store), make_tag(), make_tag()
    link(shop, LinkKind.GUIDE, "g1", guide.id)
    link(shop, LinkKind.TAG, "高价值", high.id)
    link(shop, LinkKind.TAG, "低价值", low.id)
    masters.set_master(MasterSet(master=PointsMaster.YOUZAN), viewer=SYSTEM, at=NOW)
    assert [refresh(shop) for _ in range(2)] == [APPLIED, UNCHANGED]
    new = member()
    assert (new.name, new.gender, new.phone, new.store_id) == (
        "继承",
        Gender.FEMALE,
        None,
        store.id,
    )
    assert (new.points, new.tags_on(CLOCK.today()), guide_of(new)) == (24, [high.id], guide.id)
    assert new.joined_at == datetime.fromtimestamp(1500000000, UTC)
    assert youzan.names() == [DETAIL, POINTS, TAGS, GUIDE] * 2


def test_what_is_gone_there_goes_here(shop: Shop, store: Store, youzan: Youzan) -> None:
    guide, high = make_guide(store), make_tag()
    link(shop, LinkKind.GUIDE, "g1", guide.id)
    link(shop, LinkKind.TAG, "高价值", high.id)
    refresh(shop)
    youzan.answers |= {TAGS: {"tags": []}, GUIDE: {"is_valid": False, "guide_yz_open_id": "g1"}}
    assert refresh(shop) == APPLIED
    assert (member().tags_on(CLOCK.today()), guide_of(member())) == ([], None)


@pytest.mark.usefixtures("store")
def test_nothing_is_asked_that_is_of_no_concern(shop: Shop, youzan: Youzan) -> None:
    assert refresh(shop) == APPLIED
    assert refresh(shop) == UNCHANGED
    assert youzan.names() == [DETAIL, DETAIL]


def test_what_we_tell_is_not_taken_back(shop: Shop, store: Store, youzan: Youzan) -> None:
    link(shop, LinkKind.GUIDE, "g1", make_guide(store).id)
    link(shop, LinkKind.TAG, "高价值", make_tag().id)
    shop.told_kinds = [kind.value for kind in CopyKind]
    assert refresh(shop) == APPLIED
    assert (member().tags_on(CLOCK.today()), guide_of(member()), member().points) == ([], None, 0)
    assert youzan.names() == [DETAIL, POINTS]
    page = repository.page_of_open_copies(
        shop.id, CopyState.DUE, first=9, after=None, reverse=False
    )
    assert [copy.kind for copy in page.items] == [CopyKind.POINTS]


@pytest.mark.parametrize(
    ("answer", "note"),
    [(failed(144100001), "no such customer"), ({"name": "继承"}, "no member")],
)
def test_of_who_is_nobody_here_nothing_more_is_asked(
    shop: Shop, youzan: Youzan, answer: dict[str, Any], note: str
) -> None:
    link(shop, LinkKind.TAG, "高价值", make_tag().id)
    youzan.answers[DETAIL] = answer
    assert refresh(shop) == Handled(Outcome.IGNORED, note)
    assert youzan.names() == [DETAIL]


def test_customer_who_is_a_member_here_only_stays_one(
    shop: Shop, store: Store, youzan: Youzan
) -> None:
    make_member(store, make_identity(WHO, IdentityKind.YOUZAN), name="旧")
    youzan.answers[DETAIL] = {"name": "新", "is_member": False}
    assert refresh(shop) == APPLIED
    assert member().name == "新"


@pytest.mark.parametrize(
    ("told", "birthday", "year"),
    [
        ("1988-02-29 00:00:00", "02-29", 1988),
        ("1988-02-29", "02-29", 1988),
        ("0001-05-20", "05-20", None),
        ("1990-13-01", "13-01", 1990),  # which the door finds no day to be
        ("19900101", None, None),
        ("1990/01/01", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_birthday_is_a_day_and_maybe_a_year(
    told: str | None, birthday: str | None, year: int | None
) -> None:
    customer = api.Customer.model_validate({"birthday": told})
    person = people.person_of(WHO, customer, store_key=None)
    assert (person.birthday, person.birth_year) == (birthday, year)


@pytest.mark.usefixtures("store")
def test_new_customers_are_listed_by_seconds(shop: Shop, youzan: Youzan) -> None:
    listed = {"total": 2, "record_list": [{"yz_open_id": "a"}, {"yz_open_id": "b"}]}
    youzan.answers["youzan.scrm.customer.list"] = listed
    since, until = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    page = ADAPTER.new_customers(shop, since, until, None)
    assert (page.customers, page.cursor) == (["a", "b"], None)
    asked = {
        "created_at_start": 1795132800,
        "created_at_end": 1795392000,
        "page_no": 1,
        "page_size": 20,
    }
    assert youzan.asked == [("youzan.scrm.customer.list/1.0.0", asked)]
