"""Receiving what WeChat pushes: believed, opened, queued and acknowledged, and nothing more.

The console has to be set to safe mode 安全模式; what comes in plain is refused. WeChat waits five
seconds, then it tries three times more.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from graphql_api.config import Settings, settings
from graphql_api.connectors.wechat import pushes
from graphql_api.connectors.weixin_bodies import Unreadable, tree
from graphql_api.connectors.weixin_crypto import Forged
from graphql_api.connectors.weixin_door import MAX_BYTES, TAKEN, Answer, Door, Keys
from graphql_api.kit import queues
from graphql_api.observability import count, logger

PATH = "/vendors/wechat"
_ECHO = re.compile(r"[\w-]{1,64}", re.ASCII)


def _keys(known: Settings) -> Keys:
    return Keys(known.wechat_push_token, known.wechat_push_key, known.wechat_app_id)


door = Door(_keys)


def check_address(query: Mapping[str, str], *, at: datetime) -> Answer:
    """The answer to the check of the address: `echostr`, which nothing but a word may be."""
    echo = query.get("echostr", "")
    try:
        door.check(query.get("signature", ""), query, at=at)
    except Forged as error:
        return _refused(error)
    return Answer(200, echo) if _ECHO.fullmatch(echo) else _refused(Forged("no word to echo"))


def receive(query: Mapping[str, str], raw: bytes, *, at: datetime) -> Answer:
    """Take a push in: what is acknowledged stands in the queue, or is followed by nobody."""
    if len(raw) > MAX_BYTES:
        return Answer(413)
    try:
        encrypted = str(tree(raw).get("Encrypt", ""))
        push = pushes.read(door.open(query, encrypted, at=at))
    except (Forged, Unreadable) as error:
        return _refused(error)
    count(f"WECHAT_{push.event.name}" if push else "WECHAT_PUSH_OF_NO_CONCERN")
    if push and (queue := settings().wechat_queue_url):
        queues.send(queue, [queues.Message(push.model_dump(mode="json"))])
    return TAKEN


def _refused(error: Exception) -> Answer:
    count("WECHAT_PUSH_REFUSED")
    logger.warning("push refused", platform="wechat", reason=str(error) or type(error).__name__)
    return Answer(401)
