"""Trades of Youzan through the one door for orders: told again they change nothing."""

from typing import Any

import pytest

from graphql_api.connectors.told import read
from graphql_api.connectors.youzan import payloads
from graphql_api.connectors.youzan.mapping import snapshot_of
from graphql_api.kit.time import Clock
from graphql_api.members.rules import IdentityKind
from graphql_api.orders import service as orders
from graphql_api.orders.rules import OrderStatus
from tests.connectors.youzan.samples import trade
from tests.factories import make_identity, make_member, make_store

YZ_OPEN_ID = "LnhGm4rh576452722916618240"


def take(store_id: str, changed: dict[str, Any]) -> orders.Applied:
    told = read(payloads.Trade, trade() | changed)
    snapshot = snapshot_of(told, store_id=store_id, guide_id=None)
    assert snapshot is not None
    return orders.apply(snapshot, clock=Clock())


@pytest.mark.usefixtures("chain")
def test_trade_is_taken_once_and_refunded() -> None:
    store = make_store("S1")
    buyer = make_member(store, make_identity(YZ_OPEN_ID, IdentityKind.YOUZAN))
    first = take(store.id, {})
    paid = first.order
    assert (paid.member_id, paid.state.total) == (buyer.id, 100)
    assert paid.state.status is OrderStatus.PAID
    assert (first.changed, take(store.id, {}).changed) == (True, False)

    refund = {"refund_id": "r1", "refund_fee": "0.50", "refund_state": 60}
    after = take(store.id, {"refund_order": [refund]}).order
    assert (after.state.total, after.state.refunded) == (100, 50)
    assert after.state.status is OrderStatus.PARTIALLY_REFUNDED
