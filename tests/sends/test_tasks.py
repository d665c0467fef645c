"""Sends: asked for once, confirmed by the guide, followed to the end, and killed anywhere."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.config import settings
from graphql_api.connectors import http
from graphql_api.connectors.tokens import tokens
from graphql_api.errors import (
    AppError,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    LimitExceeded,
    NotFound,
    Unavailable,
)
from graphql_api.friends import service as friends
from graphql_api.friends.rules import Event, Happened
from graphql_api.guides.models import Guide
from graphql_api.kit import queues
from graphql_api.members.rules import IdentityKind, TagSource
from graphql_api.members.service import NewIdentity
from graphql_api.sends import queueing, repository, rules, service, tasks
from graphql_api.sends.models import Send
from graphql_api.sends.rules import SendKind, SendOutcome, SendState
from graphql_api.sends.service import SendCreate
from graphql_api.stores.models import Store
from graphql_api.tags.service import TagsSet, set_tags_as
from graphql_api.viewer import SYSTEM, Role, Viewer
from scripts.simulator.faults import Faults
from scripts.simulator.wecom import Wecom
from tests.factories import CLOCK, make_guide, make_member, make_store
from tests.tags.factories import make_tag

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


class Killed(BaseException):
    """The function was ended."""


class Run:
    """WeCom and the queue, in virtual time; the call of this number is the last of its function."""

    def __init__(self) -> None:
        self.corp = Wecom(Faults())
        self.now = AT
        self.waiting: list[tuple[datetime, dict[str, Any]]] = []
        self.calls: list[str] = []
        self.dies_at: int | None = None
        self.unheard_at: int | None = None

    def asked(self, url: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        if self.corp.faults.is_down:
            raise Unavailable("no answer")
        told = self.corp.answer(url, query, body, self.now)
        assert told is not None, url
        if "gettoken" not in url:
            self.calls.append(url.rsplit("/", 1)[1])
            if len(self.calls) == self.dies_at:
                raise Killed
            if len(self.calls) == self.unheard_at:
                raise Unavailable("the answer was lost")
        return told

    def send(self, _url: str, messages: list[queues.Message]) -> None:
        for one in messages:
            self.waiting.append((self.now + timedelta(seconds=one.delay), one.body))

    def go(self, until: datetime | None = None) -> None:
        while self.waiting:
            self.waiting.sort(key=lambda pair: pair[0])
            due, body = self.waiting[0]
            if until is not None and due > until:
                break
            self.waiting.pop(0)
            self.now = max(self.now, due)
            wanted = queueing.read(json.dumps(body))
            assert wanted is not None
            try:
                tasks.follow(wanted, now=lambda: self.now, clock=lambda: CLOCK)
            except Killed:
                self.waiting.append((self.now + timedelta(minutes=12), body))
        self.now = max(self.now, until or self.now)

    def confirm(self, guide: Guide, hours: float = 2) -> None:
        """The guide confirms after some time; then everything is followed."""
        self.go(AT + timedelta(hours=hours))
        assert self.corp.sends.confirm(guide.wecom_user_id, self.now) > 0
        self.go()


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


@pytest.fixture
def guide(store: Store) -> Guide:
    return make_guide(store, wecom_user_id="ZhangSan")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    made = Run()
    monkeypatch.setenv("APP_WECOM_CORP_ID", made.corp.corp)
    monkeypatch.setenv("APP_WECOM_CONTACTS_SECRET", made.corp.secret)
    monkeypatch.setenv("APP_WECOM_BASE_URL", "")
    monkeypatch.setenv("APP_CONTACT_QUEUE_URL", "contacts")
    settings.cache_clear()
    tokens.forget()
    monkeypatch.setattr(http, "get", lambda url, **query: made.asked(url, query, {}))
    monkeypatch.setattr(http, "post", lambda url, body, **query: made.asked(url, query, body))
    monkeypatch.setattr(queues, "send", made.send)
    monkeypatch.setattr(tasks, "AT_ONCE", 4)
    yield made
    settings.cache_clear()
    tokens.forget()


def befriend(run: Run, guide: Guide, count: int) -> list[str]:
    customers = [f"wm-{n:03d}" for n in range(count)]
    for one in customers:
        run.corp.add(guide.wecom_user_id, one, AT)
        friends.apply(guide.wecom_user_id, one, Happened(Event.ADDED, AT))
    return customers


def create(guide: Guide, viewer: Viewer = SYSTEM, **more: Any) -> Send:
    new = SendCreate(**{"guide_id": guide.id, "text": "周年庆，全场八折", **more})
    return service.create(new, viewer=viewer, at=AT)


def now_is(send: Send) -> Send:
    kept = repository.get(send.id)
    assert kept is not None
    return kept


def refusal(call: Callable[[], object]) -> AppError:
    with pytest.raises(AppError) as refused:
        call()
    return refused.value


def test_mass_send_waits_for_the_guide_and_says_what_became_of_friends(
    guide: Guide, run: Run
) -> None:
    customers = befriend(run, guide, 10)
    run.corp.sends.full, run.corp.sends.gone = {customers[0]}, {customers[1]}
    run.corp.sends.barred = {customers[2]}
    send = create(guide, link_title="会员日", link_url="https://a.cn/x")
    run.go(AT + timedelta(hours=1))
    waiting = now_is(send)
    assert waiting.state is SendState.WAITING
    assert waiting.outcomes == {SendOutcome.UNSENT: 9, SendOutcome.REFUSED: 1}
    [task] = run.corp.sends.tasks.values()
    assert (task.user, task.text) == ("ZhangSan", "周年庆，全场八折")
    run.confirm(guide)
    done = now_is(send)
    assert (done.state, done.problem) == (SendState.DONE, None)
    assert done.outcomes == {
        SendOutcome.SENT: 7,
        SendOutcome.LIMIT: 1,
        SendOutcome.NOT_A_FRIEND: 1,
        SendOutcome.REFUSED: 1,
    }
    assert done.confirmed_at == AT + timedelta(hours=2)


def test_only_members_with_the_tag_are_sent_to(store: Store, guide: Guide, run: Run) -> None:
    customers = befriend(run, guide, 6)
    tag = make_tag(name="高价值")
    for one in customers[:2]:
        identity = NewIdentity(kind=IdentityKind.WECOM_EXTERNAL, value=one)
        member = make_member(store, identity)
        if one == customers[0]:
            wanted = TagsSet(member_id=member.id, add=[tag.id])
            set_tags_as(wanted, source=TagSource.BY_HAND, source_ref="x", clock=CLOCK)
    send = create(guide, tag_id=tag.id)
    run.confirm(guide)
    assert now_is(send).outcomes == {SendOutcome.SENT: 1}
    [task] = run.corp.sends.tasks.values()
    assert task.customers == [customers[0]]


@pytest.mark.parametrize("kind", SendKind)
@pytest.mark.parametrize("dies_at", range(1, 7))
def test_killed_after_any_call_it_is_made_once(
    guide: Guide, run: Run, kind: SendKind, dies_at: int
) -> None:
    befriend(run, guide, 5)
    run.dies_at = dies_at
    send = create(guide, kind=kind)
    run.confirm(guide)
    done = now_is(send)
    assert (done.state, done.outcomes) == (SendState.DONE, {SendOutcome.SENT: 5})
    assert len(run.corp.sends.tasks) + len(run.corp.sends.moments) == 1


@pytest.mark.parametrize("kind", SendKind)
def test_answer_that_was_lost_makes_no_second_task(guide: Guide, run: Run, kind: SendKind) -> None:
    befriend(run, guide, 3)
    run.unheard_at = 1
    send = create(guide, kind=kind)
    run.confirm(guide)
    assert now_is(send).outcomes == {SendOutcome.SENT: 3}
    assert len(run.corp.sends.tasks) + len(run.corp.sends.moments) == 1


def test_moment_that_nobody_finds_again_is_unsure_and_not_made_twice(
    guide: Guide, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.unheard_at = 1
    send = create(guide, kind=SendKind.MOMENT)
    run.go(AT)
    monkeypatch.setattr(run.corp.sends, "moments", {})
    run.go()
    assert (now_is(send).state, run.corp.sends.moments) == (SendState.UNSURE, {})


def test_while_wecom_is_away_it_waits_and_is_made_once(guide: Guide, run: Run) -> None:
    befriend(run, guide, 3)
    run.corp.faults.is_down = True
    send = create(guide)
    run.go(AT + timedelta(minutes=30))
    assert now_is(send).state is SendState.ASKING
    run.corp.faults.is_down = False
    run.confirm(guide)
    assert now_is(send).outcomes == {SendOutcome.SENT: 3}
    assert len(run.corp.sends.tasks) == 1


def test_moment_is_published_by_the_guide_and_seen_by_friends(guide: Guide, run: Run) -> None:
    befriend(run, guide, 7)
    send = create(guide, kind=SendKind.MOMENT)
    run.go(AT + timedelta(hours=1))
    assert (now_is(send).state, now_is(send).outcomes) == (SendState.WAITING, {})
    run.confirm(guide)
    assert (now_is(send).state, now_is(send).outcomes) == (SendState.DONE, {SendOutcome.SENT: 7})


def test_guide_who_may_not_publish_fails_it(guide: Guide, run: Run) -> None:
    run.corp.sends.barred = {guide.wecom_user_id}
    send = create(guide, kind=SendKind.MOMENT)
    run.go()
    failed = now_is(send)
    assert (failed.state, failed.problem) == (
        SendState.FAILED,
        "the guide may not publish moments",
    )


def test_guide_who_never_confirms_is_not_waited_for_after_some_days(guide: Guide, run: Run) -> None:
    befriend(run, guide, 2)
    send = create(guide)
    run.go()
    over = now_is(send)
    assert (over.state, over.problem) == (SendState.DONE, "the guide did not confirm it")
    assert over.outcomes == {SendOutcome.UNSENT: 2}
    assert over.ended_at is not None
    assert over.ended_at - AT > rules.PATIENCE


def test_guide_without_friends_has_nothing_to_confirm(guide: Guide, run: Run) -> None:
    send = create(guide)
    run.go()
    assert (now_is(send).state, run.calls) == (SendState.DONE, [])


def test_guide_is_reminded_three_times_a_day(guide: Guide, run: Run) -> None:
    befriend(run, guide, 1)
    send = create(guide)
    assert isinstance(
        refusal(lambda: service.remind(send.id, viewer=SYSTEM, at=AT)), ForbiddenTransition
    )
    run.go(AT + timedelta(minutes=5))
    for n in range(3):
        service.remind(send.id, viewer=SYSTEM, at=AT + timedelta(hours=n))
    late = AT + timedelta(hours=3)
    assert isinstance(
        refusal(lambda: service.remind(send.id, viewer=SYSTEM, at=late)), LimitExceeded
    )
    assert len(now_is(send).reminders) == 3
    [task] = run.corp.sends.tasks.values()
    assert task.reminders == 3


def test_what_was_not_confirmed_is_taken_back(guide: Guide, run: Run) -> None:
    befriend(run, guide, 1)
    send = create(guide)
    run.go(AT + timedelta(minutes=5))
    for _ in range(2):
        assert service.cancel(send.id, viewer=SYSTEM, at=AT).state is SendState.CANCELLED
    [task] = run.corp.sends.tasks.values()
    assert task.is_cancelled
    run.go()
    assert now_is(send).state is SendState.CANCELLED
    other = create(guide)
    run.confirm(guide)
    assert isinstance(
        refusal(lambda: service.cancel(other.id, viewer=SYSTEM, at=AT)), ForbiddenTransition
    )


def test_what_cannot_be_sent_is_refused(store: Store, guide: Guide, run: Run) -> None:
    colleague = make_guide(store, wecom_user_id="LiSi")
    oneself = Viewer(Role.GUIDE, id=guide.id, store_ids=frozenset({store.id}))
    elsewhere = Viewer(Role.STORE_MANAGER, id="s", store_ids=frozenset({make_store("S2").id}))
    cases: list[tuple[Callable[[], object], type[AppError], tuple[str, ...]]] = [
        (lambda: create(colleague, oneself), Forbidden, ("input", "guide_id")),
        (lambda: create(guide, elsewhere), NotFound, ("input", "guide_id")),
        (lambda: create(guide, text="好" * 1334), Invalid, ("input", "text")),
        (lambda: create(guide, tag_id="nothing"), NotFound, ("input", "tag_id")),
        (
            lambda: create(guide, kind=SendKind.MOMENT, tag_id="x"),
            Invalid,
            ("input", "tag_id"),
        ),
    ]
    for call, kind, field in cases:
        refused = refusal(call)
        assert (type(refused), refused.field) == (kind, field)
    own = create(guide, oneself, guide_id=None)
    assert own.guide_id == guide.id
    other = Viewer(Role.GUIDE, id=colleague.id, store_ids=frozenset({store.id}))
    assert rules.visible(other, own) is None
    assert rules.visible(oneself, own) is own


@given(st.lists(st.sampled_from(SendOutcome), max_size=8))
def test_what_is_over_stays_as_it_is(told: list[SendOutcome]) -> None:
    known, final = SendOutcome.UNSENT, None
    for one in told:
        known = rules.next_outcome(known, one)
        final = final or (one if one is not SendOutcome.UNSENT else None)
    assert known == (final or SendOutcome.UNSENT)


@given(st.lists(st.integers(0, 100), max_size=10))
def test_reminders_of_a_day_are_three_at_most(hours: list[int]) -> None:
    taken: list[datetime] = []
    for hour in sorted(hours):
        at = AT + timedelta(hours=hour)
        if rules.may_remind(taken, at):
            taken.append(at)
    for one in taken:
        window = [x for x in taken if one <= x < one + timedelta(hours=24)]
        assert len(window) <= 3
