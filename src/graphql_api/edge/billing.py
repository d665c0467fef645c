"""The bill of an operation: refused, paid before it runs, settled after, and shown."""

import ipaddress
from dataclasses import dataclass
from typing import Any

from graphql_api.config import settings
from graphql_api.edge.budgets import Budget
from graphql_api.edge.faults import NotExecuted, coded
from graphql_api.edge.limits import too_complex
from graphql_api.edge.throttle import Charge, throttle
from graphql_api.kit import secrecy
from graphql_api.viewer import DocumentPolicy, Role, Viewer

NOT_LET_THROUGH = 5
"""Points for a document that was read and does not run: it cost its parsing and validation."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What an operation was charged; nobody is charged where `charge` is None."""

    client: str
    budget: Budget
    requested: int
    charge: Charge | None


def client_of(viewer: Viewer, address: str | None) -> str:
    """Whose bucket it is: the viewer's, or that of the network which nobody in particular is in."""
    if viewer.role is not Role.ANONYMOUS:
        return f"{viewer.role}#{viewer.id}"
    network = _network(address or "")
    return f"{viewer.role}#{secrecy.keyed_hashes(settings().access_keys, network)[0]}"


def _network(address: str) -> str:
    """The address, of IPv6 the first half: a household has the other for itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64 if parsed.version == 6 else 32), strict=False))


async def charge(viewer: Viewer, address: str | None, requested: int) -> Bill:
    """Take what an operation may cost from its client; raises NotExecuted for what is too much."""
    budget = settings().budget_of(viewer.role)
    if requested > budget.per_operation:
        raise NotExecuted([too_complex("cost", requested, budget.per_operation)])
    client = client_of(viewer, address)
    if not settings().throttled or viewer.documents is DocumentPolicy.INTERNAL:
        return Bill(client, budget, requested, None)
    charged = await throttle.charge(client, requested, budget)
    bill = Bill(client, budget, requested, charged)
    if not charged.granted:
        message = f"Too much was asked lately; come again in {charged.retry_after} s"
        raise NotExecuted(
            [coded("THROTTLED", message)],
            headers={"retry-after": str(charged.retry_after)},
            extensions=_shown(bill, None, charged.available),
        )
    return bill


async def settle(bill: Bill, actual: int) -> dict[str, Any]:
    """Give back what was not needed; what the answer says of it, as its `extensions`."""
    if bill.charge is None:
        return {}
    unused = max(bill.requested - actual, 0)
    available = await throttle.settle(bill.client, unused, bill.budget)
    return _shown(bill, actual, available)


def _shown(bill: Bill, actual: int | None, available: int) -> dict[str, Any]:
    return {
        "cost": {
            "requestedQueryCost": bill.requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": bill.budget.capacity,
                "currentlyAvailable": available,
                "restoreRate": bill.budget.restore_rate,
            },
        }
    }
