"""Reconciliation 对账: the vendor is asked for what changed, and what a push lost is taken in.

A run goes step by step through the queue: a page of orders, then customers. Each step does its part
before it is noted, so that one that died is done again and finds what is done.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import orjson

from graphql_api.connectors import queueing, repository
from graphql_api.connectors.adapters import Adapter, OrderRef, adapter_of
from graphql_api.connectors.doors import orders as order_door
from graphql_api.connectors.errors import Later
from graphql_api.connectors.models import Run, Shop
from graphql_api.connectors.queueing import Step
from graphql_api.connectors.rules import Difference, Outcome, Problem, RunState
from graphql_api.connectors.tasks.attempts import Attempt, attempted
from graphql_api.connectors.tasks.handling import Early
from graphql_api.errors import Conflict
from graphql_api.kit import queues
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock, real_now
from graphql_api.observability import count, logger
from graphql_api.orders import repository as orders
from graphql_api.orders.service import order_id_of
from graphql_api.stores import service as stores

SHOWN = 100
_AGAIN_AFTER = 60.0
_NOTED_WITHIN = 2.0
_GIVEN_UP_AFTER = timedelta(hours=24)
_ORDERS, _CUSTOMERS = "orders", "customers"
_LOST = {
    Problem.NOT_LINKED: Difference.NOT_LINKED,
    Problem.UNREADABLE: Difference.UNREADABLE,
    Problem.REFUSED: Difference.REFUSED,
    Problem.VENDOR_REFUSED: Difference.REFUSED,
    Problem.FAILED: Difference.FAILED,
}


def step(
    wanted: Step,
    *,
    now: Callable[[], datetime] = real_now,
    clock: Callable[[], Clock] = stores.clock,
) -> None:
    """Take a run's next step, unless it was taken; leave the one behind it to another message.

    Raises Early for a step whose predecessor is not noted yet.
    """
    run = repository.get_run(wanted.run)
    if run is None or run.state is not RunState.RUNNING or wanted.step < run.step:
        return
    if wanted.step > run.step:
        raise Early
    shop = repository.get_shop(run.shop_id)
    if shop is None:
        _end(run, RunState.FAILED, Problem.NOT_SET_UP, now())
        return
    if shop.paused:
        queueing.step(run.id, int(run.step), queues.LONGEST_DELAY)
        return
    work = _Work(run, shop, adapter_of(shop.vendor), clock())
    with attempted("reconciliation failed", run=run.id) as attempt:
        work.go_on()
    if attempt.problem is None:
        _note(run, work, now())
    else:
        _again(run, work, attempt, now())


class _Work:
    """One step: what it found, and where the next one begins."""

    def __init__(self, run: Run, shop: Shop, adapter: Adapter, clock: Clock) -> None:
        self.run, self.shop, self.adapter, self.clock = run, shop, adapter, clock
        self.counts: dict[str, int] = dict(run.counts)
        self.differences: list[list[str]] = list(run.differences)
        self.cursor: str | None = run.cursor

    def go_on(self) -> None:
        """A page of orders, or one of customers behind them."""
        what, cursor = orjson.loads(self.run.cursor) if self.run.cursor else (_ORDERS, None)
        if what == _ORDERS:
            page = self.adapter.changed_orders(self.shop, self.run.since, self.run.until, cursor)
            self._compare(page.orders)
            self._at(_ORDERS if page.cursor else _CUSTOMERS, page.cursor)
            return
        new = self.adapter.new_customers(self.shop, self.run.since, self.run.until, cursor)
        self._refresh(new.customers)
        if new.cursor is None:
            self.cursor = None
        else:
            self._at(_CUSTOMERS, new.cursor)

    def _at(self, what: str, cursor: str | None) -> None:
        self.cursor = orjson.dumps([what, cursor]).decode()

    def _compare(self, refs: Any) -> None:
        """Take in what is missing or different; what is the same is not asked for."""
        refs = list({ref.external_id: ref for ref in refs}.values())
        source = self.shop.vendor.value.lower()
        ids = [order_id_of(source, ref.external_id) for ref in refs]
        for ref, known in zip(refs, orders.get_many(ids), strict=True):
            self._count("asked")
            body = known.state.body if known else None
            if ref.revision is not None and body and body.revision == ref.revision:
                self._count("same")
            else:
                self._take_in(ref, is_here=known is not None)
        self._refresh([ref.customer for ref in refs if ref.customer])

    def _take_in(self, ref: OrderRef, *, is_here: bool) -> None:
        outcome = Outcome.IGNORED
        with attempted("order not reconciled", run=self.run.id) as attempt:
            snapshot = self.adapter.order(self.shop, ref.external_id)
            outcome = order_door.apply(snapshot, clock=self.clock)
        if attempt.problem is None:
            is_mended = outcome is Outcome.APPLIED
            self._count("mended" if is_mended else "same")
            if is_mended:
                self._show(ref, Difference.DIFFERENT if is_here else Difference.MISSING)
        elif lost := _LOST.get(attempt.problem):
            self._count("lost")
            self._show(ref, lost)
        else:
            raise Later(attempt.seconds)

    def _refresh(self, customers: Any) -> None:
        for customer in dict.fromkeys(customers):
            self._count("customers")
            outcome = Outcome.IGNORED
            with attempted("customer not reconciled", run=self.run.id) as attempt:
                event_id = f"{self.run.id}:{self.run.step}"
                outcome = self.adapter.refresh(
                    self.shop, customer, event_id=event_id, clock=self.clock
                ).outcome
            if attempt.problem is not None and attempt.problem not in _LOST:
                raise Later(attempt.seconds)
            if outcome is Outcome.APPLIED:
                self._count("customers_mended")

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def _show(self, ref: OrderRef, difference: Difference) -> None:
        row = [ref.external_id, difference.value]
        if row not in self.differences and len(self.differences) < SHOWN:
            self.differences.append(row)


def _note(run: Run, work: _Work, at: datetime) -> None:
    run.counts, run.differences, run.cursor = work.counts, work.differences, work.cursor
    run.step = int(run.step) + 1
    run.problem = None
    if work.cursor is None:
        _end(run, RunState.DONE, None, at)
        return
    queueing.step(run.id, int(run.step), _NOTED_WITHIN)
    _save(run, at)


def _again(run: Run, work: _Work, attempt: Attempt, at: datetime) -> None:
    """The same step again in a minute, for a day. What was mended is no difference by then."""
    run.differences = work.differences
    run.counts |= {name: n for name, n in work.counts.items() if name.endswith("mended")}
    if at - run.started_at > _GIVEN_UP_AFTER:
        _end(run, RunState.FAILED, attempt.problem, at)
        return
    queueing.step(run.id, int(run.step), max(_AGAIN_AFTER, attempt.seconds))
    run.problem = attempt.problem
    _save(run, at)


def _end(run: Run, state: RunState, problem: Problem | None, at: datetime) -> None:
    run.state, run.problem, run.ended_at = state, problem, at
    _save(run, at)
    count(f"RECONCILIATION_{state.value}")
    logger.info("reconciliation ended", run=run.id, state=state.value, counts=run.counts)


def _save(run: Run, at: datetime) -> None:
    """Write a run, unless the same step was taken by another message meanwhile."""
    run.moved_at = at

    def attempt(tx: Transaction) -> None:
        repository.save_run(tx, run)

    with suppress(Conflict):
        transact(attempt, seconds=0)
