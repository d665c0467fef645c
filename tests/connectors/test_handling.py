"""Messages are followed once, tried again while it helps, and given up with what was wrong."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from graphql_api.connectors import models, queueing, repository, service
from graphql_api.connectors.errors import Later, NotLinked, NotSetUp, VendorRefused
from graphql_api.connectors.models import Message, Shop
from graphql_api.connectors.queueing import Follow, Wake
from graphql_api.connectors.rules import (
    LinkKind,
    MessageState,
    Outcome,
    Problem,
    Vendor,
)
from graphql_api.connectors.service import LinkSet, ShopChange, ShopLink
from graphql_api.connectors.tasks import Early, handle, handling, sweep, wake
from graphql_api.connectors.told import Unreadable
from graphql_api.errors import Conflict, NotFound
from graphql_api.kit import queues
from graphql_api.kit.time import real_now
from graphql_api.viewer import SYSTEM
from tests.connectors.fakes import Fake
from tests.factories import CLOCK, make_store


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    vendor = Fake()
    monkeypatch.setattr(handling, "adapter_of", lambda _: vendor)
    return vendor


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[queues.Message]:
    sent: list[queues.Message] = []
    monkeypatch.setattr(queues, "send", lambda _url, all_: sent.extend(all_))
    return sent


@pytest.fixture
def shop(chain: str, queued: list[queues.Message]) -> Shop:
    given = ShopLink(vendor=Vendor.YOUZAN, vendor_key="1001", client_id="app-1", name="店")
    return service.link(given, viewer=SYSTEM, at=real_now())


def received(shop: Shop, name: str = "m", at: datetime | None = None) -> Message:
    at = at or real_now()
    message = Message(
        models.message_id(shop.id, name),
        shop_id=shop.id,
        vendor=shop.vendor,
        type="POINTS",
        received_at=at,
        begun_at=at,
    )
    message.raw = name.encode()
    message.move(MessageState.WAITING)
    assert repository.receive(message) is None
    return message


def follow(message: Message, *, at: datetime | None = None, turn: int | None = None) -> Message:
    wanted = Follow(message=message.id, turn=int(message.turn) if turn is None else turn)
    handle(wanted, now=lambda: at or real_now(), clock=lambda: CLOCK)
    now = repository.get_message(message.id)
    assert now is not None
    return now


def dead(shop: Shop, name: str, problem: Problem, detail: str | None = None) -> Message:
    message = received(shop, name)
    repository.fail(message, problem, detail, next_at=None)
    return message


# --- followed --------------------------------------------------------------------------------


def test_message_is_followed_once(shop: Shop, fake: Fake) -> None:
    message = received(shop)
    done = follow(message)
    assert (done.state, done.outcome, int(done.turn)) == (
        MessageState.HANDLED,
        Outcome.APPLIED,
        1,
    )
    assert done.handled_at is not None
    follow(message)
    follow(done)
    assert fake.applied == [b"m"]


def test_turn_that_is_not_noted_yet_comes_again(shop: Shop, fake: Fake) -> None:
    with pytest.raises(Early):
        follow(received(shop), turn=1)
    assert fake.applied == []


def test_message_of_a_shop_that_was_unlinked_is_done_with(shop: Shop, fake: Fake) -> None:
    message = received(shop)
    service.unlink(shop.id, viewer=SYSTEM)
    done = follow(message)
    assert (done.outcome, done.note, fake.applied) == (Outcome.IGNORED, "shop", [])


def test_paused_shop_waits_and_goes_on_with_what_came(
    shop: Shop, fake: Fake, queued: list[queues.Message]
) -> None:
    service.change(ShopChange(id=shop.id, paused=True), viewer=SYSTEM, at=real_now())
    message = received(shop)
    assert follow(message).state is MessageState.WAITING
    queued.clear()
    service.change(ShopChange(id=shop.id, paused=False), viewer=SYSTEM, at=real_now())
    [woken] = queued
    wake(Wake(**woken.body))
    assert queued[-1].body == {"message": message.id, "turn": 1}


# --- failed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "problem", "detail"),
    [
        (Unreadable("not a Trade of theirs"), Problem.UNREADABLE, "not a Trade of theirs"),
        (NotLinked(LinkKind.STORE, "9"), Problem.NOT_LINKED, "STORE 9"),
        (VendorRefused("4204"), Problem.VENDOR_REFUSED, "4204"),
        (NotFound("x", field=("a",)), Problem.REFUSED, "NotFound"),
    ],
)
def test_what_waiting_does_not_help_is_given_up_at_once(
    shop: Shop,
    fake: Fake,
    queued: list[queues.Message],
    error: Exception,
    problem: Problem,
    detail: str,
) -> None:
    fake.raises = [error]
    message = follow(received(shop))
    assert (message.state, message.problem, message.detail) == (
        MessageState.DEAD,
        problem,
        detail,
    )
    assert queued == []


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (Later(5), Problem.BUSY),
        (Conflict("x"), Problem.BUSY),
        (NotSetUp("token 1000"), Problem.NOT_SET_UP),
        (ZeroDivisionError("13800138000"), Problem.FAILED),
    ],
)
def test_what_may_pass_is_tried_again_in_half_a_minute(
    shop: Shop, fake: Fake, queued: list[queues.Message], error: Exception, problem: Problem
) -> None:
    fake.raises = [error]
    message = follow(received(shop))
    assert (message.state, message.problem) == (MessageState.WAITING, problem)
    assert "138" not in (message.detail or "")
    [again] = queued
    assert again.body == {"message": message.id, "turn": 1}
    assert 29 <= again.delay <= 37
    done = follow(message, at=message.next_at)
    assert (done.state, done.problem) == (MessageState.HANDLED, None)


def test_attempts_grow_apart_and_end_after_a_day(
    shop: Shop, fake: Fake, queued: list[queues.Message]
) -> None:
    message = received(shop)
    tries = 0
    while message.state is MessageState.WAITING:
        fake.raises = [Later(1)]
        message = follow(message, at=message.next_at)
        tries += 1
    assert message.state is MessageState.DEAD
    assert 80 <= tries <= 101
    assert fake.applied == []


def test_message_that_came_before_its_time_is_put_off(
    shop: Shop, fake: Fake, queued: list[queues.Message]
) -> None:
    fake.raises = [Later(2_000)]
    message = follow(received(shop))
    queued.clear()
    follow(message)
    [later] = queued
    assert (later.body, later.delay > 1_900) == ({"message": message.id, "turn": 1}, True)
    assert fake.applied == []


def test_death_between_queueing_and_noting_is_made_good_by_the_same_message(
    shop: Shop, fake: Fake, queued: list[queues.Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(shop)
    fake.raises = [Later(1)]
    with monkeypatch.context() as dying:
        dying.setattr(repository, "fail", lambda *_, **__: exit())
        with pytest.raises(SystemExit):
            follow(message)
    with pytest.raises(Early):
        handle(Follow(**queued[0].body), clock=lambda: CLOCK)
    assert follow(message).outcome is Outcome.APPLIED
    handle(Follow(**queued[0].body), clock=lambda: CLOCK)
    assert fake.applied == [b"m"]


def test_death_behind_the_door_is_found_done(
    shop: Shop, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(shop)
    with monkeypatch.context() as dying:
        dying.setattr(repository, "settle", lambda *_, **__: exit())
        with pytest.raises(SystemExit):
            follow(message)
    fake.outcome = Outcome.UNCHANGED
    assert follow(message).outcome is Outcome.UNCHANGED


# --- woken and swept -------------------------------------------------------------------------


def woken_by(queued: list[queues.Message]) -> list[str]:
    """The messages that are followed by what is queued."""
    found: list[str] = []
    while queued:
        message = queued.pop(0)
        if "wake" in message.body:
            wake(Wake(**message.body))
        else:
            found.append(message.body["message"])
    return found


def test_link_wakes_what_lacked_it_page_by_page(
    shop: Shop, queued: list[queues.Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handling, "WOKEN_AT_ONCE", 2)
    lacked = [dead(shop, f"m{n}", Problem.NOT_LINKED, "STORE 9") for n in range(5)]
    dead(shop, "other", Problem.NOT_LINKED, "STORE 8")
    dead(shop, "worse", Problem.REFUSED, "STORE 9")
    link = LinkSet(shop_id=shop.id, kind=LinkKind.STORE, vendor_key="9", our_id=make_store("S1").id)
    service.set_link(link, viewer=SYSTEM, at=real_now())
    assert sorted(woken_by(queued)) == sorted(message.id for message in lacked)
    again = repository.get_message(lacked[0].id)
    assert again is not None
    assert (again.state, int(again.turn), int(again.attempts)) == (MessageState.WAITING, 2, 0)


def test_link_that_is_set_while_a_message_is_given_up_is_not_missed(
    shop: Shop, fake: Fake, queued: list[queues.Message]
) -> None:
    message = received(shop)
    link = LinkSet(shop_id=shop.id, kind=LinkKind.STORE, vendor_key="9", our_id=make_store("S1").id)
    service.set_link(link, viewer=SYSTEM, at=real_now())
    queued.clear()
    fake.raises = [NotLinked(LinkKind.STORE, "9")]  # as who looked before it was set
    again = follow(message)
    assert again.state is MessageState.WAITING
    assert [one.body for one in queued] == [{"message": message.id, "turn": 2}]
    assert follow(again).outcome is Outcome.APPLIED


def test_waking_twice_follows_once(shop: Shop, fake: Fake, queued: list[queues.Message]) -> None:
    message = dead(shop, "m", Problem.REFUSED)
    wanted = Wake(wake=shop.id, state=MessageState.DEAD, until=real_now())
    wake(wanted)
    wake(wanted)
    for body in [one.body for one in queued]:
        handle(Follow(**body), clock=lambda: CLOCK)
    assert fake.applied == [b"m"]
    assert repository.get_message(message.id) is not None


def test_those_that_came_later_or_earlier_sleep_on(
    shop: Shop, queued: list[queues.Message]
) -> None:
    at = real_now()
    early = received(shop, "early", at - timedelta(hours=3))
    meant = received(shop, "meant", at - timedelta(hours=1))
    for message in (early, meant, received(shop, "late", at + timedelta(hours=1))):
        repository.fail(message, Problem.REFUSED, None, next_at=None)
    since = at - timedelta(hours=2)
    wake(Wake(wake=shop.id, state=MessageState.DEAD, until=at, since=since))
    assert woken_by(queued) == [meant.id]


def test_what_no_queue_knows_of_is_swept_up(shop: Shop, queued: list[queues.Message]) -> None:
    lost = received(shop, "lost", real_now() - timedelta(hours=1))
    received(shop, "young")
    waiting = received(shop, "waiting", real_now() - timedelta(hours=5))
    next_at = real_now() + timedelta(minutes=5)
    repository.fail(waiting, Problem.BUSY, None, next_at=next_at)
    assert sweep() == 1
    assert [message.body for message in queued] == [{"message": lost.id, "turn": 0}]


def test_what_is_only_late_in_its_queue_keeps_its_place_and_is_followed_once(
    shop: Shop, fake: Fake, queued: list[queues.Message]
) -> None:
    late = received(shop, "late", real_now() - timedelta(hours=1))
    in_queue = Follow(message=late.id, turn=0)
    assert sweep() == 1
    handle(in_queue)
    handle(Follow(**queued.pop().body))
    found = repository.get_message(late.id)
    assert found is not None
    assert (found.state, found.attempts, found.turn) == (MessageState.HANDLED, 1, 1)
    assert sweep() == 0


def test_bodies_of_the_queue_are_told_apart() -> None:
    told: dict[str, Any] = {"wake": "vsh_1", "state": "DEAD", "until": "2018-01-01T00:00:00Z"}
    assert isinstance(queueing.read(queueing.Wake(**told).model_dump_json()), Wake)
    assert isinstance(queueing.read('{"message":"m","turn":1}'), Follow)
    assert isinstance(queueing.read('{"run":"r","step":1}'), queueing.Step)
    with pytest.raises(ValueError, match="validation error"):
        queueing.read('{"message":"m"}')
