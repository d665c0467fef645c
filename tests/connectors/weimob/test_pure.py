"""What Weimob pushes and answers, read without asking anybody."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.connectors.told import Unreadable, read
from graphql_api.connectors.weimob import mapping, payloads, signatures
from graphql_api.connectors.weimob.details import OrderDetail, Rights
from graphql_api.connectors.weimob.fields import milliseconds
from graphql_api.connectors.weimob.messages import read_message
from graphql_api.connectors.weimob.payloads import (
    OrderChange,
    PointsChange,
    RightsChange,
    TagChange,
    content_of,
    place_of,
)
from graphql_api.members.rules import IdentityKind
from graphql_api.orders.rules import OrderChannel
from tests.connectors.weimob.samples import (
    CLIENT_ID,
    CONTENT,
    MESSAGE_ID,
    POINTS,
    SECRET,
    SIGN,
    TAG,
    body,
    order,
    rights,
    sign,
)


def holds(told: str | None, content: str = CONTENT, message_id: str = MESSAGE_ID) -> bool:
    return signatures.verify(
        told, client_id=CLIENT_ID, message_id=message_id, content=content, secret=SECRET
    )


# --- signatures ------------------------------------------------------------------------------


def test_signature_of_the_documented_message() -> None:
    assert signatures.message_sign(CLIENT_ID, MESSAGE_ID, CONTENT, SECRET) == SIGN
    assert holds(SIGN)
    assert holds(SIGN.upper())


@given(st.integers(0, len(CONTENT) - 1), st.characters(codec="utf-8"))
def test_any_other_content_is_not_signed(place: int, character: str) -> None:
    changed = CONTENT[:place] + character + CONTENT[place + 1 :]
    assert holds(SIGN, changed) is (changed == CONTENT)


@pytest.mark.parametrize("told", [None, "", "é", SIGN[:-1], f"{SIGN}0"])
def test_what_is_no_signature_does_not_hold(told: str | None) -> None:
    assert not holds(told)
    assert not holds(SIGN, message_id="another")


def test_registration_is_signed_over_the_hash_of_its_parameters() -> None:
    told = signatures.registration_sign(CLIENT_ID, SECRET, "1795140303000", '{"a":1}')
    assert told == "20cad53ce5addad3398783aae5284bb2"


# --- envelopes -------------------------------------------------------------------------------


def test_message_is_read_with_what_is_signed_of_it() -> None:
    message = read_message(body("weimob_shop.order", "statusUpdate", CONTENT))
    assert message.type == "weimob_shop.order/statusUpdate"
    assert message.signed == CONTENT
    assert message.envelope.shop_keys == ("4020000000001",)
    told = content_of(message)
    assert isinstance(told, OrderChange)
    assert (told.order_no, told.payment_status) == ("7310002451000112", 2)


@pytest.mark.parametrize("spaces", ["", " ", "\n  "])
def test_content_that_is_an_object_is_signed_as_it_stands(spaces: str) -> None:
    inner = '{"orderNo": 7310002451000112,"note":"a \\"quoted\\" } brace","x":[1, {"y":"}"}]}'
    text = (
        f'{{{spaces}"id":"{MESSAGE_ID}",{spaces}"topic":"weimob_shop.order","event":"create",'
        f'"msgBody":{spaces}{inner}{spaces},"sign":"{sign(inner)}","bosId":4020000000001}}'
    )
    message = read_message(text.encode())
    assert message.signed == inner
    assert holds(message.envelope.sign, message.signed)
    assert message.content["note"] == 'a "quoted" } brace'


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=4))
def test_object_is_found_whatever_stands_around_and_in_it(content: dict[str, str]) -> None:
    inner = json.dumps({"orderNo": 1, **content}, ensure_ascii=False)
    text = f'{{"msgBodyX":{inner},"msgBody":{inner} , "id":"1","topic":"t"}}'
    assert read_message(text.encode()).signed == inner


def test_older_generation_has_other_names() -> None:
    told = {"id": 5, "topic": "t", "event": "e", "public_account_id": 77, "msg_body": "{}"}
    message = read_message(json.dumps(told).encode())
    assert (message.envelope.id, message.envelope.shop_keys) == ("5", ("77",))
    assert content_of(message) is None


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"id":"1","topic":"t","msgBody":5}', b'{"msgBody":"x"}', b"\xff"]
)
def test_what_is_no_message_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read_message(raw)


@pytest.mark.parametrize("text", ["", "no JSON", "[1]"])
def test_signed_text_that_is_no_object_holds_nothing(text: str) -> None:
    message = read_message(body("bos.news", "x", text))
    assert holds(message.envelope.sign, message.signed)
    assert (message.signed, message.content, content_of(message)) == (text, {}, None)
    with pytest.raises(Unreadable):
        content_of(read_message(body("weimob_shop.order", "create", text)))


def test_content_that_is_nested_too_deeply_is_unreadable() -> None:
    deep = "[" * 1020 + "]" * 1020
    with pytest.raises(Unreadable):
        read_message(f'{{"id":"1","topic":"t","msgBody":{{"a":{deep}}}}}'.encode())


# --- contents --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "change"), [(0, 100), (1, -100), (3, 100), (4, -100)])
def test_sign_of_points_is_that_of_their_movement(kind: int, change: int) -> None:
    told = read(PointsChange, {**POINTS, "transType": kind})
    assert (told.change, told.total, told.is_own) == (change, 1350, False)
    assert place_of(told) == ("11223344556", 1795140303000)


def test_points_that_came_through_the_open_platform_are_an_echo() -> None:
    assert read(PointsChange, {**POINTS, "bizType": "107"}).is_own


def test_tag_is_linked_by_its_id_and_that_of_its_value() -> None:
    told = read(TagChange, TAG)
    assert (told.key, place_of(told)) == ("301:3011", ("11223344556:301:3011", 5))
    assert read(TagChange, {"wid": 1, "tagId": 301}).key == "301"


@pytest.mark.parametrize("topic", ["weimob_shop.orderCreate", "MallOrder", "orderStatusUpdate"])
def test_older_topics_of_orders_are_known_by_how_they_begin(topic: str) -> None:
    told = content_of(read_message(body(topic, "x", CONTENT)))
    assert isinstance(told, OrderChange)


@pytest.mark.parametrize("topic", ["weimob_shop.orderComment", "weimob_shop.rightsReason"])
def test_what_begins_like_an_order_and_names_none_is_another_type(topic: str) -> None:
    assert content_of(read_message(body(topic, "create", {"id": 1}))) is None


def test_rights_name_their_order() -> None:
    content = {"rightsId": 99001, "orderNo": 7310002451000112, "status": 6}
    told = content_of(read_message(body("weimob_shop.rights", "statusUpdate", content)))
    assert isinstance(told, RightsChange)
    assert place_of(told) == ("7310002451000112", None)


def test_own_channels_are_echoes() -> None:
    assert payloads.is_own_channel("ONECRM_SPI-x")
    assert payloads.is_own_channel("weimob-open-api")
    assert not payloads.is_own_channel("weimob-saas-coupon")
    assert not payloads.is_own_channel(None)


# --- orders ----------------------------------------------------------------------------------


def test_order_is_a_snapshot_to_the_fen() -> None:
    detail = read(OrderDetail, order())
    found = mapping.snapshot_of(detail, store_id="sto_1", guide_id="gde_1")
    assert found is not None
    assert found.body is not None
    assert (found.source, found.external_id) == ("weimob", "7310002451000112")
    assert found.body.revision == 1795140303000
    assert found.body.paid_at == datetime(2026, 11, 20, 2, 5, tzinfo=UTC)
    assert (found.body.total, found.body.channel) == (12850, OrderChannel.STORE)
    assert [(line.name, line.quantity, line.amount) for line in found.body.lines] == [
        ("面霜", 2, 10000),
        ("口红", 1, 2850),
    ]
    [buyer] = found.body.buyer
    assert (buyer.kind, buyer.value) == (IdentityKind.WEIMOB, "11223344556")
    assert (mapping.store_key(detail), mapping.guide_key(detail)) == ("6000089123", "11223349999")
    assert (found.refunds, found.settled_at) == ([], None)


def test_online_order_that_is_done_is_of_the_mall_and_settled() -> None:
    done = {"orderStatus": 8, "finishTime": 1795150000000}
    detail = read(OrderDetail, order(base=done, info={"orderBizExt": {"saleChannelType": 10001}}))
    found = mapping.snapshot_of(detail, store_id="sto_1", guide_id=None)
    assert found is not None
    assert found.body is not None
    assert found.body.channel is OrderChannel.MALL
    assert found.settled_at is not None
    assert milliseconds(found.settled_at) == 1795150000000


@pytest.mark.parametrize("base", [{"payStatus": 0}, {"payStatus": 1}, {"payTime": 0}])
def test_order_that_was_not_paid_whole_is_none(base: dict[str, int]) -> None:
    detail = read(OrderDetail, order(base=base))
    assert mapping.snapshot_of(detail, store_id="sto_1", guide_id=None) is None


@pytest.mark.parametrize(
    ("status", "refunds"),
    [(6, [(2850, [("2", 2850)])]), (7, [(0, [])]), (8, [(0, [])]), (1, []), (10, [])],
)
def test_rights_that_are_over_are_refunds(
    status: int, refunds: list[tuple[int, list[tuple[str, int]]]]
) -> None:
    detail = read(OrderDetail, order())
    known = read(Rights, rights(status))
    found = mapping.snapshot_of(detail, store_id="sto_1", guide_id=None, rights=[known])
    assert found is not None
    told = [(r.amount, [(line.item_id, line.amount) for line in r.lines]) for r in found.refunds]
    assert told == refunds
    assert all(refund.revision == 1795140500000 for refund in found.refunds)
