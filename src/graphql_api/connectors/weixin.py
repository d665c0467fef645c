"""What WeChat and WeCom have in common: an error code in each answer, and access tokens."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphql_api.connectors import http
from graphql_api.errors import AppError, Invalid, LimitExceeded, Unavailable
from graphql_api.observability import logger

BAD_CODES = frozenset({40029, 40163, 41008, 42003})
"""A code that never was, was used, is missing, or is over."""
TOO_MANY = frozenset({45009, 45011})
STALE_TOKENS = frozenset({40001, 40014, 42001})

ID = r"^[\x21-\x7e]{1,128}$"
_MARGIN_SECONDS = 300


class Answer(BaseModel):
    """What every answer may hold."""

    # An error must not print what was answered: session keys, phones, tokens.
    model_config = ConfigDict(hide_input_in_errors=True, coerce_numbers_to_str=True)

    errcode: int = 0


class Token(Answer):
    """An access token and for how many seconds it holds."""

    access_token: str = Field(min_length=1)
    expires_in: int


class Refusal(Exception):
    """The answer is an error code."""

    def __init__(self, errcode: int) -> None:
        super().__init__(errcode)
        self.errcode = errcode


Read = TypeVar("Read", bound=Answer)
T = TypeVar("T")


def read(model: type[Read], body: dict[str, Any]) -> Read:
    """The answer as a model; raises Refusal for an error code, Unavailable for nonsense."""
    try:
        if errcode := Answer.model_validate(body).errcode:
            raise Refusal(errcode)
        return model.model_validate(body)
    except ValidationError:
        raise http.nonsense() from None


class AccessToken:
    """An app's access token, kept in the process until five minutes before its end.

    The platform gives the same one to everybody who asks while it holds, so that processes need not
    share it.
    """

    def __init__(self, ask: Callable[[], Token]) -> None:
        self._ask = ask
        self._lock = Lock()
        self._kept: tuple[str, float] | None = None

    def use(self, call: Callable[[str], T]) -> T:
        """What `call` gives with the token; a token that was withdrawn is replaced once."""
        try:
            return call(self._get())
        except Refusal as refusal:
            if refusal.errcode not in STALE_TOKENS:
                raise
        self.forget()
        return call(self._get())

    def forget(self) -> None:
        """Ask anew next time."""
        with self._lock:
            self._kept = None

    def _get(self) -> str:
        with self._lock:
            if self._kept is None or time.monotonic() > self._kept[1]:
                token = self._ask()
                until = time.monotonic() + token.expires_in - _MARGIN_SECONDS
                self._kept = (token.access_token, until)
            return self._kept[0]


def refused(platform: str, errcode: int, field: tuple[str, ...]) -> AppError:
    """The refusal of a command whose code the platform did not exchange; `field` named the code."""
    if errcode in BAD_CODES:
        return Invalid("This code is not valid, or was used before", field=field)
    if errcode in TOO_MANY:
        return LimitExceeded("Too many attempts; wait a minute", field=field)
    logger.warning("code not exchanged", platform=platform, errcode=errcode)
    return Unavailable("The other system does not answer as it should")
