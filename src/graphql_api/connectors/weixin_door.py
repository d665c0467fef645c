"""The way of WeChat and WeCom in: who knocks with a signature of ours, and of now, is opened to."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from pydantic import SecretStr

from graphql_api.config import Settings, settings
from graphql_api.connectors.weixin_crypto import Crypt, Forged, is_signed

FRESH = timedelta(minutes=10)
"""How far the time of a request may be from now; what is repeated comes signed anew."""
MAX_BYTES = 64 * 1024
"""Pushes are a few hundred bytes; what is longer is not looked at."""
_READ_AGAIN_AFTER = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform is answered, in plain text."""

    status: int
    text: str = ""


TAKEN = Answer(200, "success")


@dataclass(frozen=True, slots=True)
class Keys:
    """The token and the key that the console shows, and who receives; `old,new` while they change.

    A token goes with any of the keys: what counts is that both are ours.
    """

    token: SecretStr
    key: SecretStr
    receiver: str

    @property
    def tokens(self) -> list[str]:
        """The tokens that are believed."""
        return [one for one in self.token.get_secret_value().split(",") if one]

    @property
    def crypts(self) -> list[Crypt]:
        """The keys that open; ValueError where one is none."""
        return [
            Crypt.of(one, self.receiver) for one in self.key.get_secret_value().split(",") if one
        ]


class Door:
    """The door of a platform; keys that do not do are read anew, at most once a minute."""

    def __init__(self, keys_of: Callable[[Settings], Keys]) -> None:
        self._keys_of = keys_of
        self._turn = Lock()
        self._known: Keys | None = None
        self._read_at: float | None = None

    def check(self, given: str, query: Mapping[str, str], *signed: str, at: datetime) -> None:
        """Raises Forged unless this is signed with our token, and of now."""
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not _is_fresh(timestamp, at):
            raise Forged("not of now")
        parts = (timestamp, nonce, *signed)
        if not self._is_signed(given, parts) and not (
            self._read_again() and self._is_signed(given, parts)
        ):
            raise Forged("not signed")

    def open(self, query: Mapping[str, str], encrypted: str, *, at: datetime) -> bytes:
        """What was encrypted for us in a request that is signed and of now; otherwise Forged."""
        # Base64 has no spaces: where there is one, a plus was decoded once too often on the way.
        encrypted = encrypted.replace(" ", "+")
        self.check(query.get("msg_signature", ""), query, encrypted, at=at)
        crypts = self._keys().crypts
        for crypt in crypts[:-1]:
            try:
                return crypt.open(encrypted)
            except Forged:
                continue
        if not crypts:
            raise Forged("no key is set up")
        return crypts[-1].open(encrypted)

    def forget(self) -> None:
        """Begin anew, for tests."""
        with self._turn:
            self._known = self._read_at = None

    def _is_signed(self, given: str, parts: tuple[str, ...]) -> bool:
        return any(is_signed(given, token, *parts) for token in self._keys().tokens)

    def _keys(self) -> Keys:
        with self._turn:
            return self._known or self._keys_of(settings())

    def _read_again(self) -> bool:
        now = time.monotonic()
        with self._turn:
            if self._read_at is not None and now - self._read_at < _READ_AGAIN_AFTER:
                return False
            self._read_at = now
        known = self._keys_of(Settings())
        with self._turn:
            self._known = known
        return True


def _is_fresh(timestamp: str, at: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(at.timestamp() - int(timestamp)) <= FRESH.total_seconds()
