"""Attempts: signed, written down, tried again, and never in the way of another endpoint."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from graphql_api.access.service import keys
from graphql_api.kit.time import real_now
from graphql_api.viewer import MANAGE_WEBHOOKS, READ_MEMBERS, SYSTEM, Role, Viewer
from graphql_api.webhooks import messages, repository, rules, service, tasks
from graphql_api.webhooks.messages import Wake
from graphql_api.webhooks.models import Delivery, Endpoint
from graphql_api.webhooks.rules import DeliveryState, EndpointState, Problem, StopReason, Topic
from graphql_api.webhooks.service import SecretRotate
from graphql_api.webhooks.tasks import Early, attempts
from tests.access.factories import make_key
from tests.calls import counted
from tests.webhooks.factories import (
    attempt,
    deliveries,
    delivery_now,
    endpoint_now,
    everything,
    make_delivery,
    register,
)
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.usefixtures("database")

AT = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)


def at(later: timedelta = timedelta()) -> Callable[[], datetime]:
    return lambda: AT + later


def waking(endpoint: Endpoint, *states: DeliveryState, since: datetime = AT) -> list[Delivery]:
    """Make deliveries anew as a message says."""
    until = real_now() + timedelta(minutes=1)
    wanted = Wake(wake=endpoint.id, states=list(states), since=since, until=until)
    asyncio.run(tasks.follow(wanted.model_dump_json()))
    return deliveries()


def test_delivery_arrives_signed_with_what_the_receiver_needs(receiver: Receiver) -> None:
    made = register(receiver.url())
    delivery = make_delivery(made.endpoint, topic=Topic.MEMBER_UPDATED, at=AT)
    now = AT + timedelta(seconds=1)
    done = attempt(delivery, now=lambda: now)
    [got] = receiver.got
    assert got.is_genuine(made.secret)
    assert not got.is_genuine(made.secret + "x")
    assert {name: got.headers[f"x-webhook-{name}"] for name in ("id", "event", "topic")} == {
        "id": delivery.id,
        "event": delivery.event_id,
        "topic": "MEMBER_UPDATED",
    }
    assert got.headers["x-webhook-attempt"] == "1"
    assert got.headers["x-webhook-timestamp"] == str(int(now.timestamp()))
    assert got.document == delivery.payload
    assert (done.state, done.attempts, done.last_status, done.last_at) == ("DELIVERED", 1, 200, now)
    assert (done.last_problem, done.next_at, done.last_answer) == (None, None, "said 200")
    assert done.open_day is None


def test_attempt_costs_one_read_and_one_write(receiver: Receiver) -> None:
    delivery = make_delivery(register(receiver.url()).endpoint)
    attempt(delivery)
    service.replay(delivery.id, viewer=SYSTEM, at=real_now())
    turn = int(delivery_now(delivery).turn)
    with counted() as calls:
        attempt(delivery, turn=turn)
    del calls["DescribeTable"]
    calls["GetItem"] -= 1  # the test's own look at the delivery
    assert +calls == {"BatchGetItem": 1, "UpdateItem": 1}


def test_both_secrets_sign_until_the_old_one_ends(receiver: Receiver) -> None:
    made = register(receiver.url())
    endpoint = made.endpoint
    rotated = service.rotate_secret(
        SecretRotate(id=endpoint.id, grace_hours=2), viewer=SYSTEM, at=AT
    )
    attempt(make_delivery(endpoint, AT), now=at(timedelta(hours=1)))
    attempt(make_delivery(endpoint, AT), now=at(timedelta(hours=2)))
    within, after = receiver.got
    assert (within.is_genuine(made.secret), within.is_genuine(rotated.secret)) == (True, True)
    assert (after.is_genuine(made.secret), after.is_genuine(rotated.secret)) == (False, True)


def test_secret_is_stored_sealed() -> None:
    made = register("http://127.0.0.1:9/")
    assert made.secret not in str(everything())
    assert made.secret not in repr(made)


def test_failure_is_written_and_tried_again_under_the_same_id(receiver: Receiver) -> None:
    receiver.turns = [503, 200]
    delivery = make_delivery(register(receiver.url("/turns")).endpoint, AT)
    failed = attempt(delivery, now=at())
    assert (failed.state, failed.attempts, failed.last_status) == ("PENDING", 1, 503)
    assert (failed.last_problem, failed.last_answer) == (Problem.STATUS, "said 503")
    assert 10 <= (failed.next_at - AT).total_seconds() <= 12
    done = attempt(delivery, now=at(timedelta(seconds=30)))
    assert (done.state, done.attempts, done.last_status) == ("DELIVERED", 2, 200)
    first, second = receiver.got
    assert first.headers["x-webhook-id"] == second.headers["x-webhook-id"]
    assert first.body == second.body
    assert second.headers["x-webhook-attempt"] == "2"


def test_attempt_before_its_time_is_put_off(receiver: Receiver) -> None:
    delivery = make_delivery(register(receiver.url("/500")).endpoint, AT)
    attempt(delivery, now=at())
    before = everything()
    attempt(delivery, now=at(timedelta(seconds=5)))
    assert everything() == before
    assert len(receiver.got) == 1


def test_message_of_an_older_turn_does_nothing_and_of_a_later_one_comes_again(
    receiver: Receiver,
) -> None:
    delivery = make_delivery(register(receiver.url("/500")).endpoint, AT)
    attempt(delivery, now=at())
    before = everything()
    attempt(delivery, turn=0, now=at(timedelta(hours=1)))
    with pytest.raises(Early):
        attempt(delivery, turn=2, now=at(timedelta(hours=1)))
    assert everything() == before
    assert len(receiver.got) == 1


def test_crash_between_post_and_note_posts_the_same_delivery_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = make_delivery(register(receiver.url()).endpoint)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crash:
        crash.setattr(repository, "note_attempt", die)
        with pytest.raises(KeyboardInterrupt):
            attempt(delivery)
    assert delivery_now(delivery).state == "PENDING"
    assert attempt(delivery).state == "DELIVERED"
    assert [got.headers["x-webhook-id"] for got in receiver.got] == [delivery.id] * 2


def test_of_two_attempts_at_once_one_is_noted(receiver: Receiver) -> None:
    delivery = make_delivery(register(receiver.url()).endpoint)
    stale = delivery_now(delivery)
    done = attempt(delivery)
    late = repository.note_attempt(
        stale, rules.answered(500, 1, ""), DeliveryState.DEAD, at=AT, next_at=None
    )
    assert not late
    assert delivery_now(delivery).state == done.state == "DELIVERED"


def test_after_a_day_of_failures_the_delivery_is_dead_and_the_endpoint_paused(
    receiver: Receiver,
) -> None:
    endpoint = register(receiver.url("/500")).endpoint
    delivery = make_delivery(endpoint, AT)
    now = AT
    while delivery.state is DeliveryState.PENDING:
        delivery = attempt(delivery, now=lambda now=now: now)  # type: ignore[misc]  # the loop's now
        now = max(now + timedelta(minutes=6), delivery.next_at or now)
    assert delivery.state == "DEAD"
    assert 12 <= len(receiver.got) == delivery.attempts <= 14
    assert endpoint_now(endpoint).state == "ACTIVE"
    attempt(make_delivery(endpoint, AT), now=at(timedelta(hours=25)))
    stopped = endpoint_now(endpoint)
    assert (stopped.state, stopped.stop_reason) == ("PAUSED", "FAILING")
    assert stopped.stopped_at == AT + timedelta(hours=25)


def test_410_disables_the_endpoint_at_once(receiver: Receiver) -> None:
    endpoint = register(receiver.url("/410")).endpoint
    gone = attempt(make_delivery(endpoint, AT), now=at())
    assert (gone.state, gone.last_status, gone.open_day is None) == ("DEAD", 410, False)
    stopped = endpoint_now(endpoint)
    assert (stopped.state, stopped.stop_reason, stopped.stopped_at) == ("DISABLED", "GONE", AT)
    late = attempt(make_delivery(endpoint, AT), now=at())
    assert (late.state, late.last_problem, late.attempts) == ("DEAD", "STOPPED", 0)
    assert len(receiver.got) == 1


def test_failing_endpoint_rests_and_another_is_not_kept_waiting(receiver: Receiver) -> None:
    bad, good = register(receiver.url("/500")).endpoint, register(receiver.url("/200")).endpoint
    attempt(make_delivery(bad, AT), now=at())
    waiting = [make_delivery(bad, AT) for _ in range(3)]
    assert [attempt(d, now=at(timedelta(seconds=9))).attempts for d in waiting] == [0, 0, 0]
    assert attempt(make_delivery(good, AT), now=at(timedelta(seconds=9))).state == "DELIVERED"
    assert [got.path for got in receiver.got] == ["/500", "/200"]
    assert attempt(waiting[0], now=at(timedelta(seconds=13))).attempts == 1


def test_success_ends_a_run_of_failures(receiver: Receiver) -> None:
    receiver.turns = [500, 200]
    endpoint = register(receiver.url("/turns")).endpoint
    attempt(make_delivery(endpoint, AT), now=at())
    [failing] = repository.get_healths([endpoint.id])
    assert failing is not None
    assert (failing.failures, failing.failing_since) == (1, AT)
    attempt(make_delivery(endpoint, AT), now=at(timedelta(minutes=1)))
    [well] = repository.get_healths([endpoint.id])
    assert well is not None
    assert (well.failures, well.failing_since, well.rests_until) == (0, None, None)
    assert endpoint_now(endpoint).version == endpoint.version


def test_paused_endpoint_gets_what_was_held_when_it_is_enabled(receiver: Receiver) -> None:
    endpoint = register(receiver.url()).endpoint
    delivery = make_delivery(endpoint)
    service.stop(endpoint.id, EndpointState.PAUSED, StopReason.FAILING, at=real_now())
    held = attempt(delivery)
    assert (held.state, held.last_problem, held.attempts) == ("HELD", "STOPPED", 0)
    service.enable(endpoint.id, viewer=SYSTEM, at=real_now())
    [woken] = waking(endpoint, DeliveryState.HELD, since=held.created_at)
    assert woken.state == "PENDING"
    assert attempt(delivery).state == "DELIVERED"
    assert len(receiver.got) == 1


def test_waking_goes_on_page_after_page_and_again_changes_only_turns(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "WOKEN_AT_ONCE", 2)
    asked: list[Wake] = []
    monkeypatch.setattr(messages, "wake", asked.append)
    endpoint = register(receiver.url()).endpoint
    now = real_now()
    for n in range(3):
        delivery = make_delivery(endpoint, now + timedelta(milliseconds=n))
        attempt(delivery)
    dead = make_delivery(endpoint, now + timedelta(milliseconds=5))
    every = list(DeliveryState)
    wanted = Wake(wake=endpoint.id, states=every, since=now, until=now + timedelta(minutes=1))
    asyncio.run(tasks.follow(wanted.model_dump_json()))
    assert [d.state for d in deliveries()].count(DeliveryState.PENDING) == 3
    [further] = asked
    asyncio.run(tasks.follow(further.model_dump_json()))
    found = deliveries()
    assert [(d.state, d.attempts) for d in found] == [("PENDING", 0)] * 4
    turns = {d.id: int(d.turn) for d in found}
    asyncio.run(tasks.follow(further.model_dump_json()))
    again = {d.id: int(d.turn) for d in deliveries()}
    assert again[dead.id] == turns[dead.id] + 1
    assert len(asked) == 1


def test_waking_leaves_what_was_made_before_or_is_not_meant(receiver: Receiver) -> None:
    endpoint = register(receiver.url("/410")).endpoint
    now = real_now()
    early, dead = make_delivery(endpoint, now - timedelta(hours=1)), make_delivery(endpoint, now)
    done = make_delivery(endpoint, now)
    dead.update(actions=[Delivery.state.set(DeliveryState.DEAD)])
    done.update(actions=[Delivery.state.set(DeliveryState.DELIVERED)])
    waking(endpoint, DeliveryState.DEAD, since=now)
    states = {d.id: d.state for d in deliveries()}
    assert states == {early.id: "PENDING", dead.id: "PENDING", done.id: "DELIVERED"}
    turns = {d.id: int(d.turn) for d in deliveries()}
    assert turns == {early.id: 0, dead.id: 1, done.id: 0}


def test_endpoint_of_a_key_that_ended_is_paused(receiver: Receiver) -> None:
    scopes = frozenset({MANAGE_WEBHOOKS, READ_MEMBERS})
    key = make_key(scopes=scopes).api_key
    viewer = Viewer(Role.INTEGRATION, key.id, scopes=scopes)
    endpoint = register(receiver.url(), Topic.MEMBER_UPDATED, viewer=viewer).endpoint
    assert attempt(make_delivery(endpoint)).state == "DELIVERED"
    keys.revoke(key.id, viewer=SYSTEM, at=real_now())
    assert attempt(make_delivery(endpoint)).state == "HELD"
    assert endpoint_now(endpoint).stop_reason == "KEY_ENDED"
    assert len(receiver.got) == 1


def test_test_is_tried_once_of_a_paused_endpoint_too(receiver: Receiver) -> None:
    endpoint = register(receiver.url("/500")).endpoint
    service.stop(endpoint.id, EndpointState.PAUSED, StopReason.FAILING, at=real_now())
    tried = attempt(service.test(endpoint.id, viewer=SYSTEM, at=real_now()))
    assert (tried.state, tried.attempts, tried.last_status) == ("DEAD", 1, 500)
    assert repository.get_healths([endpoint.id]) == [None]
    [got] = receiver.got
    assert (got.document["topic"], got.document["object"]["id"]) == ("TEST", endpoint.id)
