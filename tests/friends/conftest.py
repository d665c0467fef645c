"""A store with a guide, and a corp that answers."""

from collections.abc import Iterator
from typing import Any

import pytest

from graphql_api.config import settings
from graphql_api.connectors.wecom import api
from graphql_api.guides.models import Guide
from graphql_api.kit import queues
from graphql_api.stores.models import Store
from tests.factories import make_guide, make_store


class Corp:
    """WeCom, as far as it is asked: unionids by customer, and what was sent."""

    def __init__(self) -> None:
        self.union_ids: dict[str, str] = {}
        self.sent: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.failures: list[Exception] = []

    def get(self, path: str, **query: str) -> dict[str, Any]:
        self.asked.append(path)
        if self.failures:
            raise self.failures.pop(0)
        external = query["external_userid"]
        person = {"external_userid": external, "name": "王小姐"}
        if external in self.union_ids:
            person["unionid"] = self.union_ids[external]
        return {"errcode": 0, "external_contact": person, "follow_user": [{"userid": "x"}]}

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(path)
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(body)
        return {"errcode": 0}


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


@pytest.fixture
def guide(store: Store) -> Guide:
    """A guide of the store."""
    return make_guide(store, wecom_user_id="ZhangSan")


@pytest.fixture
def corp(monkeypatch: pytest.MonkeyPatch) -> Corp:
    """The corp of the chain."""
    made = Corp()
    monkeypatch.setattr(api, "get", made.get)
    monkeypatch.setattr(api, "post", made.post)
    return made


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, Any], float]]]:
    """What was queued: the queue, the body and the delay."""
    sent: list[tuple[str, dict[str, Any], float]] = []
    monkeypatch.setenv("APP_WECOM_CORP_ID", "ww1")
    monkeypatch.setenv("APP_CONTACT_QUEUE_URL", "contacts")
    monkeypatch.setenv("APP_WELCOME_QUEUE_URL", "welcomes")
    settings.cache_clear()
    monkeypatch.setattr(
        queues, "send", lambda url, all_: sent.extend((url, m.body, m.delay) for m in all_)
    )
    yield sent
    settings.cache_clear()
