"""Logins without WeChat and WeCom: the API asks stand-ins in their place."""

from collections.abc import Iterator

import pytest

from graphql_api.config import settings
from graphql_api.connectors.wechat import client as wechat
from graphql_api.connectors.wecom import client as wecom
from scripts.stand_ins import StandIns, serve, settings_for


@pytest.fixture(scope="session")
def stand_in_server() -> Iterator[StandIns]:
    """Both platforms on a port of this machine."""
    with serve() as server:
        yield server


@pytest.fixture
def stand_ins(
    database: str, stand_in_server: StandIns, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StandIns]:
    """The platforms that logins ask; a code says itself whom it stands for."""
    for name, value in settings_for(stand_in_server.url).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    stand_in_server.asked.clear()
    stand_in_server.token = "token-1"
    wechat.access_token.forget()
    wecom.access_token.forget()
    yield stand_in_server
    settings.cache_clear()
