"""Customers of the corp 客户联系: who they are, and welcoming them.

https://developer.work.weixin.qq.com/document/path/92114 (a customer)
https://developer.work.weixin.qq.com/document/path/92599 (welcoming)
"""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphql_api.connectors import weixin
from graphql_api.connectors.calls import nonsense
from graphql_api.connectors.errors import Later
from graphql_api.connectors.wecom import api
from graphql_api.connectors.weixin_errors import Refused

ALREADY_WELCOMED = 41051
OTHER_APP_AT_IT = 41096
NOT_A_CUSTOMER = frozenset({84061, 40096})


class _Told(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)


class _Person(_Told):
    external_userid: str
    unionid: str | None = Field(default=None, pattern=weixin.ID)


class _Follow(_Told):
    userid: str
    state: str | None = None


class _Contact(_Told):
    external_contact: _Person
    follow_user: list[_Follow] = Field(default_factory=list)


def union_id_of(external_user_id: str) -> str | None:
    """What a customer is known by in WeChat; None for who is nobody's customer, or not in WeChat.

    WeCom tells it where the corp is bound to the open platform of the mini-program.
    """
    try:
        answer = api.get("externalcontact/get", external_userid=external_user_id)
        return _Contact.model_validate(answer).external_contact.unionid
    except Refused as refusal:
        if refusal.errcode in NOT_A_CUSTOMER:
            return None
        raise
    except ValidationError:
        raise nonsense() from None


def send_welcome(welcome_code: str, text: str, link: tuple[str, str] | None = None) -> bool:
    """Send the one welcome 欢迎语 that a new friend may get; False where they got one before.

    `link` is a title and an address. Raises Later while another app is at it.
    """
    body: dict[str, object] = {"welcome_code": welcome_code, "text": {"content": text}}
    if link is not None:
        title, url = link
        body["attachments"] = [{"msgtype": "link", "link": {"title": title, "url": url}}]
    try:
        api.post("externalcontact/send_welcome_msg", body)
    except Refused as refusal:
        if refusal.errcode == ALREADY_WELCOMED:
            return False
        if refusal.errcode == OTHER_APP_AT_IT:
            raise Later(1.0) from None
        raise
    return True
