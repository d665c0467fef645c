"""A day with every fault ends, after reconciliation, where the undisturbed day ends."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graphql_api.connectors import rates, repository, service
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import (
    CopyKind,
    CopyState,
    LinkKind,
    MessageState,
    PointsMaster,
    RunState,
    Vendor,
)
from graphql_api.connectors.service import LinkSet, MasterSet, ShopChange, ShopLink, copies
from graphql_api.kit import queues
from graphql_api.kit.time import Clock
from graphql_api.members.rules import IdentityKind, TagSource
from graphql_api.members.service import NewIdentity
from graphql_api.ownership.service import TakeOver, take_over
from graphql_api.points.service import Cause, grant
from graphql_api.policies.rules import PolicyKind
from graphql_api.stores import repository as stores
from graphql_api.tags.service import TagsSet, set_tags_as
from graphql_api.viewer import SYSTEM
from scripts.simulator import server
from scripts.simulator.days import Plan, happenings
from scripts.simulator.faults import Faults
from scripts.simulator.weimob import Weimob
from scripts.simulator.world import World
from scripts.simulator.youzan import Youzan
from tests.connectors.simulated import Day, Line, Patience, forget_process, order, person, reconcile
from tests.factories import make_guide, make_member, make_store
from tests.policies.factories import make_draft, publish
from tests.tags.factories import make_tag

BEGIN = (datetime.now(UTC) - timedelta(hours=15)).replace(second=0, microsecond=0)
STORES, GUIDES = ("52323", "52324"), ("61101", "61102")


@dataclass(frozen=True)
class Case:
    """A vendor: its day, by which seed, and how prefixes and shops are written there."""

    vendor: Vendor
    peer: type[Youzan | Weimob]
    tags: tuple[str, str]
    shops: tuple[str, str]
    prefixes: tuple[str, str]
    seed: int

    @property
    def plan(self) -> Plan:
        """A day."""
        is_numeric = self.vendor is Vendor.WEIMOB
        return Plan(STORES, GUIDES, orders=40, customers=16, tags=self.tags, is_numeric=is_numeric)


CASES = [
    Case(Vendor.YOUZAN, Youzan, ("高价值", "油性皮肤"), ("1001", "1002"), ("calm", "wild"), 20),
    Case(
        Vendor.WEIMOB, Weimob, ("301:3011", "302"), ("4001", "4002"), ("71000001", "72000002"), 20
    ),
]
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
def patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    """Waiting for a place among the calls of a second, without waiting."""
    made = Patience()
    defaults = {"now": made.now, "sleep": made.sleep}
    monkeypatch.setattr(rates.take, "__kwdefaults__", defaults)
    return made


@pytest.fixture(params=CASES, ids=lambda case: case.vendor.lower())
def case(request: pytest.FixtureRequest) -> Case:
    """Each vendor."""
    chosen: Case = request.param
    return chosen


@pytest.fixture
def ours(chain: str, line: Line, case: Case) -> dict[str, str]:
    """What the vendor's things are here, by its keys. Orders earn nothing by themselves."""
    master = MasterSet(master=PointsMaster(case.vendor.value))
    service.set_master(master, viewer=SYSTEM, at=BEGIN)
    publish(make_draft(PolicyKind.POINTS, {"excludedChannels": ["STORE", "MALL"]}))
    stores = {key: make_store(f"S{key}") for key in STORES}
    guides = {
        key: make_guide(stores[STORES[n]], key, wecom_user_id=key) for n, key in enumerate(GUIDES)
    }
    tags = {name: make_tag(name=name) for name in case.tags}
    ids = {key: store.id for key, store in stores.items()}
    ids |= {key: guide.id for key, guide in guides.items()}
    return ids | {name: tag.id for name, tag in tags.items()}


def linked(case: Case, ours: dict[str, str], key: str) -> Shop:
    shop = service.link(
        ShopLink(
            vendor=case.vendor,
            vendor_key=key,
            client_id=f"app-{key}",
            name="旗舰店",
            default_store_id=ours[STORES[0]],
        ),
        viewer=SYSTEM,
        at=BEGIN,
    )
    kinds = {LinkKind.STORE: STORES, LinkKind.GUIDE: GUIDES, LinkKind.TAG: case.tags}
    for kind, keys in kinds.items():
        for each in keys:
            link = LinkSet(shop_id=shop.id, kind=kind, vendor_key=each, our_id=ours[each])
            service.set_link(link, viewer=SYSTEM, at=BEGIN)
    return shop


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch, case: Case) -> Iterator[None]:
    known = {f"app-{key}": f"s-{key}" for key in case.shops}
    monkeypatch.setenv(f"APP_{case.vendor}_APPS", json.dumps(known))
    monkeypatch.setenv("APP_VENDOR_QUEUE_URL", "messages")
    monkeypatch.setenv("APP_VENDOR_OUTBOX_QUEUE_URL", "outbox")
    yield
    forget_process(monkeypatch)


def lived(
    case: Case,
    n: int,
    ours: dict[str, str],
    line: Line,
    patience: Patience,
    monkeypatch: pytest.MonkeyPatch,
    **faults: Any,
) -> tuple[Shop, Day]:
    """The same day at a shop of its own, with these faults, then its reconciliation."""
    world, key = World(), case.shops[n]
    made = Faults(case.seed, **faults)
    peer = case.peer(world, made, client_id=f"app-{key}", secret=f"s-{key}", shop=key)
    line.now = BEGIN
    with server.serve(peer, clock=patience.now) as simulator:
        monkeypatch.setenv(f"APP_{case.vendor}_BASE_URL", simulator.url)
        forget_process(monkeypatch)
        shop = linked(case, ours, key)
        day = Day(peer, world, line)
        if faults:
            day.down = BEGIN + timedelta(hours=5), BEGIN + timedelta(hours=6)
        day.run(happenings(replace(case.plan, prefix=case.prefixes[n]), BEGIN, case.seed))
        run = reconcile(shop, world, line)
        known = repository.get_run(run.id)
        assert known is not None
        assert (known.state, known.counts.get("lost", 0)) == (RunState.DONE, 0)
        assert bool(known.counts.get("mended", 0)) is bool(faults)
        assert simulator.refused > (2 if faults else -1)
    return shop, day


def test_day_of_faults_ends_where_the_undisturbed_day_ends(
    apps: None,
    case: Case,
    ours: dict[str, str],
    line: Line,
    patience: Patience,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calm_shop, calm = lived(case, 0, ours, line, patience, monkeypatch)
    wild_shop, wild = lived(case, 1, ours, line, patience, monkeypatch, **FAULTS)

    def there(key: str) -> str:
        return case.prefixes[1] + key.removeprefix(case.prefixes[0])

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
        one, other = order(calm_shop, no), order(wild_shop, there(no))
        assert told(case, one) == told(case, other)
    totals = calm.world.totals()
    assert len(totals) == case.plan.customers - 2
    for key, total in totals.items():
        one, other = person(calm_shop, key), person(wild_shop, there(key))
        assert one == other
        assert one is not None
        expected = total | {
            "tags": sorted(ours[tag] for tag in total["tags"]),
            "guide": total["guide"] and ours[total["guide"]],
        }
        assert {name: one[name] for name in expected} == expected
    assert_gone(calm_shop, calm.world)
    assert_gone(wild_shop, wild.world)


def told(case: Case, known: Any) -> Any:
    """An order without the names that differ between the two shops.

    Whether one names a buyer who is gone depends on whether it was here when they went.
    """
    text = (
        re.sub(r"buyer=\(.*?\)", "", repr(known))
        if "member_id=None" in repr(known)
        else repr(known)
    )
    for prefix in case.prefixes:
        text = text.replace(prefix, "")
    return text


def assert_gone(shop: Shop, world: World) -> None:
    """Who closed their account is nobody here."""
    [gone] = [customer for customer in world.customers.values() if customer.is_closed]
    assert person(shop, gone.key) is None


def test_what_is_here_is_written_back_over_http(
    apps: None,
    case: Case,
    ours: dict[str, str],
    line: Line,
    patience: Patience,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Points, tags and the guide: the vendor, busy and with old tokens, ends with what is here."""
    service.set_master(MasterSet(master=PointsMaster.OURS), viewer=SYSTEM, at=BEGIN)
    key, world = case.prefixes[0] + "01", World()
    faults = Faults(case.seed, failing=0.3, tokens_last=2)
    peer = case.peer(
        world,
        faults,
        client_id=f"app-{case.shops[0]}",
        secret=f"s-{case.shops[0]}",
        shop=case.shops[0],
    )
    [*world.join(key, "王芳", BEGIN)]
    with server.serve(peer) as simulator:
        monkeypatch.setenv(f"APP_{case.vendor}_BASE_URL", simulator.url)
        forget_process(monkeypatch)
        shop = linked(case, ours, case.shops[0])
        told = ShopChange(id=shop.id, tells=[CopyKind.POINTS, CopyKind.TAGS, CopyKind.GUIDE])
        shop = service.change(told, viewer=SYSTEM, at=BEGIN)
        store = stores.get(ours[STORES[0]])
        assert store is not None
        kind = IdentityKind(case.vendor.value)
        member = make_member(store, NewIdentity(kind=kind, value=key))
        for points, tag in ((120, case.tags[0]), (30, case.tags[1])):
            clock = Clock()
            grant(member.id, points, key=tag, cause=Cause(clock))
            wanted = TagsSet(member_id=member.id, add=[ours[tag]])
            set_tags_as(wanted, source=TagSource.BY_HAND, source_ref="x", clock=clock)
            taken = TakeOver(member_id=member.id, guide_id=ours[GUIDES[0]], force=True)
            take_over(taken, viewer=SYSTEM, clock=clock)
            for each in (CopyKind.POINTS, CopyKind.TAGS, CopyKind.GUIDE):
                copies.due(shop, each, [member.id])
            line.run_out()
    customer = world.customers[key]
    assert (customer.points, customer.tags, customer.guide) == (150, set(case.tags), GUIDES[0])
    page = repository.page_of_open_copies
    for state in (CopyState.DUE, CopyState.DEAD):
        assert page(shop.id, state, first=5, after=None, reverse=False).items == []
