"""Content that members write, checked by WeChat 内容安全.

https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/msgSecCheck.html
"""

from pydantic import BaseModel, ConfigDict, ValidationError

from graphql_api.config import settings
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.wechat import api
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.errors import Invalid
from graphql_api.observability import count, logger

PROFILE = 1
"""The scene of what members say of themselves."""
MAX_LENGTH = 2_500
_RISKY_CONTENT = 87014


class _Result(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    suggest: str


class _Checked(BaseModel):
    result: _Result


def require_decent(openid: str | None, text: str | None, field: tuple[str, ...]) -> None:
    """Refuse text that WeChat holds for risky; Invalid names the field.

    What somebody should look at passes, and so does everything while WeChat does not answer, or
    where it knows nobody with this openid of the last two hours: names must not depend on it. Both
    are counted. Without a mini-program nothing is checked.
    """
    if not text or not openid or not settings().wechat_app_id:
        return
    body = {"openid": openid, "version": 2, "scene": PROFILE, "content": text[:MAX_LENGTH]}
    try:
        answer = api.post("/wxa/msg_sec_check", body)
        suggest = _Checked.model_validate(answer).result.suggest
    except Refused as refusal:
        suggest = "risky" if refusal.errcode == _RISKY_CONTENT else f"not checked {refusal.code}"
    except (Later, NotSetUp, ValidationError):
        suggest = "not checked"
    if suggest == "risky":
        count("CONTENT_RISKY")
        raise Invalid("WeChat does not allow this text", field=field)
    if suggest != "pass":
        count("CONTENT_NOT_CHECKED" if suggest.startswith("not") else "CONTENT_REVIEW")
        logger.info("content not cleared", suggest=suggest)
