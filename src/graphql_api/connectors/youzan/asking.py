"""How Youzan's API is asked: with a token, and its errors in our words."""

from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from graphql_api.config import settings
from graphql_api.connectors import calls
from graphql_api.connectors.errors import Later, NotSetUp, VendorRefused
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import Vendor
from graphql_api.connectors.secrets import secrets
from graphql_api.connectors.tokens import Fresh, StaleToken, tokens
from graphql_api.connectors.told import Told
from graphql_api.observability import logger

_TOKEN_CODES = frozenset({4201, 4202, 4203})
_SET_UP_CODES = frozenset({4007, 4204})
"""Our address is not on the app's list, or the app may not ask this: somebody has to allow it."""
_BUSY_CODES = frozenset({4101, 5001, 5002, 500100004, 123000042, 141500203})


class _Answer(Told):
    code: int | None = None
    success: bool | None = None
    message: str | None = None
    trace_id: str | None = None


class _Refused(Told):
    err_code: int | None = None
    code: int | None = None
    trace_id: str | None = None


def ask(
    shop: Shop,
    name: str,
    version: str,
    body: dict[str, Any],
    *,
    fine: frozenset[int] | set[int] = frozenset(),
) -> Any:
    """The data of an answer, None for a refusal that is fine; its errors in our words."""

    def call(token: str) -> Any:
        url = f"{settings().youzan_base_url}/api/{name}/{version}"
        return _data(name, calls.post(url, body, access_token=token), fine)

    return tokens.use(shop, lambda: _token(shop), call)


def _data(name: str, answer: dict[str, Any], fine: frozenset[int] | set[int]) -> Any:
    refused = answer.get("gw_err_resp") or answer.get("error_response")
    if isinstance(refused, dict):
        gate = calls.opened(_Refused, refused)
        raise _refusal(name, gate.err_code or gate.code, gate.trace_id)
    if "response" in answer:
        return answer["response"]
    told = calls.opened(_Answer, {k: v for k, v in answer.items() if k != "data"})
    if told.code == 200 and told.success is not False:
        return answer.get("data")
    if told.code in fine:
        return None
    raise _refusal(name, told.code, told.trace_id)


def _refusal(name: str, code: int | None, trace_id: str | None) -> Exception:
    logger.warning("youzan refused", api=name, code=code, trace=trace_id)
    if code is None:
        return calls.nonsense()
    if code in _TOKEN_CODES:
        return StaleToken()
    if code in _SET_UP_CODES:
        return NotSetUp(str(code))
    if code in _BUSY_CODES:
        return Later(calls.PAUSES[1])
    return VendorRefused(str(code))


class _Token(Told):
    access_token: str = Field(min_length=1)
    expires: int = Field(gt=0, lt=10**14)


def _token(shop: Shop) -> Fresh:
    """A token of our app for the shop, as an app for own use gets it."""
    asked = {
        "client_id": shop.client_id,
        "client_secret": secrets.newest(Vendor.YOUZAN, shop.client_id),
        "authorize_type": "silent",
        "grant_id": shop.vendor_key,
        "refresh": False,
    }
    answer = calls.post(f"{settings().youzan_base_url}/auth/token", asked)
    if answer.get("success") is not True or not isinstance(answer.get("data"), dict):
        logger.warning("youzan gave no token", code=str(answer.get("code")), shop=shop.id)
        raise NotSetUp(f"token {answer.get('code')}")
    told = calls.opened(_Token, answer["data"])
    return Fresh(told.access_token, datetime.fromtimestamp(told.expires / 1000, UTC))
