"""What Weimob pushes: an envelope of either product generation, WOS 智慧零售 or 新云."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from graphql_api.connectors.told import Id, Told, Unreadable, json_object, read

_CONTENTS = ("msgBody", "msg_body")


class Envelope(Told):
    """What stands around the content."""

    id: Id
    topic: str
    event: str = ""
    sign: str | None = None
    bos_id: Id | None = Field(default=None, alias="bosId")
    public_account_id: Id | None = None
    business_id: Id | None = None
    client_id: Id | None = None
    test: bool = False

    @property
    def shop_keys(self) -> tuple[str, ...]:
        """What the shop may be known by: the operating system's id, else the account's."""
        keys = (self.bos_id, self.public_account_id, self.business_id)
        return tuple(key for key in keys if key)


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its envelope, its content, and the text of it that is signed."""

    envelope: Envelope
    content: dict[str, Any]
    signed: str

    @property
    def type(self) -> str:
        """Topic and event, as `weimob_shop.order/statusUpdate`."""
        return f"{self.envelope.topic}/{self.envelope.event}"


def read_message(raw: bytes) -> Message:
    """A body as a message. Raises Unreadable.

    The content is JSON in a text, or an object: then what is signed is its text in the body. A text
    that is no object is signed all the same, and holds nothing.
    """
    body = json_object(raw)
    name = next((name for name in _CONTENTS if name in body), None)
    if name is None:
        raise Unreadable("a message without content")
    told = body[name]
    envelope = read(Envelope, {k: v for k, v in body.items() if k != name})
    if isinstance(told, dict):
        try:
            return Message(envelope, told, _slice(raw, name))
        except RecursionError:
            raise Unreadable("nested too deeply") from None
    if not isinstance(told, str):
        raise Unreadable("the content of a message is an object or a text")
    content: dict[str, Any] = {}
    with suppress(Unreadable):
        content = json_object(told)
    return Message(envelope, content, told)


def _slice(raw: bytes, wanted: str) -> str:
    """The text of a field's value in a JSON object, as it stands there; the last of that name."""
    text, decoder, found = raw.decode(), json.JSONDecoder(), ""
    place = _behind(text, 0)
    while place < len(text) and text[place] != "}":
        name, place = decoder.raw_decode(text, _behind(text, place))
        begin = _behind(text, text.index(":", place))
        _, end = decoder.raw_decode(text, begin)
        if name == wanted:
            found = text[begin:end]
        place = _next(text, end)
    return found


def _behind(text: str, place: int) -> int:
    """The first character that means something behind a bracket, comma or colon."""
    return _next(text, place + 1) if text[place] in "{,:" else _next(text, place)


def _next(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place
