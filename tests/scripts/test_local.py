"""What the local chain does for logins."""

import pytest

from graphql_api.access.rules import WeChatPerson, WeComClient
from graphql_api.config import settings
from graphql_api.connectors.wechat import client as wechat
from graphql_api.connectors.wecom import client as wecom
from scripts import local, stand_ins


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names no app, as it is on a laptop."""
    for name in stand_ins.settings_for(""):
        monkeypatch.setenv(name, "")
    wechat.access_token.forget()
    wecom.access_token.forget()


def test_logins_ask_stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    with local.logins():
        person = wechat.who_is("demo-openid-1", "13800138000")
        assert person == WeChatPerson("demo-openid-1", None, "+8613800138000")
        assert wecom.who_is("demo-guide-00001-1", WeComClient.WEB) == "demo-guide-00001-1"
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize("name", ["APP_WECHAT_APP_ID", "APP_WECOM_CORP_ID"])
def test_logins_ask_the_platforms_where_a_real_app_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "wx-real")
    with monkeypatch.context() as patched:
        patched.setattr(stand_ins, "serve", pytest.fail)
        with local.logins():
            pass
