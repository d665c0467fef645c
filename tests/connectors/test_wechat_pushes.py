"""What WeChat pushes: the events of its documentation, in both forms, and the way in."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graphql_api.config import settings
from graphql_api.connectors.wechat import pushes, receiving
from graphql_api.connectors.wechat.pushes import Event, OfTemplate
from graphql_api.connectors.weixin_bodies import Unreadable
from graphql_api.connectors.weixin_crypto import Crypt, signature
from graphql_api.connectors.weixin_door import TAKEN, Answer
from graphql_api.handlers import vendor_webhooks
from graphql_api.kit import queues
from graphql_api.kit.time import real_now
from tests.connectors.test_wecom_receiving import CONTEXT
from tests.connectors.test_weixin_crypto import APP_E, ENCRYPTED_E, KEY_A, KEY_E

TOKEN = "AAAAA"
AT = datetime.fromtimestamp(1715943329, UTC)
NONCE = "1590219412"

HEAD = (
    "<ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o-1]]></FromUserName>"
    "<CreateTime>1610969440</CreateTime><MsgType><![CDATA[event]]></MsgType>"
)
ASKED = f"""<xml>{HEAD}<Event><![CDATA[subscribe_msg_popup_event]]></Event>
<SubscribeMsgPopupEvent>
<List><TemplateId><![CDATA[t-1]]></TemplateId>
<SubscribeStatusString><![CDATA[accept]]></SubscribeStatusString><PopupScene>0</PopupScene></List>
<List><TemplateId><![CDATA[t-2]]></TemplateId>
<SubscribeStatusString><![CDATA[reject]]></SubscribeStatusString><PopupScene>2</PopupScene></List>
</SubscribeMsgPopupEvent></xml>"""
SENT = f"""<xml>{HEAD}<Event><![CDATA[subscribe_msg_sent_event]]></Event>
<SubscribeMsgSentEvent><List><TemplateId><![CDATA[t-1]]></TemplateId>
<MsgID>1864323726461255680</MsgID><ErrorCode>0</ErrorCode>
<ErrorStatus><![CDATA[success]]></ErrorStatus></List></SubscribeMsgSentEvent></xml>"""
BASE = {"ToUserName": "gh_1", "FromUserName": "o-1", "CreateTime": "1610969440", "MsgType": "event"}
ACCEPTED, REJECTED = (
    OfTemplate(template_id="t-1", is_accepted=True),
    OfTemplate(template_id="t-2", is_accepted=False),
)


def in_json(**fields: Any) -> bytes:
    return json.dumps({**BASE, **fields}).encode()


def row(template: str, answer: str) -> dict[str, str]:
    return {"TemplateId": template, "SubscribeStatusString": answer, "PopupScene": "0"}


BOTH = [row("t-1", "accept"), row("t-2", "reject")]


@pytest.mark.parametrize(
    "raw",
    [
        ASKED.encode(),
        in_json(Event="subscribe_msg_popup_event", List=BOTH),
        in_json(Event="subscribe_msg_popup_event", SubscribeMsgPopupEvent=BOTH),
        in_json(Event="subscribe_msg_popup_event", SubscribeMsgPopupEvent={"List": BOTH}),
    ],
)
def test_who_was_asked_for_messages_answered_for_each_template(raw: bytes) -> None:
    push = pushes.read(raw)
    assert push is not None
    assert (push.event, push.open_id) == (Event.ASKED, "o-1")
    assert push.created_at == datetime(2021, 1, 18, 11, 30, 40, tzinfo=UTC)
    assert push.templates == (ACCEPTED, REJECTED)


def test_single_answer_in_json_stands_without_a_list() -> None:
    push = pushes.read(in_json(Event="subscribe_msg_change_event", List=row("t-2", "reject")))
    assert push is not None
    assert (push.event, push.templates) == (Event.CHANGED, (REJECTED,))


def test_message_that_was_sent_says_whether_it_arrived() -> None:
    push = pushes.read(SENT.encode())
    assert push is not None
    sent = OfTemplate(template_id="t-1", message_id="1864323726461255680", errcode=0)
    assert (push.event, push.templates) == (Event.SENT, (sent,))


def test_authorization_that_was_taken_back_is_that_of_the_one_it_names() -> None:
    named = {" OpenID": "o-2", " AppID": "wx1", " RevokeInfo": "201,301"}
    push = pushes.read(in_json(Event="user_authorization_revoke", **named))
    assert push is not None
    assert (push.event, push.open_id, push.revoked) == (Event.REVOKED, "o-2", ("201", "301"))


def test_content_that_was_checked_is_named_by_its_trace() -> None:
    result = {"suggest": "risky", "label": 20001}
    push = pushes.read(in_json(Event="wxa_media_check", trace_id="tr-1", result=result))
    assert push is not None
    assert (push.trace_id, push.suggest, push.label) == ("tr-1", "risky", 20001)


@pytest.mark.parametrize(
    "raw",
    [
        in_json(MsgType="text", Content="你好"),
        in_json(Event="user_enter_tempsession"),
        in_json(Event=["subscribe_msg_popup_event"]),
        b"{}",
        b"<xml/>",
    ],
)
def test_what_nobody_follows_is_nothing(raw: bytes) -> None:
    assert pushes.read(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        in_json(Event="user_authorization_revoke"),
        in_json(Event="wxa_media_check", CreateTime="yesterday"),
        in_json(Event="subscribe_msg_popup_event", List=[{"SubscribeStatusString": "accept"}]),
    ],
)
def test_event_that_lacks_what_it_needs_is_unreadable_and_its_text_not_told(raw: bytes) -> None:
    with pytest.raises(Unreadable) as raised:
        pushes.read(raw)
    assert str(raised.value) == ""


# --- the way in ------------------------------------------------------------------------------


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What was queued, of the app of the sample."""
    monkeypatch.setenv("APP_WECHAT_APP_ID", APP_E)
    monkeypatch.setenv("APP_WECHAT_PUSH_TOKEN", TOKEN)
    monkeypatch.setenv("APP_WECHAT_PUSH_KEY", KEY_E)
    monkeypatch.setenv("APP_WECHAT_QUEUE_URL", "https://queue")
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(queues, "send", lambda _url, all_: sent.extend(m.body for m in all_))
    settings.cache_clear()
    receiving.door.forget()
    yield sent
    monkeypatch.undo()
    settings.cache_clear()
    receiving.door.forget()


def stamped(at: datetime = AT) -> dict[str, str]:
    return {"timestamp": str(int(at.timestamp())), "nonce": NONCE}


def pushed(
    message: bytes, *, key: str = KEY_E, token: str = TOKEN, app: str = APP_E, at: datetime = AT
) -> tuple[dict[str, str], bytes]:
    sealed = Crypt.of(key, app).seal(message, os.urandom(16))
    query = stamped(at)
    signed = signature(token, query["timestamp"], query["nonce"], sealed)
    body = f"<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    return {**query, "msg_signature": signed, "encrypt_type": "aes"}, body.encode()


def test_address_is_checked_by_an_echo(queued: list[Any]) -> None:
    query = {
        "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
        "timestamp": "1714036504",
        "nonce": "1514711492",
        "echostr": "4375120948345356249",
    }
    at = datetime.fromtimestamp(1714036504, UTC)
    assert receiving.check_address(query, at=at) == Answer(200, "4375120948345356249")
    for changed in (
        {"signature": "f464b24fc39322e44b38aa78f5edd27bd1441697"},
        {"nonce": "1"},
        {"timestamp": "1714036505"},
        {"timestamp": "soon"},
        {"echostr": "<script>"},
        {"echostr": ""},
    ):
        assert receiving.check_address({**query, **changed}, at=at) == Answer(401)
    assert receiving.check_address({}, at=at) == Answer(401)
    late = at + timedelta(minutes=10, seconds=1)
    assert receiving.check_address(query, at=late) == Answer(401)


def test_push_of_the_sample_is_believed_and_of_no_concern(queued: list[Any]) -> None:
    query = {**stamped(), "msg_signature": "6c12a4205838198b8fa631b3220723bb07f1015c"}
    for body in (
        f"<xml><Encrypt>{ENCRYPTED_E}</Encrypt></xml>",
        json.dumps({"ToUserName": "gh_1", "Encrypt": ENCRYPTED_E}),
        json.dumps({"Encrypt": ENCRYPTED_E.replace("+", " ")}),
    ):
        assert receiving.receive(query, body.encode(), at=AT) == TAKEN
    assert queued == []
    long_ago = AT + timedelta(minutes=11)
    assert receiving.receive(query, body.encode(), at=long_ago) == Answer(401)


def test_event_is_queued_and_acknowledged(queued: list[dict[str, Any]]) -> None:
    query, body = pushed(ASKED.encode())
    assert receiving.receive(query, body, at=AT) == TAKEN
    [told] = queued
    assert pushes.Push.model_validate(told) == pushes.read(ASKED.encode())


@pytest.mark.parametrize(
    ("query", "body"),
    [
        pushed(ASKED.encode(), token="other"),
        pushed(ASKED.encode(), key=KEY_A),
        pushed(ASKED.encode(), app="wx0"),
        pushed(b"no body"),
        (pushed(ASKED.encode())[0], pushed(ASKED.encode())[1]),  # signed for another
        (stamped(), ASKED.encode()),  # in plain
        ({}, b""),
    ],
)
def test_what_is_not_signed_and_sealed_for_us_is_refused(
    queued: list[Any], query: dict[str, str], body: bytes
) -> None:
    assert receiving.receive(query, body, at=AT) == Answer(401)
    assert queued == []


def test_body_that_is_too_large_is_refused_before_it_is_looked_at(queued: list[Any]) -> None:
    assert receiving.receive({}, b"<" * (64 * 1024 + 1), at=AT) == Answer(413)


def test_where_no_token_is_set_up_nobody_is_believed(
    queued: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_WECHAT_PUSH_TOKEN", "")
    settings.cache_clear()
    query, body = pushed(ASKED.encode(), token="")
    assert receiving.receive(query, body, at=AT) == Answer(401)


def test_old_and_new_are_believed_while_token_and_key_change(
    queued: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change needs no restart: what does not do is read anew, once a minute."""
    old, new = pushed(ASKED.encode()), pushed(SENT.encode(), token="BBBBB", key=KEY_A)
    assert receiving.receive(*old, at=AT) == TAKEN
    monkeypatch.setenv("APP_WECHAT_PUSH_TOKEN", f"{TOKEN},BBBBB")
    monkeypatch.setenv("APP_WECHAT_PUSH_KEY", f"{KEY_E},{KEY_A}")
    assert receiving.receive(*new, at=AT) == TAKEN
    assert receiving.receive(*old, at=AT) == TAKEN
    assert [told["event"] for told in queued] == [Event.ASKED, Event.SENT, Event.ASKED]
    monkeypatch.setenv("APP_WECHAT_PUSH_TOKEN", "CCCCC")
    assert receiving.receive(*pushed(b"{}", token="CCCCC"), at=AT) == Answer(401)


def test_neither_token_nor_key_nor_person_stands_in_a_log(
    queued: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    receiving.receive(*pushed(ASKED.encode()), at=AT)
    receiving.receive(*pushed(ASKED.encode(), token="other"), at=AT)
    told = str([vars(record) for record in caplog.records])
    assert "push refused" in told
    assert not [word for word in (TOKEN, KEY_E, "o-1", "t-1") if word in told]


def asked(method: str, query: dict[str, str], raw: bytes = b"") -> dict[str, Any]:
    event = {
        "rawPath": "/vendors/wechat",
        "queryStringParameters": query or None,
        "requestContext": {"stage": "$default", "http": {"method": method}},
        "headers": {},
        "body": raw.decode(),
    }
    answer: dict[str, Any] = vendor_webhooks.handler(event, CONTEXT)
    return answer


def test_address_and_push_come_through_the_function(queued: list[Any]) -> None:
    query = stamped(real_now())
    signed = signature(TOKEN, query["timestamp"], query["nonce"])
    echo = asked("GET", {**query, "signature": signed, "echostr": "4375120948345356249"})
    assert (echo["statusCode"], echo["body"]) == (200, "4375120948345356249")
    assert echo["headers"]["x-content-type-options"] == "nosniff"
    assert asked("POST", *pushed(SENT.encode(), at=real_now()))["body"] == "success"
    assert [told["event"] for told in queued] == [Event.SENT]
    for refused in (asked("GET", {}), asked("POST", {}), asked("POST", *pushed(b"{}"))):
        assert (refused["statusCode"], refused["body"]) == (401, "")
