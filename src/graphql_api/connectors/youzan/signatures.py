"""Who sent a message: Youzan's signature over the bytes of the body as they arrived."""

import hashlib
import hmac


def event_sign(client_id: str, raw: bytes, secret: str) -> str:
    """What the header `Event-Sign` holds for a body: MD5 of client id, body and secret, in hex."""
    # The vendor's algorithm. It signs no time: a message can be replayed, so that ids are kept.
    return hashlib.md5(client_id.encode() + raw + secret.encode()).hexdigest()  # noqa: S324


def verify(sign: str | None, *, client_id: str, raw: bytes, secret: str) -> bool:
    """Whether `sign`, the header, was made over these bytes by who knows the secret.

    The field `sign` in the body is no proof: what it covers differs from type to type.
    """
    if not sign or not secret:
        return False
    wanted = event_sign(client_id, raw, secret)
    return hmac.compare_digest(sign.lower().encode(errors="replace"), wanted.encode())
