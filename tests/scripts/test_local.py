"""What the local chain does for logins, and for vendors."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from graphql_api.access.rules import WeChatPerson, WeComClient
from graphql_api.config import settings
from graphql_api.connectors.wechat import api, pictures
from graphql_api.connectors.wechat import client as wechat
from graphql_api.connectors.wecom import client as wecom
from graphql_api.handlers import vendor_webhooks
from scripts import local, receivers, stand_ins
from scripts.simulator import laptops


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names no app, as it is on a laptop."""
    for name in stand_ins.settings_for(""):
        monkeypatch.setenv(name, "")
    for name in laptops.settings_for("") | laptops.wecom_settings_for(""):
        monkeypatch.setenv(name, "")  # what was not there is restored only after it was set
        if name not in stand_ins.settings_for(""):
            monkeypatch.delenv(name)
    wechat.access_token.forget()
    wecom.access_token.forget()


def test_logins_ask_stand_ins(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with local.logins():
        person = wechat.who_is("demo-openid-1", "13800138000")
        assert person == WeChatPerson("demo-openid-1", None, "+8613800138000")
        assert wecom.who_is("demo-guide-00001-1", WeComClient.WEB) == "demo-guide-00001-1"
        assert pictures.draw("q7XK2M9D4A").startswith(b"\x89PNG")
        assert api.post("/cgi-bin/message/subscribe/send", {"touser": "demo-openid-1"})["msgid"]
        for text, suggest in (("小雨", "pass"), ("risky", "risky")):
            judged = api.post("/wxa/msg_sec_check", {"openid": "demo-openid-1", "content": text})
            assert judged["result"]["suggest"] == suggest
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


def test_vendors_are_simulated_and_a_file_says_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = tmp_path / local.SIMULATOR_RECORD
    with local.vendors(tmp_path):
        assert settings().youzan_base_url == record.read_text()
        assert settings().youzan_apps["app-local"].get_secret_value() == laptops.SECRET
        assert settings().youzan_fetch_delay_seconds == 0
    assert not record.exists()
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize("name", ["APP_YOUZAN_APPS", "APP_WEIMOB_APPS"])
def test_vendors_are_real_where_a_real_app_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv(name, '{"app-real": "s"}')
    with monkeypatch.context() as patched:
        patched.setattr(laptops, "serve", pytest.fail)
        with local.vendors(tmp_path):
            pass


def test_pushes_come_to_the_function_that_receives_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    came: list[dict[str, Any]] = []

    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        came.append(event)
        return {"statusCode": 401, "headers": {"content-type": "text/x"}, "body": "no"}

    monkeypatch.setattr(vendor_webhooks, "handler", handler)
    raw = json.dumps({"name": "王芳"}, ensure_ascii=False).encode()

    async def asked() -> list[httpx.Response]:
        transport = httpx.ASGITransport(receivers.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
            signed = {"Event-Sign": "abc"}
            return [
                await client.post("/vendors/youzan", content=raw, headers=signed),
                await client.get("/health"),
                await client.get("/vendors/youzan"),
                await client.get("/vendors/wecom?echostr=a%2Bb%3D&nonce=1"),
            ]

    answer, health, got, checked = asyncio.run(asked())
    assert (answer.status_code, answer.text) == (401, "no")
    assert answer.headers["content-type"] == "text/x"
    event, check = came
    assert checked.status_code == 401
    assert check["requestContext"]["http"]["method"] == "GET"
    assert check["queryStringParameters"] == {"echostr": "a+b=", "nonce": "1"}
    assert base64.b64decode(event["body"]) == raw
    assert event["isBase64Encoded"] is True
    assert (event["rawPath"], event["headers"]["event-sign"]) == ("/vendors/youzan", "abc")
    assert (health.text, got.status_code) == ("ok", 404)
