"""A vendor of tests: what it says of messages and orders is put there by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graphql_api.connectors.adapters import CustomersPage, Handled, OrderRef, OrdersPage
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import Outcome
from graphql_api.kit.time import Clock
from graphql_api.orders.service import Snapshot


@dataclass
class Fake:
    """Handles what is put there; `raises` is what the next calls raise, in order."""

    outcome: Outcome = Outcome.APPLIED
    raises: list[BaseException] = field(default_factory=list)
    applied: list[bytes] = field(default_factory=list)
    pages: list[Sequence[OrderRef]] = field(default_factory=list)
    newcomers: list[Sequence[str]] = field(default_factory=lambda: [[]])
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    refreshed: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def apply(self, _shop: Shop, raw: bytes, _type: str | None, *, clock: Clock) -> Handled:
        del clock
        self._raise()
        self.applied.append(raw)
        return Handled(self.outcome)

    def changed_orders(
        self, _shop: Shop, _since: datetime, _until: datetime, cursor: str | None
    ) -> OrdersPage:
        page = int(cursor or 0)
        more = str(page + 1) if page + 1 < len(self.pages) else None
        return OrdersPage(self.pages[page] if self.pages else [], more)

    def order(self, _shop: Shop, external_id: str) -> Snapshot | None:
        self._raise()
        self.asked.append(external_id)
        return self.snapshots.get(external_id)

    def refresh(self, _shop: Shop, customer: str, **_: Any) -> Handled:
        self.refreshed.append(customer)
        return Handled(self.outcome)

    def new_customers(
        self, _shop: Shop, _since: datetime, _until: datetime, cursor: str | None
    ) -> CustomersPage:
        page = int(cursor or 0)
        more = str(page + 1) if page + 1 < len(self.newcomers) else None
        return CustomersPage(self.newcomers[page], more)

    def _raise(self) -> None:
        if self.raises:
            raise self.raises.pop(0)
