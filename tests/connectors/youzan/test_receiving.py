"""Bodies that claim to be Youzan's: believed by their signature alone, and kept once."""

import json

import orjson
import pytest

from graphql_api.config import settings
from graphql_api.connectors import models, queueing, repository, service
from graphql_api.connectors.adapters import Arrival, Refusal
from graphql_api.connectors.models import Message, Shop
from graphql_api.connectors.rules import MessageState, Problem, Vendor
from graphql_api.connectors.secrets import secrets
from graphql_api.connectors.youzan.adapter import ADAPTER
from graphql_api.connectors.youzan.signatures import event_sign
from tests.connectors.youzan.samples import (
    CLIENT_ID,
    COUPON,
    MERGE,
    PAID,
    PAID_SIGN,
    POINTS,
    SECRET,
)
from tests.connectors.youzan.vendor import body, headers
from tests.factories import NOW

PAID_HEADERS = {
    "client-id": CLIENT_ID,
    "event-sign": PAID_SIGN,
    "event-type": "trade_TradePaid",
}
LEGACY_SIGNS = ["d844aff63abc135f5ddbe332ae31df9e", "230655410a6128a0c92e4ee12c04d759"]


def status(given: dict[str, str], raw: bytes) -> int:
    with pytest.raises(Refusal) as refused:
        ADAPTER.arrive(given, raw)
    assert b"success" not in orjson.dumps(refused.value.body)
    return refused.value.status


@pytest.mark.usefixtures("app")
def test_signed_body_arrives() -> None:
    assert ADAPTER.arrive(PAID_HEADERS, PAID) == Arrival(
        client_id=CLIENT_ID,
        shop_keys=("74234", "56232"),
        identity="6dc15f0b-8682-4812-b635-ab66e199f330",
        type="trade_TradePaid",
        subject="E20261120100500012345678",
        version=1795140303,
        event_type="trade_TradePaid",
        delay=30,
        is_test=False,
    )


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    "changed",
    [
        {"event-sign": ""},
        {"event-sign": "9815ce75f6f594ce80c9f8fa737b88f5"},
        {"event-sign": "有赞"},
        {"client-id": ""},
        {"client-id": "another-app"},
    ],
)
def test_body_without_a_signature_that_holds_is_refused(changed: dict[str, str]) -> None:
    assert status(PAID_HEADERS | changed, PAID) == 401
    without = {name: PAID_HEADERS[name] for name in PAID_HEADERS if name not in changed}
    assert status(without, PAID) == 401


@pytest.mark.usefixtures("app")
def test_body_that_was_written_again_is_refused() -> None:
    again = orjson.dumps(orjson.loads(PAID), option=orjson.OPT_INDENT_2)
    assert status(PAID_HEADERS, again) == 401
    assert status(PAID_HEADERS, PAID + b"\n") == 401


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("sign", LEGACY_SIGNS)
def test_old_signature_proves_nothing_wherever_it_stands(sign: str) -> None:
    raw = orjson.dumps(orjson.loads(PAID) | {"sign": sign})
    assert status({"client-id": CLIENT_ID}, raw) == 401
    assert status(PAID_HEADERS | {"event-sign": sign}, raw) == 401
    assert status(PAID_HEADERS | {"event-sign": sign}, PAID) == 401


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b"{}", b'{"type":"POINTS","msg":"%7B"}'])
def test_signed_nonsense_is_refused_as_nonsense(raw: bytes) -> None:
    assert status(headers(raw), raw) == 400


def test_both_secrets_are_believed_while_an_app_changes_its_own(
    app: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_new = PAID_HEADERS | {"event-sign": event_sign(CLIENT_ID, PAID, "new")}
    assert status(by_new, PAID) == 401
    monkeypatch.setenv("APP_YOUZAN_APPS", json.dumps({CLIENT_ID: f"{SECRET},new"}))
    assert status(by_new, PAID) == 401  # it was read within the last minute
    secrets.forget()
    settings.cache_clear()
    assert ADAPTER.arrive(by_new, PAID) == ADAPTER.arrive(PAID_HEADERS, PAID)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("type_", "delay"),
    [
        ("trade_TradePaid", 30),
        ("trade_refund_RefundSuccess", 30),
        ("youzan_trade_RefundSuccess", 30),
        ("TRADE_ORDER_STATE", 30),
        ("POINTS", 0),
        ("SCRM_CUSTOMER_EVENT", 0),
        ("youzan_item_SkuStockChanged", 0),
    ],
)
def test_trades_wait_until_youzan_can_be_asked(type_: str, delay: int) -> None:
    raw = body(type_, {"tid": "E1"})
    assert ADAPTER.arrive(headers(raw), raw).delay == delay


@pytest.mark.usefixtures("app")
def test_wait_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_YOUZAN_FETCH_DELAY_SECONDS", "45")
    settings.cache_clear()
    assert ADAPTER.arrive(PAID_HEADERS, PAID).delay == 45


@pytest.mark.usefixtures("app")
def test_message_without_an_envelope_has_its_type_and_shop_all_the_same() -> None:
    raw = orjson.dumps(MERGE)
    merge = ADAPTER.arrive(headers(raw, **{"event-type": "OPEN_PUSH_SCRM_MEMBER_MERGE"}), raw)
    assert (merge.type, merge.shop_keys) == ("OPEN_PUSH_SCRM_MEMBER_MERGE", ("41916907",))
    raw = orjson.dumps({"node_kdt_id": 2, "root_kdt_id": 1, "yz_open_id": "a", "mobile": "1**"})
    phone = ADAPTER.arrive(headers(raw, **{"event-type": "OPEN_PUSH_SCRM_MEMBER_X"}), raw)
    assert phone.shop_keys == ("1", "2")


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("told", [0, "0", "null", "", None, [], {"a": 1}, 1.5])
def test_what_is_no_shop_names_none(told: object) -> None:
    raw = body("X", {"node_kdt_id": told, "merge_info": {"kdt_id": told}}, kdt_id=None)
    assert ADAPTER.arrive(headers(raw), raw).shop_keys == ()


@pytest.mark.usefixtures("app")
def test_resend_is_the_same_message_with_and_without_an_id() -> None:
    def identity(raw: bytes) -> str:
        return ADAPTER.arrive(headers(raw), raw).identity

    again = orjson.dumps(orjson.loads(PAID) | {"sendCount": 3, "sign": "x"})
    assert identity(again) == identity(PAID)
    first = body("COUPON_CUSTOMER_PROMOTION", COUPON, id="10887216", sendCount=0)
    second = body("COUPON_CUSTOMER_PROMOTION", COUPON, id="10887216", sendCount=1)
    assert identity(first) == identity(second)


def test_message_is_kept_as_it_arrived_and_queued_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, float]] = []

    def follow_soon(found: list[Message], delay: float = 0) -> None:
        sent.extend((message.id, delay) for message in found)

    monkeypatch.setattr(queueing, "follow_soon", follow_soon)
    answer = service.receive(Vendor.YOUZAN, PAID_HEADERS, PAID, at=NOW)
    assert (answer.status, answer.body) == (200, {"code": 0, "msg": "success"})
    message_id = models.message_id(shop.id, "6dc15f0b-8682-4812-b635-ab66e199f330")
    kept = repository.get_message(message_id)
    assert kept is not None
    assert (kept.raw, kept.type, kept.state) == (PAID, "trade_TradePaid", MessageState.WAITING)
    assert sent == [(message_id, 30)]
    repository.fail(kept, problem=Problem.BUSY, detail=None, next_at=NOW)
    assert service.receive(Vendor.YOUZAN, PAID_HEADERS, PAID, at=NOW) == answer
    assert len(sent) == 1


@pytest.mark.usefixtures("app", "chain")
def test_message_of_an_unknown_shop_is_acknowledged_and_not_kept() -> None:
    raw = body("POINTS", POINTS, kdt_id=1)
    answer = service.receive(Vendor.YOUZAN, headers(raw), raw, at=NOW)
    assert (answer.status, answer.body["msg"]) == (200, "success")
    shop_id = models.shop_id(Vendor.YOUZAN, "1")
    page = repository.page_of_messages(shop_id, NOW, NOW, first=1, after=None, reverse=False)
    assert page.items == []


@pytest.mark.usefixtures("app")
def test_body_that_is_too_long_is_refused_before_it_is_read() -> None:
    raw = b" " * (service.MAX_BYTES + 1)
    answer = service.receive(Vendor.YOUZAN, headers(raw), raw, at=NOW)
    assert (answer.status, answer.body) == (413, {"code": 413, "msg": "more than 262144 bytes"})
