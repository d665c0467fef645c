"""What each vendor's part can do, in the words of this slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import Outcome, Vendor
from graphql_api.kit.time import Clock

if TYPE_CHECKING:
    from graphql_api.orders.service import Snapshot  # who receives does not pay for it

_HERE = "graphql_api.connectors"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the envelope of a message says that its sender was believed for.

    `identity` is the same for every time that it is sent. `shop_keys` are what the shop may be
    known by, the whole chain first; `version` orders messages of one type and subject. `delay` is
    after how many seconds it can be followed.
    """

    client_id: str
    shop_keys: tuple[str, ...]
    identity: str
    type: str
    subject: str | None = None
    version: int | None = None
    event_type: str | None = None
    delay: int = 0
    is_test: bool = False


class Refusal(Exception):
    """A body that is not taken: the status and what to answer, in the vendor's shape."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(status))
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Handled:
    """What a message came to, and a word about it that names nobody."""

    outcome: Outcome
    note: str | None = None


@dataclass(frozen=True, slots=True)
class OrderRef:
    """An order that changed at the vendor, and whose; `revision` as its snapshot would have it.

    Without one it has to be asked for.
    """

    external_id: str
    revision: int | None = None
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """Some of the orders that changed, and where the next are; None at the end."""

    orders: Sequence[OrderRef]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class CustomersPage:
    """Some customers, by the vendor's ids, and where the next are; None at the end."""

    customers: Sequence[str]
    cursor: str | None = None


class Adapter(Protocol):
    """One vendor. Calls raise Later, VendorRefused or NotSetUp; customers are the vendor's ids."""

    @property
    def acknowledgement(self) -> dict[str, Any]:
        """What a vendor is answered so that they do not send a message again."""

    def refusal(self, status: int, text: str) -> Refusal:
        """A body that is not taken, said as the vendor reads it."""

    def arrive(self, headers: Mapping[str, str], raw: bytes) -> Arrival:
        """The envelope of a body whose signature holds; header names are in lower case.

        Raises Refusal: 401 for who is unknown or signed wrongly, 400 for what cannot be read.
        """

    def apply(self, shop: Shop, raw: bytes, event_type: str | None, *, clock: Clock) -> Handled:
        """Have a message followed here; again, it is UNCHANGED or STALE.

        Raises Unreadable and NotLinked besides, and what the doors refuse.
        """

    def changed_orders(
        self, shop: Shop, since: datetime, until: datetime, cursor: str | None
    ) -> OrdersPage:
        """Orders that changed in a window, those with refunds that did too; some come twice."""

    def order(self, shop: Shop, external_id: str) -> "Snapshot | None":
        """An order as the vendor has it now; None if it was never paid. Raises NotLinked."""

    def refresh(self, shop: Shop, customer: str, *, event_id: str, clock: Clock) -> Handled:
        """Ask for a customer as they are there now, and have that be so here."""

    def new_customers(
        self, shop: Shop, since: datetime, until: datetime, cursor: str | None
    ) -> CustomersPage:
        """Customers who became such in a window."""

    def points_of(self, shop: Shop, customer: str) -> int:
        """What a customer has there."""

    def change_points(
        self, shop: Shop, customer: str, points: int, *, key: str, reason: str
    ) -> None:
        """Give or take points there, once for a key; the caller sees to one at a time."""

    def change_tags(
        self, shop: Shop, customer: str, add: Sequence[str], remove: Sequence[str]
    ) -> None:
        """Give and take tags there, by the vendor's keys; what is so already stays."""

    def set_guide(self, shop: Shop, customer: str, guide: str | None) -> None:
        """Have a guide, by the vendor's key, or nobody look after a customer there."""

    def give_coupon(
        self, shop: Shop, customer: str, template: str, *, phone: str | None, key: str
    ) -> str:
        """Give a coupon of the vendor's template; its code there. See `gives_once`."""

    @property
    def gives_once(self) -> bool:
        """Whether the vendor gives one coupon for a key, however often it is asked."""


class Receiver(Protocol):
    """The part of a vendor that takes bodies in; a module, which loads nothing else."""

    ACKNOWLEDGEMENT: dict[str, Any]

    def refusal(self, status: int, text: str) -> Refusal:
        """See `Adapter`."""

    def arrive(self, headers: Mapping[str, str], raw: bytes) -> Arrival:
        """See `Adapter`."""


def receiver_of(vendor: Vendor) -> Receiver:
    """What takes a vendor's bodies in."""
    return cast("Receiver", import_module(f"{_HERE}.{vendor.value.lower()}.receiving"))


def adapter_of(vendor: Vendor) -> Adapter:
    """The part of a vendor, loaded when it is needed."""
    adapter: Adapter = import_module(f"{_HERE}.{vendor.value.lower()}.adapter").ADAPTER
    return adapter
