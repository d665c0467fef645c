"""The secrets of apps at the vendors, by client id; a change of them needs no restart."""

import time
from threading import Lock

from pydantic import SecretStr

from graphql_api.config import Settings, settings
from graphql_api.connectors.errors import NotSetUp
from graphql_api.connectors.rules import Vendor

_READ_AGAIN_AFTER = 60.0

Apps = dict[Vendor, dict[str, SecretStr]]


class Secrets:
    """What is known of apps, read anew when it does not do, at most once a minute."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._apps: Apps | None = None
        self._read_at = 0.0

    def of(self, vendor: Vendor, client_id: str) -> list[str]:
        """The secrets of an app, the newest last; empty for an app that nobody set up.

        Two, `old,new`, while an app changes its secret: both are believed.
        """
        known = self._known()[vendor].get(client_id)
        return known.get_secret_value().split(",") if known else []

    def apps(self, vendor: Vendor) -> list[str]:
        """The client ids of our apps at a vendor."""
        return list(self._known()[vendor])

    def newest(self, vendor: Vendor, client_id: str) -> str:
        """The secret that we show; raises NotSetUp without one."""
        known = self.of(vendor, client_id)
        if not known:
            raise NotSetUp("no secret for this app")
        return known[-1]

    def read_again(self) -> bool:
        """Read the stage's secret anew; False when that was done within the last minute."""
        with self._lock:
            if self._apps is not None and time.monotonic() - self._read_at < _READ_AGAIN_AFTER:
                return False
            self._read_at = time.monotonic()
        apps = _apps(Settings())
        with self._lock:
            self._apps = apps
        return True

    def forget(self) -> None:
        """Begin anew, for tests."""
        with self._lock:
            self._apps, self._read_at = None, 0.0

    def _known(self) -> Apps:
        with self._lock:
            return self._apps if self._apps is not None else _apps(settings())


def _apps(read: Settings) -> Apps:
    return {Vendor.YOUZAN: read.youzan_apps, Vendor.WEIMOB: read.weimob_apps}


secrets = Secrets()
