"""Youzan, as the connectors know a vendor."""

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
from graphql_api.connectors.errors import VendorRefused
from graphql_api.connectors.models import Shop
from graphql_api.connectors.youzan import api, applying, orders, people, receiving
from graphql_api.kit.time import Clock
from graphql_api.orders.service import Snapshot

_TAGS_AT_ONCE = 20


class Youzan:
    """See `Adapter`."""

    acknowledgement: dict[str, Any] = receiving.ACKNOWLEDGEMENT
    gives_once = False

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
        for names, give in ((add, True), (remove, False)):
            for start in range(0, len(names), _TAGS_AT_ONCE):
                some = names[start : start + _TAGS_AT_ONCE]
                api.change_tags(shop, customer, some, give=give)

    def set_guide(self, shop: Shop, customer: str, guide: str | None) -> None:
        """Nobody is only told where somebody is: the relation names its guide."""
        if guide is not None:
            api.bind_guide(shop, customer, guide)
        elif known := api.guide_of(shop, customer):
            api.unbind_guide(shop, customer, known.guide_yz_open_id or "")

    def give_coupon(
        self,
        shop: Shop,
        customer: str,  # noqa: ARG002 - named by phone
        template: str,
        *,
        phone: str | None,
        key: str,  # noqa: ARG002 - no key is taken
    ) -> str:
        """To a phone: Youzan names nobody else here, and takes no key."""
        if phone is None:
            raise VendorRefused("no phone")
        return api.give_coupon(shop, phone.removeprefix("+86"), template)


ADAPTER: Adapter = Youzan()
