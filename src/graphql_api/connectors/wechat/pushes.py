"""What WeChat pushes of a mini-program, as far as somebody may want to follow it.

https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/subscribe-message.html
https://developers.weixin.qq.com/miniprogram/dev/framework/security.mediaCheckAsync.html
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from graphql_api.connectors.weixin_bodies import Unreadable, rows, tree

_ACCEPTED = "accept"


class Event(StrEnum):
    """What happened."""

    ASKED = "subscribe_msg_popup_event"
    CHANGED = "subscribe_msg_change_event"
    SENT = "subscribe_msg_sent_event"
    REVOKED = "user_authorization_revoke"
    CANCELLED = "user_authorization_cancellation"
    PROFILE_CLEANED = "user_info_modified"
    MEDIA_CHECKED = "wxa_media_check"


_LISTS = {
    Event.ASKED: "SubscribeMsgPopupEvent",
    Event.CHANGED: "SubscribeMsgChangeEvent",
    Event.SENT: "SubscribeMsgSentEvent",
}
_OF_AUTHORIZATION = frozenset({Event.REVOKED, Event.CANCELLED, Event.PROFILE_CLEANED})


class _Read(BaseModel):
    # An error must not print whom it is about.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)


class OfTemplate(_Read):
    """A template that somebody answered for, or that was sent: `errcode` 0 where it arrived."""

    template_id: str
    is_accepted: bool | None = None
    message_id: str | None = None
    errcode: int | None = None


class Push(_Read):
    """One event about who is `open_id` in our mini-program.

    `revoked` are the numbers of what somebody took back; `trace_id` names the content that was
    checked, `suggest` is risky, pass or review.
    """

    event: Event
    open_id: str
    created_at: datetime
    templates: tuple[OfTemplate, ...] = ()
    revoked: tuple[str, ...] = ()
    trace_id: str | None = None
    suggest: str | None = None
    label: int | None = None


def read(raw: bytes) -> Push | None:
    """The event in a body; None for one of no concern, as a message to customer service.

    Raises Unreadable for what is no body, and for an event that lacks what it needs.
    """
    fields = tree(raw)
    name = fields.get("Event")
    if not isinstance(name, str) or name not in set(Event):
        return None
    event = Event(name)
    result = fields.get("result")
    checked = result if isinstance(result, dict) else {}
    try:
        return Push(
            event=event,
            open_id=fields.get("OpenID" if event in _OF_AUTHORIZATION else "FromUserName"),
            created_at=fields.get("CreateTime"),
            templates=tuple(_template(row) for row in _rows(event, fields)),
            revoked=tuple(str(fields.get("RevokeInfo", "")).replace(",", " ").split()),
            trace_id=fields.get("trace_id"),
            suggest=checked.get("suggest"),
            label=checked.get("label"),
        )
    except ValidationError:
        raise Unreadable from None


def _rows(event: Event, fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a list, which stands under the event's own name in XML, and in JSON anywhere."""
    if event not in _LISTS:
        return []
    inside = fields.get(_LISTS[event], fields)
    return rows(inside.get("List", inside) if isinstance(inside, dict) else inside)


def _template(row: dict[str, Any]) -> OfTemplate:
    answer = row.get("SubscribeStatusString")
    return OfTemplate(
        template_id=row.get("TemplateId"),
        is_accepted=None if answer is None else answer == _ACCEPTED,
        message_id=row.get("MsgID"),
        errcode=row.get("ErrorCode"),
    )
