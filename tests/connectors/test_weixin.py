"""WeChat and WeCom as they answer: asked rightly, read strictly, and never logged."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from graphql_api.access.rules import WeChatPerson, WeComClient
from graphql_api.config import settings
from graphql_api.connectors import http, tokens
from graphql_api.connectors.wechat import client as wechat
from graphql_api.connectors.wecom import client as wecom
from graphql_api.errors import AppError, Unavailable
from graphql_api.kit.time import real_now
from scripts.stand_ins import SECRET, StandIns

PHONE = "13800138000"
OPENID, UNIONID, USER_ID = "openid-hidden", "unionid-hidden", "userid-hidden"
SESSION_KEY = "c2Vzc2lvbi1rZXk="
WEB, MINI_PROGRAM = WeComClient.WEB, WeComClient.MINI_PROGRAM


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A client that waits for a fifth of a second."""
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)
    http.client.cache_clear()
    yield
    http.client.cache_clear()


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, stand_ins: StandIns) -> Callable[[str, str], None]:
    """Change one of the settings."""

    def change(name: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        settings.cache_clear()

    return change


def refusal(call: Callable[[], Any]) -> AppError:
    with pytest.raises(AppError) as refused:
        call()
    return refused.value


def test_wechat_says_who_a_code_stands_for(stand_ins: StandIns) -> None:
    assert wechat.who_is("openid-1", None) == WeChatPerson("openid-1")
    assert wechat.who_is("openid-1~union-1", None) == WeChatPerson("openid-1", "union-1")
    assert stand_ins.asked == ["/sns/jscode2session"] * 2


def test_wechat_gives_the_phone_of_who_pressed_the_button(stand_ins: StandIns) -> None:
    person = wechat.who_is("openid-1", PHONE)
    assert person == WeChatPerson("openid-1", None, "+8613800138000")


def test_access_token_of_wechat_is_asked_for_once(stand_ins: StandIns) -> None:
    for _ in range(3):
        wechat.who_is("openid-1", PHONE)
    assert stand_ins.asked.count("/cgi-bin/stable_token") == 1


def test_access_token_is_asked_for_again_shortly_before_its_end(
    stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    wechat.who_is("openid-1", PHONE)
    later = real_now() + timedelta(seconds=7200 * tokens.USED_UP_AFTER + 1)
    monkeypatch.setattr(tokens, "real_now", lambda: later)
    wechat.who_is("openid-1", PHONE)
    assert stand_ins.asked.count("/cgi-bin/stable_token") == 2


def test_access_token_that_was_withdrawn_is_replaced_once(stand_ins: StandIns) -> None:
    wechat.who_is("openid-1", PHONE)
    stand_ins.token = "token-2"
    assert wechat.who_is("openid-1", PHONE).phone == "+8613800138000"
    assert stand_ins.asked.count("/cgi-bin/stable_token") == 2


@pytest.mark.parametrize("client", WeComClient)
def test_wecom_says_who_a_code_stands_for(stand_ins: StandIns, client: WeComClient) -> None:
    assert wecom.who_is("WangFang", client) == "WangFang"
    stand_ins.token = "token-2"
    assert wecom.who_is("LiLei", client) == "LiLei"
    path = {WEB: "/cgi-bin/auth/getuserinfo", MINI_PROGRAM: "/cgi-bin/miniprogram/jscode2session"}
    assert stand_ins.asked.count(path[client]) == 3


@pytest.mark.parametrize("client", WeComClient)
def test_somebody_outside_the_corp_is_not_found(stand_ins: StandIns, client: WeComClient) -> None:
    refused = refusal(lambda: wecom.who_is("guest", client))
    assert (refused.code, refused.field) == ("NOT_FOUND", ("input", "code"))


REFUSED = {
    "40029": ("INVALID", ("input", "code")),
    "40163": ("INVALID", ("input", "code")),
    "45011": ("LIMIT_EXCEEDED", ("input", "code")),
    "40226": ("FORBIDDEN", ("input", "code")),
    "-1": ("UNAVAILABLE", ()),
    "40013": ("UNAVAILABLE", ()),
    "61023": ("UNAVAILABLE", ()),
    "garbage": ("UNAVAILABLE", ()),
}


@pytest.mark.parametrize("code", REFUSED)
def test_refusal_of_wechat_is_coded(stand_ins: StandIns, code: str) -> None:
    refused = refusal(lambda: wechat.who_is(code, None))
    assert (refused.code, refused.field) == REFUSED[code]


@pytest.mark.parametrize(
    ("code", "said"),
    {
        "40029": ("INVALID", ("input", "phone_code")),
        "45011": ("LIMIT_EXCEEDED", ("input", "phone_code")),
        "1400001": ("UNAVAILABLE", ()),
        "garbage": ("UNAVAILABLE", ()),
        "12": ("UNAVAILABLE", ()),
        "42001": ("UNAVAILABLE", ()),
    }.items(),
)
def test_refusal_of_a_phone_code_is_coded(
    stand_ins: StandIns, code: str, said: tuple[str, tuple[str, ...]]
) -> None:
    refused = refusal(lambda: wechat.who_is("openid-1", code))
    assert (refused.code, refused.field) == said


@pytest.mark.parametrize("client", WeComClient)
@pytest.mark.parametrize(
    ("code", "said"),
    {
        "40029": ("INVALID", ("input", "code")),
        "45009": ("LIMIT_EXCEEDED", ("input", "code")),
        "60020": ("UNAVAILABLE", ()),
        "garbage": ("UNAVAILABLE", ()),
    }.items(),
)
def test_refusal_of_wecom_is_coded(
    stand_ins: StandIns, client: WeComClient, code: str, said: tuple[str, tuple[str, ...]]
) -> None:
    refused = refusal(lambda: wecom.who_is(code, client))
    assert (refused.code, refused.field) == said


@pytest.mark.usefixtures("impatient")
def test_platform_that_does_not_answer_is_unavailable(stand_ins: StandIns) -> None:
    assert refusal(lambda: wechat.who_is("slow", None)).code == "UNAVAILABLE"
    assert refusal(lambda: wechat.who_is("openid-1", "slow")).code == "UNAVAILABLE"
    assert refusal(lambda: wecom.who_is("slow", WEB)).code == "UNAVAILABLE"


ANSWERS: list[Any] = [
    [],
    None,
    "x",
    {},
    {"openid": ""},
    {"openid": None},
    {"openid": "a b"},
    {"openid": "x" * 129},
    {"openid": "openid-1", "unionid": "a b"},
    {"errcode": "x"},
]


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_answer_of_another_shape_is_unavailable(
    stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    monkeypatch.setattr(stand_ins, "answer", lambda *_: answer)
    assert refusal(lambda: wechat.who_is("openid-1", None)).code == "UNAVAILABLE"


def test_wrong_secret_is_unavailable_for_clients_and_a_warning_for_us(
    configure: Callable[[str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    configure("APP_WECHAT_APP_SECRET", "wrong")
    configure("APP_WECOM_APP_SECRET", "wrong")
    assert refusal(lambda: wechat.who_is("openid-1", None)).code == "UNAVAILABLE"
    assert refusal(lambda: wechat.who_is("openid-1", PHONE)).code == "UNAVAILABLE"
    assert refusal(lambda: wecom.who_is("WangFang", WEB)).code == "UNAVAILABLE"
    assert [record.message for record in caplog.records] == ["code not exchanged"] * 3


@pytest.mark.parametrize(
    "name", ["APP_WECHAT_BASE_URL", "APP_WECOM_BASE_URL"], ids=["wechat", "wecom"]
)
def test_platform_that_is_not_there_is_unavailable(
    configure: Callable[[str, str], None], name: str
) -> None:
    configure(name, "http://127.0.0.1:9")
    ask: Callable[[], Any] = {
        "APP_WECHAT_BASE_URL": lambda: wechat.who_is("openid-1", None),
        "APP_WECOM_BASE_URL": lambda: wecom.who_is("WangFang", WEB),
    }[name]
    assert refusal(ask).code == "UNAVAILABLE"


def test_platform_that_is_not_set_up_is_not_asked(
    configure: Callable[[str, str], None], stand_ins: StandIns
) -> None:
    configure("APP_WECHAT_APP_ID", "")
    configure("APP_WECOM_CORP_ID", "")
    with pytest.raises(Unavailable, match="WeChat is not set up"):
        wechat.who_is("openid-1", None)
    with pytest.raises(Unavailable, match="WeCom is not set up"):
        wecom.who_is("WangFang", WEB)
    assert stand_ins.asked == []


def test_answer_with_another_status_is_unavailable(
    stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unavailable):
        http.get(f"{stand_ins.url}/nowhere")
    assert stand_ins.asked == ["/nowhere"]


@pytest.mark.usefixtures("impatient")
def test_nothing_that_is_exchanged_is_logged(
    stand_ins: StandIns, caplog: pytest.LogCaptureFixture
) -> None:
    """At the most talkative level, whatever goes wrong, tracebacks and causes included."""
    caplog.set_level(logging.DEBUG)
    wechat.who_is(f"{OPENID}~{UNIONID}", PHONE)
    wecom.who_is(USER_ID, MINI_PROGRAM)
    for code in ("40029", "61023", "garbage", "slow"):
        for call in (
            lambda code=code: wechat.who_is(code, None),
            lambda code=code: wechat.who_is(OPENID, code),
            lambda code=code: wecom.who_is(code, WEB),
        ):
            try:
                call()
            except AppError:
                logging.getLogger("test").exception("refused")
    said = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    known = (SECRET, "secret=", "token-1", OPENID, UNIONID, USER_ID, PHONE, SESSION_KEY)
    assert [text for text in known if text in said] == []
    assert said.count("refused") > 12
