"""Cursors: opaque, versioned and signed; a cursor is good only for the list that gave it."""

import base64
import binascii
import hashlib
import hmac

import orjson

from graphql_api.config import settings
from graphql_api.errors import Invalid
from graphql_api.kit.secrecy import signature

_VERSION = 1
_MAX_LENGTH = 1024


def encode(list_name: str, place: str) -> str:
    """The cursor of a place in a list; the list's name covers its parent, filter and order."""
    ring = settings().cursor_keys
    kid = next(iter(ring))
    body = orjson.dumps([_VERSION, kid, _digest(list_name), place])
    signed = signature(ring, kid, body) + body
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def decode(list_name: str, cursor: str) -> str:
    """The place that `encode` stored; Invalid for a forged, damaged or foreign cursor."""
    try:
        return _opened(list_name, cursor)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Invalid("This cursor does not belong to this list", field=("after",)) from None


def _opened(list_name: str, cursor: str) -> str:
    if len(cursor) > _MAX_LENGTH:
        raise ValueError("too long")
    raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    mac, body = raw[:16], raw[16:]
    version, kid, digest, place = orjson.loads(body)
    genuine = hmac.compare_digest(signature(settings().cursor_keys, kid, body), mac)
    if not genuine or version != _VERSION or digest != _digest(list_name):
        raise ValueError("not ours")
    return str(place)


def _digest(list_name: str) -> str:
    return hashlib.blake2b(list_name.encode(), digest_size=6).hexdigest()
