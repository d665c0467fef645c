"""What changes here is due to be told where a shop is told such things, and nowhere else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from graphql_api.connectors import models, repository, service
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import CopyKind, CopyState, LinkKind, Vendor
from graphql_api.connectors.service import LinkSet, ShopLink, known_shops
from graphql_api.coupons.models import CouponsItem
from graphql_api.handlers import webhook_events
from graphql_api.kit import queues
from graphql_api.members import service as members
from graphql_api.members.models import Member, MembersItem
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import IdentityChange, Update
from graphql_api.ownership import service as ownership
from graphql_api.ownership.service import Assign
from graphql_api.points import service as points
from graphql_api.points.service import Cause
from graphql_api.privacy import service as privacy
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from scripts.stream_pump import Pump
from tests.calls import counted
from tests.coupons.factories import claim, make_template
from tests.factories import CLOCK, NOW, make_guide, make_identity, make_member, make_store
from tests.tags.factories import make_tag, set_tags

KEY = "yz-1"
Drain = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(queues, "send", lambda _url, all_: sent.extend(m.body for m in all_))
    return sent


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


@pytest.fixture
def drain(chain: str, tmp_path: Path, queued: list[dict[str, Any]]) -> Drain:
    """Follow the streams up to now; what became due by it, by kind and subject."""
    client = boto3.client("dynamodbstreams")

    def follow() -> list[tuple[str, str]]:
        before = len(queued)
        for table in (MembersItem, CouponsItem):
            pump = Pump(
                table.Meta.table_name, webhook_events.handler, tmp_path, consumer="webhooks"
            )
            while pump.drain(client):
                pass
        ids = [body["copy_id"] for body in queued[before:]]
        found = [copy for copy in repository.get_copies(ids) if copy]
        return [(copy.kind.value, copy.subject_id) for copy in found]

    return follow


def linked(*tells: CopyKind, key: str = "1001") -> Shop:
    given = ShopLink(
        vendor=Vendor.YOUZAN, vendor_key=key, client_id="app-1", name="店", tells=list(tells)
    )
    return service.link(given, viewer=SYSTEM, at=NOW)


def customer(store: Store) -> Member:
    return make_member(store, make_identity(KEY, IdentityKind.YOUZAN))


def test_member_who_is_known_there_is_told_whole_then_what_moves(
    store: Store, drain: Drain
) -> None:
    linked(CopyKind.POINTS, CopyKind.TAGS, CopyKind.GUIDE)
    member = customer(store)
    assert drain() == [
        ("POINTS", member.id),
        ("TAGS", member.id),
        ("GUIDE", member.id),
    ]
    points.grant(member.id, 10, key="k", cause=Cause(CLOCK))
    assert drain() == [("POINTS", member.id)]
    set_tags(member, make_tag())
    assert drain() == [("TAGS", member.id)]
    given = Assign(member_id=member.id, guide_id=make_guide(store).id)
    ownership.assign(given, viewer=SYSTEM, clock=CLOCK)
    assert drain() == [("GUIDE", member.id)]
    members.update(Update(id=member.id, name="新名"), viewer=SYSTEM)
    assert drain() == []


def test_shop_is_told_what_it_wants_only_and_one_that_wants_nothing_costs_nothing(
    store: Store, drain: Drain
) -> None:
    linked(key="1002")
    member = customer(store)
    assert drain() == []
    points.grant(member.id, 10, key="k", cause=Cause(CLOCK))
    with counted() as calls:
        assert drain() == []
    assert [name for name in calls if "Update" in name] == []
    linked(CopyKind.POINTS)
    points.grant(member.id, 10, key="l", cause=Cause(CLOCK))
    assert drain() == [("POINTS", member.id)]


def test_who_is_not_known_there_is_told_once_they_are(store: Store, drain: Drain) -> None:
    linked(CopyKind.POINTS)
    member = make_member(store)
    points.grant(member.id, 10, key="k", cause=Cause(CLOCK))
    assert drain() == []
    identity = make_identity(KEY, IdentityKind.YOUZAN)
    members.add_identity(IdentityChange(member_id=member.id, identity=identity), viewer=SYSTEM)
    assert drain() == [("POINTS", member.id)]


def test_erased_member_is_told_to_nobody_and_their_copies_are_forgotten(
    store: Store, drain: Drain
) -> None:
    shop = linked(CopyKind.POINTS, CopyKind.TAGS)
    member = customer(store)
    drain()
    ids = [models.copy_id(shop.id, kind, member.id) for kind in (CopyKind.POINTS, CopyKind.TAGS)]
    assert all(repository.get_copies(ids))
    privacy.erase(member.id, viewer=SYSTEM, clock=CLOCK)
    assert drain() == []
    assert repository.get_copies(ids) == [None, None]


def test_coupon_is_told_where_its_template_is_linked(store: Store, drain: Drain) -> None:
    shop = linked(CopyKind.COUPON)
    member = customer(store)
    told, untold = make_template(), make_template()
    link = LinkSet(
        shop_id=shop.id, kind=LinkKind.COUPON_TEMPLATE, vendor_key="5566", our_id=told.id
    )
    service.set_link(link, viewer=SYSTEM, at=NOW)
    coupon = claim(member, told)
    claim(member, untold)
    assert drain() == [("COUPON", coupon.coupon_id)]


def test_batch_that_comes_again_is_compared_again_and_no_more(
    store: Store, drain: Drain, queued: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = linked(CopyKind.POINTS)
    member = customer(store)
    drain()
    drain()
    [copy] = repository.page_of_open_copies(
        shop.id, CopyState.DUE, first=5, after=None, reverse=False
    ).items
    assert (copy.subject_id, int(copy.turn)) == (member.id, 1)
    known_shops.forget()
