"""WeCom's API, as far as a login needs it.

https://developer.work.weixin.qq.com/document/path/91023 (web pages)
https://developer.work.weixin.qq.com/document/path/91507 (mini-programs)
"""

from typing import Any

from pydantic import Field

from graphql_api.access.rules import WeComClient
from graphql_api.config import settings
from graphql_api.connectors import http, weixin
from graphql_api.errors import NotFound, Unavailable

_CODE = ("input", "code")


class _Visitor(weixin.Answer):
    """Who is no member of the corp has an openid in place of the user id."""

    userid: str | None = Field(default=None, pattern=weixin.ID)


def _corp_token() -> weixin.Token:
    answer = http.get(
        _url("/cgi-bin/gettoken"),
        corpid=settings().wecom_corp_id,
        corpsecret=settings().wecom_app_secret.get_secret_value(),
    )
    return weixin.read(weixin.Token, answer)


access_token = weixin.AccessToken("wecom", lambda: settings().wecom_corp_id, _corp_token)


def who_is(code: str, client: WeComClient) -> str:
    """The user id, within the corp, of whom a login code stands for.

    Refusals name the code; NotFound for somebody outside the corp, Unavailable when WeCom cannot be
    asked.
    """
    if not settings().wecom_corp_id:
        raise Unavailable("Login by WeCom is not set up")

    def ask(token: str) -> _Visitor:
        return weixin.read(_Visitor, _exchanged(token, code, client))

    try:
        with weixin.answering():
            visitor = access_token.use(ask)
    except weixin.Refusal as refusal:
        raise weixin.refused("wecom", refusal.errcode, _CODE) from None
    if visitor.userid is None:
        raise NotFound("This person is not a member of the corp", field=_CODE)
    return visitor.userid


def _exchanged(token: str, code: str, client: WeComClient) -> dict[str, Any]:
    if client is WeComClient.WEB:
        return http.get(_url("/cgi-bin/auth/getuserinfo"), access_token=token, code=code)
    return http.get(
        _url("/cgi-bin/miniprogram/jscode2session"),
        access_token=token,
        js_code=code,
        grant_type="authorization_code",
    )


def _url(path: str) -> str:
    return f"{settings().wecom_base_url}{path}"
