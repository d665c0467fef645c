"""Calls with the token of an app: what passes, what somebody mends, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from graphql_api.config import settings
from graphql_api.connectors import http
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.tokens import tokens
from graphql_api.connectors.wechat import api as wechat
from graphql_api.connectors.wecom import api as wecom
from graphql_api.connectors.weixin_errors import MEANINGS, SET_UP, Refused, meaning
from graphql_api.errors import Unavailable

PNG = b"\x89PNG\r\n\x1a\n..."


class Platform:
    """Both platforms: what they were asked, and what they answer next."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.token = "token-1"
        self.answers: list[Any] = []

    def answer(self, url: str, query: dict[str, str], body: Any) -> Any:
        path = url.removeprefix("https://wx")
        self.asked.append((path, query, body))
        if path in {"/cgi-bin/gettoken", "/cgi-bin/stable_token"}:
            return {"errcode": 0, "access_token": self.token, "expires_in": 7200}
        if query["access_token"] != self.token:
            return {"errcode": 42001}
        given = self.answers.pop(0) if self.answers else {"errcode": 0}
        if isinstance(given, Exception):
            raise given
        return given


@pytest.fixture
def platform(database: str, monkeypatch: pytest.MonkeyPatch) -> Platform:
    made = Platform()
    names = {
        "WECHAT_BASE_URL": "https://wx",
        "WECHAT_APP_ID": "wx1",
        "WECHAT_APP_SECRET": "secret-hidden",
        "WECOM_BASE_URL": "https://wx",
        "WECOM_CORP_ID": "ww1",
        "WECOM_APP_SECRET": "secret-hidden",
        "WECOM_CONTACTS_SECRET": "contacts-hidden",
    }
    for name, value in names.items():
        monkeypatch.setenv(f"APP_{name}", value)
    settings.cache_clear()
    tokens.forget()
    monkeypatch.setattr(http, "get", lambda url, **query: made.answer(url, query, None))
    monkeypatch.setattr(http, "post", lambda url, body, **query: made.answer(url, query, body))
    monkeypatch.setattr(
        http, "post_for_bytes", lambda url, body, **query: made.answer(url, query, body)
    )
    return made


def asked_paths(platform: Platform) -> list[str]:
    return [path for path, _query, _body in platform.asked]


def test_contacts_app_shows_its_own_secret_and_asks_for_a_token_once(platform: Platform) -> None:
    wecom.get("externalcontact/list", userid="zhangsan")
    wecom.post("externalcontact/mark_tag", {"userid": "zhangsan"})
    [(path, query, _), listed, marked] = platform.asked
    assert (path, query["corpid"], query["corpsecret"]) == (
        "/cgi-bin/gettoken",
        "ww1",
        "contacts-hidden",
    )
    assert listed[0] == "/cgi-bin/externalcontact/list"
    assert listed[1] == {"access_token": "token-1", "userid": "zhangsan"}
    assert marked[2] == {"userid": "zhangsan"}


def test_token_of_one_process_is_used_by_the_next(platform: Platform) -> None:
    wecom.get("tag/list")
    tokens.forget()  # as another process
    wecom.get("tag/list")
    assert asked_paths(platform).count("/cgi-bin/gettoken") == 1


def test_forgotten_token_is_replaced_once_and_the_call_made(platform: Platform) -> None:
    wecom.get("tag/list")
    platform.token = "token-2"
    assert wecom.get("tag/list")["errcode"] == 0
    assert asked_paths(platform).count("/cgi-bin/gettoken") == 2


@pytest.mark.parametrize(
    ("errcode", "seconds"), [(-1, 3.0), (45009, 60.0), (45033, 60.0), (45035, 2.0)]
)
def test_what_passes_by_itself_comes_again_later(
    platform: Platform, errcode: int, seconds: float
) -> None:
    platform.answers = [{"errcode": errcode}]
    with pytest.raises(Later) as later:
        wecom.post("externalcontact/mark_tag", {})
    assert (later.value.seconds, later.value.is_unsure) == (seconds, False)


def test_address_that_is_not_trusted_is_told_in_plain_words(platform: Platform) -> None:
    platform.answers = [{"errcode": 60020, "errmsg": "not allow to access from your ip, 1.2.3.4"}]
    with pytest.raises(NotSetUp) as missing:
        wecom.post("externalcontact/mark_tag", {})
    assert str(missing.value).startswith("60020: this address is not among the trusted IPs")
    assert "1.2.3.4" not in str(missing.value)


def test_refusal_names_its_number_and_what_it_means(platform: Platform) -> None:
    platform.answers = [{"errcode": 84061, "errmsg": "not external contact"}]
    with pytest.raises(Refused) as refusal:
        wecom.post("externalcontact/mark_tag", {})
    assert (refusal.value.code, refusal.value.errcode) == ("84061", 84061)
    assert refusal.value.meaning == "this is no friend of this guide's"
    assert meaning(999) == "refused without a known reason"
    assert not MEANINGS.keys() & SET_UP.keys()


@pytest.mark.parametrize("call", [lambda: wecom.post("x", {}), lambda: wechat.post("/x", {})])
def test_question_without_an_answer_may_be_done(
    platform: Platform, call: Callable[[], Any]
) -> None:
    platform.answers = [Unavailable("no answer")]
    with pytest.raises(Later) as later:
        call()
    assert later.value.is_unsure


def test_picture_is_what_was_drawn_or_the_reason_why_not(platform: Platform) -> None:
    platform.answers = [PNG, b'{"errcode": 41030}', b"<html>", b'{"errcode": 45009}']
    body = {"scene": "0123456789"}
    assert wechat.picture("/wxa/getwxacodeunlimit", body) == PNG
    assert platform.asked[-1][2] == body
    with pytest.raises(Refused) as refusal:
        wechat.picture("/wxa/getwxacodeunlimit", body)
    assert refusal.value.errcode == 41030
    with pytest.raises(Later) as later:
        wechat.picture("/wxa/getwxacodeunlimit", body)
    assert later.value.is_unsure
    with pytest.raises(Later) as later:
        wechat.picture("/wxa/getwxacodeunlimit", body)
    assert later.value.seconds == 60


def test_who_set_nothing_up_asks_nobody(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_WECHAT_APP_ID", "")
    monkeypatch.setenv("APP_WECOM_CORP_ID", "")
    settings.cache_clear()
    with pytest.raises(NotSetUp):
        wecom.get("tag/list")
    with pytest.raises(NotSetUp):
        wechat.post("/x", {})
    assert platform.asked == []
