"""Calls of WeChat with the token of the mini-program."""

from collections.abc import Callable
from typing import Any, TypeVar

from graphql_api.config import settings
from graphql_api.connectors import http, weixin
from graphql_api.connectors.calls import nonsense
from graphql_api.connectors.errors import NotSetUp
from graphql_api.connectors.wechat.client import access_token
from graphql_api.connectors.weixin_errors import Refused, raised
from graphql_api.errors import Unavailable

__all__ = ["Refused", "picture", "post"]

T = TypeVar("T")

_PICTURES = (b"\x89PNG", b"\xff\xd8\xff")


def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a POST gives, as `/cgi-bin/message/subscribe/send`.

    Raises Later for what passes by itself (`is_unsure` where no answer came), NotSetUp for what
    somebody has to mend in the console, and Refused with the platform's number for the rest.
    """

    def asked(token: str) -> dict[str, Any]:
        answer = http.post(_url(path), body, access_token=token)
        weixin.read(weixin.Answer, answer)
        return answer

    return _used(asked)


def picture(path: str, body: dict[str, Any]) -> bytes:
    """The PNG or JPEG that a POST gives; raises as `post` does."""

    def asked(token: str) -> bytes:
        content = http.post_for_bytes(_url(path), body, access_token=token)
        if content.startswith(_PICTURES):
            return content
        weixin.read(weixin.Answer, http.opened(content))
        raise http.nonsense()

    return _used(asked)


def _used(asked: Callable[[str], T]) -> T:
    if not settings().wechat_app_id:
        raise NotSetUp("no mini-program")
    try:
        return access_token.use(asked)
    except weixin.Refusal as refusal:
        raise raised(refusal) from None
    except Unavailable:
        raise nonsense() from None


def _url(path: str) -> str:
    return f"{settings().wechat_base_url}{path}"
