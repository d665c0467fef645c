"""A day with every fault ends, after reconciliation, where the undisturbed day ends."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graphql_api.connectors import repository, service
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, MessageState, PointsMaster, RunState, Vendor
from graphql_api.connectors.service import LinkSet, MasterSet, ShopLink
from graphql_api.kit import queues
from graphql_api.policies.rules import PolicyKind
from graphql_api.viewer import SYSTEM
from scripts.simulator import server
from scripts.simulator.days import Plan, happenings
from scripts.simulator.faults import Faults
from scripts.simulator.world import World
from scripts.simulator.youzan import Youzan
from tests.connectors.simulated import Day, Line, forget_process, order, person, reconcile
from tests.factories import make_guide, make_store
from tests.policies.factories import make_draft, publish
from tests.tags.factories import make_tag

SEED = 20
BEGIN = (datetime.now(UTC) - timedelta(hours=15)).replace(second=0, microsecond=0)
STORES, GUIDES, TAGS = ("52323", "52324"), ("xiaohua", "xiaoming"), ("高价值", "油性皮肤")
PLAN = Plan(STORES, GUIDES, orders=40, customers=16, tags=TAGS)
FAULTS = {
    "lost": 0.1,
    "doubled": 0.2,
    "reach": 8,
    "forged": 0.05,
    "failing": 0.02,
    "tokens_last": 3,
}


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    """The queues, in virtual time."""
    made = Line(BEGIN)
    monkeypatch.setattr(queues, "send", made.send)
    return made


@pytest.fixture
def ours(chain: str, line: Line) -> dict[str, str]:
    """What the vendor's things are here, by its keys. Orders earn nothing by themselves."""
    service.set_master(MasterSet(master=PointsMaster.YOUZAN), viewer=SYSTEM, at=BEGIN)
    publish(make_draft(PolicyKind.POINTS, {"excludedChannels": ["STORE", "MALL"]}))
    stores = {key: make_store(f"S{key}") for key in STORES}
    guides = {
        key: make_guide(stores[STORES[n]], key, wecom_user_id=key) for n, key in enumerate(GUIDES)
    }
    tags = {name: make_tag(name=name) for name in TAGS}
    ids = {key: store.id for key, store in stores.items()}
    ids |= {key: guide.id for key, guide in guides.items()}
    return ids | {name: tag.id for name, tag in tags.items()}


def linked(ours: dict[str, str], key: str) -> Shop:
    shop = service.link(
        ShopLink(
            vendor=Vendor.YOUZAN,
            vendor_key=key,
            client_id=f"app-{key}",
            name="旗舰店",
            default_store_id=ours[STORES[0]],
        ),
        viewer=SYSTEM,
        at=BEGIN,
    )
    kinds = {LinkKind.STORE: STORES, LinkKind.GUIDE: GUIDES, LinkKind.TAG: TAGS}
    for kind, keys in kinds.items():
        for each in keys:
            link = LinkSet(shop_id=shop.id, kind=kind, vendor_key=each, our_id=ours[each])
            service.set_link(link, viewer=SYSTEM, at=BEGIN)
    return shop


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("APP_YOUZAN_APPS", json.dumps({"app-1001": "s1", "app-1002": "s2"}))
    monkeypatch.setenv("APP_VENDOR_QUEUE_URL", "messages")
    monkeypatch.setenv("APP_VENDOR_OUTBOX_QUEUE_URL", "outbox")
    yield
    forget_process(monkeypatch)


def lived(
    key: str,
    ours: dict[str, str],
    line: Line,
    monkeypatch: pytest.MonkeyPatch,
    prefix: str,
    **faults: Any,
) -> tuple[Shop, Day]:
    """The same day at a shop of its own, with these faults, then its reconciliation."""
    world = World()
    peer = Youzan(
        world, Faults(SEED, **faults), client_id=f"app-{key}", secret=f"s{key[-1]}", shop=key
    )
    line.now = BEGIN
    with server.serve(peer) as simulator:
        monkeypatch.setenv("APP_YOUZAN_BASE_URL", simulator.url)
        forget_process(monkeypatch)
        shop = linked(ours, key)
        day = Day(peer, world, line)
        if faults:
            day.down = BEGIN + timedelta(hours=5), BEGIN + timedelta(hours=6)
        day.run(happenings(replace(PLAN, prefix=prefix), BEGIN, SEED))
        run = reconcile(shop, line)
        known = repository.get_run(run.id)
        assert known is not None
        assert (known.state, known.counts.get("lost", 0)) == (RunState.DONE, 0)
        assert bool(known.counts.get("mended", 0)) is bool(faults)
        assert simulator.refused > (10 if faults else -1)
    return shop, day


def test_day_of_faults_ends_where_the_undisturbed_day_ends(
    apps: None, ours: dict[str, str], line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm_shop, calm = lived("1001", ours, line, monkeypatch, "a")
    wild_shop, wild = lived("1002", ours, line, monkeypatch, "b", **FAULTS)
    assert set(calm.statuses) == {200}
    assert wild.statuses.count(401) > 3

    for shop in (calm_shop, wild_shop):
        dead = repository.page_of_open_messages(
            shop.id, MessageState.DEAD, first=10, after=None, reverse=False
        )
        waiting = repository.page_of_open_messages(
            shop.id, MessageState.WAITING, first=10, after=None, reverse=False
        )
        assert [(m.type, m.problem, m.detail) for m in (*dead.items, *waiting.items)] == []

    for no in calm.world.orders:
        one, other = order(calm_shop, no), order(wild_shop, f"b{no[1:]}")
        assert told(one) == told(other)
    totals = calm.world.totals()
    assert len(totals) == PLAN.customers - 2
    for key, total in totals.items():
        one, other = person(calm_shop, key), person(wild_shop, f"b{key[1:]}")
        assert one == other
        assert one is not None
        expected = total | {
            "tags": sorted(ours[tag] for tag in total["tags"]),
            "guide": total["guide"] and ours[total["guide"]],
        }
        assert {name: one[name] for name in expected} == expected
    assert_gone(calm_shop, calm.world)
    assert_gone(wild_shop, wild.world)


def told(known: Any) -> Any:
    """An order without the names that differ between the two shops."""
    text = repr(known)
    for prefix in "ab":
        text = text.replace(f"{prefix}E", "E").replace(f"{prefix}c0", "c0")
    return text


def assert_gone(shop: Shop, world: World) -> None:
    """Who closed their account is nobody here."""
    [gone] = [customer for customer in world.customers.values() if customer.is_closed]
    assert person(shop, gone.key) is None
