"""Mass sends and moments of the simulated WeCom: tasks that wait for their user."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Answer = dict[str, Any]
_PAGE = 3
"""Few to a page, so that somebody has to turn it."""
UNSENT, SENT, NOT_A_FRIEND, LIMIT = 0, 1, 2, 3


@dataclass
class Task:
    """A mass send or a moment: for whom, to whom, and when its user confirmed."""

    user: str
    text: str
    at: datetime
    customers: list[str] = field(default_factory=list)
    confirmed_at: datetime | None = None
    is_cancelled: bool = False
    reminders: int = 0


@dataclass
class Sends:
    """The tasks of a corp; `full` have had as many as may be, `gone` are no friends any more."""

    tasks: dict[str, Task] = field(default_factory=dict)
    moments: dict[str, Task] = field(default_factory=dict)
    full: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    barred: set[str] = field(default_factory=set)
    friends_of: Callable[[str], list[str]] = lambda _user: []

    @property
    def calls(self) -> dict[str, Callable[[Answer, datetime], Answer]]:
        """What is answered, by path."""
        return {
            "add_msg_template": self._add,
            "get_groupmsg_list_v2": self._list,
            "get_groupmsg_task": self._task,
            "get_groupmsg_send_result": self._results,
            "remind_groupmsg_send": self._remind,
            "cancel_groupmsg_send": self._cancel,
            "add_moment_task": self._add_moment,
            "get_moment_task_result": self._job,
            "get_moment_list": self._moments,
            "get_moment_task": self._moment_task,
            "get_moment_customer_list": self._seers,
            "cancel_moment_task": self._cancel_moment,
        }

    def confirm(self, user: str, at: datetime) -> int:
        """A user confirms all that waits for them; how much."""
        waiting = [
            task
            for task in [*self.tasks.values(), *self.moments.values()]
            if task.user == user and task.confirmed_at is None and not task.is_cancelled
        ]
        for task in waiting:
            task.confirmed_at = at
        return len(waiting)

    def _add(self, given: Answer, at: datetime) -> Answer:
        msgid = f"msg-{len(self.tasks) + 1:04d}"
        customers = [one for one in given["external_userid"] if one not in self.barred]
        text = given["text"]["content"]
        self.tasks[msgid] = Task(given["sender"], text, at, customers)
        failed = [one for one in given["external_userid"] if one in self.barred]
        return {"msgid": msgid, "fail_list": failed}

    def _list(self, given: Answer, _at: datetime) -> Answer:
        found = [
            {"msgid": msgid, "text": {"content": task.text}}
            for msgid, task in self.tasks.items()
            if given["start_time"] <= task.at.timestamp() <= given["end_time"]
        ]
        return _page("group_msg_list", found, given)

    def _task(self, given: Answer, _at: datetime) -> Answer:
        task = self.tasks[given["msgid"]]
        told = {"userid": task.user, "status": 2 if task.confirmed_at else 0}
        if task.confirmed_at:
            told["send_time"] = int(task.confirmed_at.timestamp())
        return {"task_list": [told]}

    def _results(self, given: Answer, _at: datetime) -> Answer:
        task = self.tasks[given["msgid"]]
        found = [
            {"external_userid": one, "userid": task.user, "status": self._status(task, one)}
            for one in task.customers
        ]
        return _page("send_list", found, given)

    def _status(self, task: Task, customer: str) -> int:
        if task.confirmed_at is None:
            return UNSENT
        if customer in self.gone:
            return NOT_A_FRIEND
        return LIMIT if customer in self.full else SENT

    def _remind(self, given: Answer, _at: datetime) -> Answer:
        task = self.tasks[given["msgid"]]
        if task.reminders >= 3:
            return {"errcode": 41048, "errmsg": "too many reminders"}
        task.reminders += 1
        return {}

    def _cancel(self, given: Answer, _at: datetime) -> Answer:
        self.tasks[given["msgid"]].is_cancelled = True
        return {}

    def _add_moment(self, given: Answer, at: datetime) -> Answer:
        [user] = given["visible_range"]["sender_list"]["user_list"]
        moment_id = f"moment-{len(self.moments) + 1:04d}"
        self.moments[moment_id] = Task(user, given["text"]["content"], at)
        return {"jobid": f"job-{moment_id}"}

    def _job(self, given: Answer, at: datetime) -> Answer:
        moment_id = given["jobid"].removeprefix("job-")
        task = self.moments[moment_id]
        if (at - task.at).total_seconds() < 60:
            return {"status": 2}
        if task.user in self.barred:
            told = {"errcode": 0, "invalid_sender_list": {"user_list": [task.user]}}
            return {"status": 3, "result": told}
        return {"status": 3, "result": {"errcode": 0, "moment_id": moment_id}}

    def _moments(self, given: Answer, _at: datetime) -> Answer:
        found = [
            {"moment_id": moment_id, "text": {"content": task.text}}
            for moment_id, task in self.moments.items()
            if given["start_time"] <= task.at.timestamp() <= given["end_time"]
        ]
        return _page("moment_list", found, given)

    def _moment_task(self, given: Answer, _at: datetime) -> Answer:
        task = self.moments[given["moment_id"]]
        return {
            "task_list": [{"userid": task.user, "publish_status": int(bool(task.confirmed_at))}]
        }

    def _seers(self, given: Answer, _at: datetime) -> Answer:
        task = self.moments[given["moment_id"]]
        found = [{"external_userid": one} for one in self.friends_of(task.user)]
        return _page("customer_list", found if task.confirmed_at else [], given)

    def _cancel_moment(self, given: Answer, _at: datetime) -> Answer:
        self.moments[given["moment_id"]].is_cancelled = True
        return {}


def _page(name: str, found: list[Any], given: Answer) -> Answer:
    start = int(given.get("cursor") or 0)
    more = start + _PAGE < len(found)
    return {name: found[start : start + _PAGE], "next_cursor": str(start + _PAGE) if more else ""}
