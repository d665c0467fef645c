"""What is handed out and comes back: refresh tokens, enrolment tokens and API keys.

Refresh and enrolment tokens are sealed: they say nothing to whoever holds them, and nobody else can
make one. Secrets in them are random, and kept as keyed hashes.
"""

import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag

from graphql_api.access.rules import WeChatPerson
from graphql_api.config import settings
from graphql_api.kit import secrecy

_MAX_LENGTH = 2_048
_KEY = re.compile(r"(key_[0-9a-z]{26})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a refresh token says: whose, of which session, the how manieth, and its secret."""

    principal_id: str
    session_id: str
    generation: int
    secret: str = field(repr=False)


def new_secret() -> str:
    """256 random bits as 43 characters."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is stored of a secret: its hash under the newest key, as `kid.hex`."""
    return secrecy.keyed_hashes(settings().access_keys, secret)[0]


def matches(secret: str, *stored: str | None) -> bool:
    """Whether any of these hashes is that of the secret, under whichever key."""
    known = [hash_.encode() for hash_ in stored if hash_]
    hashes = [hash_.encode() for hash_ in secrecy.keyed_hashes(settings().access_keys, secret)]
    return any(hmac.compare_digest(one, other) for one in known for other in hashes)


def refresh_text(token: Refresh) -> str:
    """The refresh token as clients hold it."""
    parts = [token.principal_id, token.session_id, token.generation, token.secret]
    return _sealed("refresh", parts)


def read_refresh(text: str) -> Refresh | None:
    """What a refresh token says; None when it is not one of ours."""
    opened = _opened("refresh", text)
    return None if opened is None else Refresh(*opened)


def enrolment_text(person: WeChatPerson, ends_at: datetime) -> str:
    """The enrolment token of somebody whom WeChat knows and the chain does not."""
    parts = [person.openid, person.unionid, person.phone, ends_at.timestamp()]
    return _sealed("enrolment", parts)


def read_enrolment(text: str, at: datetime) -> WeChatPerson | None:
    """Who an enrolment token is for; None when it is not one of ours, or over."""
    opened = _opened("enrolment", text)
    if opened is None or opened[3] <= at.timestamp():
        return None
    return WeChatPerson(*opened[:3])


def key_text(key_id: str, secret: str) -> str:
    """An API key as its holder sends it."""
    return f"{key_id}.{secret}"


def read_key(text: str) -> tuple[str, str] | None:
    """The id and the secret of an API key; None for text of another shape, such as a JWT."""
    found = _KEY.fullmatch(text)
    return (found[1], found[2]) if found else None


def _sealed(purpose: str, parts: list[Any]) -> str:
    return secrecy.encrypt(settings().access_keys, orjson.dumps([purpose, *parts]).decode())


def _opened(purpose: str, text: str) -> list[Any] | None:
    if len(text) > _MAX_LENGTH:
        return None
    try:
        found, *parts = orjson.loads(secrecy.decrypt(settings().access_keys, text))
    except (InvalidTag, KeyError, ValueError):
        return None
    return parts if found == purpose else None
