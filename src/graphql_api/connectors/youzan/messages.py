"""What Youzan pushes: one envelope for all types, with content in four forms."""

import hashlib
from typing import Any
from urllib.parse import unquote, unquote_plus

import orjson
from pydantic import Field

from graphql_api.connectors.told import Id, Told, Unreadable, json_object
from graphql_api.connectors.told import read as read_as

_NO_CONTENT = frozenset({"app_id", "client_id", "mode", "sendCount", "sign", "test"})
"""Fields of the envelope that say nothing of what happened; a resend changes some of them."""

_NO_SHOP = (0, "", "0", "null")


class Message(Told):
    """One message, with its content decoded.

    `id` is that of the thing it is about. `version` is in seconds or milliseconds, always the same
    for a type.
    """

    type: str
    id: Id | None = None
    client_id: Id | None = None
    kdt_id: Id | None = None
    root_kdt_id: Id | None = None
    kdt_name: str | None = None
    status: str | None = None
    version: int | None = None
    msg_id: Id | None = None
    yz_open_id: str | None = None
    send_count: int = Field(default=0, alias="sendCount")
    test: bool = False
    content: dict[str, Any]

    @property
    def identity(self) -> str:
        """The same for every time that this message is sent, and for no other message."""
        if self.msg_id is not None:
            return self.msg_id
        happened = self.content.get("event_time")
        facts = [self.kdt_id, self.type, self.id, self.status, self.version, happened]
        if self.id is None:
            facts.append(_digest(self.content))  # else two persons would be one message
        return orjson.dumps(facts).decode()

    @property
    def shop_keys(self) -> tuple[str, ...]:
        """What its shop may be known by, the whole chain first.

        Some types name it in what they tell alone.
        """
        merge = self.content.get("merge_info")
        told = [self.root_kdt_id, self.kdt_id, self.content.get("node_kdt_id")]
        told.append(merge.get("kdt_id") if isinstance(merge, dict) else None)
        keys = [str(key) for key in told if isinstance(key, int | str) and key not in _NO_SHOP]
        return tuple(dict.fromkeys(keys))

    @property
    def sequence(self) -> tuple[str, str | None, int | None]:
        """Type, id, version: the higher version is newer, within one type and id only."""
        return self.type, self.id, self.version


def read(raw: bytes, event_type: str | None = None) -> Message:
    """A body as a message; `event_type`, the header, is for bodies that do not name their type.

    Raises Unreadable.
    """
    body = json_object(raw)
    return read_as(
        Message, {**body, "type": body.get("type") or event_type, "content": _content(body)}
    )


def _content(body: dict[str, Any]) -> dict[str, Any]:
    msg = body.get("msg")
    if msg in ("", "null", None):
        return {name: value for name, value in body.items() if name not in _NO_CONTENT}
    if isinstance(msg, dict):
        return msg
    if not isinstance(msg, str):
        raise Unreadable("the content of a message is an object or a text")
    return json_object(msg if msg.lstrip().startswith("{") else _unquoted(msg))


def _unquoted(msg: str) -> str:
    # Who writes a space as %20 means a plus by `+`: that of a phone, say.
    unquoted = unquote if "%20" in msg else unquote_plus
    try:
        return unquoted(msg, errors="strict")
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8") from None


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
