"""The side by which the simulated WeCom is told who is there and what they do.

POST /control/wecom/customer  {"id": "wm1", "union_id": "u1"}
POST /control/wecom/add       {"user": "zhangsan", "customer": "wm1", "state": "q7xk…", "url": "…"}
POST /control/wecom/delete    {"user": "zhangsan", "customer": "wm1", "by_user": false, "url": "…"}
POST /control/wecom/edit      {"user": "zhangsan", "customer": "wm1", "url": "…"}
POST /control/wecom/faults    {"failing": 0.1, "doubled": 0.2, "tokens_last": 60}
POST /control/wecom/totals    {}

What somebody does is pushed to `url`, as the faults have it; `half` adds without a confirmation.
"""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from scripts.simulator.control import faults_of
from scripts.simulator.pushes import Push, Sender
from scripts.simulator.server import Clock, real_now
from scripts.simulator.wecom import Knock, Wecom

Told = dict[str, Any]
_XML = {"content-type": "text/xml"}


class WecomControl:
    """What is asked below `/control/wecom/`; 400 says what was wrong."""

    def __init__(self, peer: Wecom, clock: Clock = real_now) -> None:
        self._peer, self._clock = peer, clock

    def __call__(self, path: str, body: Told, lock: Lock) -> tuple[int, Any]:
        """Do as a path says; the lock is held while what is there changes or is looked at."""
        deeds: dict[str, Callable[[Told], list[Knock]]] = {
            "add": self._add,
            "delete": self._delete,
            "edit": self._edit,
        }
        ways: dict[str, Callable[[Told], Told]] = {
            "customer": self._customer,
            "faults": self._faults,
            "totals": self._totals,
        }
        try:
            if deed := deeds.get(path):
                with lock:
                    knocks = self._peer.faults.delivered(deed(body))
                return 200, {"statuses": pushed(knocks, body.get("url"))}
            if way := ways.get(path):
                with lock:
                    return 200, way(body)
        except (TypeError, ValueError, KeyError) as wrong:
            return 400, {"error": str(wrong)}
        return 404, {"error": "there is nothing here"}

    def _customer(self, body: Told) -> Told:
        self._peer.union_ids[body["id"]] = body["union_id"]
        return {}

    def _add(self, body: Told) -> list[Knock]:
        state, half = body.get("state", ""), bool(body.get("half"))
        at = self._clock()
        return self._peer.add(body["user"], body["customer"], at, state=state, half=half)

    def _delete(self, body: Told) -> list[Knock]:
        by_user = bool(body["by_user"])
        return self._peer.delete(body["user"], body["customer"], self._clock(), by_user=by_user)

    def _edit(self, body: Told) -> list[Knock]:
        return self._peer.edit(body["user"], body["customer"], self._clock())

    def _faults(self, body: Told) -> Told:
        self._peer.faults = faults_of(body)
        return {}

    def _totals(self, _body: Told) -> Told:
        ties = self._peer.ties.items()
        return {
            "friends": [
                {"user": user, "customer": one, "standing": tie.standing, "state": tie.state}
                for (user, one), tie in ties
            ],
            "ways": self._peer.ways,
            "welcomes": [welcome.text for welcome in self._peer.welcomes.values()],
        }


def pushed(knocks: Sequence[Knock], url: str | None) -> list[int]:
    """What each push was answered, sent in turn; nothing without an address."""
    if url is None:
        return []
    sender = Sender(url)
    try:
        sent = [
            sender.send(Push("wecom", k.kind, k.at, _XML, k.raw, query=f"?{urlencode(k.query)}"))
            for k in knocks
        ]
    finally:
        sender.close()
    return [one.status for one in sent]
