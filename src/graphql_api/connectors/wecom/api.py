"""Calls of WeCom with the token of the app that looks after customers 客户联系.

https://developer.work.weixin.qq.com/document/path/92109
"""

from collections.abc import Callable
from typing import Any

from graphql_api.config import settings
from graphql_api.connectors import http, weixin
from graphql_api.connectors.calls import nonsense
from graphql_api.connectors.errors import NotSetUp
from graphql_api.connectors.weixin_errors import Refused, raised
from graphql_api.errors import Unavailable

__all__ = ["Refused", "access_token", "get", "post"]


def _contacts_token() -> weixin.Token:
    known = settings()
    secret = known.wecom_contacts_secret.get_secret_value()
    answer = http.get(
        f"{known.wecom_base_url}/cgi-bin/gettoken",
        corpid=known.wecom_corp_id,
        corpsecret=secret or known.wecom_app_secret.get_secret_value(),
    )
    return weixin.read(weixin.Token, answer)


def _owner() -> str:
    known = settings()
    own_app = bool(known.wecom_contacts_secret.get_secret_value())
    return f"{known.wecom_corp_id}#contacts" if own_app else known.wecom_corp_id


access_token = weixin.AccessToken("wecom", _owner, _contacts_token)


def get(path: str, **query: str) -> dict[str, Any]:
    """What a GET of `externalcontact/…` or another path under /cgi-bin gives.

    Raises Later for what passes by itself (`is_unsure` where no answer came), NotSetUp for what
    somebody has to mend in the console, and Refused with the platform's number for the rest.
    """
    return _called(lambda token: http.get(_url(path), access_token=token, **query))


def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a POST gives; raises as `get` does."""
    return _called(lambda token: http.post(_url(path), body, access_token=token))


def _called(ask: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    if not settings().wecom_corp_id:
        raise NotSetUp("no corp of WeCom")

    def asked(token: str) -> dict[str, Any]:
        answer = ask(token)
        weixin.read(weixin.Answer, answer)
        return answer

    try:
        return access_token.use(asked)
    except weixin.Refusal as refusal:
        raise raised(refusal) from None
    except Unavailable:
        raise nonsense() from None


def _url(path: str) -> str:
    return f"{settings().wecom_base_url}/cgi-bin/{path}"
