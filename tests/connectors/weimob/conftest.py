"""A shop at Weimob that is linked with a chain, and Weimob that answers."""

import json
from collections.abc import Iterator

import pytest

from graphql_api.config import settings
from graphql_api.connectors import http, service
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, PointsMaster, Vendor
from graphql_api.connectors.secrets import secrets
from graphql_api.connectors.service import LinkSet, MasterSet, ShopLink
from graphql_api.connectors.tokens import tokens
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.connectors.weimob.samples import BOS_ID, CLIENT_ID, SECRET
from tests.connectors.weimob.vendor import Weimob
from tests.factories import NOW, make_store


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our app at Weimob, whose secret is known."""
    monkeypatch.setenv("APP_WEIMOB_APPS", json.dumps({CLIENT_ID: SECRET}))
    _forget()
    yield
    _forget()


def _forget() -> None:
    settings.cache_clear()
    secrets.forget()
    tokens.forget()
    service.known_shops.forget()


@pytest.fixture
def weimob(app: None, monkeypatch: pytest.MonkeyPatch) -> Weimob:
    """Weimob, which knows nothing yet."""
    vendor = Weimob()
    monkeypatch.setattr(http, "post", vendor.post)
    return vendor


@pytest.fixture
def store(chain: str) -> Store:
    """The store that is linked."""
    return make_store("S1")


@pytest.fixture
def shop(weimob: Weimob, store: Store) -> Shop:
    """A shop whose store `6000089123` is linked, and whose points are right."""
    given = ShopLink(vendor=Vendor.WEIMOB, vendor_key=BOS_ID, client_id=CLIENT_ID, name="微商城")
    linked = service.link(given, viewer=SYSTEM, at=NOW)
    link(linked, LinkKind.STORE, "6000089123", store.id)
    service.set_master(MasterSet(master=PointsMaster.WEIMOB), viewer=SYSTEM, at=NOW)
    return linked


def link(shop: Shop, kind: LinkKind, vendor_key: str, our_id: str) -> None:
    """Say what a thing of the shop is here."""
    given = LinkSet(shop_id=shop.id, kind=kind, vendor_key=vendor_key, our_id=our_id)
    service.set_link(given, viewer=SYSTEM, at=NOW)
