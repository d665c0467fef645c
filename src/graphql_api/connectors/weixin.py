"""What WeChat and WeCom have in common: an error code in each answer, and access tokens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphql_api.connectors import http
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.tokens import Fresh, StaleToken, TokenOwner, tokens
from graphql_api.errors import AppError, Invalid, LimitExceeded, Unavailable
from graphql_api.kit import ids
from graphql_api.kit.time import real_now
from graphql_api.observability import logger

BAD_CODES = frozenset({40029, 40163, 41008, 42003})
"""A code that never was, was used, is missing, or is over."""
TOO_MANY = frozenset({45009, 45011})
STALE_TOKENS = frozenset({40001, 40014, 42001})

ID = r"^[\x21-\x7e]{1,128}$"


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
    """An app's access token: one for all processes, which one at a time gets anew."""

    def __init__(self, platform: str, app: Callable[[], str], ask: Callable[[], Token]) -> None:
        self._platform = platform
        self._app = app
        self._ask = ask

    def use(self, call: Callable[[str], T]) -> T:
        """What `call` gives with the token; one that the platform forgot is replaced once.

        Raises Later and NotSetUp as `Tokens.use` does.
        """

        def asked(token: str) -> T:
            try:
                return call(token)
            except Refusal as refusal:
                if refusal.errcode in STALE_TOKENS:
                    raise StaleToken from None
                raise

        owner = TokenOwner(ids.derived_id("vsh", self._platform, self._app()))
        return tokens.use(owner, self._fresh, asked)

    def _fresh(self) -> Fresh:
        token = self._ask()
        return Fresh(token.access_token, real_now() + timedelta(seconds=token.expires_in))

    def forget(self) -> None:
        """Look into the table next time, for tests."""
        tokens.forget()


@contextmanager
def answering() -> Iterator[None]:
    """Within a command that somebody waits for: what would be tried later is Unavailable now."""
    try:
        yield
    except (Later, NotSetUp):
        raise http.nonsense() from None


def refused(platform: str, errcode: int, field: tuple[str, ...]) -> AppError:
    """The refusal of a command whose code the platform did not exchange; `field` named the code."""
    if errcode in BAD_CODES:
        return Invalid("This code is not valid, or was used before", field=field)
    if errcode in TOO_MANY:
        return LimitExceeded("Too many attempts; wait a minute", field=field)
    logger.warning("code not exchanged", platform=platform, errcode=errcode)
    return Unavailable("The other system does not answer as it should")
