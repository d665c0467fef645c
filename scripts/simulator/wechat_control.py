"""The side by which the simulated WeChat is told who is there and what they do.

POST /control/wechat/person    {"open_id": "o1", "union_id": "u1", "phone": "13900139000"}
POST /control/wechat/login     {"open_id": "o1"}     gives the codes of wx.login() and the button
POST /control/wechat/template  {"id": "t1", "fields": ["thing1", "number2"]}
POST /control/wechat/page      {"page": "pages/join/index"}
POST /control/wechat/words     {"risky": ["…"]}
POST /control/wechat/answers   {"open_id": "o1", "answers": {"t1": "accept"}, "url": "http://…"}
POST /control/wechat/faults    {"busy": 0.1, "unheard": 0.1, "failing": 0.1, "tokens_last": 60}
POST /control/wechat/totals    {}
"""

from collections.abc import Callable
from dataclasses import asdict
from threading import Lock
from typing import Any

from scripts.simulator.control import faults_of
from scripts.simulator.pushes import Sender
from scripts.simulator.server import Clock, real_now
from scripts.simulator.wechat import Person, WeChat
from scripts.simulator.wechat_pushes import Pusher

Told = dict[str, Any]


class WeChatControl:
    """What is asked below `/control/wechat/`; 400 says what was wrong."""

    def __init__(self, peer: WeChat, pusher: Pusher, clock: Clock = real_now) -> None:
        self._peer, self._pusher, self._clock = peer, pusher, clock

    def __call__(self, path: str, body: Told, lock: Lock) -> tuple[int, Any]:
        """Do as a path says; the lock is held while what is there changes or is looked at."""
        ways: dict[str, Callable[[Told], Told]] = {
            "person": self._person,
            "login": self._login,
            "template": self._template,
            "page": self._page,
            "words": self._words,
            "faults": self._faults,
            "totals": self._totals,
        }
        try:
            if path == "answers":
                return 200, self._answers(body, lock)
            if way := ways.get(path):
                with lock:
                    return 200, way(body)
        except (TypeError, ValueError, KeyError) as wrong:
            return 400, {"error": str(wrong)}
        return 404, {"error": "there is nothing here"}

    def _person(self, body: Told) -> Told:
        person = Person(**body)
        self._peer.people[person.open_id] = person
        return {}

    def _login(self, body: Told) -> Told:
        open_id, at = body["open_id"], self._clock()
        code = self._peer.log_in(open_id, at)
        return {"code": code, "phone_code": self._peer.press_phone_button(open_id, at)}

    def _template(self, body: Told) -> Told:
        self._peer.templates[body["id"]] = frozenset(body["fields"])
        return {}

    def _page(self, body: Told) -> Told:
        self._peer.pages.add(body["page"])
        return {}

    def _words(self, body: Told) -> Told:
        self._peer.risky_words = set(body["risky"])
        return {}

    def _faults(self, body: Told) -> Told:
        self._peer.faults = faults_of(body)
        return {}

    def _answers(self, body: Told, lock: Lock) -> Told:
        """Somebody ticks, or does not; it is pushed where an address is named."""
        open_id, answers = body["open_id"], dict(body["answers"])
        with lock:
            for template_id, said in answers.items():
                if said == "accept":
                    self._peer.tick(open_id, template_id)
        if "url" not in body:
            return {}
        sender = Sender(body["url"])
        try:
            sent = sender.send(self._pusher.answered(open_id, answers, self._clock()))
        finally:
            sender.close()
        return {"status": sent.status}

    def _totals(self, _body: Told) -> Told:
        return {
            "messages": [asdict(message) for message in self._peer.messages],
            "drawn": self._peer.drawn,
            "quotas": {id_: person.quotas for id_, person in self._peer.people.items()},
        }
