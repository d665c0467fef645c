"""Tags both ways: whoever changes them on whichever side, both sides come to the same."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from graphql_api.config import settings
from graphql_api.connectors import http, turns
from graphql_api.connectors.errors import Later
from graphql_api.connectors.tokens import tokens
from graphql_api.connectors.turns import turn_of
from graphql_api.connectors.wecom import corp_tags, receiving
from graphql_api.connectors.wecom.corp_tags import Followed
from graphql_api.connectors.wecom.events import ContactEvent, Push
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.errors import Forbidden, Invalid, NotFound, Taken
from graphql_api.friends import queueing, repository, rules, service, tag_links, tagging, tasks
from graphql_api.friends.rules import Event, Happened, Marks
from graphql_api.friends.tag_links import LinkRemove, LinkSet, LinksPull
from graphql_api.guides.models import Guide
from graphql_api.kit import queues
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind, TagSource
from graphql_api.members.service import NewIdentity
from graphql_api.stores.models import Store
from graphql_api.tags import service as tag_service
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
        self.customer = CUSTOMER
        self.dies: Literal["", "before", "after"] = ""
        self.seconds = 0
        self.waiting: list[str] = []

    def asked(self, url: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        dies, self.dies = (self.dies, "") if "mark_tag" in url else ("", self.dies)
        if dies == "before":
            raise Killed
        told = self.corp.answer(url, query, body, AT)
        assert told is not None, url
        if dies == "after":
            raise Killed
        return told

    def later(self) -> datetime:
        self.seconds += 1
        return AT + timedelta(seconds=self.seconds)

    def meets(self, n: int) -> None:
        at = self.later()
        self.corp.add(self.users[n], self.customer, at)
        service.apply(self.users[n], self.customer, Happened(Event.ADDED, at))

    def loses(self, n: int) -> None:
        self.corp.delete(self.users[n], self.customer, AT, by_user=True)
        gone = Happened(Event.DELETED_BY_GUIDE, self.later())
        service.apply(self.users[n], self.customer, gone)

    def link(self, corp_id: str, tag: Tag) -> None:
        self.tags[corp_id] = tag
        given = LinkSet(tag_id=tag.id, corp_tag_id=corp_id)
        tag_links.set_link(given, viewer=SYSTEM, at=self.later())

    def unlink(self, corp_id: str) -> None:
        tag_links.remove_link(LinkRemove(corp_tag_id=corp_id), viewer=SYSTEM)

    def here(self) -> set[str]:
        member = members.get(self.member.id)
        assert member is not None
        held = member.tags_on(CLOCK.today())
        return {corp_id for corp_id, tag in self.tags.items() if tag.id in held}

    def there(self) -> list[set[str]]:
        return [self.corp.tags.marks.get((user, self.customer), set()) for user in self.users]

    def set_here(self, *add: str, remove: tuple[str, ...] = ()) -> None:
        wanted = TagsSet(
            member_id=self.member.id,
            add=[self.tags[one].id for one in add],
            remove=[self.tags[one].id for one in remove],
        )
        set_tags_as(wanted, source=TagSource.BY_HAND, source_ref="x", clock=CLOCK)

    def edit(self, n: int, *, add: str | None = None, remove: str | None = None) -> None:
        self.corp.tags.edit((self.users[n], self.customer), add=add, remove=remove)

    def sync(self) -> None:
        tagging.sync(self.customer, clock=CLOCK)

    def dying(self, how: Literal["before", "after"]) -> None:
        self.dies = how
        with pytest.raises(Killed):
            self.sync()


@pytest.fixture
def side(store: Store, guide: Guide, monkeypatch: pytest.MonkeyPatch) -> Iterator[Side]:
    made = Side()
    monkeypatch.setenv("APP_WECOM_CORP_ID", made.corp.corp)
    monkeypatch.setenv("APP_WECOM_CONTACTS_SECRET", made.corp.secret)
    monkeypatch.setenv("APP_WECOM_BASE_URL", "")
    monkeypatch.setenv("APP_WECOM_CALLBACK_TOKEN", made.corp.token)
    monkeypatch.setenv("APP_WECOM_CALLBACK_KEY", made.corp.key)
    settings.cache_clear()
    tokens.forget()
    monkeypatch.setattr(http, "get", lambda url, **query: made.asked(url, query, {}))
    monkeypatch.setattr(http, "post", lambda url, body, **query: made.asked(url, query, body))
    monkeypatch.setattr(
        queues, "send", lambda _url, all_: made.waiting.extend(json.dumps(m.body) for m in all_)
    )
    for corp_id, name in made.corp.tags.groups["客户"].items():
        made.link(corp_id, make_tag(name=name))
    made.member = make_member(store, NewIdentity(kind=IdentityKind.WECOM_EXTERNAL, value=CUSTOMER))
    made.users = [guide.wecom_user_id, make_guide(store, wecom_user_id="LiSi").wecom_user_id]
    for n in range(2):
        made.meets(n)
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


@pytest.mark.parametrize("how", ["before", "after"])
def test_killed_at_marking_nobodys_change_is_undone(
    side: Side, how: Literal["before", "after"]
) -> None:
    side.set_here(HIGH)
    side.edit(1, add=OILY)
    side.dying(how)
    side.set_here(LOYAL, remove=(HIGH, OILY))
    side.dying(how)
    side.sync()
    assert (side.here(), side.there()) == ({LOYAL}, [{LOYAL}] * 2)
    side.set_here(HIGH, remove=(LOYAL,))
    side.dying(how)
    side.set_here(LOYAL, remove=(HIGH,))
    side.sync()
    assert (side.here(), side.there()) == ({LOYAL}, [{LOYAL}] * 2)


def test_friend_who_was_lost_and_comes_back_gets_what_the_member_has(side: Side) -> None:
    side.set_here(HIGH)
    side.sync()
    side.loses(0)
    side.sync()
    side.meets(0)
    assert side.there()[0] == set()
    side.sync()
    assert (side.here(), side.there()) == ({HIGH}, [{HIGH}] * 2)
    side.edit(0, remove=HIGH)
    side.sync()
    assert (side.here(), side.there()) == (set(), [set()] * 2)


def test_friend_who_comes_back_before_any_push_of_it_takes_no_tag_away(side: Side) -> None:
    side.set_here(HIGH)
    side.sync()
    side.corp.delete(side.users[0], CUSTOMER, side.later(), by_user=True)
    side.corp.add(side.users[0], CUSTOMER, side.later())
    side.sync()
    assert (side.here(), side.there()) == ({HIGH}, [{HIGH}] * 2)
    side.edit(0, remove=HIGH)
    side.sync()
    assert (side.here(), side.there()) == (set(), [set()] * 2)


def test_who_takes_too_long_goes_on_later(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    side.set_here(HIGH)
    mark, slow = corp_tags.mark, timedelta(seconds=-1)

    def last(*given: Any) -> None:
        mark(*given)
        monkeypatch.setattr(turns, "SAFE_FOR", slow)

    with monkeypatch.context() as patch:
        patch.setattr(corp_tags, "mark", last)
        with pytest.raises(Later):
            side.sync()
    assert sorted(map(len, side.there())) == [0, 1]
    monkeypatch.setattr(turns, "SAFE_FOR", -slow * 60)
    side.sync()
    assert side.there() == [{HIGH}] * 2


def test_while_the_member_is_being_merged_nothing_is_compared(side: Side) -> None:
    side.set_here(HIGH)
    member = members.get(side.member.id)
    assert member is not None
    member.merge_id = "mrg_1"
    member.save()
    with pytest.raises(Later):
        side.sync()
    assert side.there() == [set(), set()]


def test_new_friends_tags_are_compared_when_the_index_shows_them(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    delays: list[float] = []
    monkeypatch.setattr(queues, "send", lambda _url, all_: delays.extend(m.delay for m in all_))
    event = ContactEvent(
        push=Push.ADDED, user_id=side.users[0], external_user_id=CUSTOMER, created_at=side.later()
    )
    tasks.follow_event(event, clock=CLOCK)
    assert delays == [5.0]


def test_link_that_somebody_else_ended_and_made_anew_is_ended_whole(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = repository.get_corp_link(HIGH)
    other, reads = make_tag(name="另一个"), [before]
    side.unlink(HIGH)
    side.link(HIGH, other)
    read = repository.get_corp_link
    monkeypatch.setattr(
        repository, "get_corp_link", lambda id_: reads.pop() if reads else read(id_)
    )
    side.unlink(HIGH)
    assert reads == []
    assert (read(HIGH), repository.get_corp_claim(other.id)) == (None, None)


def test_tag_that_is_deleted_in_wecom_is_taken_from_nobody_here(side: Side) -> None:
    side.set_here(HIGH, OILY)
    side.sync()
    side.corp.delete_tag(HIGH, AT)
    side.edit(1, remove=OILY)
    side.sync()
    assert (side.here(), side.there()) == ({HIGH}, [set()] * 2)
    assert _problems() == {HIGH: "40068", OILY: None, LOYAL: None}


def test_push_of_a_deleted_tag_has_the_links_looked_at(side: Side) -> None:
    [knock] = side.corp.delete_tag(HIGH, AT)
    for _ in range(2):
        assert receiving.receive(knock.query, knock.raw, at=AT).status == 200
    for text in side.waiting:
        tasks.follow(text, clock=lambda: CLOCK)
    assert _problems() == {HIGH: "40068", OILY: None, LOYAL: None}
    side.corp.tags.groups["客户"][HIGH] = "高价值"
    tag_links.check()
    assert _problems() == {HIGH: None, OILY: None, LOYAL: None}


def test_corp_tag_that_is_linked_to_another_tag_brings_its_marks(side: Side) -> None:
    side.edit(0, add=HIGH)
    side.sync()
    side.unlink(HIGH)
    side.edit(1, remove=HIGH)
    side.link(HIGH, make_tag(name="另一个"))
    side.sync()
    assert (side.here(), side.there()) == ({HIGH}, [{HIGH}] * 2)


def _problems() -> dict[str, str | None]:
    return {link.corp_tag_id: link.problem for link in repository.corp_links()}


def test_what_the_rules_refuse_is_put_right_in_wecom(side: Side) -> None:
    group = make_group(name="肤质", exclusive=True)
    for corp_id, name in (("et-dry", "干性"), ("et-fat", "油性")):
        side.corp.tags.groups["客户"][corp_id] = name
        side.link(corp_id, make_tag(group, name=name))
    side.set_here("et-dry")
    side.sync()
    side.edit(0, add="et-fat")
    side.sync()
    assert len(side.here()) == 1
    assert side.there() == [side.here()] * 2


def test_tag_that_was_refused_is_taken_over_when_it_is_allowed(side: Side) -> None:
    refused = side.tags[HIGH]
    tag_service.archive_tag(refused.id, viewer=SYSTEM, clock=CLOCK)
    side.edit(0, add=HIGH)
    side.sync()
    assert (side.here(), side.there()) == (set(), [set()] * 2)
    tag_service.restore_tag(refused.id, viewer=SYSTEM)
    side.edit(0, add=HIGH)
    side.sync()
    assert (side.here(), side.there()) == ({HIGH}, [{HIGH}] * 2)


def test_tag_of_a_rule_stays_the_rules_though_guides_have_it(side: Side) -> None:
    wanted = TagsSet(member_id=side.member.id, add=[side.tags[HIGH].id])
    set_tags_as(wanted, source=TagSource.IMPORTED, source_ref="x", clock=CLOCK)
    side.sync()
    side.unlink(HIGH)
    side.link(HIGH, side.tags[HIGH])
    side.sync()
    member = members.get(side.member.id)
    assert member is not None
    assert member.tags[side.tags[HIGH].id].source is TagSource.IMPORTED


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
    side.corp.tags.delete(OILY)
    side.set_here(HIGH, OILY)
    side.sync()
    assert (side.here(), side.there()) == ({HIGH, OILY}, [{HIGH}] * 2)
    assert _problems() == {HIGH: None, OILY: "40068", LOYAL: None}


def test_what_wecom_refuses_of_one_guide_stops_no_other(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, mark = side.users[0], corp_tags.mark

    def refusing(user: str, *rest: Any) -> None:
        if user == first:
            raise Refused(40058)
        mark(user, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(corp_tags, "mark", refusing)
        side.set_here(HIGH)
        side.sync()
    assert side.there() == [set(), {HIGH}]
    side.sync()
    assert side.there() == [{HIGH}] * 2


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
    other = make_tag(name="没有关联")
    wanted = TagsSet(member_id=side.member.id, add=[other.id])
    unlinked = set_tags_as(wanted, source=TagSource.BY_HAND, source_ref="x", clock=CLOCK).member
    tasks.notice([Change("3", AT, after.serialize(), unlinked.serialize())])
    assert side.waiting == [text]
    tasks.follow(text, clock=lambda: CLOCK)
    assert side.there() == [{HIGH}] * 2


def test_without_links_or_a_member_nobody_is_asked(side: Side) -> None:
    side.corp.faults.is_down = True
    tagging.sync("wm-of-nobody", clock=CLOCK)
    for corp_id in list(side.tags):
        side.unlink(corp_id)
    tagging.sync(CUSTOMER, clock=CLOCK)
    assert side.corp.tags.calls_made == 0


def test_links_are_made_by_name_and_what_lacks_is_created(side: Side) -> None:
    group = make_group(name="偏好")
    for name in ("辣", "甜"):
        make_tag(group, name=name)
    side.corp.tags.groups["偏好"] = {"et-hot": "辣"}
    pull = LinksPull(group_id=group.id)
    assert [one.corp_tag_id for one in tag_links.pull_links(pull, viewer=SYSTEM, at=AT)] == [
        "et-hot"
    ]
    assert tag_links.pull_links(pull, viewer=SYSTEM, at=AT) == []
    more = LinksPull(group_id=group.id, create_missing=True)
    [made] = tag_links.pull_links(more, viewer=SYSTEM, at=AT)
    assert made.corp_tag_id == "et-偏好-甜"
    assert side.corp.tags.groups["偏好"]["et-偏好-甜"] == "甜"
    assert len(repository.corp_links()) == 5


def test_links_are_of_headquarters_and_one_to_one(side: Side) -> None:
    other = make_tag(name="新")
    with pytest.raises(Taken):
        tag_links.set_link(LinkSet(tag_id=other.id, corp_tag_id=HIGH), viewer=SYSTEM, at=AT)
    again = LinkSet(tag_id=side.tags[HIGH].id, corp_tag_id="et-new")
    with pytest.raises(Taken):
        tag_links.set_link(again, viewer=SYSTEM, at=AT)
    with pytest.raises(NotFound):
        tag_links.set_link(LinkSet(tag_id="nothing", corp_tag_id="x"), viewer=SYSTEM, at=AT)
    with pytest.raises(NotFound):
        tag_links.remove_link(LinkRemove(corp_tag_id="x"), viewer=SYSTEM)
    with pytest.raises(NotFound):
        tag_links.pull_links(LinksPull(group_id="nothing"), viewer=SYSTEM, at=AT)
    manager = Viewer(Role.STORE_MANAGER, id="s", store_ids=frozenset())
    with pytest.raises(Forbidden):
        tag_links.remove_link(LinkRemove(corp_tag_id=HIGH), viewer=manager)


def test_pull_leaves_what_is_linked_by_hand_and_mends_what_is_gone(side: Side) -> None:
    group = make_group(name="客户")
    mine, high = make_tag(group, name="忠诚"), make_tag(group, name="高价值")
    pull = LinksPull(group_id=group.id, create_missing=True)
    make_tag(group, name="长" * 31)
    with pytest.raises(Invalid):
        tag_links.pull_links(pull, viewer=SYSTEM, at=AT)
    assert len(repository.corp_links()) == 3
    side.unlink(HIGH)
    bare = LinksPull(group_id=group.id)
    [made] = tag_links.pull_links(bare, viewer=SYSTEM, at=AT)
    assert (made.tag_id, made.corp_tag_id) == (high.id, HIGH)
    side.corp.tags.delete(HIGH)
    side.corp.tags.groups["客户"]["et-anew"] = "高价值"
    [made] = tag_links.pull_links(bare, viewer=SYSTEM, at=AT)
    assert (made.tag_id, made.corp_tag_id) == (high.id, "et-anew")
    assert repository.get_corp_link(HIGH) is None
    assert repository.get_corp_claim(mine.id) is None


def test_all_tags_of_a_group_are_pulled(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_links, "_PAGE", 2)
    group = make_group(name="尺码")
    for name in "一二三四五":
        make_tag(group, name=name)
    pull = LinksPull(group_id=group.id, create_missing=True)
    assert len(tag_links.pull_links(pull, viewer=SYSTEM, at=AT)) == 5


def test_marks_of_a_customer_of_many_guides_come_in_pages(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    side.edit(0, add=HIGH)
    side.edit(1, add=OILY)
    asked = side.asked

    def paged(url: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        told = asked(url, query, body)
        if "follow_user" not in told:
            return told
        at = int(query.get("cursor", "0"))
        more = {"next_cursor": str(at + 1)} if at + 1 < len(told["follow_user"]) else {}
        return {**told, "follow_user": told["follow_user"][at : at + 1], **more}

    monkeypatch.setattr(side, "asked", paged)
    assert corp_tags.marks_of(CUSTOMER) == {
        user.lower(): Followed(int(AT.timestamp()) + 4 + n, frozenset([tag]))
        for n, (user, tag) in enumerate(zip(side.users, (HIGH, OILY), strict=True))
    }


TAGS = (HIGH, OILY, LOYAL)
deeds = st.one_of(
    st.tuples(st.just("here"), st.sampled_from(TAGS), st.booleans()),
    st.tuples(st.sampled_from(["guide 0", "guide 1"]), st.sampled_from(TAGS), st.booleans()),
    st.tuples(st.sampled_from(["again 0", "again 1"]), st.just(HIGH), st.booleans()),
    st.tuples(st.just("relinked"), st.sampled_from(TAGS), st.just(True)),
)
steps = st.lists(st.tuples(deeds, st.sampled_from(["", "", "before", "after"])), max_size=10)


@given(days=steps)
@trying(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_last_change_of_each_tag_stands_wherever_it_was_made(
    store: Store,
    side: Side,
    days: list[tuple[tuple[str, str, bool], Literal["", "before", "after"]]],
) -> None:
    """Each change is followed by a look that may be killed, a killed one by one that is not.

    A change here may come between the two.
    """
    side.customer = f"wm-{side.later():%H%M%S}"
    identity = NewIdentity(kind=IdentityKind.WECOM_EXTERNAL, value=side.customer)
    side.member = make_member(store, identity)
    for n in range(2):
        side.meets(n)
    want: set[str] = set()
    for (who, tag, gives), dies in days:
        if who != "here":
            side.sync()
        _done_by(side, who, tag, gives=gives)
        if who[:4] not in {"agai", "reli"}:
            want = want | {tag} if gives else want - {tag}
        side.dies = dies
        with suppress(Killed):
            side.sync()
        side.dies = ""
    side.sync()
    assert (side.here(), side.there()) == (want, [want] * 2)


def _done_by(side: Side, who: str, tag: str, *, gives: bool) -> None:
    match who.split():
        case ["here"]:
            side.set_here(*([tag] if gives else []), remove=() if gives else (tag,))
        case ["guide", n]:
            side.edit(int(n), add=tag if gives else None, remove=None if gives else tag)
        case ["again", n] if gives:
            side.loses(int(n))
            side.meets(int(n))
        case ["again", n]:  # and no push says so
            side.corp.delete(side.users[int(n)], side.customer, side.later(), by_user=True)
            side.corp.add(side.users[int(n)], side.customer, side.later())
        case _:
            side.unlink(tag)
            side.link(tag, side.tags[tag])


marks = st.frozensets(st.sampled_from("abcd"))


@given(marks, marks, marks, marks)
def test_what_one_side_did_alone_is_never_lost(
    told: frozenset[str], one: frozenset[str], other: frozenset[str], ours: frozenset[str]
) -> None:
    """Two guides who were told the same, and the member, each changed as they liked."""
    gained, lost = rules.done_there([Marks(told, one), Marks(told, other)])
    here = frozenset((ours | gained) - lost)
    for tag in "abcd":
        states = {tag in side for side in (one, other, ours)}
        if states == {tag in told}:
            assert (tag in here) == (tag in told)  # nobody touched it
        elif tag in told:
            assert tag not in here  # somebody took it, nobody could give it
        else:
            assert tag in here  # somebody gave it
    assert rules.done_there([Marks(here, here)] * 2) == (set(), set())


@given(marks, marks, marks)
def test_of_what_was_asked_for_and_of_a_new_friendship_nothing_is_the_guides(
    told: frozenset[str], asked: frozenset[str], there: frozenset[str]
) -> None:
    gained, lost = rules.done_there([Marks(told, there, asked)])
    assert not (gained | lost) & asked
    assert gained - asked == there - told - asked
    anew = rules.done_there([Marks(told, there, asked, is_anew=True)])
    assert anew == (there - told - asked, set())
