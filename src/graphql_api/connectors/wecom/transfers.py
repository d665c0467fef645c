"""Handing customers over 客户继承, of users at work and of those who left.

https://developer.work.weixin.qq.com/document/path/92125 (at work 在职继承)
https://developer.work.weixin.qq.com/document/path/94081 (left 离职继承)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphql_api.connectors.calls import nonsense
from graphql_api.connectors.wecom import api

MAX_CUSTOMERS = 100
MAX_MESSAGE = 200


class Status(IntEnum):
    """Where WeCom stands with a customer."""

    DONE = 1
    WAITING = 2
    REFUSED = 3
    LIMIT = 4
    NO_RECORD = 5


class _Asked(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    external_userid: str
    errcode: int = 0


class _Answer(BaseModel):
    customer: list[_Asked] = Field(default_factory=list)


class _Row(BaseModel):
    external_userid: str
    status: Status
    takeover_time: int = 0


class _Page(BaseModel):
    customer: list[_Row] = Field(default_factory=list)
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a customer, and when they went."""

    customer: str
    status: Status
    at: datetime | None


def ask(
    from_user: str, to_user: str, customers: Sequence[str], message: str | None, *, has_left: bool
) -> dict[str, int]:
    """Have customers handed over; WeCom's number for each, 0 where it began.

    What began is done after 24 hours unless the customer refuses. At most a hundred at once.
    """
    body: dict[str, Any] = {
        "handover_userid": from_user,
        "takeover_userid": to_user,
        "external_userid": list(customers),
    }
    if message and not has_left:
        body["transfer_success_msg"] = message
    try:
        answer = _Answer.model_validate(api.post(_path(has_left, "transfer_customer"), body))
    except ValidationError:
        raise nonsense() from None
    return {one.external_userid: one.errcode for one in answer.customer}


def results(
    from_user: str, to_user: str, cursor: str, *, has_left: bool
) -> tuple[list[Result], str]:
    """A page of what became of them, and the cursor of the next, empty for none."""
    body = {"handover_userid": from_user, "takeover_userid": to_user, "cursor": cursor}
    try:
        page = _Page.model_validate(api.post(_path(has_left, "transfer_result"), body))
    except ValidationError:
        raise nonsense() from None
    return [Result(row.external_userid, row.status, _at(row)) for row in page.customer], (
        page.next_cursor
    )


def _at(row: _Row) -> datetime | None:
    return datetime.fromtimestamp(row.takeover_time, UTC) if row.takeover_time else None


def _path(has_left: bool, name: str) -> str:
    return f"externalcontact/resigned/{name}" if has_left else f"externalcontact/{name}"
