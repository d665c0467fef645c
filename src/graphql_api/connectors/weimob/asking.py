"""How Weimob's API is asked: with a token in the query, and its errors in our words."""

from datetime import timedelta
from typing import Any

from pydantic import Field

from graphql_api.config import settings
from graphql_api.connectors import calls, rates
from graphql_api.connectors.errors import Later, NotSetUp, VendorRefused
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import Vendor
from graphql_api.connectors.secrets import secrets
from graphql_api.connectors.tokens import Fresh, StaleToken, tokens
from graphql_api.connectors.told import Id, Told
from graphql_api.kit.time import real_now
from graphql_api.observability import logger

_TOKEN_WORDS = ("accesstoken", "access_token", "token", "令牌")
_BUSY_WORDS = ("频繁", "限流", "超时", "系统繁忙", "too many", "timeout")
PER_SECOND = 20
"""Weimob says no rate; this one a shop has borne in nobody's report."""


class _Code(Told):
    errcode: Id
    errmsg: str | None = None


class _Answer(Told):
    code: _Code
    ticket: str | None = Field(default=None, alias="globalTicket")


def ask(shop: Shop, product: str, action: str, body: dict[str, Any]) -> Any:
    """The data of an answer; its errors in our words."""
    rates.take(shop.id, "weimob", PER_SECOND)

    def call(token: str) -> Any:
        url = f"{settings().weimob_base_url}/apigw/{product}/v2.0/{action}"
        return _data(action, calls.post(url, body, accesstoken=token))

    return tokens.use(shop, lambda: _token(shop), call)


def _data(action: str, answer: dict[str, Any]) -> Any:
    told = calls.opened(_Answer, {k: v for k, v in answer.items() if k != "data"})
    if told.code.errcode == "0":
        return answer.get("data")
    said = (told.code.errmsg or "").lower()
    logger.warning("weimob refused", api=action, code=told.code.errcode, ticket=told.ticket)
    if any(word in said for word in _TOKEN_WORDS):
        raise StaleToken
    if any(word in said for word in _BUSY_WORDS):
        raise Later(calls.PAUSES[1])
    raise VendorRefused(told.code.errcode)


class _Token(Told):
    access_token: str = Field(min_length=1)
    expires_in: int = Field(gt=0, lt=10**9)


def _token(shop: Shop) -> Fresh:
    """A token of our app for the shop. The secret stands in the query: so the vendor wants it."""
    answer = calls.post(
        f"{settings().weimob_base_url}/fuwu/b/oauth2/token",
        {},
        grant_type="client_credentials",
        client_id=shop.client_id,
        client_secret=secrets.newest(Vendor.WEIMOB, shop.client_id),
        shop_id=shop.vendor_key,
        shop_type="business_operation_system_id",
    )
    if "access_token" not in answer:
        logger.warning("weimob gave no token", shop=shop.id)
        raise NotSetUp("token")
    told = calls.opened(_Token, answer)
    return Fresh(told.access_token, real_now() + timedelta(seconds=told.expires_in))
