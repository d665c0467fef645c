"""Mini-program codes 小程序码, of which there may be any number.

https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/qr-code/getUnlimitedQRCode.html
"""

from graphql_api.config import settings
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.wechat import api
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.errors import Unavailable
from graphql_api.observability import logger

WIDTH = 430
_VERSIONS = {"prod": "release", "dev": "trial", "local": "develop"}


def draw(scene: str) -> bytes:
    """The picture of a code that opens the page of joining with this scene.

    Raises Unavailable, in words for whoever asked, where WeChat does not draw it.
    """
    stage = settings().stage
    body = {
        "scene": scene,
        "page": settings().wechat_code_page,
        "check_path": stage == "prod",
        "env_version": _VERSIONS[stage],
        "width": WIDTH,
    }
    try:
        return api.picture("/wxa/getwxacodeunlimit", body)
    except NotSetUp as missing:
        logger.warning("code not drawn", reason=str(missing))
        raise Unavailable("The mini-program is not set up to draw codes") from None
    except Refused as refusal:
        logger.warning("code not drawn", errcode=refusal.errcode)
        raise Unavailable(f"WeChat drew no code: {refusal.meaning}") from None
    except Later:
        raise Unavailable("WeChat draws no code now; try again in a minute") from None
