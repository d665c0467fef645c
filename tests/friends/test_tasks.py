"""From events to friendships, members, owners and welcomes."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graphql_api.codes import repository as code_repository
from graphql_api.codes import service as codes
from graphql_api.codes.models import Code
from graphql_api.codes.rules import Came
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.wecom.events import ContactEvent, Push
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.friends import models, repository, service, tasks
from graphql_api.friends.models import Friend
from graphql_api.friends.queueing import Follow, Meet
from graphql_api.friends.rules import FriendState
from graphql_api.friends.service import WelcomeSet
from graphql_api.guides.models import Guide
from graphql_api.kit.dynamo import Page
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind, OwnershipSource
from graphql_api.members.service import NewIdentity
from graphql_api.ownership import service as ownership
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from graphql_api.webhooks.tasks import Change
from tests.factories import CLOCK, make_guide, make_member, make_store
from tests.friends.conftest import Corp

AT = datetime(2018, 1, 10, 3, 0, tzinfo=UTC)
CUSTOMER = "wmAJ2GCAAAXtWyujaWJHDDGi0mAC"
UNION = "union-1"
Queued = list[tuple[str, dict[str, Any], float]]


def event(push: Push = Push.ADDED, second: int = 0, **more: Any) -> ContactEvent:
    given = {"user_id": "zhangsan", "external_user_id": CUSTOMER, **more}
    return ContactEvent(push=push, created_at=AT + timedelta(seconds=second), **given)


def follow(one: ContactEvent) -> Friend | None:
    return tasks.follow_event(one, clock=CLOCK)


def friend_now(user_id: str = "zhangsan") -> Friend:
    friend = repository.get(models.friend_id(user_id, CUSTOMER))
    assert friend is not None
    return friend


def known_by_union(store: Store, union_id: str = UNION) -> Member:
    return make_member(store, NewIdentity(kind=IdentityKind.UNIONID, value=union_id))


def code_of(guide: Guide) -> Code:
    return codes.create(codes.CodeCreate(guide_id=guide.id), viewer=SYSTEM, clock=CLOCK)


def now(member: Member) -> Member:
    found = members.get(member.id)
    assert found is not None
    return found


def test_new_friend_is_the_guides_and_came_by_their_code(
    store: Store, guide: Guide, corp: Corp
) -> None:
    corp.union_ids[CUSTOMER] = UNION
    member, code = known_by_union(store), code_of(guide)
    follow(event(state=code.scene))
    friend = friend_now()
    assert (friend.state, friend.guide_id, friend.store_id) == (
        FriendState.FRIEND,
        guide.id,
        store.id,
    )
    assert (friend.code_id, friend.since) == (code.id, AT)
    found = now(member)
    assert {(i.kind, i.value) for i in found.identities} >= {
        (IdentityKind.WECOM_EXTERNAL, CUSTOMER)
    }
    assert found.ownership is not None
    assert (found.ownership.guide_id, found.ownership.source) == (
        guide.id,
        OwnershipSource.WECOM_FRIEND,
    )
    page = code_repository.page_of_arrivals(code.id, first=5, after=None, reverse=False)
    assert [(a.member_id, a.how, a.at) for a in page.items] == [(member.id, Came.FRIENDED, AT)]


def test_new_friendship_need_not_be_in_the_index_yet(
    store: Store, guide: Guide, corp: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    corp.union_ids[CUSTOMER] = UNION
    member, code = known_by_union(store), code_of(guide)
    monkeypatch.setattr(repository, "page_of_customer", lambda *_, **__: Page([], more=False))
    follow(event(state=code.scene))
    assert now(member).guide_id == guide.id
    assert code_repository.tallies([code.id])[0].friended == 1


def test_friend_who_is_nobody_here_waits_for_their_membership(
    store: Store, guide: Guide, corp: Corp, queued: Queued
) -> None:
    corp.union_ids[CUSTOMER] = UNION
    code = code_of(guide)
    follow(event(state=code.scene))
    assert repository.members_of([CUSTOMER]) == [None]
    member = known_by_union(store)
    image = member.serialize()
    assert tasks.notice([Change("1", AT, None, image)]) == 1
    assert tasks.notice([Change("2", AT, image, image)]) == 0
    [(url, body, _)] = queued
    assert (url, body) == ("contacts", {"meet": CUSTOMER, "attempts": 0})
    tasks.follow(Meet(meet=CUSTOMER).model_dump_json(), clock=lambda: CLOCK)
    found = now(member)
    assert found.guide_id == guide.id
    assert code_repository.tallies([code.id])[0].friended == 1
    assert corp.asked == ["externalcontact/get"]  # what WeCom said of them is kept


def test_members_without_a_customer_ask_nobody(store: Store, corp: Corp, queued: Queued) -> None:
    image = known_by_union(store, "union-of-nobody").serialize()
    assert tasks.notice([Change("1", AT, None, image)]) == 0
    assert (queued, corp.asked) == ([], [])


def test_events_in_any_order_and_twice_end_the_same(store: Store, guide: Guide, corp: Corp) -> None:
    told = [
        event(Push.HALF_ADDED, 0),
        event(Push.ADDED, 1),
        event(Push.DELETED_BY_CUSTOMER, 2),
        event(Push.ADDED, 3, state="x"),
    ]
    seen = set()
    for order in itertools.permutations(told):
        for one in (*order, order[0]):
            follow(one)
        friend = friend_now()
        seen.add((friend.state, friend.since, friend.changed_at, friend.scene))
        friend.delete()
    assert seen == {(FriendState.FRIEND, AT, AT + timedelta(seconds=3), None)}


def test_deleting_ends_a_friendship_and_no_ownership(
    store: Store, guide: Guide, corp: Corp
) -> None:
    corp.union_ids[CUSTOMER] = UNION
    member = known_by_union(store)
    follow(event())
    follow(event(Push.DELETED_BY_CUSTOMER, 5))
    assert friend_now().state is FriendState.DELETED_BY_CUSTOMER
    assert now(member).guide_id == guide.id


def test_friend_who_was_handed_over_is_told_from_one_deleted(
    store: Store, guide: Guide, corp: Corp
) -> None:
    follow(event())
    follow(event(Push.DELETED_BY_GUIDE, 5, source="DELETE_BY_TRANSFER"))
    assert friend_now().state is FriendState.HANDED_OVER


@pytest.mark.parametrize("push", [Push.EDITED, Push.TRANSFER_FAILED])
def test_what_changes_no_friendship_changes_nothing(
    store: Store, guide: Guide, corp: Corp, push: Push
) -> None:
    assert follow(event(push)) is None
    assert repository.get(models.friend_id("zhangsan", CUSTOMER)) is None


def test_member_whom_a_guide_looks_after_stays_theirs(
    store: Store, guide: Guide, corp: Corp
) -> None:
    corp.union_ids[CUSTOMER] = UNION
    theirs = make_guide(store, wecom_user_id="LiSi")
    member = known_by_union(store)
    given = ownership.Assign(member_id=member.id, guide_id=theirs.id)
    ownership.assign(given, viewer=SYSTEM, clock=CLOCK)
    follow(event())
    assert now(member).guide_id == theirs.id


def test_guide_of_another_store_does_not_get_the_member(guide: Guide, corp: Corp) -> None:
    corp.union_ids[CUSTOMER] = UNION
    member = known_by_union(make_store("S2"))
    follow(event())
    assert now(member).ownership is None


def test_user_who_is_no_guide_has_friends_too(store: Store, corp: Corp) -> None:
    follow(event())
    friend = friend_now()
    assert (friend.guide_id, friend.store_id) == (None, None)
    page = repository.page_of_user("ZHANGSAN", first=5, after=None, reverse=False)
    assert [one.id for one in page.items] == [friend.id]


def test_while_wecom_is_away_the_event_comes_again(
    store: Store, guide: Guide, corp: Corp, queued: Queued
) -> None:
    corp.union_ids[CUSTOMER] = UNION
    member = known_by_union(store)
    corp.failures = [Later(60), NotSetUp("60020: not trusted")]
    text = Follow(**event().model_dump()).model_dump_json()
    for wait in (60, 15):
        tasks.follow(text, clock=lambda: CLOCK)
        [(url, body, delay)] = queued
        assert (url, delay) == ("contacts", wait)
        text = Follow.model_validate(body).model_dump_json()
        queued.clear()
    assert friend_now().state is FriendState.FRIEND
    tasks.follow(text, clock=lambda: CLOCK)
    assert (queued, now(member).guide_id) == ([], guide.id)


def test_after_some_hours_it_is_given_up_for_somebody_to_look(
    store: Store, guide: Guide, corp: Corp, queued: Queued
) -> None:
    corp.failures = [NotSetUp("60020")]
    last = Follow(**event().model_dump(), attempts=tasks.MAX_ATTEMPTS)
    with pytest.raises(NotSetUp):
        tasks.follow(last.model_dump_json(), clock=lambda: CLOCK)
    assert queued == []


# --- welcoming -------------------------------------------------------------------------------


class Passing:
    """A clock that stands still but for sleeping."""

    def __init__(self, seconds: float = 1) -> None:
        self.at = AT + timedelta(seconds=seconds)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def greet(passing: Passing) -> bool:
    text = event(welcome_code="CODE").model_dump_json()
    return tasks.greet(text, now=passing.now, sleep=passing.sleep)


@pytest.fixture
def welcome(store: Store) -> WelcomeSet:
    given = WelcomeSet(
        text="您好，我是{store}的{guide}", link_title="会员中心", link_url="https://a.cn/m"
    )
    service.set_welcome(given, viewer=SYSTEM, at=AT)
    return given


def test_new_friend_is_welcomed_with_names_and_a_link(
    guide: Guide, corp: Corp, welcome: WelcomeSet
) -> None:
    assert greet(Passing())
    [body] = corp.sent
    assert body["welcome_code"] == "CODE"
    assert body["text"]["content"].endswith(f"的{guide.name}")
    assert body["attachments"] == [
        {"msgtype": "link", "link": {"title": "会员中心", "url": "https://a.cn/m"}}
    ]


def test_words_of_the_store_come_before_those_of_the_chain(
    store: Store, guide: Guide, corp: Corp, welcome: WelcomeSet
) -> None:
    own = WelcomeSet(store_id=store.id, text="西湖店欢迎您")
    service.set_welcome(own, viewer=SYSTEM, at=AT)
    assert greet(Passing())
    assert corp.sent[0]["text"]["content"] == "西湖店欢迎您"
    assert service.remove_welcome(store.id, viewer=SYSTEM)
    assert not service.remove_welcome(store.id, viewer=SYSTEM)
    assert greet(Passing())
    assert "您好" in corp.sent[1]["text"]["content"]


def test_other_app_and_busy_wecom_are_waited_for_within_the_time(
    guide: Guide, corp: Corp, welcome: WelcomeSet
) -> None:
    corp.failures = [Refused(41096), Later(3), Refused(41096)]
    assert greet(Passing())
    assert len(corp.sent) == 1


def test_after_twenty_seconds_nobody_is_asked_any_more(
    guide: Guide, corp: Corp, welcome: WelcomeSet
) -> None:
    assert not greet(Passing(20))
    assert corp.asked == []
    corp.failures = [Refused(41096)] * 50
    passing = Passing()
    assert not greet(passing)
    assert passing.at <= AT + timedelta(seconds=22)
    assert corp.sent == []


def test_friend_who_was_welcomed_or_may_not_be_is_left(
    guide: Guide, corp: Corp, welcome: WelcomeSet
) -> None:
    for refusal in (Refused(41051), Refused(40058), NotSetUp("60020")):
        corp.failures = [refusal]
        assert not greet(Passing())
    assert corp.sent == []


def test_without_words_nobody_is_asked(guide: Guide, corp: Corp) -> None:
    assert not greet(Passing())
    assert corp.asked == []
