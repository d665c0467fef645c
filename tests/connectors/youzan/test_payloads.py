"""Payloads of Youzan: money to the fen, instants in UTC, and nothing where nothing was told."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.connectors.told import Told, Unreadable, read
from graphql_api.connectors.youzan import messages, payloads
from graphql_api.kit.money import to_yuan
from tests.connectors.youzan.samples import (
    CARD,
    CLIENT_ID,
    COUPON,
    MERGE,
    PAID,
    POINTS,
    REFUND,
    envelope,
    trade,
)

CLIENT_MD5 = "68d0548aedc3e3d95837b2981eb0b6b7"


def content(msg: object, type_: str) -> Any:
    return payloads.content_of(messages.read(envelope(msg, type=type_)))


@given(st.integers(0, 10**14))
def test_yuan_are_read_to_the_fen(fen: int) -> None:
    assert read(payloads.PayInfo, {"payment": to_yuan(fen)}).payment == fen


@pytest.mark.parametrize("told", ["0.001", "1.230", 1.5, True, "1e2", "", None, "１.00", [], " 1"])
def test_money_of_another_shape_is_unreadable(told: object) -> None:
    with pytest.raises(Unreadable):
        read(payloads.PayInfo, {"payment": told})


def test_yuan_may_be_a_whole_number() -> None:
    assert read(payloads.PayInfo, {"payment": 3}).payment == 300


def test_trade_is_read() -> None:
    whole = read(payloads.Trade, trade()).full_order_info
    info, extra = whole.order_info, whole.order_info.order_extra
    assert info.created == datetime(2019, 3, 26, 2, 17, 2, tzinfo=UTC)
    assert (info.success_time, info.node_kdt_id, info.offline_id) == (None, "52323", "57694718")
    assert (extra.is_member, extra.is_offline, extra.cashier_id) == (True, False, None)
    assert extra.sales_guide is not None
    assert extra.sales_guide.order_sales_staff == ["xiaohua"]
    assert extra.service_guide is not None
    assert extra.service_guide.service_guide_staff == ["xiaohua"]
    assert extra.daogou is not None
    assert (extra.daogou.id, extra.daogou.service_id) == ("13574500955", "13574500956")
    assert (whole.pay_info.total_fee, whole.orders[0].price) == (120, 30)


@pytest.mark.parametrize("nothing", ["", "null", None])
def test_what_stands_for_nothing_is_nothing(nothing: object) -> None:
    told = trade()
    told["full_order_info"]["order_info"] |= {"order_extra": nothing, "pay_time": nothing}
    told["refund_order"] = told["order_promotion"] = nothing
    whole = read(payloads.Trade, told)
    assert whole.full_order_info.order_info.order_extra.sales_guide is None
    assert whole.full_order_info.order_info.pay_time is None
    assert (whole.refund_order, whole.order_promotion.order) == ([], [])


@pytest.mark.parametrize(
    "time",
    ["2019-03-26", "2019-02-30 10:00:00", "0001-01-01 00:00:00", 1553566631, "soon"],
)
def test_time_of_another_shape_is_unreadable(time: object) -> None:
    told = trade()
    told["full_order_info"]["order_info"]["pay_time"] = time
    with pytest.raises(Unreadable):
        read(payloads.Trade, told)


def test_refund_is_in_yuan_and_its_lines_in_fen() -> None:
    told = {
        "refund_id": "r1",
        "tid": "E1",
        "refund_fee": "0.50",
        "modified": "2019-03-27 00:00:00",
        "refund_order_item": [{"oid": 1507387350277163963, "refund_fee": 50}],
    }
    refund = read(payloads.Refund, told)
    assert refund.refund_fee == 50
    assert refund.modified == datetime(2019, 3, 26, 16, tzinfo=UTC)
    [item] = refund.refund_order_item
    assert (item.oid, item.refund_fee) == ("1507387350277163963", 50)


def test_points_are_numbers_and_ours_are_known() -> None:
    points = content(POINTS, "POINTS")
    assert (points.amount, points.total, points.client_hash) == (20, 132, None)
    assert points.create_time == datetime(2026, 10, 5, 4, tzinfo=UTC)
    assert not points.is_own(CLIENT_ID)
    for echo in (CLIENT_MD5, CLIENT_MD5.upper()):
        ours = content(POINTS | {"client_hash": echo}, "POINTS")
        assert ours.is_own(CLIENT_ID)
        assert not ours.is_own("another")


def test_customer_who_closed_the_account_is_seen() -> None:
    told = {
        "account_id": "725462007",
        "account_type": "YouZanAccount",
        "birthday": "",
        "gender": 1,
        "name": "继承",
    }
    customer = content(told, "SCRM_CUSTOMER_EVENT")
    assert (customer.account_id, customer.birthday, customer.gender) == ("725462007", None, 1)
    assert not customer.is_log_off
    assert content(told | {"is_log_off": "true"}, "SCRM_CUSTOMER_EVENT").is_log_off


def test_card_coupon_merge_and_phone_are_read() -> None:
    card = content(CARD, "SCRM_CUSTOMER_CARD")
    assert card.card_no == "230597762487315507"
    assert card.event_time == datetime(2018, 1, 28, 8, 0, 29, tzinfo=UTC)
    coupon = content(COUPON, "COUPON_CUSTOMER_PROMOTION")
    assert (coupon.id, coupon.status, coupon.order_no) == ("10887216", "CARD_TAKE", None)
    merge = content(MERGE, "OPEN_PUSH_SCRM_MEMBER_MERGE").merge_info
    assert (merge.from_yz_open_id, merge.to_yz_open_id) == ("aaa", "bbb")
    phone = {"node_kdt_id": 41916907, "mobile": "138****0000", "yz_open_id": "aaa"}
    for type_ in ("OPEN_PUSH_SCRM_CUSTOMER_AUTH_MOBILE", "OPEN_PUSH_SCRM_MEMBER_MOBILE_CHANGE"):
        change = content(phone, type_)
        assert (change.yz_open_id, change.node_kdt_id) == ("aaa", "41916907")


def test_message_of_a_trade_holds_all_of_it_or_its_id() -> None:
    change = payloads.content_of(messages.read(PAID))
    assert isinstance(change, payloads.TradeChange)
    assert change.tid == "E20261120100500012345678"
    odd = trade() | {"refund_order": 7}
    odd["full_order_info"]["pay_info"] = {"payment": 0.1}
    for whole in (trade(), odd):
        assert content(whole, "trade_TradePaid").tid == "E20190326101702000600011"


@pytest.mark.parametrize("told", [{}, {"tid": ""}, {"full_order_info": {}}, {"tid": 1.5}])
def test_message_of_no_trade_is_unreadable(told: object) -> None:
    with pytest.raises(Unreadable):
        content(told, "trade_TradePaid")


def test_refunds_of_both_kinds_are_read() -> None:
    assert content(REFUND, "youzan_trade_RefundSuccess").tid == "E20211123144258072900153"
    old = {"tid": "E1", "oids": "1507387350277163963"}
    assert content(old, "trade_refund_RefundSuccess").tid == "E1"


def test_message_of_a_type_that_is_not_understood_is_nothing() -> None:
    assert content({"data": {}}, "ITEM_INFO") is None


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (payloads.PointsChange, POINTS | {"amount": "many"}),
        (payloads.PointsChange, POINTS | {"unique_id": ""}),
        (payloads.CustomerMerge, MERGE | {"merge_info": {"from_yz_open_id": "aaa"}}),
        (payloads.OrderExtra, {"daogou": "{"}),
        (payloads.Trade, []),
    ],
)
def test_payload_of_another_shape_is_unreadable(model: type[Told], told: object) -> None:
    with pytest.raises(Unreadable):
        read(model, told)
