"""Mass sends 群发 and moments 朋友圈 of WeCom: tasks that a user has to confirm.

https://developer.work.weixin.qq.com/document/path/92135 (mass sends)
https://developer.work.weixin.qq.com/document/path/95094 (moments)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphql_api.connectors.calls import nonsense
from graphql_api.connectors.wecom import api

Link = tuple[str, str]
_PAGE = 100
_MOMENT_READY = 3
_MASS_SENT, _MOMENT_PUBLISHED = 2, 1


class _Told(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)


class _Created(_Told):
    msgid: str = Field(min_length=1)
    fail_list: list[str] = Field(default_factory=list)


class _Text(_Told):
    content: str = ""


class _Listed(_Told):
    msgid: str
    text: _Text = Field(default_factory=_Text)


class _List(_Told):
    group_msg_list: list[_Listed] = Field(default_factory=list)
    next_cursor: str = ""


class _Task(_Told):
    userid: str
    status: int = 0
    publish_status: int = 0
    send_time: int = 0


class _Tasks(_Told):
    task_list: list[_Task] = Field(default_factory=list)
    next_cursor: str = ""


class _Result(_Told):
    external_userid: str
    status: int


class _Results(_Told):
    send_list: list[_Result] = Field(default_factory=list)
    next_cursor: str = ""


class _Job(_Told):
    jobid: str = Field(min_length=1)


class _Invalid(_Told):
    user_list: list[str] = Field(default_factory=list)


class _MomentMade(_Told):
    errcode: int = 0
    moment_id: str = ""
    invalid_sender_list: _Invalid = Field(default_factory=_Invalid)


class _JobState(_Told):
    status: int
    result: _MomentMade = Field(default_factory=_MomentMade)


class _Moment(_Told):
    moment_id: str
    text: _Text = Field(default_factory=_Text)


class _Moments(_Told):
    moment_list: list[_Moment] = Field(default_factory=list)
    next_cursor: str = ""


class _Seer(_Told):
    external_userid: str


class _Seers(_Told):
    customer_list: list[_Seer] = Field(default_factory=list)
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of making a moment: its id, or a problem; neither while WeCom is at it."""

    moment_id: str | None = None
    problem: str | None = None


T = TypeVar("T", bound=_Told)


def create_mass(
    user: str, customers: Sequence[str], text: str, link: Link | None
) -> tuple[str, list[str]]:
    """A task for a user to send to customers: its id, and whom WeCom does not send to."""
    body = {
        "chat_type": "single",
        "sender": user,
        "external_userid": list(customers),
        "text": {"content": text},
        **_attached(link),
    }
    made = _asked(_Created, "add_msg_template", body)
    return made.msgid, made.fail_list


def find_mass(user: str, text: str, since: datetime, until: datetime) -> str | None:
    """The task with a text that was made for a user in a stretch of time."""
    body = {"chat_type": "single", "creator": "", "filter_type": 0, **_within(since, until)}
    for page in _pages(_List, "get_groupmsg_list_v2", body):
        for one in page.group_msg_list:
            if one.text.content == text and _is_for(one.msgid, user):
                return one.msgid
    return None


def _is_for(msgid: str, user: str) -> bool:
    pages = _pages(_Tasks, "get_groupmsg_task", {"msgid": msgid, "limit": _PAGE})
    return any(task.userid == user for page in pages for task in page.task_list)


def mass_confirmed_at(msgid: str, user: str) -> datetime | None:
    """When a user sent what the task asks for; None before."""
    for page in _pages(_Tasks, "get_groupmsg_task", {"msgid": msgid, "limit": _PAGE}):
        for task in page.task_list:
            if task.userid == user and task.status == _MASS_SENT:
                return datetime.fromtimestamp(task.send_time, UTC)
    return None


def mass_results(msgid: str, user: str, cursor: str) -> tuple[dict[str, int], str]:
    """A page of what became of customers, and the cursor of the next, empty for none."""
    body = {"msgid": msgid, "userid": user, "limit": _PAGE, "cursor": cursor}
    page = _asked(_Results, "get_groupmsg_send_result", body)
    return {one.external_userid: one.status for one in page.send_list}, page.next_cursor


def remind_mass(msgid: str) -> None:
    """Have WeCom remind the user, three times a day at most."""
    api.post("externalcontact/remind_groupmsg_send", {"msgid": msgid})


def cancel_mass(msgid: str) -> None:
    """Take a task back that was not confirmed."""
    api.post("externalcontact/cancel_groupmsg_send", {"msgid": msgid})


def create_moment(user: str, text: str, link: Link | None) -> str:
    """The job that makes a task for a user to publish a moment."""
    body = {
        "text": {"content": text},
        "visible_range": {"sender_list": {"user_list": [user]}},
        **_attached(link),
    }
    return _asked(_Job, "add_moment_task", body).jobid


def moment_of(job_id: str) -> Made:
    """What came of a job, for 24 hours after it."""
    try:
        answer = api.get("externalcontact/get_moment_task_result", jobid=job_id)
        state = _JobState.model_validate(answer)
    except ValidationError:
        raise nonsense() from None
    if state.status != _MOMENT_READY:
        return Made()
    if state.result.moment_id:
        return Made(state.result.moment_id)
    users = state.result.invalid_sender_list.user_list
    return Made(problem="the guide may not publish moments" if users else "no moment was made")


def find_moment(text: str, since: datetime, until: datetime) -> str | None:
    """The moment with a text that was made in a stretch of time."""
    for page in _pages(_Moments, "get_moment_list", _within(since, until)):
        for one in page.moment_list:
            if one.text.content == text:
                return one.moment_id
    return None


def is_published(moment_id: str, user: str) -> bool:
    """Whether the user has published it."""
    pages = _pages(_Tasks, "get_moment_task", {"moment_id": moment_id, "limit": _PAGE})
    return any(
        task.userid == user and task.publish_status == _MOMENT_PUBLISHED
        for page in pages
        for task in page.task_list
    )


def moment_seers(moment_id: str, user: str, cursor: str) -> tuple[list[str], str]:
    """A page of the customers who can see it, and the cursor of the next."""
    body = {"moment_id": moment_id, "userid": user, "limit": _PAGE, "cursor": cursor}
    page = _asked(_Seers, "get_moment_customer_list", body)
    return [one.external_userid for one in page.customer_list], page.next_cursor


def cancel_moment(moment_id: str) -> None:
    """Take a moment back that was not published."""
    api.post("externalcontact/cancel_moment_task", {"moment_id": moment_id})


def _attached(link: Link | None) -> dict[str, Any]:
    if link is None:
        return {}
    title, url = link
    return {"attachments": [{"msgtype": "link", "link": {"title": title, "url": url}}]}


def _within(since: datetime, until: datetime) -> dict[str, Any]:
    return {"start_time": int(since.timestamp()), "end_time": int(until.timestamp())}


def _pages(model: type[T], name: str, body: dict[str, Any]) -> Iterator[T]:
    cursor = ""
    while True:
        page = _asked(model, name, {**body, **({"cursor": cursor} if cursor else {})})
        yield page
        cursor = getattr(page, "next_cursor", "")
        if not cursor:
            return


def _asked(model: type[T], name: str, body: dict[str, Any]) -> T:
    try:
        return model.model_validate(api.post(f"externalcontact/{name}", body))
    except ValidationError:
        raise nonsense() from None
