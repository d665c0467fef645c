"""WeChat's mini-program API, as far as a login needs it.

https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
"""

from pydantic import Field

from graphql_api.access.rules import WeChatPerson
from graphql_api.config import settings
from graphql_api.connectors import http, weixin
from graphql_api.errors import Forbidden, Unavailable
from graphql_api.kit import phone

_CODE = ("input", "code")
_PHONE_CODE = ("input", "phone_code")
_BLOCKED_PERSON = 40226


class _Session(weixin.Answer):
    openid: str = Field(pattern=weixin.ID)
    unionid: str | None = Field(default=None, pattern=weixin.ID)


class _PhoneInfo(weixin.Answer):
    number: str = Field(alias="purePhoneNumber")
    country: str = Field(alias="countryCode")


class _Phone(weixin.Answer):
    phone_info: _PhoneInfo


def _stable_token() -> weixin.Token:
    body = {
        "grant_type": "client_credential",
        "appid": settings().wechat_app_id,
        "secret": settings().wechat_app_secret.get_secret_value(),
        "force_refresh": False,
    }
    return weixin.read(weixin.Token, http.post(_url("/cgi-bin/stable_token"), body))


access_token = weixin.AccessToken("wechat", lambda: settings().wechat_app_id, _stable_token)


def who_is(code: str, phone_code: str | None) -> WeChatPerson:
    """Whom a login code stands for, with the phone that a phone code stands for.

    Refusals name the code that is at fault; Unavailable when WeChat cannot be asked. The session
    key is dropped.
    """
    if not settings().wechat_app_id:
        raise Unavailable("Login by WeChat is not set up")
    session = _session(code)
    number = _phone(phone_code) if phone_code is not None else None
    return WeChatPerson(session.openid, session.unionid, number)


def _session(code: str) -> _Session:
    answer = http.get(
        _url("/sns/jscode2session"),
        appid=settings().wechat_app_id,
        secret=settings().wechat_app_secret.get_secret_value(),
        js_code=code,
        grant_type="authorization_code",
    )
    try:
        return weixin.read(_Session, answer)
    except weixin.Refusal as refusal:
        if refusal.errcode == _BLOCKED_PERSON:
            raise Forbidden("WeChat has blocked this account", field=_CODE) from None
        raise weixin.refused("wechat", refusal.errcode, _CODE) from None


def _phone(code: str) -> str:
    def ask(token: str) -> _Phone:
        url = _url("/wxa/business/getuserphonenumber")
        return weixin.read(_Phone, http.post(url, {"code": code}, access_token=token))

    try:
        with weixin.answering():
            info = access_token.use(ask).phone_info
        return phone.to_e164(f"+{info.country}{info.number}")
    except weixin.Refusal as refusal:
        raise weixin.refused("wechat", refusal.errcode, _PHONE_CODE) from None
    except ValueError:
        raise http.nonsense() from None


def _url(path: str) -> str:
    return f"{settings().wechat_base_url}{path}"
