"""Who is believed to be Weimob, and what they are answered."""

import json
from typing import Any

import pytest

from graphql_api.connectors import repository, service
from graphql_api.connectors.models import Shop, message_id
from graphql_api.connectors.rules import Vendor
from graphql_api.kit.time import real_now
from tests.connectors.weimob.samples import BOS_ID, CONTENT, MESSAGE_ID, body

TAKEN = {"code": {"errcode": "0", "errmsg": "success"}}


def receive(raw: bytes) -> service.Answer:
    return service.receive(Vendor.WEIMOB, {}, raw, at=real_now())


def kept(shop: Shop) -> Any:
    return repository.get_message(message_id(shop.id, MESSAGE_ID))


def test_signed_message_is_kept_as_it_arrived_and_acknowledged(shop: Shop) -> None:
    raw = body("weimob_shop.order", "statusUpdate", CONTENT)
    assert receive(raw) == service.Answer(200, TAKEN)
    message = kept(shop)
    assert message.raw == raw
    assert (message.type, message.subject) == (
        "weimob_shop.order/statusUpdate",
        "7310002451000112",
    )


def test_replay_under_another_topic_is_the_same_message(shop: Shop) -> None:
    receive(body("weimob_shop.order", "statusUpdate", CONTENT))
    assert receive(body("weimob_crm.customer", "update", CONTENT)) == service.Answer(200, TAKEN)
    assert kept(shop).type == "weimob_shop.order/statusUpdate"


@pytest.mark.parametrize("place", range(0, 400, 37))
def test_flipped_byte_is_never_kept_as_something_else(shop: Shop, place: int) -> None:
    raw = bytearray(body("weimob_shop.order", "statusUpdate", CONTENT))
    raw[place % len(raw)] ^= 1
    answer = receive(bytes(raw))
    assert answer.status in (200, 400, 401)
    message = kept(shop)
    if message is not None:  # what is not signed is believed: topic, event, shop
        assert json.loads(message.raw)["msgBody"] == CONTENT


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"{", 400),
        (b'{"id":"1","topic":"t"}', 400),
        (body("t", "e", CONTENT, sign=""), 401),
        (body("t", "e", CONTENT, sign="0" * 32), 401),
        (b" " * (service.MAX_BYTES + 1), 413),
    ],
)
def test_what_is_not_taken_is_answered_as_an_error(shop: Shop, raw: bytes, status: int) -> None:
    answer = receive(raw)
    assert answer.status == status
    assert answer.body["code"]["errcode"] != "0"


def test_message_of_another_shop_and_a_test_are_acknowledged_and_not_kept(shop: Shop) -> None:
    other = body("weimob_shop.order", "create", CONTENT, bosId=1)
    assert receive(other) == service.Answer(200, TAKEN)
    assert receive(body("t", "e", CONTENT, test=True)) == service.Answer(200, TAKEN)
    assert kept(shop) is None
    assert shop.vendor_key == BOS_ID
