"""A trade of Youzan becomes an order: to the fen, the same each time, and only if it was paid."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.connectors.told import Unreadable, read
from graphql_api.connectors.youzan import payloads
from graphql_api.connectors.youzan.mapping import StoreKey, guide_key, snapshot_of, store_key
from graphql_api.kit.money import to_yuan
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import NewIdentity
from graphql_api.orders.rules import OrderChannel
from graphql_api.orders.service import (
    Snapshot,
    SnapshotBody,
    SnapshotLine,
    SnapshotRefund,
    SnapshotRefundLine,
)
from tests.connectors.youzan.samples import trade

OID = "1507387350277163963"
CHANGED_AT = datetime(2019, 3, 26, 2, 17, 11, tzinfo=UTC)
REVISION = 1553566631000


def told(**order_info: object) -> payloads.Trade:
    given = trade()
    given["full_order_info"]["order_info"] |= order_info
    return read(payloads.Trade, given)


def refunded(*refunds: dict[str, Any]) -> payloads.Trade:
    return read(payloads.Trade, trade() | {"refund_order": list(refunds)})


def one_refund(state: int) -> dict[str, Any]:
    return {"refund_id": "r1", "refund_fee": "0.50", "refund_state": state, "refund_type": 1}


def mapped(of: payloads.Trade, *refunds: payloads.Refund) -> Snapshot:
    snapshot = snapshot_of(of, store_id="sto_1", guide_id="gde_1", refunds=refunds)
    assert snapshot is not None
    return snapshot


def body(of: payloads.Trade) -> SnapshotBody:
    known = mapped(of).body
    assert known is not None
    return known


def test_trade_is_an_order() -> None:
    assert mapped(told()) == Snapshot(
        source="youzan",
        external_id="E20190326101702000600011",
        body=SnapshotBody(
            revision=REVISION,
            paid_at=datetime(2019, 3, 26, 2, 17, 8, tzinfo=UTC),
            total=100,
            channel=OrderChannel.MALL,
            store_id="sto_1",
            guide_id="gde_1",
            buyer=[NewIdentity(kind=IdentityKind.YOUZAN, value="LnhGm4rh576452722916618240")],
            lines=[SnapshotLine(item_id=OID, name="测试002", quantity=2, amount=50)],
        ),
    )


def test_same_trade_is_the_same_order() -> None:
    assert mapped(told()) == mapped(told())


def test_store_and_guide_are_named_as_the_vendor_names_them() -> None:
    assert store_key(told()) == StoreKey("52323", "offline001")
    assert guide_key(told()) == "xiaohua"
    nobody = told(node_kdt_id=None, shop_display_no="", order_extra={"sales_guide": None})
    assert (store_key(nobody), guide_key(nobody)) == (StoreKey(None, None), None)


def test_trade_that_was_never_paid_is_no_order() -> None:
    unpaid = told(pay_time="", status="TRADE_CLOSED", close_type=1)
    assert snapshot_of(unpaid, store_id="sto_1", guide_id=None) is None


@pytest.mark.parametrize(
    "order_info",
    [{"is_retail_order": True}, {"order_extra": {"is_offline": "1"}}],
    ids=["retail", "offline"],
)
def test_purchase_at_the_till_is_one_of_the_store(order_info: dict[str, object]) -> None:
    assert body(told(**order_info)).channel is OrderChannel.STORE


def test_source_may_say_that_it_was_the_till() -> None:
    given = trade()
    given["full_order_info"]["source_info"]["is_offline_order"] = True
    assert body(read(payloads.Trade, given)).channel is OrderChannel.STORE


def test_trade_that_succeeded_is_settled() -> None:
    settled = mapped(told(status="TRADE_SUCCESS", success_time="2019-04-03 00:00:00"))
    assert settled.settled_at == datetime(2019, 4, 2, 16, tzinfo=UTC)


def test_trade_that_never_changed_counts_from_its_payment() -> None:
    assert body(told(update_time="")).revision == REVISION - 3000


def test_buyer_without_an_account_is_nobody() -> None:
    given = trade()
    given["full_order_info"]["buyer_info"]["yz_open_id"] = "null"
    assert body(read(payloads.Trade, given)).buyer == []


def test_coupon_stands_once() -> None:
    given = trade()
    ids = [1, "1", "2", "0", "", None]
    given["order_promotion"]["order"] = [{"coupon_id": id_} for id_ in ids]
    assert body(read(payloads.Trade, given)).coupons == ["1", "2"]


@pytest.mark.parametrize(("state", "amount"), [(10, 0), (50, 0), (60, 50)])
def test_refund_that_is_over_has_its_amount_or_none(state: int, amount: int) -> None:
    wanted = SnapshotRefund(id="r1", revision=REVISION, at=CHANGED_AT, amount=amount)
    assert mapped(refunded(one_refund(state))).refunds == [wanted]


@pytest.mark.parametrize("state", [1, 20, 30, 40, 45])
def test_refund_that_is_still_talked_about_is_none(state: int) -> None:
    assert mapped(refunded(one_refund(state))).refunds == []


def test_answer_about_a_refund_knows_when_and_of_what() -> None:
    asked = read(
        payloads.Refund,
        {
            "refund_id": "r1",
            "tid": "E20190326101702000600011",
            "refund_fee": "0.50",
            "modified": "2019-03-26 10:17:09",
            "refund_order_item": [{"oid": OID, "refund_fee": 50}],
        },
    )
    [refund] = mapped(refunded(one_refund(60)), asked).refunds
    assert (refund.at, refund.revision) == (
        datetime(2019, 3, 26, 2, 17, 9, tzinfo=UTC),
        REVISION,
    )
    assert refund.lines == [SnapshotRefundLine(item_id=OID, amount=50)]
    [closed] = mapped(refunded(one_refund(50)), asked).refunds
    assert (closed.amount, closed.lines) == (0, [])


def test_name_of_any_length_is_cut() -> None:
    given = trade()
    given["full_order_info"]["orders"][0]["title"] = "衣" * 201
    assert body(read(payloads.Trade, given)).lines[0].name == "衣" * 200


@pytest.mark.parametrize("change", [{"tid": "E 1"}, {"pay_time": "1969-01-01 00:00:00"}])
def test_trade_that_no_order_can_be_is_unreadable(change: dict[str, object]) -> None:
    with pytest.raises(Unreadable) as refused:
        mapped(told(**change))
    assert str(refused.value) == "not a trade that an order can be"


@given(st.lists(st.integers(0, 10**9), max_size=20), st.integers(0, 10**6))
def test_sums_are_those_of_the_trade(shares: list[int], postage: int) -> None:
    given = trade()
    whole = given["full_order_info"]
    whole["orders"] = [
        {"oid": number, "payment": to_yuan(share)} for number, share in enumerate(shares)
    ]
    whole["pay_info"]["payment"] = to_yuan(sum(shares) + postage)
    order = body(read(payloads.Trade, given))
    assert [line.amount for line in order.lines] == shares
    assert order.total == sum(shares) + postage
