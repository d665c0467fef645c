"""The simulated WeChat: it answers the connectors as documented, and counts for itself."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from defusedxml import ElementTree

from graphql_api.config import settings
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.tokens import tokens
from graphql_api.connectors.wechat import api, client, pictures, receiving
from graphql_api.connectors.weixin_crypto import Crypt, Forged, is_signed, signature
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.errors import Forbidden, Invalid, Unavailable
from scripts.simulator import laptops, server
from scripts.simulator.faults import Faults
from scripts.simulator.pushes import Push, Sender, Sent
from scripts.simulator.server import Simulator
from scripts.simulator.wechat import Person, WeChat
from scripts.simulator.wechat_control import WeChatControl
from scripts.simulator.wechat_pushes import Pusher

AT = datetime(2026, 11, 20, 2, 5, 3, tzinfo=UTC)
SEND = "/cgi-bin/message/subscribe/send"
PUSHER = Pusher(laptops.WECHAT_APP_ID, laptops.PUSH_TOKEN, laptops.PUSH_KEY)


@pytest.fixture
def peer() -> WeChat:
    made = WeChat(Faults(), app_id=laptops.WECHAT_APP_ID, secret=laptops.SECRET)
    made.people = {"o1": Person("o1", "u1", "13900139000"), "o2": Person("o2")}
    made.templates = {"t1": frozenset({"thing1", "number2"})}
    made.pages = {"pages/join/index", "pages/member/index"}
    return made


@pytest.fixture
def served(peer: WeChat, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """The peer over HTTP, asked by the connectors."""
    control = WeChatControl(peer, PUSHER)

    def told(path: str, body: dict[str, Any], lock: Any) -> tuple[int, Any]:
        return control(path.removeprefix("wechat/"), body, lock)

    with server.serve(peer, control=told) as simulator:
        for name, value in laptops.wechat_settings_for(simulator.url).items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        tokens.forget()
        yield simulator
    settings.cache_clear()
    tokens.forget()


def now() -> datetime:
    return datetime.now(UTC)


def message(**changed: Any) -> dict[str, Any]:
    data = {"thing1": {"value": "积分到账"}, "number2": {"value": "100"}}
    told = {"touser": "o1", "template_id": "t1", "page": "pages/member/index?x=1", "data": data}
    return told | changed


def errcode(path: str, body: dict[str, Any]) -> int:
    with pytest.raises(Refused) as refused:
        api.post(path, body)
    return refused.value.errcode


# --- what the connectors get -------------------------------------------------------------


def test_login_and_phone_codes_stand_for_a_person_once(peer: WeChat, served: Simulator) -> None:
    code, phone_code = peer.log_in("o1", now()), peer.press_phone_button("o1", now())
    person = client.who_is(code, phone_code)
    assert (person.openid, person.unionid, person.phone) == ("o1", "u1", "+8613900139000")
    late = peer.log_in("o1", now() - timedelta(minutes=6))
    for spent in (code, late, phone_code, "made-up"):
        with pytest.raises(Invalid) as refused:
            client.who_is(spent, None)
        assert refused.value.field == ("input", "code")
    assert client.who_is(peer.log_in("o2", now()), None).unionid is None
    peer.people["o2"].is_blocked = True
    with pytest.raises(Forbidden):
        client.who_is(peer.log_in("o2", now()), None)


def test_free_phone_numbers_come_to_an_end(peer: WeChat, served: Simulator) -> None:
    peer.paid_phones = 1
    client.who_is(peer.log_in("o1", now()), peer.press_phone_button("o1", now()))
    with pytest.raises(Unavailable):
        client.who_is(peer.log_in("o1", now()), peer.press_phone_button("o1", now()))


def test_message_takes_a_tick_and_without_one_there_is_none(
    peer: WeChat, served: Simulator
) -> None:
    peer.tick("o1", "t1")
    assert api.post(SEND, message())["msgid"]
    assert errcode(SEND, message()) == 43101
    [sent] = peer.messages
    assert (sent.open_id, sent.data) == ("o1", {"thing1": "积分到账", "number2": "100"})
    assert peer.people["o1"].quotas == {"t1": 0}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"touser": "nobody"}, 40003),
        ({"template_id": "t9"}, 40037),
        ({"page": "pages/nowhere"}, 41030),
        ({"data": {"thing1": {"value": "积分"}}}, 47003),
        ({"data": {"thing1": {"value": "好" * 21}, "number2": {"value": "1"}}}, 47003),
        ({"data": {"thing1": {"value": "好"}, "number2": {"value": "一百"}}}, 47003),
    ],
)
def test_message_that_is_wrong_takes_nothing(
    peer: WeChat, served: Simulator, changed: dict[str, Any], expected: int
) -> None:
    peer.tick("o1", "t1")
    assert errcode(SEND, message(**changed)) == expected
    assert peer.people["o1"].quotas == {"t1": 1}


def test_code_is_drawn_for_a_published_page(peer: WeChat, served: Simulator) -> None:
    drawn = pictures.draw("q7XK2M9D4A")
    assert drawn.startswith(b"\x89PNG")
    assert b"q7XK2M9D4A" in drawn
    for scene in ("x" * 33, "a%b", ""):
        assert errcode_of_picture({"scene": scene}) == 40129
    assert errcode_of_picture({"scene": "a", "page": "/pages/join/index"}) == 41030
    assert peer.drawn == ["q7XK2M9D4A"]


def errcode_of_picture(body: dict[str, Any]) -> int:
    with pytest.raises(Refused) as refused:
        api.picture("/wxa/getwxacodeunlimit", body)
    return refused.value.errcode


def test_content_is_checked_of_who_was_here_lately(peer: WeChat, served: Simulator) -> None:
    path = "/wxa/msg_sec_check"
    body = {"openid": "o1", "version": 2, "scene": 1, "content": "小雨"}
    assert errcode(path, body) == 61010
    peer.log_in("o1", now())
    peer.risky_words = {"坏"}
    assert api.post(path, body)["result"]["suggest"] == "pass"
    assert api.post(path, body | {"content": "很坏"})["result"]["suggest"] == "risky"
    assert errcode(path, body | {"content": "好" * 2_501}) == 45002


def test_token_that_was_withdrawn_is_replaced(peer: WeChat, served: Simulator) -> None:
    peer.tick("o1", "t1")
    peer.tick("o1", "t1")
    api.post(SEND, message())
    peer.withdraw_token()
    api.post(SEND, message())
    assert len(peer.messages) == 2
    assert peer.asked.count("/cgi-bin/stable_token") == 2


def test_wrong_secret_is_somebodys_to_mend(peer: WeChat, served: Simulator) -> None:
    peer.app_id = "wx-other"
    with pytest.raises(NotSetUp):
        api.post(SEND, message())


def test_busy_did_nothing_and_unheard_did_it(peer: WeChat, served: Simulator) -> None:
    peer.tick("o1", "t1")
    assert errcode("/wxa/msg_sec_check", {}) == 40097  # there is a token from here on
    peer.faults = Faults(busy=1)
    with pytest.raises(Later) as busy:
        api.post(SEND, message())
    assert (busy.value.is_unsure, peer.messages) == (False, [])
    peer.faults = Faults(unheard=1)
    with pytest.raises(Later) as unheard:
        api.post(SEND, message())
    assert (unheard.value.is_unsure, len(peer.messages)) == (True, 1)


# --- pushes ------------------------------------------------------------------------------


def opened(push: Push) -> str:
    query = dict(parse_qsl(push.query.removeprefix("?")))
    text = push.raw.decode()
    sealed = (
        ElementTree.fromstring(text).findtext("Encrypt")
        if text.startswith("<")
        else json.loads(text)["Encrypt"]
    )
    assert isinstance(sealed, str)
    parts = (query["timestamp"], query["nonce"], sealed)
    if not is_signed(query["msg_signature"], laptops.PUSH_TOKEN, *parts):
        raise Forged("signature")
    return Crypt.of(laptops.PUSH_KEY, laptops.WECHAT_APP_ID).open(sealed).decode()


def test_pushes_open_for_the_receiver_and_forged_ones_do_not() -> None:
    pushes = [
        PUSHER.answered("o1", {"t1": "accept", "t2": "reject"}, AT),
        PUSHER.changed("o1", ["t1"], AT),
        PUSHER.sent("o1", "t1", 7, AT),
    ]
    for push in pushes:
        told = json.loads(opened(push))
        assert (told["FromUserName"], told["CreateTime"]) == ("o1", int(AT.timestamp()))
        assert told["Event"] == push.kind
        with pytest.raises((Forged, ValueError)):
            opened(push.forged())
    rows = json.loads(opened(pushes[0]))["List"]
    assert [row["SubscribeStatusString"] for row in rows] == ["accept", "reject"]


def test_pushes_come_as_xml_where_the_console_says_so() -> None:
    as_xml = Pusher(PUSHER.app_id, PUSHER.token, PUSHER.key, as_xml=True)
    tree = ElementTree.fromstring(opened(as_xml.answered("o1", {"t1": "accept"}, AT)))
    assert tree.findtext("FromUserName") == "o1"
    assert tree.findtext("SubscribeMsgPopupEvent/List/SubscribeStatusString") == "accept"


def test_receiver_takes_pushes_in_and_refuses_forged_and_old_ones(served: Simulator) -> None:
    def received(push: Push, at: datetime = AT) -> int:
        query = dict(parse_qsl(push.query.removeprefix("?")))
        return receiving.receive(query, push.raw, at=at).status

    for as_xml in (False, True):
        pusher = Pusher(PUSHER.app_id, PUSHER.token, PUSHER.key, as_xml=as_xml)
        push = pusher.answered("o1", {"t1": "accept"}, AT)
        assert [received(push), received(push.forged())] == [200, 401]
        assert received(push, AT + timedelta(hours=1)) == 401
    query = dict(parse_qsl(PUSHER.check(AT, "4375").removeprefix("?")))
    assert receiving.check_address(query, at=AT).text == "4375"


def test_check_of_the_address_is_signed_without_the_echo() -> None:
    query = dict(parse_qsl(PUSHER.check(AT, "4375120948345356249").removeprefix("?")))
    assert query["echostr"] == "4375120948345356249"
    expected = signature(PUSHER.token, query["timestamp"], query["nonce"])
    assert query["signature"] == expected


# --- control -----------------------------------------------------------------------------


def test_control_says_who_is_there_and_what_they_do(
    peer: WeChat, served: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed: list[Push] = []

    def send(_self: Sender, push: Push) -> Sent:
        pushed.append(push)
        return Sent(200, b"success", 1.0)

    monkeypatch.setattr(Sender, "send", send)

    def post(path: str, body: dict[str, Any], status: int = 200) -> Any:
        answer = httpx.post(f"{served.url}/control/wechat/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    post("person", {"open_id": "o3", "phone": "13700137000"})
    codes = post("login", {"open_id": "o3"})
    assert client.who_is(codes["code"], codes["phone_code"]).phone == "+8613700137000"
    post("template", {"id": "t2", "fields": ["thing1"]})
    post("page", {"page": "pages/a"})
    answers = {"open_id": "o3", "answers": {"t2": "accept", "t1": "reject"}, "url": "http://h/"}
    assert post("answers", answers) == {"status": 200}
    assert [push.kind for push in pushed] == ["subscribe_msg_popup_event"]
    data = {"thing1": {"value": "好"}}
    api.post(SEND, message(touser="o3", template_id="t2", page="pages/a", data=data))
    totals = post("totals", {})
    assert [one["open_id"] for one in totals["messages"]] == ["o3"]
    assert totals["quotas"]["o3"] == {"t2": 0}
    post("words", {"risky": ["坏"]})
    post("faults", {"busy": 1})
    assert (peer.risky_words, peer.faults.busy) == ({"坏"}, 1)
    assert "no such faults" in post("faults", {"mood": 1}, 400)["error"]
    post("login", {"open_id": "nobody"}, 400)
    post("nothing", {}, 404)


def test_laptops_serve_wechat_beside_the_vendors() -> None:
    with laptops.serve() as simulator:
        told = laptops.wechat_settings_for(simulator.url)
        query = {"appid": told["APP_WECHAT_APP_ID"], "secret": told["APP_WECHAT_APP_SECRET"]}
        httpx.post(f"{simulator.url}/control/wechat/person", json={"open_id": "o1"})
        codes = httpx.post(f"{simulator.url}/control/wechat/login", json={"open_id": "o1"}).json()
        asked = query | {"js_code": codes["code"], "grant_type": "authorization_code"}
        answer = httpx.get(f"{simulator.url}/sns/jscode2session", params=asked).json()
    assert answer["openid"] == "o1"
    assert len(base64.b64decode(answer["session_key"])) == 16
