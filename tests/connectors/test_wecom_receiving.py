"""What WeCom pushes: checked, opened, queued once for each lane, and answered at once."""

import base64
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest

from graphql_api.config import Settings, settings
from graphql_api.connectors import weixin_door
from graphql_api.connectors.wecom import receiving
from graphql_api.connectors.wecom.events import (
    ContactEvent,
    Push,
    TagsDeleted,
    Unreadable,
    event_of,
    fields_of,
)
from graphql_api.connectors.weixin_crypto import Crypt, signature
from graphql_api.handlers import vendor_webhooks
from graphql_api.kit import queues
from graphql_api.kit.time import real_now
from tests.connectors.test_weixin_crypto import CORP_B, ECHO, KEY_B

TOKEN, KEY, CORP = "tok3nTok3n", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "ww1234567890abcdef"
CONTEXT: Any = SimpleNamespace(
    function_name="vendor_webhooks",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:vendor_webhooks",
    aws_request_id="1",
)
AT = datetime(2026, 11, 19, 18, 5, 3, tzinfo=UTC)
Queued = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queued]:
    """A corp whose pushes are believed, and what was queued of them."""
    sent: Queued = []
    for name, value in {
        "WECOM_CORP_ID": CORP,
        "WECOM_CALLBACK_TOKEN": TOKEN,
        "WECOM_CALLBACK_KEY": KEY,
        "CONTACT_QUEUE_URL": "contacts",
        "WELCOME_QUEUE_URL": "welcomes",
    }.items():
        monkeypatch.setenv(f"APP_{name}", value)
    settings.cache_clear()
    receiving.door.forget()
    monkeypatch.setattr(queues, "send", lambda url, all_: sent.extend((url, m.body) for m in all_))
    yield sent
    settings.cache_clear()
    receiving.door.forget()


def xml(**fields: str) -> bytes:
    given = {
        "ToUserName": CORP,
        "Event": "change_external_contact",
        "ChangeType": "add_external_contact",
        "UserID": "zhangsan",
        "ExternalUserID": "wmA",
        "CreateTime": str(int(AT.timestamp())),
        **fields,
    }
    inner = "".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in given.items())
    return f"<xml>{inner}</xml>".encode()


def pushed(
    message: bytes, *, at: datetime = AT, token: str = TOKEN, corp: str = CORP
) -> tuple[dict[str, str], bytes]:
    """The query and the body of a push."""
    encrypted = Crypt.of(KEY, corp).seal(message, b"0123456789abcdef")
    timestamp, nonce = str(int(at.timestamp())), "415670741"
    signed = signature(token, timestamp, nonce, encrypted)
    query = {"msg_signature": signed, "timestamp": timestamp, "nonce": nonce}
    body = f"<xml><ToUserName>{corp}</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    return query, body.encode()


def test_friend_with_a_welcome_code_goes_into_both_lanes(queued: Queued) -> None:
    query, body = pushed(xml(State="q7xk2m9d00", WelcomeCode="CODE"))
    assert receiving.receive(query, body, at=AT) == receiving.Answer(200, "success")
    [(fast, hasty), (slow, calm)] = queued
    assert (fast, slow) == ("welcomes", "contacts")
    assert (hasty["welcome_code"], calm["welcome_code"]) == ("CODE", None)
    event = ContactEvent.model_validate(hasty)
    assert (event.push, event.user_id, event.external_user_id) == (Push.ADDED, "zhangsan", "wmA")
    assert (event.state, event.created_at) == ("q7xk2m9d00", AT)


@pytest.mark.parametrize("push", Push)
def test_every_change_of_a_friendship_is_queued(queued: Queued, push: Push) -> None:
    query, body = pushed(
        xml(ChangeType=push.value, Source="DELETE_BY_TRANSFER", FailReason="customer_refused")
    )
    assert receiving.receive(query, body, at=AT).status == 200
    [(url, told)] = queued
    assert (url, told["push"]) == ("contacts", push.value)
    assert (told["source"], told["fail_reason"]) == ("DELETE_BY_TRANSFER", "customer_refused")


@pytest.mark.parametrize(
    "other",
    [{"Event": "change_external_chat"}, {"ChangeType": "msg_audit_approved"}, {"Event": "click"}],
)
def test_what_is_about_something_else_is_acknowledged_and_left(
    queued: Queued, other: dict[str, str]
) -> None:
    query, body = pushed(xml(**other))
    assert receiving.receive(query, body, at=AT).status == 200
    assert queued == []


def test_forged_old_and_foreign_pushes_are_refused(queued: Queued) -> None:
    late, ahead = AT + timedelta(minutes=11), AT - timedelta(minutes=11)
    query, body = pushed(xml())
    for given, raw, at in [
        (query, body, late),
        (query, body, ahead),
        ({**query, "msg_signature": "0" * 40}, body, AT),
        ({**query, "nonce": "1"}, body, AT),
        ({**query, "timestamp": "soon"}, body, AT),
        ({}, body, AT),
        (query, b"", AT),
        (query, b"<xml", AT),
        (query, b"<xml></xml>", AT),
        (*pushed(xml(), token="another"), AT),
        (*pushed(xml(), corp="ww0000000000000000"), AT),
        (*pushed(b"not xml"), AT),
        (*pushed(xml(UserID="")), AT),
        (*pushed(xml(CreateTime="soon")), AT),
    ]:
        assert receiving.receive(given, raw, at=at).status == 401
    assert receiving.receive(query, b"x" * 70_000, at=AT).status == 413
    assert queued == []


def test_entities_are_not_unfolded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'
    for raw in (bomb, b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x"><xml/>'):
        with pytest.raises(Unreadable):
            fields_of(raw)


def test_event_of_the_vectors_is_read() -> None:
    text = (
        "<xml><ToUserName><![CDATA[ww1234567890abcdef]]></ToUserName>"
        "<CreateTime>1795140303</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        "<Event><![CDATA[change_external_contact]]></Event>"
        "<ChangeType><![CDATA[add_external_contact]]></ChangeType>"
        "<UserID><![CDATA[guide_0017]]></UserID>"
        "<ExternalUserID><![CDATA[wmAJ2GCAAAXtWyujaWJHDDGi0mACAAAA]]></ExternalUserID>"
        "<State><![CDATA[store:SH001|g:0017]]></State>"
        "<WelcomeCode><![CDATA[WELCOMECODE]]></WelcomeCode></xml>"
    )
    event = event_of(fields_of(text.encode()))
    assert isinstance(event, ContactEvent)
    assert (event.user_id, event.state) == ("guide_0017", "store:SH001|g:0017")
    assert event.created_at == datetime.fromtimestamp(1795140303, UTC)


@pytest.mark.parametrize(
    ("change", "concerns"), [("delete", True), ("create", False), ("shuffle", False)]
)
def test_only_deleted_tags_concern_us(change: str, concerns: bool) -> None:
    fields = {"Event": "change_external_tag", "ChangeType": change, "Id": "et-1", "TagType": "tag"}
    assert event_of(fields) == (TagsDeleted() if concerns else None)


def test_nothing_is_believed_where_no_callback_is_set_up(
    queued: Queued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_WECOM_CALLBACK_TOKEN", "")
    settings.cache_clear()
    query, body = pushed(xml(), token="")
    assert receiving.receive(query, body, at=AT).status == 401


def asked(
    method: str, query: dict[str, str], raw: bytes = b"", *, encoded: bool = False
) -> dict[str, Any]:
    event = {
        "rawPath": "/vendors/wecom",
        "queryStringParameters": query,
        "requestContext": {"stage": "$default", "http": {"method": method}},
        "headers": {},
        "body": base64.b64encode(raw).decode() if encoded else raw.decode(),
        "isBase64Encoded": encoded,
    }
    answer: dict[str, Any] = vendor_webhooks.handler(event, CONTEXT)
    return answer


def test_address_is_checked_by_what_was_encrypted_bare(queued: Queued) -> None:
    # The gateway decodes the query once; a `+` of base64 comes as %2B.
    at = real_now()
    echo = Crypt.of(KEY, CORP).seal(b"1616140317555161061", b"\xfb" * 16)
    timestamp, nonce = str(int(at.timestamp())), "263014780"
    signed = signature(TOKEN, timestamp, nonce, echo)
    sent = {"msg_signature": signed, "timestamp": timestamp, "nonce": nonce, "echostr": echo}
    query = dict(parse_qsl(urlencode(sent, quote_via=quote)))
    answer = asked("GET", query)
    assert (answer["statusCode"], answer["body"]) == (200, "1616140317555161061")
    assert answer["headers"]["content-type"].startswith("text/plain")
    assert asked("GET", {**query, "echostr": echo.replace("+", " ")[:-4]})["statusCode"] == 401
    assert asked("GET", {})["statusCode"] == 401
    assert queued == []


def test_address_of_the_sample_is_checked_even_with_its_plus_decoded_once_too_often(
    queued: Queued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_WECOM_CORP_ID", CORP_B)
    monkeypatch.setenv("APP_WECOM_CALLBACK_TOKEN", "QDG6eK")
    monkeypatch.setenv("APP_WECOM_CALLBACK_KEY", KEY_B)
    settings.cache_clear()
    query = {
        "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
        "timestamp": "1409659589",
        "nonce": "263014780",
    }
    at = datetime.fromtimestamp(1409659589, UTC)
    for echo in (ECHO, ECHO.replace("+", " ")):
        answer = receiving.check_address({**query, "echostr": echo}, at=at)
        assert answer == receiving.Answer(200, "1616140317555161061")


def test_token_and_key_are_changed_without_a_restart(
    queued: Queued, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not do has the secret read anew; who forges does not have it read often."""
    read: list[Settings] = []

    def reading() -> Settings:
        read.append(Settings())
        return read[-1]

    monkeypatch.setattr(weixin_door, "Settings", reading)
    old = pushed(xml())
    new = pushed(xml(), token="n3w")
    assert receiving.receive(*old, at=AT).status == 200
    assert read == []
    monkeypatch.setenv("APP_WECOM_CALLBACK_TOKEN", f"{TOKEN},n3w")
    assert receiving.receive(*new, at=AT).status == 200
    assert receiving.receive(*old, at=AT).status == 200
    for n in range(20):
        assert receiving.receive(*pushed(xml(), token=f"forged{n}"), at=AT).status == 401
    assert len(read) == 1


def test_push_comes_through_the_function(
    queued: Queued, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    query, body = pushed(xml(WelcomeCode="CODE-hidden"), at=real_now())
    assert asked("POST", query, body)["statusCode"] == 200
    assert asked("POST", query, body, encoded=True)["body"] == "success"
    assert len(queued) == 4
    assert asked("POST", {**query, "msg_signature": "x"}, body)["statusCode"] == 401
    told = capsys.readouterr().out + caplog.text
    for secret in ("CODE-hidden", TOKEN, KEY, "wmA"):
        assert secret not in told
    assert json.dumps(queued)
