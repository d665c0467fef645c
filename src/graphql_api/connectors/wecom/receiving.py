"""Receiving what WeCom pushes: believed, opened, queued and acknowledged, and nothing more.

An answer to the check of the address has to come within a second, one to an event within five; then
WeCom tries three times more. A queue keeps what was acknowledged: events have no ids, and who
follows them looks at what they are about.
"""

from collections.abc import Mapping
from datetime import datetime

from graphql_api.config import Settings, settings
from graphql_api.connectors.wecom.events import (
    ContactEvent,
    TagsDeleted,
    Unreadable,
    event_of,
    fields_of,
)
from graphql_api.connectors.weixin_crypto import Forged
from graphql_api.connectors.weixin_door import MAX_BYTES, TAKEN, Answer, Door, Keys
from graphql_api.kit import queues
from graphql_api.observability import count, logger

__all__ = ["PATH", "Answer", "check_address", "door", "receive"]

PATH = "/vendors/wecom"


def _keys(known: Settings) -> Keys:
    return Keys(known.wecom_callback_token, known.wecom_callback_key, known.wecom_corp_id)


door = Door(_keys)


def check_address(query: Mapping[str, str], *, at: datetime) -> Answer:
    """The answer to the check of the address: what was encrypted in `echostr`, bare."""
    try:
        return Answer(200, door.open(query, query.get("echostr", ""), at=at).decode())
    except (Forged, UnicodeDecodeError) as error:
        return _refused(error)


def receive(query: Mapping[str, str], raw: bytes, *, at: datetime) -> Answer:
    """Take a push in: what is acknowledged stands in a queue, or is about nothing of ours.

    An event with a welcome code goes into the fast lane too, at once.
    """
    if len(raw) > MAX_BYTES:
        return Answer(413, "too large")
    try:
        encrypted = fields_of(raw).get("Encrypt", "")
        event = event_of(fields_of(door.open(query, encrypted, at=at)))
    except (Forged, Unreadable) as error:
        return _refused(error)
    if event is None:
        count("WECOM_PUSH_OF_NO_CONCERN")
        return TAKEN
    if isinstance(event, TagsDeleted):
        queues.send(settings().contact_queue_url, [queues.Message(event.model_dump(mode="json"))])
        count("WECOM_TAGS_DELETED")
        return TAKEN
    _queue(event)
    count(f"WECOM_{event.push.name}")
    return TAKEN


def _queue(event: ContactEvent) -> None:
    known = settings()
    if event.welcome_code is not None:
        queues.send(known.welcome_queue_url, [queues.Message(event.model_dump(mode="json"))])
    bare = event.model_copy(update={"welcome_code": None})
    queues.send(known.contact_queue_url, [queues.Message(bare.model_dump(mode="json"))])


def _refused(error: Exception) -> Answer:
    count("WECOM_PUSH_REFUSED")
    logger.warning("push refused", platform="wecom", reason=str(error) or type(error).__name__)
    return Answer(401, "")
