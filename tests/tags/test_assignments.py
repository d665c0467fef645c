"""Who has which tag: given, taken, replaced, run out, by whom, and refused with nothing written."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from graphql_api.errors import AppError, ForbiddenTransition, Invalid, LimitExceeded, NotFound
from graphql_api.guides.models import Guide
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import (
    MAX_TAGS,
    ConsentChannel,
    ConsentPurpose,
    Gender,
    HeldTag,
    SourceChannel,
    TagSource,
)
from graphql_api.members.service import Update
from graphql_api.stores.models import Store
from graphql_api.tags import models, repository, service
from graphql_api.tags.models import Tag
from graphql_api.tags.rules import TagAction
from graphql_api.tags.service import ErrorPolicy, TagsSet
from graphql_api.viewer import READ_MEMBERS, SYSTEM, WRITE_TAGS, Role, Viewer
from tests.calls import counted
from tests.factories import make_member, make_store
from tests.tags.factories import (
    CLOCK,
    NOW,
    make_group,
    make_tag,
    make_tags,
    put_tags,
    set_tags,
)
from tests.tags.storage import everything, happened, held, history, member_now
from tests.threads import at_once

TODAY = date(2018, 1, 10)
KEY = Viewer(Role.INTEGRATION, id="key_1", scopes=frozenset({READ_MEMBERS, WRITE_TAGS}))


def later(days: int) -> Clock:
    return Clock(wall=lambda: NOW + timedelta(days=days))


def of_guide(guide: Guide) -> Viewer:
    store_ids = frozenset({guide.store_id})
    return Viewer(Role.GUIDE, id=guide.id, unit_id=guide.store_id, store_ids=store_ids)


def of_manager(store: Store) -> Viewer:
    return Viewer(Role.STORE_MANAGER, "stm_1", unit_id=store.id, store_ids=frozenset({store.id}))


def by_rule(member: Member, *add: Tag, remove: list[Tag] | None = None, **more: Any) -> None:
    given = TagsSet(
        member_id=member.id,
        add=[tag.id for tag in add],
        remove=[tag.id for tag in remove or ()],
        **more,
    )
    service.set_tags_as(given, source=TagSource.RULE, source_ref="spends-more@3", clock=CLOCK)


def refused(kind: type[AppError], field: tuple[str, ...], call: Callable[[], object]) -> None:
    """The call is refused so, and nothing was written."""
    before = everything()
    with pytest.raises(kind) as refusal:
        call()
    assert (type(refusal.value), refusal.value.field) == (kind, field)
    assert everything() == before


# --- given and taken -------------------------------------------------------------------------


def test_given_tag_stands_on_the_member_in_a_row_and_in_the_history(
    store: Store, guide: Guide
) -> None:
    member = make_member(store, guide_id=guide.id)
    tag = make_tag(validity_days=30)
    changed = set_tags(member, tag, viewer=of_guide(guide), reason="试吃后说喜欢")
    assert changed.member.serialize() == member_now(member.id).serialize()
    assert changed.member.version == 2
    assert held(member.id) == {tag.id: HeldTag(TagSource.BY_HAND, date(2018, 2, 9))}
    [row] = repository.assignments(member.id)
    [entry] = history(member.id)
    for said in (row, entry):
        assert (said.by_role, said.by_id, said.by_guide_id) == (Role.GUIDE, guide.id, guide.id)
        assert (said.at, said.reason, said.source) == (NOW, "试吃后说喜欢", TagSource.BY_HAND)
        assert (said.expires_on, said.source_ref) == (date(2018, 2, 9), None)
    assert (entry.action, entry.replaced_by) == (TagAction.ADDED, None)


def test_one_call_gives_and_takes_and_leaves_the_rest(store: Store) -> None:
    member = make_member(store)
    kept, old, new, again = make_tags(4)
    set_tags(member, kept, old, again)
    changed = set_tags(member, new, again, remove=[old])
    assert [(one.tag_id, one.action) for one in changed.changes] == [
        (old.id, TagAction.REMOVED),
        (new.id, TagAction.ADDED),
    ]
    assert set(held(member.id)) == {kept.id, new.id, again.id}
    assert len(happened(member.id)) == 5


def test_same_call_again_writes_nothing(store: Store) -> None:
    member = make_member(store)
    tag, other = make_tags(2)
    set_tags(member, tag, remove=[other])
    before = everything()
    with counted() as calls:
        changed = set_tags(member, tag, remove=[other])
    assert (changed.changes, changed.member.version) == ([], 2)
    assert calls == {"BatchGetItem": 3}
    assert everything() == before


def test_exclusive_group_swaps_in_one_step_and_says_so(store: Store) -> None:
    member = make_member(store)
    group = make_group(exclusive=True)
    young, old = make_tags(2, group)
    set_tags(member, young)
    with counted() as calls:
        changed = set_tags(member, old)
    assert calls == {"BatchGetItem": 4, "TransactWriteItems": 1}
    assert [(one.tag_id, one.action) for one in changed.changes] == [
        (young.id, TagAction.REPLACED),
        (old.id, TagAction.ADDED),
    ]
    assert set(held(member.id)) == {old.id}
    replaced = history(member.id)[1]
    assert (replaced.tag_id, replaced.action, replaced.replaced_by) == (
        young.id,
        TagAction.REPLACED,
        old.id,
    )


def test_hand_set_tag_is_not_taken_by_a_rule(store: Store) -> None:
    member = make_member(store)
    both, by_rule_only = make_tags(2)
    by_rule(member, both, by_rule_only)
    set_tags(member, both)
    by_rule(member, remove=[both, by_rule_only])
    assert held(member.id) == {both.id: HeldTag(TagSource.BY_HAND)}
    assert happened(member.id) == [
        (both.id, TagAction.ADDED),
        (by_rule_only.id, TagAction.ADDED),
        (both.id, TagAction.CHANGED),
        (by_rule_only.id, TagAction.REMOVED),
    ]
    gone = history(member.id)[-1]
    assert (gone.source, gone.source_ref) == (TagSource.RULE, "spends-more@3")
    assert (gone.by_role, gone.by_id) == (Role.SYSTEM, "system")


def test_key_imports_and_takes_only_what_was_imported(store: Store) -> None:
    member = make_member(store)
    tag, other = make_tags(2)
    set_tags(member, tag, viewer=KEY)
    set_tags(member, other)
    assert held(member.id) == {
        tag.id: HeldTag(TagSource.IMPORTED),
        other.id: HeldTag(TagSource.BY_HAND),
    }
    set_tags(member, remove=[tag, other], viewer=KEY)
    assert set(held(member.id)) == {other.id}


def test_archived_tag_stays_where_it_is_and_goes_nowhere_else(store: Store) -> None:
    member, other = make_member(store), make_member(store)
    tag = make_tag()
    set_tags(member, tag)
    service.archive_tag(tag.id, viewer=SYSTEM, clock=CLOCK)
    field = ("input", "add", "0")
    refused(ForbiddenTransition, field, lambda: set_tags(other, tag))
    assert set(held(member.id)) == {tag.id}
    set_tags(member, remove=[tag])
    assert held(member.id) == {}


# --- refused ---------------------------------------------------------------------------------


def test_tags_that_cannot_be_given_are_refused_by_their_place(store: Store) -> None:
    member = make_member(store)
    fine = make_tag()
    group = make_group(exclusive=True)
    one, two = make_tags(2, group)
    unknown = Tag(ids.numbered_id("tag", 77))
    no_tag = Tag(group.id)
    refused(NotFound, ("input", "add", "1"), lambda: set_tags(member, fine, unknown))
    refused(NotFound, ("input", "add", "0"), lambda: set_tags(member, no_tag))
    refused(Invalid, ("input", "add", "2"), lambda: set_tags(member, one, fine, two))
    day = ("input", "expires_on")
    refused(Invalid, day, lambda: set_tags(member, fine, expires_on=date(2018, 1, 9)))
    set_tags(member, fine, expires_on=TODAY)
    assert held(member.id) == {fine.id: HeldTag(TagSource.BY_HAND, TODAY)}


def test_members_out_of_reach_are_not_there(store: Store, guide: Guide) -> None:
    tag = make_tag()
    own = make_member(store, guide_id=guide.id)
    beside = make_member(store)
    elsewhere = make_member(make_store("S2"))
    missing = Member(ids.new_id("mbr"))
    field = ("input", "member_id")
    refused(NotFound, field, lambda: set_tags(beside, tag, viewer=of_guide(guide)))
    refused(NotFound, field, lambda: set_tags(elsewhere, tag, viewer=of_manager(store)))
    refused(NotFound, field, lambda: set_tags(own, tag, viewer=Viewer(Role.MEMBER, id=own.id)))
    refused(NotFound, field, lambda: set_tags(missing, tag))
    refused(NotFound, field, lambda: set_tags(Member("counter"), tag))
    set_tags(own, tag, viewer=of_guide(guide))
    set_tags(beside, tag, viewer=of_manager(store))
    assert [set(held(one.id)) for one in (own, beside)] == [{tag.id}, {tag.id}]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"add": ["a"], "remove": ["a"]},
        {"add": ["a", "a"]},
        {"add": [str(n) for n in range(11)]},
        {"remove": [str(n) for n in range(11)]},
        {"add": ["a"], "reason": "长" * 201},
    ],
)
def test_wish_names_up_to_ten_tags_once_each(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TagsSet(member_id="m", **given)


# --- 200 tags --------------------------------------------------------------------------------


def fill(member: Member, tags: list[Tag], last_day: date | None = None) -> None:
    """Give a member many tags at once, past the limit of one call."""
    for start in range(0, len(tags), 10):
        set_tags(member, *tags[start : start + 10], expires_on=last_day)


@pytest.fixture
def full(store: Store) -> tuple[Member, list[Tag]]:
    """A member with 200 tags, 3 of which run out today, and two more tags."""
    tags = put_tags(MAX_TAGS + 2)
    member = make_member(store)
    fill(member, tags[:3], TODAY)
    fill(member, tags[3:MAX_TAGS])
    return member, tags


def test_member_has_200_tags_at_most_and_those_that_ran_out_make_room(
    full: tuple[Member, list[Tag]],
) -> None:
    member, tags = full
    more = tags[MAX_TAGS:]
    assert len(held(member.id)) == MAX_TAGS
    refused(LimitExceeded, ("input", "add"), lambda: set_tags(member, *more))
    changed = set_tags(member, *more, clock=later(1))
    actions = [one.action for one in changed.changes]
    assert actions == [TagAction.ADDED] * 2 + [TagAction.EXPIRED] * 2
    assert len(held(member.id)) == MAX_TAGS
    ended = [entry for entry in history_to_the_end(member) if entry.action is TagAction.EXPIRED]
    assert {(entry.by_role, entry.reason) for entry in ended} == {(Role.SYSTEM, None)}


def history_to_the_end(member: Member) -> list[Any]:
    page = repository.history_of_member(member.id, first=100, after=None, reverse=True)
    return list(page.items)


def size(item: dict[str, Any]) -> int:
    """Bytes of an item as DynamoDB counts them, or a few more."""

    def of(value: dict[str, Any]) -> int:
        [(kind, inner)] = value.items()
        if kind == "L":
            return 3 + sum(1 + of(one) for one in inner)
        return len(str(inner).encode()) + 1

    return sum(len(name.encode()) + of(value) for name, value in item.items())


def fullest() -> Member:
    """A member with as much of everything as it may have."""
    member = Member(ids.new_id("mbr"), number=10**10, version=10**6)
    phones = [f"PHONE#2018.{'f' * 64}", f"PHONE#2017.{'f' * 64}"]
    member.identity_claims = [*phones, *(f"WECOM_EXTERNAL#{n:0128d}" for n in range(18))]
    member.sealed_phone, member.phone_last4 = "2018." + "x" * 60, "8000"
    for name in ("name", "nickname", "city", "occupation", "income_band"):
        setattr(member, name, "王" * 60)
    member.gender, member.birthday, member.birth_year = Gender.UNKNOWN, "02-29", 1988
    given = ["版" * 20, NOW.isoformat(), NOW.isoformat()]
    pairs = [f"{purpose}#{channel}" for purpose in ConsentPurpose for channel in ConsentChannel]
    member.consent_document = dict.fromkeys(pairs, given)
    member.source = SourceChannel.OFFICIAL_ACCOUNT
    member.joined_at = member.created_at = member.locked_until = NOW
    member.store_id = member.joining_store_id = ids.new_id("sto")
    member.guide_id = member.joining_guide_id = ids.new_id("gde")
    member.lock_owner = ids.new_id("job")
    months = [f"{2015 + n // 12}-{n % 12 + 1:02d}" for n in range(36)]
    member.month_document = {month: [1_000, 10**9, 10**7] for month in months}
    member.newest_month = months[-1]
    member.order_count, member.paid, member.refunded, member.growth = 10**5, 10**11, 10**10, 10**9
    member.first_purchase_on, member.last_purchase_on = date(2015, 1, 1), date(2017, 12, 31)
    last_day = HeldTag(TagSource.IMPORTED, date(2018, 12, 31))
    member.tags = {ids.numbered_id("tag", 30_000 + n): last_day for n in range(MAX_TAGS)}
    members._index(member)
    return member


def test_fullest_member_takes_less_than_16_kb() -> None:
    member = fullest()
    assert len(member.tags) == MAX_TAGS
    assert size(member.serialize()) < 16_384


# --- run out ---------------------------------------------------------------------------------


def test_tag_that_ran_out_is_on_the_item_until_it_is_cleared_away(store: Store) -> None:
    member = make_member(store)
    lasting, short = make_tags(2)
    set_tags(member, lasting)
    set_tags(member, short, expires_on=TODAY)
    stored = member_now(member.id)
    assert stored.tags_on(TODAY) == [lasting.id, short.id]
    assert stored.tags_on(date(2018, 1, 11)) == [lasting.id]
    assert service.expire_tags(member.id, TODAY, clock=CLOCK) == 0
    assert service.expire_tags(member.id, date(2018, 1, 11), clock=later(1)) == 1
    assert set(held(member.id)) == {lasting.id}
    ended = history(member.id)[-1]
    assert (ended.tag_id, ended.action, ended.at) == (short.id, TagAction.EXPIRED, later(1).now())
    assert (ended.by_role, ended.expires_on) == (Role.SYSTEM, TODAY)


def test_nobody_loses_nothing(chain: str) -> None:
    assert service.expire_tags(ids.new_id("mbr"), TODAY, clock=CLOCK) == 0


# --- many at once, and at the same time ------------------------------------------------------


def test_bulk_goes_on_or_stops_as_asked(store: Store) -> None:
    tag = make_tag()
    first, last = make_member(store), make_member(store)
    named = [first.id, "nobody", last.id, first.id]

    def bulk(policy: ErrorPolicy) -> list[tuple[str, bool]]:
        given = service.TagsAddBulk(member_ids=named, tag_ids=[tag.id], error_policy=policy)
        outcomes = service.add_bulk(given, viewer=SYSTEM, clock=CLOCK)
        return [(one.member_id, one.refusal is None) for one in outcomes]

    assert bulk(ErrorPolicy.STOP) == [(first.id, True), ("nobody", False)]
    assert [len(held(one.id)) for one in (first, last)] == [1, 0]
    assert bulk(ErrorPolicy.CONTINUE) == [(first.id, True), ("nobody", False), (last.id, True)]
    assert [len(held(one.id)) for one in (first, last)] == [1, 1]
    assert len(history(first.id)) == 1


def test_bulk_refuses_as_a_whole_what_nobody_can_be_given(store: Store) -> None:
    member = make_member(store)
    given = service.TagsAddBulk(member_ids=[member.id], tag_ids=[ids.numbered_id("tag", 77)])
    field = ("input", "tag_ids", "0")
    refused(NotFound, field, lambda: service.add_bulk(given, viewer=SYSTEM, clock=CLOCK))


def test_two_who_swap_at_once_leave_one_tag_of_an_exclusive_group(store: Store) -> None:
    member = make_member(store)
    group = make_group(exclusive=True)
    tags = make_tags(4, group)

    def swap(mine: list[Tag]) -> None:
        for tag in mine * 3:
            set_tags(member, tag)

    at_once([partial(swap, tags[:2]), partial(swap, tags[2:])])
    assert len(held(member.id)) == 1
    gave = [action for _, action in happened(member.id)]
    assert gave.count(TagAction.ADDED) == gave.count(TagAction.REPLACED) + 1


def test_nickname_and_tag_at_once_are_both_kept(store: Store) -> None:
    member = make_member(store)
    tags = make_tags(6)

    def rename() -> None:
        for n in range(6):
            given = Update(id=member.id, nickname=f"昵称{n}")
            member_service.update(given, viewer=SYSTEM)

    def give() -> None:
        for tag in tags:
            set_tags(member, tag)

    at_once([rename, give])
    assert member_now(member.id).nickname == "昵称5"
    assert set(held(member.id)) == {tag.id for tag in tags}


# --- who has a tag ---------------------------------------------------------------------------


def walked(tag: Tag, day: date, *, first: int, reverse: bool = False) -> list[str]:
    """The members of a tag, page after page."""
    seen: list[str] = []
    after = None
    while True:
        page = repository.members_of_tag(tag.id, day, first=first, after=after, reverse=reverse)
        seen += [member.id for member in page.items]
        if not page.more:
            assert len(page.items) <= first
            return seen
        assert len(page.items) == first
        after = page.places[-1]


def test_members_of_a_tag_are_listed_shard_by_shard_in_the_order_of_joining(store: Store) -> None:
    tag, other = make_tags(2)
    joined = [datetime(2017, 1, 20 - n, tzinfo=UTC) for n in range(20)]
    people = [make_member(store, joined_at=at) for at in joined]
    for n, member in enumerate(people):
        set_tags(member, *([tag, other] if n % 2 else [other]))
    tagged = people[1::2]
    listed = walked(tag, TODAY, first=3)
    assert sorted(listed) == sorted(member.id for member in tagged)
    assert walked(tag, TODAY, first=100, reverse=True) == listed[::-1]
    shards: dict[str, list[Member]] = {}
    for member in tagged:
        key = models.shard_of(member.id)
        shards.setdefault(key, []).append(member)
    in_order = [
        member.id
        for _, some in sorted(shards.items())
        for member in sorted(some, key=lambda m: m.joined_at)
    ]
    assert listed == in_order


def test_members_spread_over_16_shards_for_ever_the_same() -> None:
    people = [ids.derived_id("mbr", str(n)) for n in range(200)]
    assert {models.shard_of(member_id) for member_id in people} == set(models.SHARDS)
    shards = [models.shard_of(ids.derived_id("mbr", name)) for name in ("ann", "bob")]
    assert shards == ["04", "12"]


def test_page_of_members_reads_past_those_who_lost_it_or_left(store: Store) -> None:
    tag = make_tag()
    for _ in range(7):
        set_tags(make_member(store), tag)
    listed = walked(tag, TODAY, first=100)
    for member_id in (listed[0], listed[4]):
        set_tags(member_now(member_id), tag, expires_on=TODAY)
    member_service.archive(listed[5], viewer=SYSTEM, clock=CLOCK)
    tomorrow = [listed[n] for n in (1, 2, 3, 6)]
    for first in (1, 2, 3, 100):
        assert walked(tag, TODAY, first=first) == [*listed[:5], listed[6]]
        assert walked(tag, date(2018, 1, 11), first=first) == tomorrow


def test_rows_of_a_member_are_paged_apart_from_the_history(store: Store) -> None:
    member = make_member(store)
    tags = make_tags(3)
    set_tags(member, *tags)
    for page_of in (repository.page_of_member, repository.history_of_member):
        for reverse in (False, True):
            first = page_of(member.id, first=2, after=None, reverse=reverse)
            rest = page_of(member.id, first=2, after=first.places[-1], reverse=reverse)
            seen = [row.tag_id for row in (*first.items, *rest.items)]
            assert seen == sorted((tag.id for tag in tags), reverse=reverse)
            assert (first.more, rest.more) == (True, False)
