"""Lists of members: by number over blocks, by store, by guide, in both directions."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from graphql_api.guides.models import Guide
from graphql_api.kit.dynamo import Page
from graphql_api.members import repository
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from tests.calls import counted
from tests.factories import make_guide, make_member, make_store, numbered, put_numbered

Walk = Callable[..., Page[Member]]

NUMBERS = [*range(1, 4), 255, 256, 257, 511, *range(1280, 1284), 1535, 1536]
"""Six blocks of 256, of which the third to the fifth are empty."""


def walked(page: Walk, *args: object, first: int, reverse: bool) -> list[list[Member]]:
    """Every page of a list, to its end."""
    pages: list[list[Member]] = []
    after = None
    while True:
        found = page(*args, first=first, after=after, reverse=reverse)
        assert len(found.items) == len(found.places) <= first
        pages.append(list(found.items))
        if not found.more:
            return pages
        after = found.places[-1]


def test_pages_of_all_are_the_numbers_in_order(chain: str) -> None:
    put_numbered(NUMBERS, newest=1600)
    for first, reverse in product((1, 3, 4, 100), (False, True)):
        pages = walked(repository.page_of_all, first=first, reverse=reverse)
        numbers = [int(member.number) for page in pages for member in page]
        assert numbers == sorted(NUMBERS, reverse=reverse)
        assert [len(page) for page in pages[:-1]] == [first] * (len(pages) - 1)
        assert len(pages) == -(-len(NUMBERS) // first)


def test_page_inside_the_chain_reads_one_block(chain: str) -> None:
    put_numbered(NUMBERS, newest=1600)
    for after, reverse in (("0000001280", False), ("0000001283", True)):
        with counted() as calls:
            page = repository.page_of_all(first=2, after=after, reverse=reverse)
        assert [m.number for m in page.items] == ([1282, 1281] if reverse else [1281, 1282])
        assert page.more
        assert calls == {"Query": 1, "BatchGetItem": 1}


def test_page_that_ends_with_its_block_looks_for_the_next_member(chain: str) -> None:
    """The end of the list is known from the counter; empty blocks are looked into."""
    put_numbered(NUMBERS, newest=1600)
    with counted() as calls:
        page = repository.page_of_all(first=2, after="0000000257", reverse=False)
    assert [m.number for m in page.items] == [511, 1280]
    assert page.more
    assert calls == {"Query": 5, "BatchGetItem": 2}  # blocks 1 to 5; the counter, the members


def test_empty_chain_has_an_empty_page(chain: str) -> None:
    for reverse in (False, True):
        assert repository.page_of_all(first=5, after=None, reverse=reverse) == Page([], [], False)


@pytest.fixture
def people(store: Store, other_store: Store, guide: Guide) -> list[Member]:
    """Nine members of two stores, four of them with the guide; who was made last joined first."""
    start = datetime(2017, 12, 31, 15, 0, tzinfo=UTC)
    return [
        make_member(
            other_store if n % 3 == 2 else store,
            joined_at=start - timedelta(days=n),
            guide_id=guide.id if n in {0, 3, 4, 6} else None,
        )
        for n in range(9)
    ]


def ids_of(pages: list[list[Member]]) -> list[str]:
    return [member.id for page in pages for member in page]


def test_pages_of_a_store_and_of_a_guide_go_by_joining_time(
    people: list[Member], store: Store, guide: Guide
) -> None:
    of_store = [people[n].id for n in (7, 6, 4, 3, 1, 0)]
    of_guide = [people[n].id for n in (6, 4, 3, 0)]
    for first, reverse in product((2, 100), (False, True)):
        order = -1 if reverse else 1
        in_store = walked(repository.page_of_store, store.id, first=first, reverse=reverse)
        with_guide = walked(repository.page_of_guide, guide.id, first=first, reverse=reverse)
        assert ids_of(in_store) == of_store[::order]
        assert ids_of(with_guide) == of_guide[::order]


def test_pages_of_several_stores_go_store_after_store(
    people: list[Member], store: Store, other_store: Store
) -> None:
    empty = make_store("S3")
    here = [people[n].id for n in (7, 6, 4, 3, 1, 0)]
    there = [people[n].id for n in (8, 5, 2)]
    by_store = {store.id: here, empty.id: [], other_store.id: there}
    expected = [id_ for at in sorted(by_store) for id_ in by_store[at]]
    for first, reverse in product((1, 2, 5, 6, 9), (False, True)):
        pages = walked(repository.page_of_stores, tuple(by_store), first=first, reverse=reverse)
        assert ids_of(pages) == (expected[::-1] if reverse else expected)
        assert len(pages) == -(-9 // first)


def test_page_inside_a_store_or_a_guides_list_is_one_query(
    people: list[Member], store: Store, guide: Guide
) -> None:
    for page, key in ((repository.page_of_store, store.id), (repository.page_of_guide, guide.id)):
        with counted() as calls:
            found = page(key, first=2, after=None, reverse=False)
        assert (len(found.items), found.more) == (2, True)
        assert calls == {"Query": 1, "BatchGetItem": 1}


def test_later_page_of_several_stores_does_not_read_the_stores_before_it(
    people: list[Member], store: Store, other_store: Store
) -> None:
    both = sorted([store.id, other_store.id])
    last_store = both[-1]
    place = repository.page_of_store(last_store, first=1, after=None, reverse=False).places[0]
    with counted() as calls:
        found = repository.page_of_stores(tuple(both), first=2, after=place, reverse=False)
    assert {member.store_id for member in found.items} == {last_store}
    assert calls == {"Query": 1, "BatchGetItem": 1}


def test_number_leads_to_its_member_by_one_query(chain: str) -> None:
    put_numbered([255, 256, 257], newest=257)
    with counted() as calls:
        assert repository.id_by_number(256) == numbered(256)
        assert repository.id_by_number(258) is None
    assert calls == {"Query": 3}  # whose number no member has may be an alias


def test_members_are_read_in_the_order_of_their_keys(store: Store) -> None:
    one, other = make_member(store), make_member(store)
    with counted() as calls:
        found = repository.get_many([other.id, "mbr_nobody", one.id, other.id])
    assert [member and member.id for member in found] == [other.id, None, one.id, other.id]
    assert calls == {"BatchGetItem": 1}


def test_numbers_are_taken_in_a_row(chain: str) -> None:
    assert repository.newest_number() == 0
    assert repository.take_numbers(3) == 1
    assert repository.take_numbers() == 4
    assert repository.newest_number() == 4


def test_guide_without_members_has_an_empty_page(store: Store) -> None:
    guide = make_guide(store, "周杰")
    page = repository.page_of_guide(guide.id, first=5, after=None, reverse=True)
    assert page == Page([], [], False)
