"""A shop at Youzan that is linked with a chain, and Youzan that answers."""

import json
from collections.abc import Iterator

import pytest

from graphql_api.config import settings
from graphql_api.connectors import http, service
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, Vendor
from graphql_api.connectors.secrets import secrets
from graphql_api.connectors.service import LinkSet, ShopLink
from graphql_api.connectors.tokens import tokens
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.connectors.youzan.samples import CLIENT_ID, SECRET
from tests.connectors.youzan.vendor import Youzan
from tests.factories import NOW, make_store


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our app at Youzan, whose secret is known."""
    monkeypatch.setenv("APP_YOUZAN_APPS", json.dumps({CLIENT_ID: SECRET}))
    _forget()
    yield
    _forget()


def _forget() -> None:
    settings.cache_clear()
    secrets.forget()
    tokens.forget()
    service.known_shops.forget()


@pytest.fixture
def youzan(app: None, monkeypatch: pytest.MonkeyPatch) -> Youzan:
    """Youzan, which knows nothing yet."""
    vendor = Youzan()
    monkeypatch.setattr(http, "post", vendor.post)
    return vendor


@pytest.fixture
def store(chain: str) -> Store:
    """The store that is linked."""
    return make_store("S1")


@pytest.fixture
def shop(youzan: Youzan, store: Store) -> Shop:
    """A shop whose store `52323` is linked."""
    given = ShopLink(vendor=Vendor.YOUZAN, vendor_key="56232", client_id=CLIENT_ID, name="旗舰店")
    linked = service.link(given, viewer=SYSTEM, at=NOW)
    link(linked, LinkKind.STORE, "52323", store.id)
    return linked


def link(shop: Shop, kind: LinkKind, vendor_key: str, our_id: str) -> None:
    """Say what a thing of the shop is here."""
    given = LinkSet(shop_id=shop.id, kind=kind, vendor_key=vendor_key, our_id=our_id)
    service.set_link(given, viewer=SYSTEM, at=NOW)
