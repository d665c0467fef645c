"""Subscribe messages 订阅消息 on the wire.

https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html
"""

from collections.abc import Mapping

from graphql_api.config import settings
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.wechat import api
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.notices.service import Doubtful, NotSent, Outcome, WeChatRefused
from graphql_api.observability import logger

AGREED_TO_NONE = 43101
_STATES = {"prod": "formal", "dev": "trial", "local": "developer"}


def send(openid: str, template_id: str, page: str | None, data: Mapping[str, str]) -> Outcome:
    """Have WeChat send one message; see notices.service.Send."""
    body = {
        "touser": openid,
        "template_id": template_id,
        "miniprogram_state": _STATES[settings().stage],
        "lang": "zh_CN",
        "data": {key: {"value": value} for key, value in data.items()},
        **({"page": page} if page else {}),
    }
    try:
        api.post("/cgi-bin/message/subscribe/send", body)
    except Refused as refusal:
        if refusal.errcode == AGREED_TO_NONE:
            return Outcome.NO_QUOTA
        raise WeChatRefused(refusal.code, refusal.meaning) from None
    except Later as later:
        raise (Doubtful if later.is_unsure else NotSent) from None
    except NotSetUp as missing:
        logger.warning("notice not sent", reason=str(missing))
        raise NotSent from None
    return Outcome.DONE
