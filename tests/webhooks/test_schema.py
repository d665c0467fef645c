"""Endpoints and deliveries over GraphQL: who manages which, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.kit.time import real_now
from graphql_api.viewer import MANAGE_WEBHOOKS, READ_MEMBERS, SYSTEM, Role
from graphql_api.webhooks import rules, service
from graphql_api.webhooks.models import Delivery
from graphql_api.webhooks.rules import DeliveryState, EndpointState, StopReason, Topic
from tests.calls import counted
from tests.conftest import Client
from tests.stores.factories import make_unit
from tests.webhooks.factories import (
    attempt,
    delivery_now,
    endpoint_now,
    everything,
    make_delivery,
    register,
)
from tests.webhooks.receiver import Receiver

URL = "https://127.0.0.1:9/hook"
CREATE = """
mutation ($input: WebhookEndpointCreateInput!) { webhookEndpointCreate(input: $input) {
  endpoint { id name url topics state stopReason failures failingSince version createdBy }
  secret userErrors { code field message } } }
"""
UPDATE = """
mutation ($input: WebhookEndpointUpdateInput!) { webhookEndpointUpdate(input: $input) {
  endpoint { name url topics version } userErrors { code field } } }
"""
LOG = """
query ($id: ID!, $first: Int, $after: String, $undelivered: Boolean) { webhookEndpoint(id: $id) {
  deliveries(first: $first, after: $after, undelivered: $undelivered) {
    nodes { id state } pageInfo { hasNextPage endCursor } } } }
"""


@pytest.fixture
def headquarters(chain: str) -> str:
    """A token of headquarters that manages webhooks."""
    return auth.issue(Role.OPERATOR, "opr_1", scopes=frozenset({MANAGE_WEBHOOKS}))


def key(name: str = "key_1", *scopes: str) -> str:
    return auth.issue(
        Role.INTEGRATION, name, scopes=frozenset({MANAGE_WEBHOOKS, READ_MEMBERS, *scopes})
    )


def given(**more: Any) -> dict[str, Any]:
    return {"name": " 数据中台 ", "url": URL, "topics": ["MEMBER_UPDATED"], **more}


def errors_of(answer: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    [payload] = answer.values()
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


def test_endpoint_is_registered_and_its_secret_shown_once(send: Client, headquarters: str) -> None:
    made = send(CREATE, token=headquarters, input=given())["webhookEndpointCreate"]
    assert made["userErrors"] == []
    assert made["secret"].startswith("whsec_")
    assert len(made["secret"]) == 49
    endpoint = made["endpoint"]
    assert endpoint == {
        "id": endpoint["id"],
        "name": "数据中台",
        "url": URL,
        "topics": ["MEMBER_UPDATED"],
        "state": "ACTIVE",
        "stopReason": None,
        "failures": 0,
        "failingSince": None,
        "version": 1,
        "createdBy": "opr_1",
    }
    query = "query ($id: ID!) { node(id: $id) { ... on WebhookEndpoint { name oldSecretUntil } } }"
    assert send(query, token=headquarters, id=endpoint["id"])["node"] == {
        "name": "数据中台",
        "oldSecretUntil": None,
    }


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"name": " "}, "INVALID", ["input", "name"]),
        ({"topics": []}, "INVALID", ["input", "topics"]),
        ({"topics": ["TEST"]}, "INVALID", ["input", "topics"]),
        ({"url": f"{URL}#part"}, "INVALID", ["input", "url"]),
        ({"url": "https://nowhere.invalid/"}, "INVALID", ["input", "url"]),
    ],
)
def test_wrong_endpoint_is_refused_and_nothing_written(
    send: Client,
    headquarters: str,
    wrong: dict[str, Any],
    code: str,
    field: list[str],
) -> None:
    assert errors_of(send(CREATE, token=headquarters, input=given(**wrong))) == [(code, field)]
    assert everything() == []


def test_key_registers_for_what_it_may_read_and_manages_its_own(
    send: Client, headquarters: str
) -> None:
    denied = send(CREATE, token=key(), input=given(topics=["MEMBER_UPDATED", "ORDER_APPLIED"]))
    assert errors_of(denied) == [("FORBIDDEN", ["input", "topics"])]
    made = send(CREATE, token=key(), input=given())["webhookEndpointCreate"]["endpoint"]
    wider = {"id": made["id"], "topics": ["ORDER_REFUNDED"]}
    assert errors_of(send(UPDATE, token=key(), input=wider)) == [("FORBIDDEN", ["input", "topics"])]

    others = register(URL).endpoint
    listed = "{ webhookEndpoints { nodes { id } } }"
    assert send(listed, token=key()) == {"webhookEndpoints": {"nodes": [{"id": made["id"]}]}}
    assert len(send(listed, token=headquarters)["webhookEndpoints"]["nodes"]) == 2
    assert send(LOG, token=key(), id=others.id)["webhookEndpoint"] is None
    hidden = make_delivery(others)
    one = "query ($id: ID!) { webhookDelivery(id: $id) { id } node(id: $id) { id } }"
    assert send(one, token=key(), id=hidden.id) == {"webhookDelivery": None, "node": None}
    before = everything()
    for name in ("webhookEndpointDisable", "webhookEndpointEnable", "webhookEndpointTest"):
        command = f"mutation ($id: ID!) {{ {name}(id: $id) {{ userErrors {{ code field }} }} }}"
        assert errors_of(send(command, token=key(), id=others.id)) == [("NOT_FOUND", ["id"])]
    replayed = (
        "mutation ($id: ID!) { webhookDeliveryReplay(id: $id) { userErrors { code field } } }"
    )
    assert errors_of(send(replayed, token=key(), id=hidden.id)) == [("NOT_FOUND", ["id"])]
    assert everything() == before


def test_region_does_not_manage_webhooks(send: Client, chain: str) -> None:
    region = make_unit("华东").id
    token = auth.issue(Role.OPERATOR, "opr_2", unit_id=region, scopes=frozenset({MANAGE_WEBHOOKS}))
    before = everything()
    assert errors_of(send(CREATE, token=token, input=given())) == [("FORBIDDEN", None)]
    assert everything() == before


def test_change_keeps_what_is_left_out_and_minds_the_version(
    send: Client, headquarters: str
) -> None:
    endpoint = register(URL, Topic.ORDER_APPLIED).endpoint
    change = {"id": endpoint.id, "url": f"{URL}/2", "expectedVersion": 1}
    changed = send(UPDATE, token=headquarters, input=change)["webhookEndpointUpdate"]["endpoint"]
    assert changed == {
        "name": "数据中台",
        "url": f"{URL}/2",
        "topics": ["ORDER_APPLIED"],
        "version": 2,
    }
    refused = send(UPDATE, token=headquarters, input=change)
    assert errors_of(refused) == [("CONFLICT", ["input", "expectedVersion"])]
    del change["expectedVersion"]
    again = send(UPDATE, token=headquarters, input=change)["webhookEndpointUpdate"]["endpoint"]
    assert again["version"] == 2


def test_there_are_at_most_twenty_endpoints_that_are_not_disabled(
    send: Client, headquarters: str
) -> None:
    made = [register(URL).endpoint for _ in range(rules.MAX_ENDPOINTS)]
    assert errors_of(send(CREATE, token=headquarters, input=given())) == [("LIMIT_EXCEEDED", None)]
    service.disable(made[0].id, viewer=SYSTEM, at=real_now())
    assert errors_of(send(CREATE, token=headquarters, input=given())) == []
    enable = "mutation ($id: ID!) { webhookEndpointEnable(id: $id) { userErrors { code field } } }"
    refused = send(enable, token=headquarters, id=made[0].id)
    assert errors_of(refused) == [("LIMIT_EXCEEDED", None)]
    assert endpoint_now(made[0]).state == "DISABLED"


def test_disabling_and_enabling_twice_changes_nothing(send: Client, headquarters: str) -> None:
    endpoint = register(URL).endpoint
    document = """mutation ($id: ID!) {
      a: webhookEndpointDisable(id: $id) { endpoint { state stopReason version } }
      b: webhookEndpointDisable(id: $id) { endpoint { version } }
      c: webhookEndpointEnable(id: $id) { endpoint { state stopReason stoppedAt version } }
      d: webhookEndpointEnable(id: $id) { endpoint { version } } }"""
    answer = {
        k: v["endpoint"] for k, v in send(document, token=headquarters, id=endpoint.id).items()
    }
    assert answer["a"] == {"state": "DISABLED", "stopReason": "BY_HAND", "version": 2}
    assert answer["b"] == {"version": 2}
    assert answer["c"] == {"state": "ACTIVE", "stopReason": None, "stoppedAt": None, "version": 3}
    assert answer["d"] == {"version": 3}


def test_log_shows_deliveries_by_time_and_those_undelivered(
    send: Client, headquarters: str
) -> None:
    endpoint = register(URL).endpoint
    now = real_now()
    ages = (timedelta(days=20), timedelta(days=13), timedelta(days=2), timedelta(0))
    made = [make_delivery(endpoint, now - age) for age in ages]
    made[2].move(DeliveryState.DELIVERED)
    made[2].save()

    def page(**asked: Any) -> dict[str, Any]:
        found = send(LOG, token=headquarters, id=endpoint.id, **asked)
        page: dict[str, Any] = found["webhookEndpoint"]["deliveries"]
        return page

    ids = [node["id"] for node in page(first=10)["nodes"]]
    assert ids == [delivery.id for delivery in made[1:]]
    with counted() as calls:
        first = page(first=2)
    assert calls["Query"] == 15
    assert [node["id"] for node in first["nodes"]] == ids[:2]
    rest = page(first=2, after=first["pageInfo"]["endCursor"])
    assert [node["id"] for node in rest["nodes"]] == ids[2:]
    still = page(first=10, undelivered=True)
    assert [(n["id"], n["state"]) for n in still["nodes"]] == [(i, "PENDING") for i in ids[::2]]


def test_delivery_shows_what_came_of_it(
    send: Client, headquarters: str, receiver: Receiver
) -> None:
    endpoint = register(receiver.url("/500")).endpoint
    delivery = attempt(make_delivery(endpoint, topic=Topic.ORDER_REFUNDED))
    query = """query ($id: ID!) { webhookDelivery(id: $id) {
      endpoint { id failures } topic payload state attempts lastStatus lastProblem lastAnswer
      lastMilliseconds nextAt lastAt } }"""
    shown = send(query, token=headquarters, id=delivery.id)["webhookDelivery"]
    assert shown["endpoint"] == {"id": endpoint.id, "failures": 1}
    assert (shown["topic"], shown["state"], shown["attempts"]) == ("ORDER_REFUNDED", "PENDING", 1)
    assert (shown["lastStatus"], shown["lastProblem"]) == (500, "STATUS")
    assert shown["lastAnswer"] == "said 500"
    assert shown["payload"] == delivery.payload
    assert shown["lastMilliseconds"] >= 0
    assert shown["nextAt"] > shown["lastAt"]


REPLAY = """mutation ($id: ID!) { webhookDeliveryReplay(id: $id) {
  delivery { state attempts } userErrors { code field } } }"""


def test_delivery_is_replayed_under_its_own_id(
    send: Client, headquarters: str, receiver: Receiver
) -> None:
    delivery = attempt(make_delivery(register(receiver.url()).endpoint))
    replayed = send(REPLAY, token=headquarters, id=delivery.id)["webhookDeliveryReplay"]
    assert replayed["delivery"] == {"state": "PENDING", "attempts": 0}
    assert attempt(delivery).state == "DELIVERED"
    first, second = receiver.got
    assert first.headers["x-webhook-id"] == second.headers["x-webhook-id"] == delivery.id
    assert first.body == second.body


def test_stopped_endpoint_replays_nothing(send: Client, headquarters: str) -> None:
    endpoint = register(URL).endpoint
    delivery = make_delivery(endpoint)
    service.stop(endpoint.id, EndpointState.PAUSED, StopReason.FAILING, at=real_now())
    before = everything()
    refused = send(REPLAY, token=headquarters, id=delivery.id)
    assert errors_of(refused) == [("FORBIDDEN_TRANSITION", ["id"])]
    since = f"{real_now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    all_of_it = """mutation ($id: ID!, $since: DateTime!) {
      webhookEndpointReplay(input: {id: $id, since: $since}) { userErrors { code field } } }"""
    refused = send(all_of_it, token=headquarters, id=endpoint.id, since=since)
    assert errors_of(refused) == [("FORBIDDEN_TRANSITION", ["input", "id"])]
    assert everything() == before


@pytest.mark.parametrize("away", [timedelta(days=-15), timedelta(hours=1)])
def test_replay_begins_within_what_is_kept(
    send: Client, headquarters: str, away: timedelta
) -> None:
    endpoint = register(URL).endpoint
    document = """mutation ($id: ID!, $since: DateTime!) {
      webhookEndpointReplay(input: {id: $id, since: $since}) { userErrors { code field } } }"""
    since = f"{real_now() + away:%Y-%m-%dT%H:%M:%SZ}"
    refused = send(document, token=headquarters, id=endpoint.id, since=since)
    assert errors_of(refused) == [("INVALID", ["input", "since"])]


def test_new_secret_replaces_the_old_one_at_once_where_no_grace_is_given(
    send: Client, headquarters: str
) -> None:
    made = register(URL)
    document = """mutation ($id: ID!, $hours: Int) {
      webhookEndpointRotateSecret(input: {id: $id, graceHours: $hours}) {
        endpoint { oldSecretUntil } secret userErrors { code field } } }"""
    rotated = send(document, token=headquarters, id=made.endpoint.id, hours=0)
    payload = rotated["webhookEndpointRotateSecret"]
    assert payload["endpoint"]["oldSecretUntil"] is None
    assert payload["secret"] not in {made.secret, None}
    assert len(endpoint_now(made.endpoint).sealed_secrets(real_now())) == 1
    refused = send(document, token=headquarters, id=made.endpoint.id, hours=73)
    assert errors_of(refused) == [("INVALID", ["input", "graceHours"])]


def test_delivery_is_forgotten_after_two_weeks(chain: str) -> None:
    now = real_now()
    delivery = make_delivery(register(URL).endpoint, now)
    stored: Delivery = delivery_now(delivery)
    assert abs(stored.forget_at - now - timedelta(days=14)) < timedelta(seconds=1)
