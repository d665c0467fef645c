"""A simulated day between a vendor and us, in virtual time: pushes, queues, and its outcome."""

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from graphql_api.connectors import queueing, service, tasks
from graphql_api.connectors.models import Shop
from graphql_api.connectors.queueing import Follow, Step, Tell, Wake
from graphql_api.connectors.rules import Vendor
from graphql_api.connectors.tasks import Early
from graphql_api.kit import queues
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import NewIdentity
from graphql_api.orders import repository as orders
from graphql_api.orders.service import attach, order_id_of
from graphql_api.stores import service as stores
from scripts.simulator.days import Happening
from scripts.simulator.pushes import Push
from scripts.simulator.weimob import Weimob
from scripts.simulator.world import World
from scripts.simulator.youzan import Youzan

BATCH = 20
TOLD_ONCE = ("OPEN_PUSH_SCRM_MEMBER_MERGE", "bos.user/")
"""What no question brings back when it is lost: who became whom. Nothing is lost of it here."""


@dataclass
class Patience:
    """A clock that waiting moves: who waits for a second loses none."""

    waited: timedelta = timedelta()

    def now(self) -> datetime:
        """The wall clock, and what was waited."""
        return datetime.now(UTC) + self.waited

    def sleep(self, seconds: float) -> None:
        """In place of waiting."""
        self.waited += timedelta(seconds=seconds)


@dataclass
class Line:
    """The queues of this slice, in virtual time: what is sent waits until it is due."""

    now: datetime
    waiting: list[tuple[datetime, int, str, dict[str, Any]]] = field(default_factory=list)
    numbers: Any = field(default_factory=itertools.count)
    handled: int = 0

    def send(self, url: str, messages: Sequence[queues.Message]) -> None:
        """In place of `queues.send`."""
        for message in messages:
            delay = timedelta(seconds=min(max(message.delay, 0), queues.LONGEST_DELAY))
            entry = (self.now + delay, next(self.numbers), url, message.body)
            heapq.heappush(self.waiting, entry)

    def run_until(self, until: datetime) -> None:
        """Follow what is due up to an instant; time is there afterwards."""
        while self.waiting and self.waiting[0][0] <= until:
            due, _, url, body = heapq.heappop(self.waiting)
            self.now = max(self.now, due)
            self.handled += 1
            try:
                self._follow(url, body)
            except Early:
                heapq.heappush(
                    self.waiting, (due + timedelta(seconds=1), next(self.numbers), url, body)
                )
        self.now = max(self.now, until)

    def run_out(self) -> None:
        """Follow everything, however late it is due."""
        while self.waiting:
            self.run_until(self.waiting[0][0])

    def _follow(self, url: str, body: dict[str, Any]) -> None:
        text = orjson.dumps(body).decode()
        wanted = queueing.read_out(text) if "outbox" in url else queueing.read(text)
        match wanted:
            case Follow():
                tasks.handle(wanted, now=lambda: self.now)
            case Wake():
                tasks.wake(wanted, now=lambda: self.now)
            case Step():
                tasks.step(wanted, now=lambda: self.now)
            case Tell():
                tasks.tell(wanted, now=lambda: self.now)
            case _:
                tasks.compare(wanted)


def _is_told_once(push: Push) -> bool:
    return push.kind.startswith(TOLD_ONCE) or b"is_log_off%22%3A+true" in push.raw


@dataclass
class Day:
    """A vendor's day: what happens there is pushed to us with its faults, and followed here."""

    peer: Youzan | Weimob
    world: World
    line: Line
    statuses: list[int] = field(default_factory=list)
    down: tuple[datetime, datetime] | None = None

    def run(self, happenings: Sequence[tuple[datetime, Happening]]) -> None:
        """All of it, a batch of pushes at a time."""
        batch: list[Push] = []
        for at, happens in happenings:
            for event in happens(self.world):
                batch += self.peer.pushes(event)
            if len(batch) >= BATCH:
                self._deliver(batch, at)
                batch = []
        self._deliver(batch, self.line.now)
        self.peer.faults.is_down = False
        self.line.run_out()

    def _deliver(self, batch: Sequence[Push], at: datetime) -> None:
        self._pass(at)
        for push in self.peer.faults.delivered(batch, _is_told_once):
            arrives = push.forged() if self.peer.faults.happens(self.peer.faults.forged) else push
            self.statuses.append(self._receive(arrives))
            if arrives is not push:  # what is not acknowledged comes again
                self.statuses.append(self._receive(push))

    def _pass(self, at: datetime) -> None:
        """Let time pass, through the outage where there is one."""
        for turn, is_down in zip(self.down or (), (True, False), strict=False):
            if self.line.now < turn <= at:
                self.line.run_until(turn)
                self.peer.faults.is_down = is_down
        self.line.run_until(at)

    def _receive(self, push: Push) -> int:
        headers = {name.lower(): value for name, value in push.headers.items()}
        vendor = Vendor(self.peer.name.upper())
        return service.receive(vendor, headers, push.raw, at=self.line.now).status


def reconcile(shop: Shop, world: World, line: Line) -> Any:
    """The reconciliation of a shop up to now, through the queue; the run."""
    line.now = max(line.now, datetime.now(UTC))
    run = service.begin_day(shop.id, line.now - timedelta(seconds=1), line.now)
    line.run_out()
    # Orders that came before their buyers: the stream of members brings them together.
    for no in world.orders:
        attach(order_id_of(shop.vendor.value.lower(), no), clock=stores.clock())
    return run


def person(shop: Shop, key: str) -> dict[str, Any] | None:
    """What a customer is here, as far as a vendor says so; None for nobody."""
    kind = IdentityKind(shop.vendor.value)
    member_id = member_service.find([NewIdentity(kind=kind, value=key)])
    member = members.get(member_id) if member_id else None
    if member is None:
        return None
    owned = member.ownership
    return {
        "name": member.name,
        "gender": member.gender,
        "birthday": (member.birthday, member.birth_year),
        "orders": member.facts.orders,
        "net": member.facts.paid - member.facts.refunded,
        "points": int(member.points),
        "tags": sorted(member.tags),
        "guide": owned.guide_id if owned else None,
        "store": member.store_id,
        "facts": member.facts,
    }


def order(shop: Shop, no: str) -> Any:
    """An order as it is here: its state, and whether it is somebody's."""
    known = orders.get(order_id_of(shop.vendor.value.lower(), no))
    return known and (known.state.body, known.state.refunds, known.state.settled)


def forget_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a process begin anew: what it remembers of shops, secrets and tokens."""
    from graphql_api.config import settings
    from graphql_api.connectors.secrets import secrets
    from graphql_api.connectors.tokens import tokens

    settings.cache_clear()
    secrets.forget()
    tokens.forget()
    service.known_shops.forget()
