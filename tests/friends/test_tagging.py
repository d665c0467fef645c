"""Tags both ways: whoever changes them on whichever side, both sides come to the same."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.config import settings
from graphql_api.connectors import http
from graphql_api.connectors.errors import Later
from graphql_api.connectors.tokens import tokens
from graphql_api.connectors.turns import turn_of
from graphql_api.connectors.wecom.events import ContactEvent, Push
from graphql_api.errors import Forbidden, NotFound, Taken
from graphql_api.friends import queueing, repository, rules, service, tagging, tasks
from graphql_api.friends.rules import Event, Happened
from graphql_api.friends.tagging import LinkRemove, LinkSet, LinksPull
from graphql_api.guides.models import Guide
from graphql_api.kit import queues
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind, TagSource
from graphql_api.members.service import NewIdentity
from graphql_api.stores.models import Store
from graphql_api.tags.models import Tag
from graphql_api.tags.service import TagsSet, set_tags_as
from graphql_api.viewer import SYSTEM, Role, Viewer
from graphql_api.webhooks.tasks import Change
from scripts.simulator.faults import Faults
from scripts.simulator.wecom import Wecom
from tests.factories import CLOCK, make_guide, make_member
from tests.tags.factories import make_group, make_tag

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
CUSTOMER = "wm-001"
HIGH, OILY, LOYAL = "et-high", "et-oily", "et-loyal"


class Killed(BaseException):
    """The function was ended."""


class Side:
    """WeCom with two guides of a member, and the tags that are linked."""

    def __init__(self) -> None:
        self.corp = Wecom(Faults())
        self.corp.tags.groups = {"客户": {HIGH: "高价值", OILY: "油性皮肤", LOYAL: "忠诚"}}
        self.tags: dict[str, Tag] = {}
        self.member = Member("nobody")
        self.users: list[str] = []
        self.dies = False
        self.waiting: list[str] = []

    def asked(self, url: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        told = self.corp.answer(url, query, body, AT)
        assert told is not None, url
        if self.dies and "mark_tag" in url:
            self.dies = False
            raise Killed
        return told

    def here(self) -> set[str]:
        member = members.get(self.member.id)
        assert member is not None
        held = member.tags_on(CLOCK.today())
        return {corp_id for corp_id, tag in self.tags.items() if tag.id in held}

    def there(self) -> list[set[str]]:
        return [self.corp.tags.marks.get((user, CUSTOMER), set()) for user in self.users]

    def set_here(self, *add: str, remove: tuple[str, ...] = ()) -> None:
        wanted = TagsSet(
            member_id=self.member.id,
            add=[self.tags[one].id for one in add],
            remove=[self.tags[one].id for one in remove],
        )
        set_tags_as(wanted, source=TagSource.BY_HAND, source_ref="x", clock=CLOCK)

    def edit(self, n: int, *, add: str | None = None, remove: str | None = None) -> None:
        self.corp.tags.edit((self.users[n], CUSTOMER), add=add, remove=remove)

    def sync(self) -> None:
        tagging.sync(CUSTOMER, clock=CLOCK)


@pytest.fixture
def side(store: Store, guide: Guide, monkeypatch: pytest.MonkeyPatch) -> Iterator[Side]:
    made = Side()
    monkeypatch.setenv("APP_WECOM_CORP_ID", made.corp.corp)
    monkeypatch.setenv("APP_WECOM_CONTACTS_SECRET", made.corp.secret)
    monkeypatch.setenv("APP_WECOM_BASE_URL", "")
    settings.cache_clear()
    tokens.forget()
    monkeypatch.setattr(http, "get", lambda url, **query: made.asked(url, query, {}))
    monkeypatch.setattr(http, "post", lambda url, body, **query: made.asked(url, query, body))
    monkeypatch.setattr(
        queues, "send", lambda _url, all_: made.waiting.extend(json.dumps(m.body) for m in all_)
    )
    for corp_id, name in made.corp.tags.groups["客户"].items():
        made.tags[corp_id] = make_tag(name=name)
        link = LinkSet(tag_id=made.tags[corp_id].id, corp_tag_id=corp_id)
        tagging.set_link(link, viewer=SYSTEM, at=AT)
    made.member = make_member(store, NewIdentity(kind=IdentityKind.WECOM_EXTERNAL, value=CUSTOMER))
    made.users = [guide.wecom_user_id, make_guide(store, wecom_user_id="LiSi").wecom_user_id]
    for user in made.users:
        made.corp.add(user, CUSTOMER, AT)
        service.apply(user, CUSTOMER, Happened(Event.ADDED, AT))
    yield made
    settings.cache_clear()
    tokens.forget()


def test_tags_given_here_are_marked_by_every_guide_once(side: Side) -> None:
    side.set_here(HIGH, OILY)
    side.sync()
    assert side.there() == [{HIGH, OILY}] * 2
    calls = side.corp.tags.calls_made
    side.sync()
    assert (side.corp.tags.calls_made, side.there()) == (calls, [{HIGH, OILY}] * 2)
    side.set_here(remove=(OILY,))
    side.sync()
    assert side.there() == [{HIGH}] * 2


def test_tag_that_a_guide_marks_is_given_here_and_by_the_other(side: Side) -> None:
    side.edit(0, add=HIGH)
    side.sync()
    assert (side.here(), side.there()) == ({HIGH}, [{HIGH}] * 2)
    side.edit(1, remove=HIGH)
    side.sync()
    assert (side.here(), side.there()) == (set(), [set()] * 2)


def test_changes_on_both_sides_at_once_are_all_kept(side: Side) -> None:
    side.set_here(HIGH)
    side.sync()
    side.edit(0, add=OILY)
    side.edit(1, remove=HIGH)
    side.set_here(LOYAL)
    side.sync()
    assert (side.here(), side.there()) == ({OILY, LOYAL}, [{OILY, LOYAL}] * 2)


def test_killed_after_marking_it_comes_to_the_same(side: Side) -> None:
    side.set_here(HIGH)
    side.edit(1, add=OILY)
    side.dies = True
    with pytest.raises(Killed):
        side.sync()
    side.sync()
    assert (side.here(), side.there()) == ({HIGH, OILY}, [{HIGH, OILY}] * 2)
    side.set_here(remove=(HIGH,))
    side.dies = True
    with pytest.raises(Killed):
        side.sync()
    side.sync()
    assert (side.here(), side.there()) == ({OILY}, [{OILY}] * 2)


def test_what_the_rules_refuse_is_put_right_in_wecom(side: Side) -> None:
    group = make_group(name="肤质", exclusive=True)
    for corp_id, name in (("et-dry", "干性"), ("et-fat", "油性")):
        side.corp.tags.groups["客户"][corp_id] = name
        side.tags[corp_id] = make_tag(group, name=name)
        link = LinkSet(tag_id=side.tags[corp_id].id, corp_tag_id=corp_id)
        tagging.set_link(link, viewer=SYSTEM, at=AT)
    side.set_here("et-dry")
    side.sync()
    side.edit(0, add="et-fat")
    side.sync()
    assert len(side.here()) == 1
    assert side.there() == [side.here()] * 2


def test_tags_that_are_not_linked_and_personal_ones_are_left(side: Side) -> None:
    side.corp.tags.groups["客户"]["et-other"] = "别的"
    side.edit(0, add="et-other")
    side.set_here(HIGH)
    side.sync()
    assert side.there() == [{HIGH, "et-other"}, {HIGH}]
    assert side.here() == {HIGH}


def test_one_who_is_no_friend_any_more_is_left_and_the_others_follow(side: Side) -> None:
    side.corp.delete(side.users[0], CUSTOMER, AT, by_user=True)
    side.set_here(HIGH)
    side.sync()
    assert side.there() == [set(), {HIGH}]


def test_tag_that_wecom_does_not_know_stops_nothing(side: Side) -> None:
    del side.corp.tags.groups["客户"][OILY]
    side.set_here(OILY)
    side.sync()
    assert side.there() == [set(), set()]


def test_only_one_is_at_a_customer(side: Side) -> None:
    with turn_of(tagging.SOURCE, "tags", CUSTOMER), pytest.raises(Later):
        side.sync()


def test_edit_in_the_client_and_a_change_here_ask_for_it(side: Side) -> None:
    edit = ContactEvent(
        push=Push.EDITED, user_id=side.users[0], external_user_id=CUSTOMER, created_at=AT
    )
    tasks.follow_event(edit, clock=CLOCK)
    assert [json.loads(text)["tags_of"] for text in side.waiting] == [CUSTOMER]
    side.waiting.clear()
    before = members.get(side.member.id)
    side.set_here(HIGH)
    after = members.get(side.member.id)
    assert before is not None
    assert after is not None
    tasks.notice([Change("1", AT, before.serialize(), after.serialize())])
    [text] = side.waiting
    assert queueing.read(text) == queueing.Sync(tags_of=CUSTOMER)
    tasks.notice([Change("2", AT, after.serialize(), after.serialize())])
    assert side.waiting == [text]
    tasks.follow(text, clock=lambda: CLOCK)
    assert side.there() == [{HIGH}] * 2


def test_without_links_or_a_member_nobody_is_asked(side: Side) -> None:
    side.corp.faults.is_down = True
    tagging.sync("wm-of-nobody", clock=CLOCK)
    for corp_id in list(side.tags):
        tagging.remove_link(LinkRemove(corp_tag_id=corp_id), viewer=SYSTEM)
    tagging.sync(CUSTOMER, clock=CLOCK)
    assert side.corp.tags.calls_made == 0


def test_links_are_made_by_name_and_what_lacks_is_created(side: Side) -> None:
    group = make_group(name="偏好")
    for name in ("辣", "甜"):
        make_tag(group, name=name)
    side.corp.tags.groups["偏好"] = {"et-hot": "辣"}
    pull = LinksPull(group_id=group.id)
    assert [one.corp_tag_id for one in tagging.pull_links(pull, viewer=SYSTEM, at=AT)] == ["et-hot"]
    assert tagging.pull_links(pull, viewer=SYSTEM, at=AT) == []
    more = LinksPull(group_id=group.id, create_missing=True)
    [made] = tagging.pull_links(more, viewer=SYSTEM, at=AT)
    assert made.corp_tag_id == "et-偏好-甜"
    assert side.corp.tags.groups["偏好"]["et-偏好-甜"] == "甜"
    assert len(repository.corp_links()) == 5


def test_links_are_of_headquarters_and_one_to_one(side: Side) -> None:
    other = make_tag(name="新")
    with pytest.raises(Taken):
        tagging.set_link(LinkSet(tag_id=other.id, corp_tag_id=HIGH), viewer=SYSTEM, at=AT)
    again = LinkSet(tag_id=side.tags[HIGH].id, corp_tag_id="et-new")
    with pytest.raises(Taken):
        tagging.set_link(again, viewer=SYSTEM, at=AT)
    with pytest.raises(NotFound):
        tagging.set_link(LinkSet(tag_id="nothing", corp_tag_id="x"), viewer=SYSTEM, at=AT)
    with pytest.raises(NotFound):
        tagging.remove_link(LinkRemove(corp_tag_id="x"), viewer=SYSTEM)
    with pytest.raises(NotFound):
        tagging.pull_links(LinksPull(group_id="nothing"), viewer=SYSTEM, at=AT)
    manager = Viewer(Role.STORE_MANAGER, id="s", store_ids=frozenset())
    with pytest.raises(Forbidden):
        tagging.remove_link(LinkRemove(corp_tag_id=HIGH), viewer=manager)


marks = st.frozensets(st.sampled_from("abcd"))


@given(marks, marks, marks, marks)
def test_what_one_side_did_alone_is_never_lost(
    told: frozenset[str], one: frozenset[str], other: frozenset[str], ours: frozenset[str]
) -> None:
    """Two guides who were told the same, and the member, each changed as they liked."""
    gained, lost = rules.done_there([(set(told), set(one)), (set(told), set(other))])
    here = (set(ours) | gained) - lost
    for tag in "abcd":
        states = {tag in side for side in (one, other, ours)}
        if states == {tag in told}:
            assert (tag in here) == (tag in told)  # nobody touched it
        elif tag in told:
            assert tag not in here  # somebody took it, nobody could give it
        else:
            assert tag in here  # somebody gave it
    again = rules.done_there([(here, here), (here, here)])
    assert again == (set(), set())
