"""Keyed hashes, encryption and signatures over rotating key rings."""

import base64
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from graphql_api.config import KeyRing

_NONCE_BYTES = 12


def _bytes(ring: KeyRing, kid: str) -> bytes:
    return bytes.fromhex(ring[kid].get_secret_value())


def keyed_hashes(ring: KeyRing, text: str) -> list[str]:
    """`kid.hash` under every key, newest first: look-ups try all, new claims take all."""
    return [
        f"{kid}.{hmac.digest(_bytes(ring, kid), text.encode(), 'sha256').hex()}" for kid in ring
    ]


def encrypt(ring: KeyRing, text: str) -> str:
    """AES-256-GCM under the newest key, as `kid.base64`."""
    kid = next(iter(ring))
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_bytes(ring, kid)[:32]).encrypt(nonce, text.encode(), kid.encode())
    return f"{kid}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def decrypt(ring: KeyRing, sealed: str) -> str:
    """The text that `encrypt` sealed; KeyError when its key has left the ring."""
    kid, _, body = sealed.partition(".")
    raw = base64.urlsafe_b64decode(body)
    key = AESGCM(_bytes(ring, kid)[:32])
    return key.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], kid.encode()).decode()


def signature(ring: KeyRing, kid: str, payload: bytes) -> bytes:
    """The first 16 bytes of HMAC-SHA-256; KeyError when the named key is not in the ring."""
    return hmac.digest(_bytes(ring, kid), payload, "sha256")[:16]
