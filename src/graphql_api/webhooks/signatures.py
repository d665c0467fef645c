"""Secrets of endpoints, sealed, and what a delivery is signed with.

    x-webhook-signature: sha256=‹hex of HMAC-SHA-256(secret, timestamp + "." + body)›

While a secret is being replaced there are two, separated by a comma: the receiver takes either.
"""

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from graphql_api.config import settings
from graphql_api.kit import secrecy
from graphql_api.webhooks.models import Delivery, Endpoint


def new_secret() -> str:
    """256 random bits, marked as what they are."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def seal(secret: str) -> str:
    """As it is stored."""
    return secrecy.encrypt(settings().webhook_keys, secret)


def unseal(sealed: str) -> str:
    """The secret itself; KeyError when its key has left the ring."""
    return secrecy.decrypt(settings().webhook_keys, sealed)


def signature(held: Sequence[str], timestamp: int, body: str) -> str:
    """The header's value, signed with every secret that holds."""
    signed = f"{timestamp}.{body}".encode()
    return ",".join(
        f"sha256={hmac.digest(secret.encode(), signed, 'sha256').hex()}" for secret in held
    )


def headers(endpoint: Endpoint, delivery: Delivery, at: datetime) -> dict[str, str]:
    """What goes with the body of a delivery."""
    timestamp = int(at.timestamp())
    held = [unseal(sealed) for sealed in endpoint.sealed_secrets(at)]
    return {
        "content-type": "application/json",
        "user-agent": "member-operations-webhooks/1",
        "x-webhook-id": str(delivery.id),
        "x-webhook-event": str(delivery.event_id),
        "x-webhook-topic": delivery.topic.value,
        "x-webhook-attempt": str(int(delivery.attempts) + 1),
        "x-webhook-timestamp": str(timestamp),
        "x-webhook-signature": signature(held, timestamp, delivery.body),
    }
