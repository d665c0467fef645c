"""Friends are handed over in WeCom: within its limits, killed anywhere, and followed to the end."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.config import settings
from graphql_api.connectors import http
from graphql_api.connectors.errors import Later
from graphql_api.connectors.tokens import tokens
from graphql_api.errors import (
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Unavailable,
)
from graphql_api.friends import models, queueing, repository, rules, service, transfers
from graphql_api.friends.models import Transfer
from graphql_api.friends.rules import (
    Event,
    FriendState,
    Happened,
    TransferOutcome,
    TransferState,
)
from graphql_api.friends.transfers import TransferStart
from graphql_api.guides import service as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.guides.service import GuideStatusSet
from graphql_api.kit import queues
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from scripts.simulator.faults import Faults
from scripts.simulator.wecom import Wecom
from tests.factories import CLOCK, make_guide, make_store

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


class Killed(BaseException):
    """The function was ended."""


class Run:
    """WeCom and the queue, in virtual time; `dies_after` counts down calls or queueings."""

    def __init__(self) -> None:
        self.corp = Wecom(Faults())
        self.now = AT
        self.waiting: list[tuple[datetime, dict[str, Any]]] = []
        self.lost: list[dict[str, Any]] = []
        self.calls = 0
        self.dies_at: int | None = None
        self.dies_queueing = False

    def asked(self, url: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        if self.corp.faults.is_down:
            raise Unavailable("no answer")
        told = self.corp.answer(url, query, body, self.now)
        assert told is not None, url
        if "transfer" in url:
            self.calls += 1
            if self.calls == self.dies_at:
                raise Killed
        return told

    def send(self, _url: str, messages: list[queues.Message]) -> None:
        if self.dies_queueing:
            self.dies_queueing = False
            raise Killed
        for one in messages:
            self.waiting.append((self.now + timedelta(seconds=one.delay), one.body))

    def go(self, until: datetime | None = None) -> None:
        """Follow what waits; who is killed has their message come again."""
        while self.waiting:
            self.waiting.sort(key=lambda pair: pair[0])
            due, body = self.waiting[0]
            if until is not None and due > until:
                break
            self.waiting.pop(0)
            self.now = max(self.now, due)
            wanted = queueing.read(json.dumps(body))
            assert isinstance(wanted, queueing.Move)
            try:
                transfers.move(wanted.transfer, wanted.step, now=lambda: self.now)
            except (Killed, Later):
                self.waiting.append((self.now + timedelta(minutes=12), body))
        self.now = max(self.now, until or self.now)


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
    monkeypatch.setattr(transfers, "ASKED_AT_ONCE", 4)
    yield made
    settings.cache_clear()
    tokens.forget()


@pytest.fixture
def taker(store: Store) -> Guide:
    return make_guide(store, wecom_user_id="LiSi")


def befriend(run: Run, guide: Guide, count: int) -> list[str]:
    """Friends of a guide, here and there; the last of them is gone by now."""
    made = [f"wm-{n:03d}" for n in range(count + 1)]
    for one in made:
        run.corp.add(guide.wecom_user_id, one, AT)
        service.apply(guide.wecom_user_id, one, Happened(Event.ADDED, AT))
    gone = Happened(Event.DELETED_BY_CUSTOMER, AT + timedelta(seconds=1))
    service.apply(guide.wecom_user_id, made[-1], gone)
    return made[:-1]


def start(giver: Guide, taker: Guide, viewer: Viewer = SYSTEM) -> Transfer:
    given = TransferStart(from_guide_id=giver.id, to_guide_id=taker.id, message="您好")
    return transfers.start(given, viewer=viewer, at=AT)


def now_is(transfer: Transfer) -> Transfer:
    kept = repository.get_transfer(transfer.id)
    assert kept is not None
    return kept


def states(guide: Guide, customers: list[str]) -> set[FriendState | None]:
    ids = [models.friend_id(guide.wecom_user_id, one) for one in customers]
    return {friend.state if friend else None for friend in repository.get_many(ids)}


def leave(guide: Guide) -> None:
    left = GuideStatusSet(id=guide.id, status=GuideStatus.LEFT)
    guides.set_status(left, viewer=SYSTEM, clock=CLOCK)


def test_friends_of_a_guide_at_work_go_after_a_day(guide: Guide, taker: Guide, run: Run) -> None:
    customers = befriend(run, guide, 10)
    transfer = start(guide, taker)
    run.go(AT + timedelta(hours=2))
    waiting = now_is(transfer)
    assert (waiting.state, waiting.outcomes) == (
        TransferState.WAITING,
        {TransferOutcome.ASKED: 10},
    )
    assert states(taker, customers) == {None}
    run.go()
    done = now_is(transfer)
    assert (done.state, done.outcomes) == (TransferState.DONE, {TransferOutcome.DONE: 10})
    assert states(guide, customers) == {FriendState.HANDED_OVER}
    assert states(taker, customers) == {FriendState.FRIEND}
    assert done.ended_at is not None
    assert done.ended_at < AT + timedelta(hours=25)


@pytest.mark.parametrize("dies_at", range(1, 6))
def test_killed_between_wecom_and_our_note_it_asks_for_nobody_twice(
    guide: Guide, taker: Guide, run: Run, dies_at: int
) -> None:
    customers = befriend(run, guide, 6)
    run.dies_at = dies_at
    transfer = start(guide, taker)
    run.go()
    assert now_is(transfer).outcomes == {TransferOutcome.DONE: 6}
    assert states(taker, customers) == {FriendState.FRIEND}
    assert {len(moves) for moves in run.corp.handing.moves.values()} == {1}


def test_killed_between_our_note_and_the_queue_it_goes_on(
    guide: Guide, taker: Guide, run: Run
) -> None:
    befriend(run, guide, 6)
    transfer = start(guide, taker)
    run.dies_queueing = True
    run.go()
    assert now_is(transfer).outcomes == {TransferOutcome.DONE: 6}


def test_message_that_comes_twice_takes_a_step_once(guide: Guide, taker: Guide, run: Run) -> None:
    befriend(run, guide, 6)
    transfer = start(guide, taker)
    run.waiting += run.waiting
    run.go()
    assert now_is(transfer).outcomes == {TransferOutcome.DONE: 6}


def test_refusals_and_limits_are_told_apart(guide: Guide, taker: Guide, run: Run) -> None:
    customers = befriend(run, guide, 3)
    run.corp.handing.refusing = {customers[0]}
    run.corp.handing.moves[customers[1]] = [AT - timedelta(days=1), AT - timedelta(days=80)]
    transfer = start(guide, taker)
    run.go()
    assert now_is(transfer).outcomes == {
        TransferOutcome.DONE: 1,
        TransferOutcome.REFUSED: 1,
        TransferOutcome.FAILED: 1,
    }
    page = repository.page_of_handed(transfer.id, first=9, after=None, reverse=False)
    assert [(row.external_user_id, row.outcome, row.detail) for row in page.items] == [
        (customers[0], TransferOutcome.REFUSED, None),
        (customers[1], TransferOutcome.FAILED, "40128"),
        (customers[2], TransferOutcome.DONE, None),
    ]
    assert states(guide, customers[:2]) == {FriendState.FRIEND}


def test_taker_with_too_many_customers_gets_none(guide: Guide, taker: Guide, run: Run) -> None:
    befriend(run, guide, 2)
    run.corp.handing.full = {taker.wecom_user_id}
    transfer = start(guide, taker)
    run.go()
    assert now_is(transfer).outcomes == {TransferOutcome.LIMIT: 2}


def test_friends_of_who_left_go_by_the_other_way(guide: Guide, taker: Guide, run: Run) -> None:
    customers = befriend(run, guide, 2)
    leave(guide)
    transfer = start(guide, taker)
    run.go()
    refused = now_is(transfer)
    assert (refused.state, str(refused.problem)[:6]) == (TransferState.DONE, "40097:")
    run.corp.handing.left = {guide.wecom_user_id}
    again = start(guide, taker)
    run.go()
    assert now_is(again).outcomes == {TransferOutcome.DONE: 2}
    assert states(taker, customers) == {FriendState.FRIEND}


def test_while_wecom_is_away_it_waits(guide: Guide, taker: Guide, run: Run) -> None:
    befriend(run, guide, 2)
    run.corp.faults.is_down = True
    transfer = start(guide, taker)
    run.go(AT + timedelta(hours=1))
    assert now_is(transfer).state is TransferState.ASKING
    run.corp.faults.is_down = False
    run.go()
    assert now_is(transfer).outcomes == {TransferOutcome.DONE: 2}


def test_after_some_days_nobody_is_waited_for(
    guide: Guide, taker: Guide, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scripts.simulator import wecom_handing

    monkeypatch.setattr(wecom_handing, "TAKES", timedelta(days=9))
    befriend(run, guide, 1)
    transfer = start(guide, taker)
    run.go()
    over = now_is(transfer)
    assert (over.state, over.outcomes) == (TransferState.DONE, {TransferOutcome.ASKED: 1})
    assert over.ended_at is not None
    assert over.ended_at - AT > rules.PATIENCE


def test_cancelled_it_asks_for_no_more(guide: Guide, taker: Guide, run: Run) -> None:
    befriend(run, guide, 6)
    transfer = start(guide, taker)
    for _ in range(2):
        stopped = transfers.cancel(transfer.id, viewer=SYSTEM, at=AT)
        assert (stopped.state, stopped.ended_at) == (TransferState.CANCELLED, AT)
    run.go()
    assert run.calls == 0
    other = start(guide, taker)
    run.go()
    with pytest.raises(ForbiddenTransition):
        transfers.cancel(other.id, viewer=SYSTEM, at=AT)


def test_guide_without_friends_is_done_at_once(guide: Guide, taker: Guide, run: Run) -> None:
    transfer = start(guide, taker)
    run.go(AT + timedelta(minutes=1))
    assert (now_is(transfer).state, run.calls) == (TransferState.DONE, 0)


def test_what_cannot_be_handed_over_is_refused(
    store: Store, guide: Guide, taker: Guide, run: Run
) -> None:
    with pytest.raises(Invalid):
        start(guide, guide)
    elsewhere = Viewer(Role.STORE_MANAGER, id="stm_1", store_ids=frozenset({make_store("S2").id}))
    with pytest.raises(NotFound):
        start(guide, taker, elsewhere)
    oneself = Viewer(Role.GUIDE, id=guide.id, store_ids=frozenset({store.id}))
    with pytest.raises(Forbidden):
        start(guide, taker, oneself)
    befriend(run, guide, 1)
    transfer = start(guide, taker)
    with pytest.raises(Conflict):
        start(guide, taker)
    with pytest.raises(NotFound):
        transfers.cancel(transfer.id, viewer=oneself, at=AT)
    leave(taker)
    with pytest.raises(ForbiddenTransition):
        start(guide, taker)


@given(st.lists(st.sampled_from(TransferOutcome), max_size=8))
def test_what_is_over_stays_as_it_is(told: list[TransferOutcome]) -> None:
    known, final = TransferOutcome.ASKED, None
    for one in told:
        known = rules.next_outcome(known, one)
        final = final or (one if one is not TransferOutcome.ASKED else None)
    assert known == (final or TransferOutcome.ASKED)
