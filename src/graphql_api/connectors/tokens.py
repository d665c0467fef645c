"""Access tokens of shops and apps: kept in the table, and got anew by one at a time.

A vendor's new token may end the old one at once, so that two who ask would lock each other out.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol, TypeVar

from graphql_api.config import settings
from graphql_api.connectors import repository
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.models import Token
from graphql_api.kit import secrecy
from graphql_api.kit.time import real_now, to_the_millisecond

T = TypeVar("T")

USED_UP_AFTER = 0.8
"""The part of its life after which a token is replaced."""
ASKED_FOR = timedelta(seconds=20)
"""For how long nobody else asks; longer than an answer may take."""
_LOOKED_AGAIN = 0.2
_LOOKS = 15


@dataclass(frozen=True, slots=True)
class Fresh:
    """A token that a vendor gave, and when it ends."""

    access_token: str
    expires_at: datetime


class Owner(Protocol):
    """Whose token it is: a shop, or an app."""

    @property
    def id(self) -> str:
        """What the token is kept under."""


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """An app that is no shop."""

    id: str


class StaleToken(Exception):
    """The vendor no longer knows the token."""


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str
    got_at: datetime
    expires_at: datetime

    def lasts(self, at: datetime) -> bool:
        """Whether it can be used."""
        return at < self.expires_at

    def is_young(self, at: datetime) -> bool:
        """Whether nobody has to replace it yet."""
        return at < self.got_at + (self.expires_at - self.got_at) * USED_UP_AFTER


class Tokens:
    """The tokens of all shops and apps; what a process has seen it remembers while it is young."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: dict[str, _Kept] = {}

    def use(self, owner: Owner, ask: Callable[[], Fresh], call: Callable[[str], T]) -> T:
        """What `call` gives with the owner's token; one that the vendor forgot is replaced once.

        Raises Later when somebody else is asking for a token and does not get it, and NotSetUp
        when the vendor wants not even the new one: the authorisation ended.
        """
        token = self._get(owner, ask)
        try:
            return call(token.text)
        except StaleToken:
            self._withdraw(owner, token)
        try:
            return call(self._get(owner, ask).text)
        except StaleToken:
            raise NotSetUp("token") from None

    def forget(self) -> None:
        """Look into the table from now on, for tests."""
        with self._lock:
            self._seen.clear()

    def _get(self, owner: Owner, ask: Callable[[], Fresh]) -> _Kept:
        with self._lock:
            seen = self._seen.get(owner.id)
        if seen and seen.is_young(real_now()):
            return seen
        for _ in range(_LOOKS):
            now = real_now()
            item = repository.get_token(owner.id)
            kept = _kept(item)
            if kept and kept.is_young(now):
                return self._remember(owner, kept)
            if fresh := _asked(owner, item.got_at if item else None, ask):
                return self._remember(owner, fresh)
            if kept and kept.lasts(now):
                return kept
            time.sleep(_LOOKED_AGAIN)
        raise Later(ASKED_FOR.total_seconds())

    def _remember(self, owner: Owner, kept: _Kept) -> _Kept:
        with self._lock:
            self._seen[owner.id] = kept
        return kept

    def _withdraw(self, owner: Owner, token: _Kept) -> None:
        with self._lock:
            self._seen.pop(owner.id, None)
        repository.end_token(owner.id, got_at=token.got_at, at=real_now())


def _asked(owner: Owner, seen: datetime | None, ask: Callable[[], Fresh]) -> _Kept | None:
    """A token newer than the one that was got at `seen`; None where somebody else is asking.

    Who fails lets the next one try at once.
    """
    holder, now = secrets.token_hex(8), real_now()
    if not repository.ask_token(owner.id, holder, seen=seen, at=now, until=now + ASKED_FOR):
        return None
    try:
        fresh = ask()
    except BaseException:
        repository.give_up_token(owner.id, holder)
        raise
    sealed = secrecy.encrypt(settings().access_keys, fresh.access_token)
    got_at = to_the_millisecond(real_now())  # as instants are stored
    repository.store_token(owner.id, holder, sealed, got_at=got_at, expires_at=fresh.expires_at)
    return _Kept(fresh.access_token, got_at, fresh.expires_at)


def _kept(item: Token | None) -> _Kept | None:
    if item is None or item.sealed is None or item.got_at is None or item.expires_at is None:
        return None
    try:
        text = secrecy.decrypt(settings().access_keys, item.sealed)
    except KeyError:
        return None  # its key was turned out: a new token costs one question
    return _Kept(text, item.got_at, item.expires_at)


tokens = Tokens()
