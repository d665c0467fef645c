"""Bodies that claim to be Youzan's: who sent them, and what their envelope says."""

from collections.abc import Mapping
from typing import Any

from graphql_api.config import settings
from graphql_api.connectors.adapters import Arrival, Refusal
from graphql_api.connectors.rules import Vendor
from graphql_api.connectors.secrets import secrets
from graphql_api.connectors.told import Unreadable
from graphql_api.connectors.youzan import messages, signatures

ACKNOWLEDGEMENT = {"code": 0, "msg": "success"}
"""What Youzan reads: an answer without `success` is sent again."""
_TRADES = ("trade_", "youzan_trade_", "TRADE_")


def refusal(status: int, text: str) -> Refusal:
    """A body that is not taken; it holds no `success`."""
    body: dict[str, Any] = {"code": status, "msg": text}
    return Refusal(status, body)


def arrive(headers: Mapping[str, str], raw: bytes) -> Arrival:
    """The envelope of a body that the app in `Client-Id` signed in `Event-Sign`.

    Nothing in the body says who sent it. Raises Refusal: 401, and 400 for what cannot be read.
    """
    client_id = headers.get("client-id", "")
    if not _is_signed(client_id, headers.get("event-sign"), raw):
        raise refusal(401, "the signature does not hold")
    try:
        message = messages.read(raw, headers.get("event-type"))
    except Unreadable:
        raise refusal(400, "the body is no message") from None
    is_trade = message.type.startswith(_TRADES)
    return Arrival(
        client_id=client_id,
        shop_keys=message.shop_keys,
        identity=message.identity,
        type=message.type,
        subject=message.id,
        version=message.version,
        event_type=headers.get("event-type"),
        delay=settings().youzan_fetch_delay_seconds if is_trade else 0,
        is_test=message.test,
    )


def _is_signed(client_id: str, sign: str | None, raw: bytes) -> bool:
    if not client_id or not sign:
        return False
    if _holds(client_id, sign, raw):
        return True
    return secrets.read_again() and _holds(client_id, sign, raw)


def _holds(client_id: str, sign: str, raw: bytes) -> bool:
    return any(
        signatures.verify(sign, client_id=client_id, raw=raw, secret=secret)
        for secret in secrets.of(Vendor.YOUZAN, client_id)
    )
