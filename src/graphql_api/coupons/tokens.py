"""What people show as a QR code: signed, short-lived, good for one purpose.

Time is that of the wall, as with every signature.
"""

import base64
import binascii
import hmac
from datetime import datetime
from enum import StrEnum

import orjson

from graphql_api.config import settings
from graphql_api.errors import Invalid
from graphql_api.kit.secrecy import signature

_MAX_LENGTH = 512
_COUPON_SECONDS = 300


class TokenKind(StrEnum):
    """What a token is shown for."""

    COUPON = "coupon"
    CLAIM = "coupon-claim"
    GIFT = "coupon-gift"


def sign(kind: TokenKind, *parts: str, at: datetime, seconds: int) -> str:
    """A token that says these parts, for so many seconds."""
    ring = settings().access_keys
    kid = next(iter(ring))
    body = orjson.dumps([kind, kid, int(at.timestamp()) + seconds, *parts])
    return base64.urlsafe_b64encode(signature(ring, kid, body) + body).rstrip(b"=").decode()


def of_coupon(coupon_id: str, *, at: datetime) -> str:
    """What the QR code of a member's coupon says: good for five minutes."""
    return sign(TokenKind.COUPON, coupon_id, at=at, seconds=_COUPON_SECONDS)


def read(kind: TokenKind, token: str, *, at: datetime, field: tuple[str, ...]) -> list[str]:
    """The parts of a token; Invalid for one that is forged, damaged, of another kind or too old."""
    try:
        ends, parts = _opened(kind, token)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Invalid("This is none of our codes", field=field) from None
    if at.timestamp() >= ends:
        raise Invalid("This code has run out; ask for a new one", field=field)
    return parts


def _opened(kind: TokenKind, token: str) -> tuple[int, list[str]]:
    if len(token) > _MAX_LENGTH:
        raise ValueError("too long")
    raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    mac, body = raw[:16], raw[16:]
    found, kid, ends, *parts = orjson.loads(body)
    if found != kind or not hmac.compare_digest(signature(settings().access_keys, kid, body), mac):
        raise ValueError("not ours")
    return int(ends), [str(part) for part in parts]
