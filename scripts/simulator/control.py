"""The side by which a simulated vendor is told what to do: a day, its pushes, its faults.

POST /control/youzan/day      {"orders": 200, "stores": ["52323"], "begin": "2018-01-01T01:00Z"}
POST /control/youzan/faults   {"lost": 0.1, "doubled": 0.2, "reach": 8, "outage": true}
POST /control/youzan/push     {"url": "http://127.0.0.1:8000/vendors/youzan", "pace": 0.01}
POST /control/youzan/totals   {}

WeChat is told otherwise: see wechat_control.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from threading import Lock
from types import MappingProxyType
from typing import Any

from scripts.simulator import server
from scripts.simulator.couriers import SCHEDULES, Courier
from scripts.simulator.days import Happening, Plan, happenings
from scripts.simulator.faults import Faults
from scripts.simulator.pushes import Push, Sender
from scripts.simulator.server import Simulator
from scripts.simulator.weimob import Weimob
from scripts.simulator.youzan import Youzan

Vendor = Youzan | Weimob
BATCH = 20
_SETTABLE = {each.name for each in fields(Faults) if each.init} - {"is_down"}
_OUTAGE = (0.4, 0.6)
"""Between which shares of a day's batches the vendor does not answer, where that is asked for."""

Told = tuple[int, Any]
NONE: Mapping[str, server.Control] = MappingProxyType({})


class Control:
    """What is asked below `/control/`; 400 says what was wrong."""

    def __init__(self, *vendors: Vendor, others: Mapping[str, server.Control] = NONE) -> None:
        self._vendors = {vendor.name: vendor for vendor in vendors}
        self._others = others
        self._days: dict[str, list[tuple[datetime, Happening]]] = {}
        self._has_outage: set[str] = set()

    def __call__(self, path: str, body: dict[str, Any], lock: Lock) -> Told:
        """Do as a path says; the lock is held while a world changes or is looked at."""
        name, _, wanted = path.partition("/")
        if other := self._others.get(name):
            return other(wanted, body, lock)
        vendor = self._vendors.get(name)
        if vendor is None:
            return 404, {"error": "there is no such vendor"}
        try:
            match wanted:
                case "day":
                    return 200, self._day(vendor, body)
                case "faults":
                    return 200, self._faults(vendor, body, lock)
                case "push":
                    return 200, self._push(vendor, body, lock)
                case "totals":
                    with lock:
                        return 200, totals(vendor)
        except (TypeError, ValueError, KeyError) as wrong:
            return 400, {"error": str(wrong)}
        return 404, {"error": "there is nothing here"}

    def _day(self, vendor: Vendor, body: dict[str, Any]) -> dict[str, int]:
        begin = datetime.fromisoformat(body.pop("begin"))
        seed = int(body.pop("seed", 1))
        self._days[vendor.name] = happenings(Plan(**body), begin, seed)
        return {"happenings": len(self._days[vendor.name])}

    def _faults(self, vendor: Vendor, body: dict[str, Any], lock: Lock) -> dict[str, Any]:
        has_outage = bool(body.pop("outage", False))
        with lock:
            vendor.faults = faults_of(body)
        (self._has_outage.add if has_outage else self._has_outage.discard)(vendor.name)
        return {}

    def _push(self, vendor: Vendor, body: dict[str, Any], lock: Lock) -> dict[str, Any]:
        sender = Sender(body["url"])
        schedule = SCHEDULES[vendor.name]
        courier = Courier(sender.send, vendor.faults, schedule, float(body.get("pace", 0.01)))
        day = self._days.pop(vendor.name, [])
        try:
            for begun in range(0, len(day), BATCH):
                with lock:
                    self._break(vendor, begun / len(day))
                    batch = _happen(vendor, day[begun : begun + BATCH])
                courier.deliver(batch)
            vendor.faults.is_down = False
            courier.finish()
        finally:
            vendor.faults.is_down = False
            sender.close()
        return courier.report()

    def _break(self, vendor: Vendor, share: float) -> None:
        down_from, up_from = _OUTAGE
        vendor.faults.is_down = vendor.name in self._has_outage and down_from <= share < up_from


def faults_of(body: dict[str, Any]) -> Faults:
    """Faults as they are told; ValueError names those that there are not."""
    if unknown := set(body) - _SETTABLE:
        raise ValueError(f"no such faults: {', '.join(sorted(unknown))}")
    return Faults(**body)


def totals(vendor: Vendor) -> dict[str, Any]:
    """What the vendor's world comes to: what each customer does, and each order; fen."""
    orders = vendor.world.orders.values()
    return {
        "customers": vendor.world.totals(),
        "orders": {order.no: {"paid": order.paid, "refunded": order.refunded} for order in orders},
    }


def _happen(vendor: Vendor, happening: Sequence[tuple[datetime, Happening]]) -> list[Push]:
    return [
        push
        for _, happens in happening
        for event in happens(vendor.world)
        for push in vendor.pushes(event)
    ]


@contextmanager
def serve(
    *vendors: Vendor, port: int = 0, platforms: Sequence[tuple[server.Peer, server.Control]] = ()
) -> Iterator[Simulator]:
    """Vendors and platforms that can be told what to do, for the while."""
    peers = [peer for peer, _ in platforms]
    control = Control(*vendors, others={peer.name: told for peer, told in platforms})
    with server.serve(*vendors, *peers, port=port, control=control) as simulator:
        yield simulator
