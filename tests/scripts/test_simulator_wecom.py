"""The simulated WeCom over HTTP: what people do is pushed, and what we ask is answered."""

from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import orjson
import pytest

from graphql_api.access.rules import WeComClient
from graphql_api.config import settings
from graphql_api.connectors.errors import Later
from graphql_api.connectors.tokens import tokens
from graphql_api.connectors.wecom import client, contacts, receiving
from graphql_api.errors import Invalid
from graphql_api.friends import repository, service, tasks
from graphql_api.friends.models import friend_id
from graphql_api.friends.rules import FriendState
from graphql_api.kit import queues
from graphql_api.kit.time import Clock, real_now
from graphql_api.viewer import SYSTEM
from scripts.simulator import laptops, wecom_control
from scripts.simulator.wecom import Knock
from tests.factories import make_guide, make_store


class Corp:
    """The simulated corp, and what waits in our queues."""

    def __init__(self, url: str, waiting: list[tuple[str, str]]) -> None:
        self._url = url
        self._waiting = waiting

    def tell(self, what: str, **told: Any) -> tuple[int, Any]:
        url = f"{self._url}/control/wecom/{what}"
        answer = httpx.post(url, json=told, trust_env=False, timeout=10)
        return answer.status_code, answer.json()

    def follow(self) -> None:
        while self._waiting:
            url, text = self._waiting.pop(0)
            if url == "welcomes":
                tasks.greet(text)
            else:
                tasks.follow(text, clock=Clock)


@pytest.fixture
def corp(chain: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Corp]:
    """The simulator's address; the API asks it, is pushed at, and follows at once."""
    waiting: list[tuple[str, str]] = []

    def send(url: str, messages: Sequence[queues.Message]) -> None:
        waiting.extend((url, orjson.dumps(one.body).decode()) for one in messages)

    def pushed(knocks: Sequence[Knock], _url: str | None) -> list[int]:
        return [receiving.receive(k.query, k.raw, at=real_now()).status for k in knocks]

    monkeypatch.setattr(queues, "send", send)
    monkeypatch.setattr(wecom_control, "pushed", pushed)
    monkeypatch.setenv("APP_CONTACT_QUEUE_URL", "contacts")
    monkeypatch.setenv("APP_WELCOME_QUEUE_URL", "welcomes")
    with laptops.serve() as simulator:
        for name, value in laptops.wecom_settings_for(simulator.url).items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        tokens.forget()
        yield Corp(simulator.url, waiting)
    settings.cache_clear()
    tokens.forget()


def test_friend_comes_is_welcomed_and_goes(corp: Corp) -> None:
    guide = make_guide(make_store("S1"), wecom_user_id="zhangsan")
    service.set_welcome(service.WelcomeSet(text="我是{guide}"), viewer=SYSTEM, at=real_now())
    assert corp.tell("customer", id="wm1", union_id="u1") == (200, {})
    met = {"user": "zhangsan", "customer": "wm1", "url": "http://here"}
    assert corp.tell("add", **met, state="q7xk2m9d01") == (200, {"statuses": [200]})
    corp.follow()
    friend = repository.get(friend_id("zhangsan", "wm1"))
    assert friend is not None
    assert (friend.state, friend.guide_id) == (FriendState.FRIEND, guide.id)
    customer = repository.get_customer("wm1")
    assert customer is not None
    assert customer.union_id == "u1"
    _, totals = corp.tell("totals")
    assert totals["welcomes"] == [f"我是{guide.name}"]
    assert totals["friends"][0]["standing"] == "friend"

    assert corp.tell("delete", **met, by_user=False)[0] == 200
    corp.follow()
    gone = repository.get(friend_id("zhangsan", "wm1"))
    assert gone is not None
    assert gone.state is FriendState.DELETED_BY_CUSTOMER
    assert contacts.union_id_of("wm1") is None


def test_same_code_welcomes_once_and_a_wrong_one_not(corp: Corp) -> None:
    corp.tell("add", user="zhangsan", customer="wm1")
    assert contacts.send_welcome("welcome-000001", "您好")
    assert not contacts.send_welcome("welcome-000001", "您好")
    assert corp.tell("totals")[1]["welcomes"] == ["您好"]


def test_faults_are_felt_and_end(corp: Corp) -> None:
    corp.tell("add", user="zhangsan", customer="wm1")
    corp.tell("faults", failing=1.0)
    with pytest.raises(Later):
        contacts.union_id_of("wm1")
    corp.tell("faults")
    assert contacts.union_id_of("wm1") is None


def test_logins_are_answered_too(corp: Corp) -> None:
    assert client.who_is("ZhangSan", WeComClient.WEB) == "ZhangSan"
    assert client.who_is("ZhangSan", WeComClient.MINI_PROGRAM) == "ZhangSan"
    with pytest.raises(Invalid):
        client.who_is("x", WeComClient.WEB)


@pytest.mark.parametrize(
    ("what", "told", "status"), [("add", {}, 400), ("delete", {"user": "x"}, 400), ("x", {}, 404)]
)
def test_what_nobody_can_do_is_said(
    corp: Corp, what: str, told: dict[str, Any], status: int
) -> None:
    assert corp.tell(what, **told)[0] == status
