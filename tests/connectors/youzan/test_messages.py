"""Messages of Youzan: every form of content, one identity, and an order within a type only."""

import json
from typing import Any
from urllib.parse import quote, quote_plus

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.connectors.told import Unreadable
from graphql_api.connectors.youzan import messages
from tests.connectors.youzan.samples import CARD, COUPON, MERGE, PAID, REFUND, envelope

texts = st.text(st.characters(exclude_categories=["Cs"]))


def test_paid_trade_is_read() -> None:
    message = messages.read(PAID)
    assert message.content == {
        "update_time": "2026-11-20 10:05:03",
        "payment": "128.50",
        "tid": "E20261120100500012345678",
        "status": "TRADE_PAID",
    }
    assert (message.kdt_id, message.root_kdt_id) == ("56232", "74234")
    assert (message.type, message.status) == ("trade_TradePaid", "TRADE_PAID")
    assert (message.kdt_name, message.send_count, message.test) == ("测试旗舰店", 0, False)
    assert message.identity == "6dc15f0b-8682-4812-b635-ab66e199f330"
    assert message.sequence == ("trade_TradePaid", "E20261120100500012345678", 1795140303)


def test_space_may_be_a_plus() -> None:
    content = messages.read(envelope(CARD)).content
    assert content["event_time"] == "2018-01-28 16:00:29"
    assert content["mobile"] == "186****7408"


def test_plus_beside_spaces_written_as_percent_20_stays_a_plus() -> None:
    msg = '%7B"update_time":"2018-01-27%2017:31:41","mobile":"+8613800138000"%7D'
    content = messages.read(envelope(msg)).content
    assert content == {"update_time": "2018-01-27 17:31:41", "mobile": "+8613800138000"}


@given(st.dictionaries(texts, texts | st.integers(-(2**63), 2**63)))
def test_content_is_the_same_in_every_form(content: dict[str, Any]) -> None:
    text = json.dumps(content)
    forms: list[object] = [content, text, quote_plus(text), quote(text, safe="-_.!~*'()")]
    for form in forms:
        assert messages.read(envelope(form)).content == content


def test_refund_tells_an_object() -> None:
    message = messages.read(envelope(REFUND, type="youzan_trade_RefundSuccess"))
    assert message.content == REFUND


@pytest.mark.parametrize("msg", [None, "null", ""])
def test_content_of_a_message_without_msg_is_beside_its_envelope(msg: object) -> None:
    body = {**MERGE, "msg": msg, "type": "OPEN_PUSH_SCRM_MEMBER_MERGE", "sendCount": 2}
    message = messages.read(orjson.dumps(body))
    assert message.content["merge_info"] == MERGE["merge_info"]
    assert message.send_count == 2


def test_header_names_the_type_where_the_body_does_not() -> None:
    message = messages.read(orjson.dumps(MERGE), "OPEN_PUSH_SCRM_MEMBER_MERGE")
    assert (message.type, message.content) == ("OPEN_PUSH_SCRM_MEMBER_MERGE", MERGE)
    assert messages.read(PAID, "POINTS").type == "trade_TradePaid"


def test_ids_are_text_and_the_text_null_is_nothing() -> None:
    raw = envelope(CARD, id=2**63, kdt_id="null", msg_id="null", status="null", root_kdt_id=None)
    message = messages.read(raw)
    assert message.id == "9223372036854775808"
    nothing = (message.kdt_id, message.msg_id, message.status, message.root_kdt_id)
    assert nothing == (None, None, None, None)


def test_message_without_an_id_of_its_own_is_known_by_what_it_tells() -> None:
    raw = envelope(COUPON, type="COUPON_CUSTOMER_PROMOTION", status="CARD_TAKE", id="10887216")
    assert messages.read(raw).identity == (
        '["56232","COUPON_CUSTOMER_PROMOTION","10887216","CARD_TAKE",1517126429,'
        '"2026-10-05 11:56:08"]'
    )


def test_message_that_is_sent_again_is_the_same_and_of_another_person_is_not() -> None:
    def identity(**changed: object) -> str:
        body = {"type": "OPEN_PUSH_SCRM_CUSTOMER_AUTH_MOBILE", "yz_open_id": "one", **changed}
        return messages.read(orjson.dumps(body)).identity

    assert identity(sendCount=0, sign="x") == identity(sendCount=3, sign="y")
    assert identity() != identity(yz_open_id="two")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b"1",
        b'{"type"',
        b"{}",
        envelope(CARD, type=None),
        envelope(CARD, type="null"),
        envelope(CARD, id=1.5),
        envelope(CARD, kdt_id=True),
        envelope(CARD, version="soon"),
        envelope(7),
        envelope([]),
        envelope("%7B"),
        envelope("%5B%5D"),
        envelope("%7B%22name%22%3A%22%FF%22%7D"),
        envelope("plain text"),
    ],
)
def test_anything_else_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        messages.read(raw)


@given(st.binary())
def test_bytes_are_a_message_or_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        messages.read(raw)


def test_refusal_does_not_show_what_was_sent() -> None:
    with pytest.raises(Unreadable) as refused:
        messages.read(envelope({"mobile": "13800138000"}, version="of 13800138000"))
    assert str(refused.value) == "not a Message of theirs"
    assert refused.value.__cause__ is None
