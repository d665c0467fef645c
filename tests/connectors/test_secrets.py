"""Secrets of apps: found by client id, and anew when one is added or changed."""

import json
import time
from collections.abc import Iterator

import pytest

from graphql_api.config import settings
from graphql_api.connectors.errors import NotSetUp
from graphql_api.connectors.rules import Vendor
from graphql_api.connectors.secrets import Secrets


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Secrets]:
    told(monkeypatch, {"app-1": "s-1"})
    settings.cache_clear()
    settings()
    yield Secrets()
    settings.cache_clear()


def told(monkeypatch: pytest.MonkeyPatch, apps: dict[str, str]) -> None:
    monkeypatch.setenv("APP_YOUZAN_APPS", json.dumps(apps))


def test_app_has_its_secrets_at_its_own_vendor_only(secrets: Secrets) -> None:
    assert secrets.of(Vendor.YOUZAN, "app-1") == ["s-1"]
    assert secrets.of(Vendor.WEIMOB, "app-1") == []
    assert secrets.of(Vendor.YOUZAN, "app-2") == []
    with pytest.raises(NotSetUp):
        secrets.newest(Vendor.YOUZAN, "app-2")


def test_changed_secret_is_read_anew_once_a_minute(
    secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, {"app-1": "s-1,s-2", "app-2": "x"})
    assert secrets.of(Vendor.YOUZAN, "app-1") == ["s-1"]
    assert secrets.read_again()
    assert secrets.of(Vendor.YOUZAN, "app-1") == ["s-1", "s-2"]
    assert secrets.newest(Vendor.YOUZAN, "app-1") == "s-2"
    told(monkeypatch, {"app-1": "s-3"})
    assert not secrets.read_again()
    assert secrets.newest(Vendor.YOUZAN, "app-1") == "s-2"
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert secrets.read_again()
    assert secrets.of(Vendor.YOUZAN, "app-1") == ["s-3"]
    assert secrets.of(Vendor.YOUZAN, "app-2") == []


def test_secrets_do_not_show(secrets: Secrets) -> None:
    assert "s-1" not in repr(settings().youzan_apps)
    assert "s-1" not in repr(vars(secrets))
