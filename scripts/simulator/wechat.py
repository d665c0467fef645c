"""WeChat's side of the wire for a mini-program 微信小程序: what its API answers.

As its pages have it: a token stands in the query, every answer but a picture has an `errcode`.
https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.simulator.faults import Faults
from scripts.simulator.wechat_forms import picture, problem_with

Answer = dict[str, Any]

CODE_LASTS = timedelta(minutes=5)
SEEN_LASTS = timedelta(hours=2)
_LIFE = 7_200
_PERSONS_VISIT = datetime(1970, 1, 1, tzinfo=UTC)
_SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]+", re.ASCII)
_PROFILE, _FORUM = 1, 4


@dataclass
class Person:
    """Somebody in the mini-program; `quotas` is how many messages of a template they ticked."""

    open_id: str
    union_id: str | None = None
    phone: str | None = None
    is_blocked: bool = False
    seen_at: datetime = _PERSONS_VISIT
    quotas: dict[str, int] = field(default_factory=dict)


@dataclass
class _Code:
    open_id: str
    until: datetime
    is_used: bool = False


@dataclass(frozen=True)
class Message:
    """A subscribe message that arrived."""

    id: int
    open_id: str
    template_id: str
    page: str | None
    data: dict[str, str]


class WeChat:
    """One mini-program: its people, templates and pages, and what it was asked for."""

    name = "wechat"
    paths: tuple[str, ...] = (
        "/cgi-bin/stable_token",
        "/cgi-bin/message/subscribe/",
        "/sns/",
        "/wxa/",
    )

    def __init__(self, faults: Faults, *, app_id: str, secret: str) -> None:
        self.faults = faults
        self.app_id, self.secret = app_id, secret
        self.people: dict[str, Person] = {}
        self.templates: dict[str, frozenset[str]] = {}
        self.pages: set[str] = set()
        self.risky_words: set[str] = set()
        self.paid_phones: int | None = None
        self.messages: list[Message] = []
        self.drawn: list[str] = []
        self.asked: list[str] = []
        self._codes: dict[str, _Code] = {}
        self._serial = 0
        self._token: tuple[str, datetime] | None = None

    # --- what people do ------------------------------------------------------------------

    def log_in(self, open_id: str, at: datetime) -> str:
        """What `wx.login()` gives: a code, for five minutes and once."""
        self.people[open_id].seen_at = at
        return self._new_code("login", open_id, at)

    def press_phone_button(self, open_id: str, at: datetime) -> str:
        """What the phone button gives: a code, for five minutes and once."""
        return self._new_code("phone", open_id, at)

    def tick(self, open_id: str, template_id: str) -> None:
        """Somebody agrees to one more message."""
        quotas = self.people[open_id].quotas
        quotas[template_id] = quotas.get(template_id, 0) + 1

    def _new_code(self, what: str, open_id: str, at: datetime) -> str:
        self._serial += 1
        code = f"{what}-{self._serial:06d}"
        self._codes[code] = _Code(open_id, at + CODE_LASTS)
        return code

    # --- what is asked -------------------------------------------------------------------

    def answer(
        self, path: str, query: dict[str, str], body: Answer, at: datetime
    ) -> Answer | bytes | None:
        """What is answered; None where there is nothing."""
        self.asked.append(path)
        if self.faults.is_busy():
            return _no(-1, "system error")
        match path:
            case "/cgi-bin/stable_token":
                return self._stable_token(body, at)
            case "/sns/jscode2session":
                return self._session(query, at)
        asked = {
            "/wxa/business/getuserphonenumber": self._phone,
            "/cgi-bin/message/subscribe/send": self._send,
            "/wxa/getwxacodeunlimit": self._draw,
            "/wxa/msg_sec_check": self._check,
        }.get(path)
        if asked is None:
            return None
        token = query.get("access_token")
        if not token:
            return _no(41001, "access_token missing")
        if self._token is None or token != self._token[0]:
            return _no(40001, "invalid credential, access_token is invalid or not latest")
        return asked(body, at) if at < self._token[1] else _no(42001, "access_token expired")

    def withdraw_token(self) -> None:
        """Know no token any more."""
        self._token = None

    def _stable_token(self, body: Answer, at: datetime) -> Answer:
        if body.get("grant_type") != "client_credential":
            return _no(40002, "invalid grant_type")
        if body.get("appid") != self.app_id:
            return _no(40013, "invalid appid")
        if body.get("secret") != self.secret:
            return _no(40125, "invalid appsecret")
        if self._token is None or at >= self._token[1] or body.get("force_refresh"):
            self._serial += 1
            seconds = self.faults.tokens_last or _LIFE
            self._token = f"wx-token-{self._serial}", at + timedelta(seconds=seconds)
        text, until = self._token
        return {"access_token": text, "expires_in": int((until - at).total_seconds())}

    def _session(self, query: dict[str, str], at: datetime) -> Answer:
        if query.get("appid") != self.app_id:
            return _no(40013, "invalid appid")
        if query.get("secret") != self.secret:
            return _no(40125, "invalid appsecret")
        person, refusal = self._redeemed("login", query.get("js_code", ""), at)
        if person is None:
            return refusal
        if person.is_blocked:
            return _no(40226, "code blocked")
        told = {"openid": person.open_id, "session_key": "bm90LWEtc2VjcmV0LWtleQ=="}
        return told | ({"unionid": person.union_id} if person.union_id else {})

    def _phone(self, body: Answer, at: datetime) -> Answer:
        if self.paid_phones == 0:
            return _no(1400001, "quota is used up")
        person, refusal = self._redeemed("phone", str(body.get("code", "")), at)
        if person is None:
            return refusal
        if person.phone is None:
            return _no(40029, "invalid code")
        if self.paid_phones is not None:
            self.paid_phones -= 1
        info = {
            "phoneNumber": person.phone,
            "purePhoneNumber": person.phone,
            "countryCode": "86",
            "watermark": {"timestamp": int(at.timestamp()), "appid": self.app_id},
        }
        return _ok(phone_info=info)

    def _redeemed(self, what: str, text: str, at: datetime) -> tuple[Person | None, Answer]:
        """Whom a code stands for, which works once; or what is answered instead."""
        code = self._codes.get(text) if text.startswith(f"{what}-") else None
        if code is None or at >= code.until:
            return None, _no(40029, "invalid code")
        if code.is_used:
            return None, _no(40163, "code been used")
        code.is_used = True
        return self.people[code.open_id], {}

    def _send(self, body: Answer, _at: datetime) -> Answer:
        person = self.people.get(str(body.get("touser")))
        template_id = str(body.get("template_id"))
        if person is None:
            return _no(40003, "invalid openid")
        if template_id not in self.templates:
            return _no(40037, "invalid template_id")
        data = {key: str(given.get("value")) for key, given in body.get("data", {}).items()}
        if problem := problem_with(self.templates[template_id], data):
            return _no(47003, f"argument invalid! {problem}")
        page = body.get("page")
        if page is not None and page.partition("?")[0] not in self.pages:
            return _no(41030, "invalid page")
        if person.quotas.get(template_id, 0) < 1:
            return _no(43101, "user refuse to accept the msg")
        person.quotas[template_id] -= 1
        self._serial += 1
        self.messages.append(Message(self._serial, person.open_id, template_id, page, data))
        return _ok(msgid=self._serial)

    def _draw(self, body: Answer, _at: datetime) -> Answer | bytes:
        scene, page = str(body.get("scene", "")), body.get("page")
        if len(scene) > 32 or not _SCENE.fullmatch(scene):
            return _no(40129, "invalid scene")
        if body.get("env_version", "release") not in {"release", "trial", "develop"}:
            return _no(40097, "invalid args")
        if body.get("check_path", True) and page is not None and page not in self.pages:
            return _no(41030, "invalid page")
        self.drawn.append(scene)
        return picture(scene)

    def _check(self, body: Answer, at: datetime) -> Answer:
        person, content = self.people.get(str(body.get("openid"))), str(body.get("content", ""))
        if body.get("version") != 2 or body.get("scene") not in range(_PROFILE, _FORUM + 1):
            return _no(40097, "invalid args")
        if not content or len(content) > 2_500:
            return _no(44004 if not content else 45002, "content size out of limit")
        if person is None:
            return _no(40003, "invalid openid")
        if at - person.seen_at > SEEN_LASTS:
            return _no(61010, "code is expired")
        is_risky = any(word in content for word in self.risky_words)
        result = {"suggest": "risky", "label": 20_001} if is_risky else _PASSED
        self._serial += 1
        return _ok(result=result, trace_id=f"trace-{self._serial}")


_PASSED = {"suggest": "pass", "label": 100}


def _ok(**told: Any) -> Answer:
    return {"errcode": 0, "errmsg": "ok", **told}


def _no(errcode: int, errmsg: str) -> Answer:
    return {"errcode": errcode, "errmsg": errmsg}
