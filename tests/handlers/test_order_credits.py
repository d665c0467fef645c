"""The stream of orders on a laptop, through the handler: what follows is what stands, once."""

from pathlib import Path
from typing import Any

import boto3

from graphql_api.handlers import order_credits
from graphql_api.members import service as members
from graphql_api.orders import service as orders
from graphql_api.orders.models import OrdersItem
from graphql_api.viewer import SYSTEM
from scripts.stream_pump import Context, Pump
from tests.calls import counted
from tests.commissions.storage import drifted, everything, month
from tests.factories import (
    CLOCK,
    make_guide,
    make_identity,
    make_member,
    make_refund,
    make_shell,
    make_snapshot,
    make_store,
)


def drain(tmp_path: Path) -> list[dict[str, Any]]:
    """Have everything that waits in the stream followed; the batches."""
    batches: list[dict[str, Any]] = []

    def following(event: dict[str, Any], context: Any) -> Any:
        batches.append(event)
        return order_credits.handler(event, context)

    pump = Pump(OrdersItem.Meta.table_name, following, tmp_path, consumer="credits")
    while pump.drain(boto3.client("dynamodbstreams")):
        pass
    return batches


def test_orders_are_followed_from_their_stream_once_however_often(
    chain: str, tmp_path: Path
) -> None:
    """An order that waits for its buyer moves to them: its versions stand under two keys."""
    store = make_store("S1")
    guide, own = make_guide(store, "李芳", level=5), make_guide(store, "陈静", level=9)
    known = make_identity()
    order = make_snapshot(store, guide_id=guide.id, buyer=[known])
    orders.apply(order, clock=CLOCK)
    member = make_member(store, guide_id=own.id)
    members.add_identity(members.IdentityChange(member_id=member.id, identity=known), viewer=SYSTEM)
    orders.attach(order.order_id, clock=CLOCK)
    orders.apply(make_shell(make_refund(amount=5_000), external_id=order.external_id), clock=CLOCK)
    batches = drain(tmp_path)
    assert (month(guide.id), month(own.id)) == ((552, 0, 0), (30, 0, 0))
    assert (month(store.id), drifted()) == ((582, 0, 0), {})
    stored = everything()
    for batch in reversed(batches):
        assert order_credits.handler(batch, Context()) == {"batchItemFailures": []}
    assert everything() == stored


def test_history_is_passed_over_without_a_read(chain: str, tmp_path: Path) -> None:
    store = make_store("S1")
    member = make_member(store, guide_id=make_guide(store, "李芳").id)
    history = [make_snapshot(store, external_id=f"old-{n}") for n in range(3)]
    assert orders.backfill(member.id, history, clock=CLOCK, job="import") == 3
    batches = drain(tmp_path)
    assert sum(len(batch["Records"]) for batch in batches) >= 3
    with counted() as calls:
        for batch in batches:
            assert order_credits.handler(batch, Context()) == {"batchItemFailures": []}
    assert calls == {}
