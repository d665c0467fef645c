"""Who sent a message: Weimob's signature over its content, in the body itself."""

import hashlib
import hmac


def message_sign(client_id: str, message_id: str, content: str, secret: str) -> str:
    """What `sign` is: MD5 of client id, message id, content and secret, in hex.

    The content as it stands in the body, unescaped. Topic, event and shop are not signed: a message
    can be replayed under another topic, so that its id alone is its identity.
    """
    text = f"{client_id}{message_id}{content}{secret}"
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - the vendor's algorithm


def verify(sign: str | None, *, client_id: str, message_id: str, content: str, secret: str) -> bool:
    """Whether `sign` was made by who knows the secret; upper and lower case are the same."""
    if not sign or not secret:
        return False
    wanted = message_sign(client_id, message_id, content, secret)
    return hmac.compare_digest(sign.lower().encode(errors="replace"), wanted.encode())


def registration_sign(client_id: str, secret: str, timestamp: str, params: str) -> str:
    """How the runtime of hosted apps signs its registration; a self-hosted app needs none."""
    inner = hashlib.md5(params.encode()).hexdigest()  # noqa: S324 - the vendor's algorithm
    text = f"{client_id}{secret}{timestamp}{inner}"
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - the vendor's algorithm
