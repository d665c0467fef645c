"""What is stored of orders and of what follows from them, to compare whole."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, settings

from graphql_api.kit.dynamo import Item
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.members import repository as members
from graphql_api.members.models import Effect, Member, MembersItem
from graphql_api.members.rules import EffectKind, Facts
from graphql_api.orders import repository
from graphql_api.orders.models import Order, OrdersItem
from graphql_api.orders.service import Snapshot

# Every example has members and orders of its own, so the tables need not be fresh; finding the
# smallest example that fails would take minutes here.
on_storage = settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

HAPPENED_TO_BE = {"version", "recorded_at", "points", "coupons"}


def everything() -> list[str]:
    """Every item of orders and members, as text."""
    return sorted(_text(item) for table in (OrdersItem, MembersItem) for item in _scan(table))


def about(snapshot: Snapshot, names: Mapping[str, str]) -> list[str]:
    """Every item that names an order, without when and how often it was written, nor what points
    and coupons made of it: the days and lots of these are those of the versions that came.

    Ids are shown by the names given to them, so that two orders can be compared.
    """
    shown = []
    for item in _scan(OrdersItem):
        text = _text(item, without=HAPPENED_TO_BE)
        if snapshot.order_id in text:
            known = {snapshot.order_id: "ORDER", snapshot.external_id: "NUMBER", **names}
            for id_, name in known.items():
                text = text.replace(id_, name)
            shown.append(text)
    return sorted(shown)


def order_of(snapshot: Snapshot) -> Order:
    """The order as it is now."""
    order = repository.get(snapshot.order_id)
    assert order is not None
    return order


def member_now(member_id: str) -> Member:
    """The member as it is now."""
    member = members.get(member_id)
    assert member is not None
    return member


def facts_of(member_id: str) -> Facts:
    """The facts of a member as they are now."""
    return member_now(member_id).facts


def first_purchases(member_id: str) -> list[Effect]:
    """The effects of a first purchase of a member."""
    prefix = f"effect#{EffectKind.FIRST_PURCHASE}"
    return list(Effect.query(member_id, Effect.sort.startswith(prefix), consistent_read=True))


def _scan(table: type[Item]) -> Iterator[dict[str, Any]]:
    client: Any = shared_client()
    pages = client.get_paginator("scan").paginate(TableName=table.Meta.table_name)
    for page in pages:
        yield from page["Items"]


def _text(item: Mapping[str, Any], *, without: Collection[str] = ()) -> str:
    kept = {name: value for name, value in item.items() if name not in without}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)
