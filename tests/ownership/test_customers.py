"""A guide's customers and a store's members, searched for over GraphQL."""

from datetime import timedelta

import pytest

from graphql_api import auth
from graphql_api.guides.models import Guide
from graphql_api.kit import ids
from graphql_api.members import service as member_service
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import NewIdentity, Update
from graphql_api.ownership import service, tasks
from graphql_api.ownership.service import HandOverCreate
from graphql_api.stores.models import Store
from graphql_api.viewer import SEE_PERSONAL_DATA, SYSTEM, Role
from tests.conftest import Client
from tests.factories import CLOCK, NOW, make_guide, make_member
from tests.ownership.viewers import OPERATOR, READER, as_guide, manager_of
from tests.test_reads import asked, warm

CUSTOMERS = """query ($search: CustomerSelector, $first: Int! = 20, $after: String,
    $reverse: Boolean! = false) {
  myCustomers(first: $first, after: $after, reverse: $reverse, search: $search) {
    nodes { id name phone } pageInfo { hasNextPage endCursor }
  }
}"""


def found(send: Client, token: str, search: dict[str, str] | None = None) -> list[str]:
    """The ids of all customers that a search finds, page by page."""
    found_ids: list[str] = []
    after = None
    while True:
        asked_for = {"search": search, "first": 2, "after": after}
        page = send(CUSTOMERS, token=token, **asked_for)["myCustomers"]
        found_ids += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found_ids
        after = page["pageInfo"]["endCursor"]


@pytest.fixture
def people(store: Store, other_store: Store, ann: Guide, bob: Guide) -> dict[str, str]:
    """Members of two stores whose phones and names are alike, by what they are about."""
    there = make_guide(other_store, "卡")
    known: dict[str, tuple[Store, str, str | None, Guide | None]] = {
        "ann 1": (store, "+8613800138000", "王小明", ann),
        "ann 2": (store, "+8613900138000", "王 小丽", ann),
        "ann 3": (store, "+8613800130001", "王大", ann),
        "ann 4": (store, "+8613800130002", None, ann),
        "bob": (store, "+8613700138000", "王小芳", bob),
        "nobody": (store, "+8613600138000", "王小华", None),
        "there": (other_store, "+8613500138000", "王小虎", there),
        "ann left": (store, "+8613400138000", "王小白", ann),
    }
    made = {
        key: make_member(
            at,
            NewIdentity(kind=IdentityKind.PHONE, value=phone),
            name=name,
            guide_id=guide.id if guide else None,
            joined_at=NOW - timedelta(days=n),
        )
        for n, (key, (at, phone, name, guide)) in enumerate(known.items())
    }
    member_service.archive(made["ann left"].id, viewer=SYSTEM, clock=CLOCK)
    return {key: member.id for key, member in made.items()}


def test_guide_finds_customers_of_their_own_and_nobody_else(
    send: Client, people: dict[str, str], ann: Guide
) -> None:
    token = as_guide(ann)

    def names(search: dict[str, str] | None) -> list[str]:
        by_id = {id_: key for key, id_ in people.items()}
        return [by_id[id_] for id_ in found(send, token, search)]

    assert names(None) == ["ann 4", "ann 3", "ann 2", "ann 1"]
    assert names({"phoneLast4": "8000"}) == ["ann 2", "ann 1"]
    assert names({"phoneLast4": "0002"}) == ["ann 4"]
    assert names({"phoneLast4": "9999"}) == []
    assert names({"nameStartsWith": "王"}) == ["ann 3", "ann 2", "ann 1"]
    assert names({"nameStartsWith": "王小"}) == ["ann 2", "ann 1"]
    assert names({"nameStartsWith": "　王 小丽"}) == ["ann 2"]
    assert names({"nameStartsWith": "小明"}) == []


def test_manager_finds_members_of_the_store_and_of_no_other(
    send: Client, people: dict[str, str], store: Store
) -> None:
    token = manager_of(store)

    def names(search: dict[str, str] | None) -> list[str]:
        by_id = {id_: key for key, id_ in people.items()}
        return [by_id[id_] for id_ in found(send, token, search)]

    assert names(None) == ["nobody", "bob", "ann 4", "ann 3", "ann 2", "ann 1"]
    assert names({"phoneLast4": "8000"}) == ["nobody", "bob", "ann 2", "ann 1"]
    assert names({"nameStartsWith": "王小"}) == ["ann 2", "nobody", "ann 1", "bob"]


def test_search_is_one_query_of_the_scope(
    send: Client, people: dict[str, str], store: Store, ann: Guide
) -> None:
    warm(send)
    expected = {
        ("guide", "phoneLast4", "8000"): ("guide-phone", 2),
        ("guide", "nameStartsWith", "王小"): ("guide-name", 2),
        ("store", "phoneLast4", "8000"): ("store-phone", 4),
        ("store", "nameStartsWith", "王小"): ("store-name", 4),
    }
    for (who, how, what), (index, members) in expected.items():
        token = as_guide(ann) if who == "guide" else manager_of(store)
        with asked() as seen:
            send(CUSTOMERS, token=token, search={how: what})
        assert seen == {f"Query members.{index}": 1, f"get {members} members": 1}


def test_found_customers_are_masked_unless_the_viewer_may_see_them(
    send: Client, people: dict[str, str], ann: Guide
) -> None:
    search = {"nameStartsWith": "王小明"}
    [masked] = send(CUSTOMERS, token=as_guide(ann), search=search)["myCustomers"]["nodes"]
    assert (masked["name"], masked["phone"]) == ("王**", "+86*******8000")
    token = as_guide(ann, SEE_PERSONAL_DATA)
    [shown] = send(CUSTOMERS, token=token, search=search)["myCustomers"]["nodes"]
    assert (shown["name"], shown["phone"]) == ("王小明", "+8613800138000")


def test_search_follows_a_new_name_a_new_phone_and_a_new_guide(
    send: Client, people: dict[str, str], ann: Guide, bob: Guide
) -> None:
    id_ = people["ann 3"]
    member_service.update(Update(id=id_, name="李四"), viewer=SYSTEM)
    phone = NewIdentity(kind=IdentityKind.PHONE, value="+8613811112222")
    changed = member_service.IdentityChange(member_id=id_, identity=phone)
    member_service.add_identity(changed, viewer=SYSTEM)
    token = as_guide(ann)
    assert found(send, token, {"nameStartsWith": "王大"}) == []
    assert found(send, token, {"phoneLast4": "0001"}) == []
    assert found(send, token, {"nameStartsWith": "李"}) == [id_]
    assert found(send, token, {"phoneLast4": "2222"}) == [id_]
    given = HandOverCreate(from_guide_id=ann.id, target_ids=[bob.id])
    job = service.hand_over(given, viewer=SYSTEM, clock=CLOCK)
    tasks.run_hand_over(job.id, clock=CLOCK)
    assert found(send, token, {"nameStartsWith": "李"}) == found(send, token) == []
    assert found(send, as_guide(bob), {"phoneLast4": "2222"}) == [id_]


def test_search_for_nothing_that_can_be_is_refused(send: Client, store: Store) -> None:
    wrong = {
        "phoneLast4": ["800", "80000", "８０００", "80#0", ""],
        "nameStartsWith": ["", "　 ", "王" * 61],
    }
    for way, texts in wrong.items():
        for text in texts:
            answer = send.post(CUSTOMERS, token=manager_of(store), search={way: text})
            assert answer["errors"][0]["extensions"] == {
                "code": "BAD_USER_INPUT",
                "field": ["search", way],
            }


def test_search_takes_exactly_one_way_and_a_cursor_of_its_own(
    send: Client, people: dict[str, str], store: Store
) -> None:
    token = manager_of(store)
    for search in ({}, {"phoneLast4": "8000", "nameStartsWith": "王"}):
        answer = send.post(CUSTOMERS, token=token, search=search)
        assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    page = send(CUSTOMERS, token=token, search={"phoneLast4": "8000"}, first=1)["myCustomers"]
    after = page["pageInfo"]["endCursor"]
    other = {"search": {"phoneLast4": "0001"}, "after": after}
    answer = send.post(CUSTOMERS, token=token, **other)
    assert answer["errors"][0]["extensions"]["field"] == ["after"]


def test_headquarters_members_and_keys_have_no_customers(send: Client, store: Store) -> None:
    member = auth.issue(Role.MEMBER, ids.derived_id("mbr", "1"))
    for token in (OPERATOR, READER, member):
        answer = send.post(CUSTOMERS, token=token)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
