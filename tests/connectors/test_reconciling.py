"""Reconciliations find what a push lost, report it, and go on wherever they were stopped."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graphql_api.connectors import repository, service
from graphql_api.connectors.adapters import OrderRef
from graphql_api.connectors.errors import Later, NotLinked, VendorRefused
from graphql_api.connectors.models import Run, Shop
from graphql_api.connectors.queueing import Step
from graphql_api.connectors.rules import LinkKind, Outcome, Problem, RunState, Vendor
from graphql_api.connectors.service import ShopChange, ShopLink, begin_day
from graphql_api.connectors.tasks import Early, reconciling, step
from graphql_api.connectors.told import Unreadable
from graphql_api.handlers import vendor_reconciliation
from graphql_api.handlers.vendor_reconciliation import last_end
from graphql_api.kit import queues
from graphql_api.kit.time import real_now
from graphql_api.orders import repository as orders
from graphql_api.orders import service as order_service
from graphql_api.orders.service import Snapshot, order_id_of
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.connectors.fakes import Fake
from tests.factories import CLOCK, make_snapshot, make_store


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    vendor = Fake(outcome=Outcome.UNCHANGED)
    monkeypatch.setattr(reconciling, "adapter_of", lambda _: vendor)
    return vendor


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[queues.Message]:
    sent: list[queues.Message] = []
    monkeypatch.setattr(queues, "send", lambda _url, all_: sent.extend(all_))
    return sent


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


@pytest.fixture
def shop(store: Store, queued: list[queues.Message]) -> Shop:
    given = ShopLink(vendor=Vendor.YOUZAN, vendor_key="1001", client_id="app-1", name="店")
    return service.link(given, viewer=SYSTEM, at=real_now())


def order(store: Store, no: str, revision: int = 1) -> Snapshot:
    known = make_snapshot(store, external_id=no, revision=revision)
    return known.model_copy(update={"source": "youzan"})


def begun(shop: Shop) -> Run:
    at = real_now()
    return begin_day(shop.id, at - timedelta(hours=1), at)


def run_out(run: Run, queued: list[queues.Message], *, at: datetime | None = None) -> Run:
    """Take the steps that are queued, until there is none."""
    while queued:
        step(Step(**queued.pop(0).body), now=lambda: at or real_now(), clock=lambda: CLOCK)
    now = repository.get_run(run.id)
    assert now is not None
    return now


def test_missing_and_older_orders_are_taken_in_and_the_same_are_not_asked_for(
    shop: Shop, store: Store, fake: Fake, queued: list[queues.Message]
) -> None:
    for no, revision in (("same", 5), ("older", 4)):
        order_service.apply(order(store, no, revision), clock=CLOCK)
    fake.snapshots = {no: order(store, no, 5) for no in ("older", "missing", "refunded")}
    fake.pages = [
        [OrderRef("same", 5, "c1"), OrderRef("older", 5, "c2"), OrderRef("missing", 5, "c1")],
        [OrderRef("refunded"), OrderRef("unpaid", 9)],
    ]
    fake.newcomers = [["c3"], ["c1"]]
    run = run_out(begun(shop), queued)
    assert (run.state, run.ended_at is not None) == (RunState.DONE, True)
    assert run.counts == {"asked": 5, "same": 2, "mended": 3, "customers": 4}
    assert run.differences == [
        ["older", "DIFFERENT"],
        ["missing", "MISSING"],
        ["refunded", "MISSING"],
    ]
    assert fake.asked == ["older", "missing", "refunded", "unpaid"]
    assert fake.refreshed == ["c1", "c2", "c3", "c1"]
    found = orders.get_many([order_id_of("youzan", no) for no in ("older", "missing")])
    assert [known.state.body.revision for known in found if known and known.state.body] == [5, 5]


@pytest.mark.parametrize(
    ("error", "difference"),
    [
        (NotLinked(LinkKind.STORE, "9"), "NOT_LINKED"),
        (Unreadable("x"), "UNREADABLE"),
        (VendorRefused("5000"), "REFUSED"),
        (ZeroDivisionError(), "FAILED"),
    ],
)
def test_order_that_cannot_be_taken_in_is_reported_and_the_run_goes_on(
    shop: Shop,
    store: Store,
    fake: Fake,
    queued: list[queues.Message],
    error: Exception,
    difference: str,
) -> None:
    fake.raises = [error]
    fake.snapshots = {"good": order(store, "good")}
    fake.pages = [[OrderRef("bad"), OrderRef("good")]]
    run = run_out(begun(shop), queued)
    assert (run.state, run.counts["lost"], run.counts["mended"]) == (RunState.DONE, 1, 1)
    assert run.differences == [["bad", difference], ["good", "MISSING"]]


def test_busy_vendor_has_the_step_taken_again_in_a_minute(
    shop: Shop, store: Store, fake: Fake, queued: list[queues.Message]
) -> None:
    fake.snapshots = {no: order(store, no) for no in ("one", "two")}
    fake.pages = [[OrderRef("one"), OrderRef("two")]]
    run = begun(shop)
    first = Step(**queued.pop().body)
    step(first, clock=lambda: CLOCK)
    assert [message.body for message in queued] == [{"run": run.id, "step": 1}]
    queued.clear()
    fake.raises = [Later(5)]
    again = repository.get_run(run.id)
    assert again is not None
    fake.newcomers = [["c1"]]

    def busy(*_: Any, **__: Any) -> Any:
        raise Later(5)

    fake.new_customers = busy  # type: ignore[method-assign]
    step(Step(run=run.id, step=1), clock=lambda: CLOCK)
    [later] = queued
    assert (later.body, later.delay) == ({"run": run.id, "step": 1}, 60)
    del fake.new_customers
    fake.raises = []
    done = run_out(run, queued)
    assert (done.state, done.counts["mended"], done.problem) == (RunState.DONE, 2, None)


def test_run_of_a_shop_that_is_paused_is_put_off(
    shop: Shop, fake: Fake, queued: list[queues.Message]
) -> None:
    fake.pages = [[OrderRef("one", 1)]]
    run = begun(shop)
    service.change(ShopChange(id=shop.id, paused=True), viewer=SYSTEM, at=real_now())
    step(Step(**queued.pop().body), clock=lambda: CLOCK)
    [later] = queued
    assert (later.body, later.delay) == ({"run": run.id, "step": 0}, 900)
    service.change(ShopChange(id=shop.id, paused=False), viewer=SYSTEM, at=real_now())
    queued[:] = [message for message in queued if "run" in message.body]
    assert run_out(run, queued).state is RunState.DONE


def test_run_that_gets_nowhere_for_a_day_is_given_up(
    shop: Shop, fake: Fake, queued: list[queues.Message]
) -> None:
    fake.pages = [[OrderRef("one")]]
    fake.raises = [Later(5)]
    run = run_out(begun(shop), queued, at=real_now() + timedelta(hours=25))
    assert (run.state, run.problem) == (RunState.FAILED, Problem.BUSY)


def test_death_in_a_step_is_made_good_by_the_same_step(
    shop: Shop,
    store: Store,
    fake: Fake,
    queued: list[queues.Message],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake.snapshots = {no: order(store, no) for no in ("one", "two")}
    fake.pages = [[OrderRef("one")], [OrderRef("two")]]
    run = begun(shop)
    with monkeypatch.context() as dying:
        dying.setattr(repository, "save_run", lambda *_: exit())
        with pytest.raises(SystemExit):
            step(Step(**queued[0].body), clock=lambda: CLOCK)
    done = run_out(run, queued)
    assert (done.state, done.counts["asked"]) == (RunState.DONE, 2)
    assert all(orders.get_many([order_id_of("youzan", no) for no in ("one", "two")]))


def test_order_refused_in_each_attempt_of_a_step_is_listed_once(
    shop: Shop, fake: Fake, queued: list[queues.Message]
) -> None:
    fake.pages = [[OrderRef("bad"), OrderRef("busy")]]
    fake.raises = [VendorRefused("1"), Later(5), VendorRefused("1")]
    run = run_out(begun(shop), queued)
    assert (run.counts["lost"], run.differences) == (1, [["bad", "REFUSED"]])


def test_two_messages_for_a_step_count_it_once(
    shop: Shop, store: Store, fake: Fake, queued: list[queues.Message]
) -> None:
    fake.pages = [[OrderRef("one", 1)], [OrderRef("two", 1)]]
    run = begun(shop)
    queued += list(queued)
    done = run_out(run, queued)
    assert done.counts == {"asked": 2, "same": 2}


def test_step_that_is_faster_than_its_note_comes_again(
    shop: Shop, fake: Fake, queued: list[queues.Message]
) -> None:
    fake.pages = [[OrderRef("one", 1)], [OrderRef("two", 1)]]
    run = begun(shop)
    with pytest.raises(Early):
        step(Step(run=run.id, step=1), clock=lambda: CLOCK)
    assert run_out(run, queued).state is RunState.DONE


def test_hundred_differences_are_shown(
    shop: Shop, fake: Fake, queued: list[queues.Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "SHOWN", 2)
    fake.pages = [[OrderRef(f"E{n}") for n in range(4)]]
    fake.raises = [VendorRefused("1") for _ in range(4)]
    run = run_out(begun(shop), queued)
    assert (run.counts["lost"], len(run.differences)) == (4, 2)


def test_run_whose_step_was_lost_goes_on_after_half_an_hour(
    shop: Shop, queued: list[queues.Message]
) -> None:
    at = real_now()
    run = begin_day(shop.id, at, at)
    queued.clear()
    begin_day(shop.id, at, at + timedelta(minutes=15))
    assert queued == []
    begin_day(shop.id, at, at + timedelta(minutes=31))
    assert [message.body for message in queued] == [{"run": run.id, "step": 0}]


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2018-06-01T19:59:59+00:00", "2018-05-31T20:00:00+00:00"),
        ("2018-06-01T20:00:00+00:00", "2018-06-01T20:00:00+00:00"),
        ("2018-06-02T15:59:59+00:00", "2018-06-01T20:00:00+00:00"),
    ],
)
def test_day_of_a_run_begins_at_four_where_the_chain_is(now: str, end: str) -> None:
    found = last_end(datetime.fromisoformat(now), "Asia/Shanghai")
    assert found.astimezone(UTC) == datetime.fromisoformat(end)


def test_clock_begins_one_run_a_day_for_each_shop_that_is_not_paused(
    shop: Shop, queued: list[queues.Message]
) -> None:
    context: Any = type("Context", (), {"function_name": "x", "aws_request_id": "1"})()
    other = ShopLink(vendor=Vendor.WEIMOB, vendor_key="1", client_id="app-2", name="店")
    paused = service.link(other, viewer=SYSTEM, at=real_now())
    service.change(ShopChange(id=paused.id, paused=True), viewer=SYSTEM, at=real_now())
    for _ in range(2):
        told = vendor_reconciliation.handler({}, context)
        assert told == {"swept": 0, "runs": 1}
    page = repository.page_of_runs(shop.id, first=5, after=None, reverse=False)
    assert len(page.items) == 1
    assert [message.body["step"] for message in queued] == [0]
