"""Bodies that claim to be Weimob's: who sent them, and what their envelope says."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from graphql_api.connectors.adapters import Arrival, Refusal
from graphql_api.connectors.rules import Vendor
from graphql_api.connectors.secrets import secrets
from graphql_api.connectors.told import Unreadable
from graphql_api.connectors.weimob import payloads, signatures
from graphql_api.connectors.weimob.messages import Message, read_message

ACKNOWLEDGEMENT = {"code": {"errcode": "0", "errmsg": "success"}}
_REFUSED = "4900100100004"


def refusal(status: int, text: str) -> Refusal:
    """A body that is not taken, as the vendor's own client says it."""
    body: dict[str, Any] = {"code": {"errcode": _REFUSED, "errmsg": f"【业务异常】{text}"}}
    return Refusal(status, body)


def arrive(_headers: Mapping[str, str], raw: bytes) -> Arrival:
    """The envelope of a body that one of our apps' secrets signed, in the body itself.

    The envelope names no app, so that each is tried; a chain has one or two. Topic and event are
    not signed: the id alone says which message it is. Raises Refusal: 401, and 400 for what cannot
    be read.
    """
    try:
        message = read_message(raw)
    except Unreadable:
        raise refusal(400, "the body is no message") from None
    client_id = _signed_by(message)
    if client_id is None and secrets.read_again():
        client_id = _signed_by(message)
    if client_id is None:
        raise refusal(401, "the signature does not hold")
    subject, version = None, None
    with suppress(Unreadable):  # kept all the same, and given up when it is followed
        subject, version = payloads.place_of(payloads.content_of(message))
    return Arrival(
        client_id=client_id,
        shop_keys=message.envelope.shop_keys,
        identity=message.envelope.id,
        type=message.type,
        subject=subject,
        version=version,
        is_test=message.envelope.test,
    )


def _signed_by(message: Message) -> str | None:
    """The app whose secret holds."""
    for client_id, secret in _apps(message):
        if signatures.verify(
            message.envelope.sign,
            client_id=client_id,
            message_id=message.envelope.id,
            content=message.signed,
            secret=secret,
        ):
            return client_id
    return None


def _apps(message: Message) -> Iterator[tuple[str, str]]:
    for client_id in secrets.apps(Vendor.WEIMOB):
        if message.envelope.client_id in (None, client_id):
            for secret in secrets.of(Vendor.WEIMOB, client_id):
                yield client_id, secret
