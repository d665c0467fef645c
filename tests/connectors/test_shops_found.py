"""Whose message it is, while shops are linked, change their app and pause."""

from typing import Any

import pytest

from graphql_api.connectors import repository, service
from graphql_api.connectors.known import KnownShops
from graphql_api.connectors.models import Shop, message_id
from graphql_api.connectors.rules import Vendor
from graphql_api.connectors.service import ShopLink
from graphql_api.connectors.youzan.signatures import event_sign
from graphql_api.kit import queues
from graphql_api.kit.dynamo import transact
from graphql_api.kit.time import real_now
from graphql_api.viewer import SYSTEM
from tests.connectors.youzan import conftest as linked
from tests.connectors.youzan.samples import CLIENT_ID, SECRET
from tests.connectors.youzan.vendor import body
from tests.factories import NOW

app, youzan, store, shop = linked.app, linked.youzan, linked.store, linked.shop


def elsewhere(shop: Shop, **changes: Any) -> None:
    """Change a shop as another process does, of which this one is not told."""
    for name, value in changes.items():
        setattr(shop, name, value)
    transact(lambda tx: repository.save_shop(tx, shop))


def test_shop_is_found_by_its_app_alone(shop: Shop) -> None:
    known = KnownShops()
    found = known.find(Vendor.YOUZAN, ["1", "56232"], CLIENT_ID)
    assert found is not None
    assert found.id == shop.id
    assert known.find(Vendor.YOUZAN, ["56232"], "another") is None
    assert known.find(Vendor.WEIMOB, ["56232"], CLIENT_ID) is None


def test_app_that_was_changed_elsewhere_is_trusted_at_once(shop: Shop) -> None:
    known = KnownShops()
    assert known.find(Vendor.YOUZAN, ["56232"], CLIENT_ID) is not None
    elsewhere(shop, client_id="app-new")
    assert known.find(Vendor.YOUZAN, ["56232"], "app-new") is not None
    assert known.find(Vendor.YOUZAN, ["56232"], CLIENT_ID) is None


def test_shop_that_was_none_is_asked_for_again_within_seconds(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [100.0]
    monkeypatch.setattr("graphql_api.connectors.known.time.monotonic", lambda: seconds[0])
    known = KnownShops()
    assert known.find(Vendor.YOUZAN, ["9"], CLIENT_ID) is None
    given = ShopLink(vendor=Vendor.YOUZAN, vendor_key="9", client_id=CLIENT_ID, name="新店")
    service.link(given, viewer=SYSTEM, at=NOW)
    assert known.find(Vendor.YOUZAN, ["9"], CLIENT_ID) is None
    seconds[0] += 5
    assert known.find(Vendor.YOUZAN, ["9"], CLIENT_ID) is not None


def test_message_for_a_shop_that_seems_paused_is_queued_all_the_same(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(queues, "send", lambda _url, all_: sent.extend(m.body for m in all_))
    elsewhere(shop, paused=True)
    service.known_shops.find(Vendor.YOUZAN, ["56232"], CLIENT_ID)
    elsewhere(shop, paused=False)
    raw = body("trade_TradeMemoModified", "%7B%22tid%22%3A%22E1%22%7D", id="E1", msg_id="m-1")
    headers = {"event-sign": event_sign(CLIENT_ID, raw, SECRET), "client-id": CLIENT_ID}
    assert service.receive(Vendor.YOUZAN, headers, raw, at=real_now()).status == 200
    assert sent == [{"message": message_id(shop.id, "m-1"), "turn": 0}]
