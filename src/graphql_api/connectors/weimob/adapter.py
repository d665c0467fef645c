"""Weimob, as the connectors know a vendor."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from graphql_api.connectors.adapters import (
    Adapter,
    Arrival,
    CustomersPage,
    Handled,
    OrdersPage,
    Refusal,
)
from graphql_api.connectors.models import Shop
from graphql_api.connectors.weimob import api, applying, orders, people, receiving
from graphql_api.kit.time import Clock
from graphql_api.orders.service import Snapshot


class Weimob:
    """See `Adapter`."""

    acknowledgement: dict[str, Any] = receiving.ACKNOWLEDGEMENT
    gives_once = True

    def refusal(self, status: int, text: str) -> Refusal:
        return receiving.refusal(status, text)

    def arrive(self, headers: Mapping[str, str], raw: bytes) -> Arrival:
        return receiving.arrive(headers, raw)

    def apply(self, shop: Shop, raw: bytes, event_type: str | None, *, clock: Clock) -> Handled:
        return applying.apply(shop, raw, event_type, clock=clock)

    def changed_orders(
        self, shop: Shop, since: datetime, until: datetime, cursor: str | None
    ) -> OrdersPage:
        return orders.changed(shop, since, until, cursor)

    def order(self, shop: Shop, external_id: str) -> Snapshot | None:
        return orders.snapshot(shop, external_id)

    def refresh(self, shop: Shop, customer: str, *, event_id: str, clock: Clock) -> Handled:
        return people.refresh(shop, customer, event_id=event_id, clock=clock)

    def new_customers(
        self, shop: Shop, since: datetime, until: datetime, cursor: str | None
    ) -> CustomersPage:
        return people.since(shop, since, until, cursor)

    def points_of(self, shop: Shop, customer: str) -> int:
        return api.points_of(shop, customer)

    def change_points(
        self, shop: Shop, customer: str, points: int, *, key: str, reason: str
    ) -> None:
        api.change_points(shop, customer, points, key=key, reason=reason)

    def change_tags(
        self, shop: Shop, customer: str, add: Sequence[str], remove: Sequence[str]
    ) -> None:
        for keys, give in ((add, True), (remove, False)):
            if keys:
                api.change_tags(shop, customer, keys, give=give)

    def set_guide(self, shop: Shop, customer: str, guide: str | None) -> None:
        before = api.guide_of(shop, customer)
        if before != guide:
            api.set_guide(shop, customer, guide, before=before)

    def give_coupon(
        self,
        shop: Shop,
        customer: str,
        template: str,
        *,
        phone: str | None,  # noqa: ARG002 - named by wid
        key: str,
    ) -> str:
        return api.give_coupon(shop, customer, template, key=key)


ADAPTER: Adapter = Weimob()
