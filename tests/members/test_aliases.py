"""Ids that were merged: each leads to whoever has its place now, and cannot be written itself."""

import pytest

from graphql_api.errors import Conflict
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.members import repository, rules, service
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import IdentityChange, Update
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.calls import counted
from tests.conftest import Client
from tests.factories import make_identity, make_member
from tests.members.aliases import put_in_place_of
from tests.orders.storage import member_now


@pytest.fixture
def chained(store: Store) -> list[Member]:
    """Three members of whom the first was merged into the second, and that one into the third."""
    people = [make_member(store) for _ in range(3)]
    put_in_place_of(people[1], people[0])
    put_in_place_of(people[2], people[1])
    return people


def test_every_id_of_a_chain_leads_to_the_last(chained: list[Member]) -> None:
    ids = [member.id for member in chained]
    last = ids[2]
    assert [m and m.id for m in repository.get_many([*ids, "mbr_nobody"])] == [last] * 3 + [None]
    assert [m and m.id for m in repository.get_now(ids[:2])] == [last] * 2
    assert [m and m.id for m in map(repository.get, ids)] == [last] * 3
    assert [m and m.id for m in repository.get_items(ids)] == ids
    assert member_now(ids[0]).alias_ids == [ids[1], ids[0]]


def test_aliases_cost_a_read_only_where_there_are_any(chained: list[Member], store: Store) -> None:
    other = make_member(store)
    for wanted, reads in (([other, chained[2]], 1), ([chained[1]], 2), ([chained[0], other], 3)):
        with counted() as calls:
            repository.get_many([member.id for member in wanted])
        assert calls == {"BatchGetItem": reads}


def test_alias_of_somebody_who_is_gone_leads_nowhere(chained: list[Member]) -> None:
    chained[2].delete(add_version_condition=False)
    ids = [member.id for member in chained]
    assert repository.get_many(ids) == [None, None, None]


def test_number_of_an_alias_leads_there_and_stands_in_no_list(chained: list[Member]) -> None:
    found = [repository.id_by_number(int(member.number)) for member in chained]
    assert found == [member.id for member in chained]
    page = repository.page_of_all(first=10, after=None, reverse=False)
    assert [member.id for member in page.items] == [chained[2].id]
    assert repository.count_of_store(chained[2].store_id) == 1


def test_api_answers_to_each_id_and_number(
    chained: list[Member], send: Client, operator: str
) -> None:
    first, last = chained[0], chained[2]
    answer = send(
        "query ($id: ID!, $no: String!) { node(id: $id) { id } byId: member(by: {id: $id}) { id }"
        " byNo: member(by: {memberNo: $no}) { id memberNo } }",
        token=operator,
        id=first.id,
        no=rules.shown_number(int(first.number)),
    )
    assert answer == {
        "node": {"id": last.id},
        "byId": {"id": last.id},
        "byNo": {"id": last.id, "memberNo": last.member_no},
    }


def test_commands_on_an_alias_change_who_has_its_place(chained: list[Member]) -> None:
    first, _, last = chained
    before = [m and m.serialize() for m in repository.get_items([first.id])]
    service.update(Update(id=first.id, nickname="明"), viewer=SYSTEM)
    service.update(Update(id=first.id, name="王小明"), viewer=SYSTEM)
    assert (member_now(last.id).nickname, member_now(last.id).name) == ("明", "王小明")
    assert [m and m.serialize() for m in repository.get_items([first.id])] == before


def test_change_that_meets_a_merge_goes_to_the_survivor(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The member was read, then merged, and then the update came."""
    loser, survivor = make_member(store), make_member(store)
    save = repository.save

    def late(tx: Transaction, member: Member) -> None:
        monkeypatch.setattr(repository, "save", save)
        put_in_place_of(survivor, member_now(loser.id))
        save(tx, member)

    monkeypatch.setattr(repository, "save", late)
    given = Update(id=loser.id, nickname="明")
    assert service.update(given, viewer=SYSTEM).id == survivor.id
    assert member_now(survivor.id).nickname == "明"
    [ended] = repository.get_items([loser.id])
    assert ended is not None
    assert ended.nickname is None


def test_change_of_an_expected_version_that_meets_a_merge_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    loser, survivor = make_member(store), make_member(store)
    save = repository.save

    def late(tx: Transaction, member: Member) -> None:
        monkeypatch.setattr(repository, "save", save)
        put_in_place_of(survivor, member_now(loser.id))
        save(tx, member)

    monkeypatch.setattr(repository, "save", late)
    with pytest.raises(Conflict):
        service.update(Update(id=loser.id, nickname="明", expected_version=1), viewer=SYSTEM)
    assert member_now(survivor.id).nickname is None


# --- two phones ------------------------------------------------------------------------------


def phone(text: str) -> service.NewIdentity:
    return make_identity(text, IdentityKind.PHONE)


OLD, SECOND, NEW = (phone(f"1380013800{n}") for n in range(3))


@pytest.fixture
def two_phones(store: Store) -> Member:
    """A member to whom a merge brought a second phone."""
    member = make_member(store, OLD, make_identity("openid-1"))
    claims = service.claims_of(SECOND)

    def attempt(tx: Transaction) -> None:
        current = member_now(member.id)
        for claim in claims:
            repository.take_claim(tx, claim, member.id, taken=Conflict("taken"))
        current.identity_claims = [*current.identity_claims, *claims]
        repository.save(tx, current)

    transact(attempt)
    return member_now(member.id)


def held(member: Member) -> list[bool]:
    """Which of the three phones lead to the member."""
    return [service.find([one]) == member.id for one in (OLD, SECOND, NEW)]


def test_new_phone_replaces_the_one_that_is_shown(two_phones: Member) -> None:
    told = IdentityChange(member_id=two_phones.id, identity=NEW)
    assert service.add_identity(told, viewer=SYSTEM).phone == NEW.value
    assert held(two_phones) == [False, True, True]


def test_second_phone_told_again_becomes_the_one_that_is_shown(two_phones: Member) -> None:
    told = IdentityChange(member_id=two_phones.id, identity=SECOND)
    assert service.add_identity(told, viewer=SYSTEM).phone == SECOND.value
    assert held(two_phones) == [False, True, False]
    assert len(member_now(two_phones.id).identity_claims) == 2


def test_second_phone_removed_leaves_the_one_that_is_shown(two_phones: Member) -> None:
    told = IdentityChange(member_id=two_phones.id, identity=SECOND)
    assert service.remove_identity(told, viewer=SYSTEM).phone == OLD.value
    assert held(two_phones) == [True, False, False]
