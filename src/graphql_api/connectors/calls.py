"""Asking a vendor: what does not answer in time, or with nonsense, is asked again later."""

from typing import Any, TypeVar

from graphql_api.connectors import http
from graphql_api.connectors.errors import Later
from graphql_api.connectors.told import Told, Unreadable, read
from graphql_api.errors import Unavailable

Envelope = TypeVar("Envelope", bound=Told)

PAUSES = (3.0, 6.0, 12.0, 24.0, 48.0)
"""After how many seconds Youzan wants to be asked again (their documentation)."""


def post(url: str, body: dict[str, Any], **query: str) -> dict[str, Any]:
    """The JSON object that a POST is answered with; Later for anything else.

    Tokens stand in the query: nothing of the address is in an error or a log.
    """
    try:
        return http.post(url, body, **query)
    except Unavailable:
        raise nonsense() from None


def opened(model: type[Envelope], answer: object) -> Envelope:
    """What is around an answer; Later where it is around nothing of the vendor's."""
    try:
        return read(model, answer)
    except Unreadable:
        raise nonsense() from None


def nonsense() -> Later:
    """Nobody knows whether what was asked for is done."""
    return Later(PAUSES[0], is_unsure=True)
