"""Contact ways 联系我 (渠道活码): codes by which customers become friends of guides.

https://developer.work.weixin.qq.com/document/path/92228
The console does not show them: who loses a `config_id` has lost the way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphql_api.connectors.calls import nonsense
from graphql_api.connectors.wecom import api
from graphql_api.connectors.weixin_errors import Refused

MAX_USERS = 100
_ONE, _SEVERAL = 1, 2
_QR = 2
_PAGE = 1000
_NO_SUCH_WAY = 41044


class _Made(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    config_id: str = Field(min_length=1)
    qr_code: str = ""


class _Shown(BaseModel):
    config_id: str
    qr_code: str = ""
    state: str = ""
    user: list[str] = Field(default_factory=list)


class _Got(BaseModel):
    contact_way: _Shown


class _Row(BaseModel):
    config_id: str


class _List(BaseModel):
    contact_way: list[_Row] = Field(default_factory=list)
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """A way as WeCom keeps it, and the address of its picture."""

    config_id: str
    picture_url: str


def add(state: str, user_ids: Sequence[str], remark: str) -> Way:
    """A new way to these users, who become friends without asking; twice makes two."""
    body = {
        "type": _ONE if len(user_ids) == 1 else _SEVERAL,
        "scene": _QR,
        "skip_verify": True,
        "state": state,
        "user": list(user_ids),
        "remark": remark[:30],
    }
    try:
        made = _Made.model_validate(api.post("externalcontact/add_contact_way", body))
    except ValidationError:
        raise nonsense() from None
    return Way(made.config_id, made.qr_code)


def update(config_id: str, state: str, user_ids: Sequence[str]) -> None:
    """Have a way lead to these users, and to no other."""
    body = {
        "config_id": config_id,
        "skip_verify": True,
        "state": state,
        "user": list(user_ids),
    }
    api.post("externalcontact/update_contact_way", body)


def delete(config_id: str) -> None:
    """Have a way lead nowhere; one that is gone is gone."""
    try:
        api.post("externalcontact/del_contact_way", {"config_id": config_id})
    except Refused as refusal:
        if refusal.errcode != _NO_SUCH_WAY:
            raise


def find(state: str, since: datetime, until: datetime) -> Way | None:
    """The way with a State that was made in a stretch of time: for who did not hear the answer."""
    for config_id in _made_between(since, until):
        try:
            answer = api.post("externalcontact/get_contact_way", {"config_id": config_id})
            shown = _Got.model_validate(answer).contact_way
        except ValidationError:
            raise nonsense() from None
        if shown.state == state:
            return Way(shown.config_id, shown.qr_code)
    return None


def _made_between(since: datetime, until: datetime) -> Iterator[str]:
    cursor = ""
    while True:
        body = {
            "start_time": int(since.timestamp()),
            "end_time": int(until.timestamp()),
            "limit": _PAGE,
            **({"cursor": cursor} if cursor else {}),
        }
        try:
            page = _List.model_validate(api.post("externalcontact/list_contact_way", body))
        except ValidationError:
            raise nonsense() from None
        yield from (row.config_id for row in page.contact_way)
        cursor = page.next_cursor
        if not cursor:
            return
