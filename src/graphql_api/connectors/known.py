"""Shops as a process knows them: by what their vendor calls them, and those that are told."""

import time
from collections.abc import Sequence
from threading import Lock

from graphql_api.connectors import models, repository
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import Vendor

KNOWN_SECONDS = 60.0
UNKNOWN_SECONDS = 5.0


class KnownShops:
    """Shops by what a vendor calls them, kept for a minute; that there is none, for seconds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, tuple[Shop | None, float]] = {}
        self._told: tuple[list[Shop], float] = ([], 0.0)

    def find(self, vendor: Vendor, vendor_keys: Sequence[str], client_id: str) -> Shop | None:
        """The shop by the first of these keys that is one and trusts the app.

        One that is remembered with another app is asked for anew: it may have changed elsewhere.
        """
        for key in vendor_keys:
            shop_id = models.shop_id(vendor, key)
            shop = self._get(shop_id)
            if shop is not None and shop.client_id != client_id:
                shop = self._asked(shop_id)
            if shop is not None and shop.client_id == client_id:
                return shop
        return None

    def told(self) -> list[Shop]:
        """The shops that are told of something."""
        now = time.monotonic()
        with self._lock:
            shops, until = self._told
        if now < until:
            return shops
        shops = [shop for shop in repository.all_shops() if shop.tells]
        with self._lock:
            self._told = shops, now + KNOWN_SECONDS
        return shops

    def forget(self) -> None:
        """Ask anew from now on."""
        with self._lock:
            self._known.clear()
            self._told = [], 0.0

    def _get(self, shop_id: str) -> Shop | None:
        now = time.monotonic()
        with self._lock:
            shop, until = self._known.get(shop_id, (None, 0.0))
        return shop if now < until else self._asked(shop_id)

    def _asked(self, shop_id: str) -> Shop | None:
        [shop] = repository.get_shops([shop_id])
        until = time.monotonic() + (KNOWN_SECONDS if shop else UNKNOWN_SECONDS)
        with self._lock:
            self._known[shop_id] = (shop, until)
        return shop


known_shops = KnownShops()
