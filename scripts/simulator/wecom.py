"""A corp of WeCom: guides, customers and what happens between them, asked and pushed as WeCom does.

What an API call does raises no push: only what people do.
"""

import base64
import hashlib
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from scripts.simulator.faults import Faults
from scripts.simulator.wecom_handing import Handing
from scripts.simulator.wecom_sends import Sends
from scripts.simulator.wecom_tags import Tags

WELCOME_WORKS = timedelta(seconds=20)
MAX_WAYS = 500_000
_BLOCK = 32

Answer = dict[str, Any]
FRIEND, HALF, GONE = "friend", "half", "gone"


@dataclass(frozen=True)
class Knock:
    """A push as it arrives: what stands in the address, and the body."""

    kind: str
    at: datetime
    query: dict[str, str]
    raw: bytes

    def forged(self) -> "Knock":
        """The same with a signature of nobody."""
        signed = self.query["msg_signature"]
        other = ("0" if signed[0] != "0" else "1") + signed[1:]
        return replace(self, query={**self.query, "msg_signature": other})


@dataclass
class Tie:
    """A user and a customer: where it stands, and the State by which they met last."""

    standing: str
    since: datetime
    state: str = ""


@dataclass
class Welcome:
    """A code to welcome with, once."""

    at: datetime
    text: str | None = None


@dataclass
class Wecom:
    """One corp; `union_ids` says whom WeChat knows among the customers."""

    faults: Faults
    corp: str = "ww1234567890abcdef"
    secret: str = "not-a-secret"  # noqa: S105 - it opens nothing
    token: str = "tok3nTok3n"  # noqa: S105 - as above
    key: str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
    seed: int = 1
    union_ids: dict[str, str] = field(default_factory=dict)
    ties: dict[tuple[str, str], Tie] = field(default_factory=dict)
    ways: dict[str, Answer] = field(default_factory=dict)
    welcomes: dict[str, Welcome] = field(default_factory=dict)

    handing: Handing = field(default_factory=Handing)
    sends: Sends = field(default_factory=Sends)
    tags: Tags = field(default_factory=Tags)

    name: str = "wecom"
    paths: tuple[str, ...] = (
        "/cgi-bin/gettoken",
        "/cgi-bin/externalcontact/",
        "/cgi-bin/auth/getuserinfo",
        "/cgi-bin/miniprogram/jscode2session",
    )

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable
        self._tokens: dict[str, datetime] = {}
        self._numbers = 0
        self.sends.friends_of = lambda user: self._list({"userid": user}, datetime.now(UTC))[
            "external_userid"
        ]

    # --- what people do ----------------------------------------------------------------------

    def add(
        self, user: str, customer: str, at: datetime, *, state: str = "", half: bool = False
    ) -> list[Knock]:
        """A customer adds a user, who has confirmed it unless it is half done."""
        known = self.ties.get((user, customer))
        tie = known if known and known.standing != GONE else Tie(FRIEND, at)
        tie.standing, tie.state = HALF if half else FRIEND, state or tie.state
        self.ties[user, customer] = tie
        code = self._number("welcome")
        self.welcomes[code] = Welcome(at)
        what = "add_half_external_contact" if half else "add_external_contact"
        return [self._knock(what, user, customer, at, State=state, WelcomeCode=code)]

    def delete(self, user: str, customer: str, at: datetime, *, by_user: bool) -> list[Knock]:
        """One of the two deletes the other."""
        self.ties[user, customer].standing = GONE
        self.tags.marks.pop((user, customer), None)
        what = "del_external_contact" if by_user else "del_follow_user"
        return [self._knock(what, user, customer, at)]

    def edit(self, user: str, customer: str, at: datetime) -> list[Knock]:
        """A user writes a remark or a tag."""
        return [self._knock("edit_external_contact", user, customer, at)]

    def delete_tag(self, tag_id: str, at: datetime) -> list[Knock]:
        """Somebody deletes a tag of the corp in the console: nobody has it any more."""
        self.tags.delete(tag_id)
        fields = {"Event": "change_external_tag", "Id": tag_id, "TagType": "tag"}
        return [self._pushed("delete", at, fields)]

    def forget_tokens(self) -> None:
        """No token that was given out holds any more."""
        self._tokens.clear()

    # --- what is pushed ----------------------------------------------------------------------

    def check(self, at: datetime, text: str = "1616140317555161061") -> Knock:
        """The check of the address."""
        query, sealed = self._signed(text.encode(), at)
        return Knock("check", at, {**query, "echostr": sealed}, b"")

    def _knock(self, what: str, user: str, customer: str, at: datetime, **more: str) -> Knock:
        fields = {
            "Event": "change_external_contact",
            "UserID": user,
            "ExternalUserID": customer,
            **{name: value for name, value in more.items() if value},
        }
        return self._pushed(what, at, fields)

    def _pushed(self, what: str, at: datetime, about: dict[str, str]) -> Knock:
        fields = {
            "ToUserName": self.corp,
            "FromUserName": "sys",
            "CreateTime": str(int(at.timestamp())),
            "MsgType": "event",
            "ChangeType": what,
            **about,
        }
        text = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
        query, sealed = self._signed(f"<xml>{text}</xml>".encode(), at)
        body = f"<xml><ToUserName>{self.corp}</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt>"
        return Knock(what, at, query, f"{body}<AgentID>1000002</AgentID></xml>".encode())

    def again(self, knock: Knock, at: datetime) -> Knock:
        """The same push sent once more: signed anew, with the time at which it is."""
        found = knock.raw.decode().partition("<![CDATA[")[2].partition("]]>")[0]
        return replace(knock, query=self._signature(found, at))

    def _signed(self, message: bytes, at: datetime) -> tuple[dict[str, str], str]:
        sealed = sealed_for(self.key, message, self.corp, self._random.randbytes(16))
        return self._signature(sealed, at), sealed

    def _signature(self, sealed: str, at: datetime) -> dict[str, str]:
        timestamp, nonce = str(int(at.timestamp())), str(self._random.randrange(10**9))
        parts = "".join(sorted([self.token, timestamp, nonce, sealed]))
        signed = hashlib.sha1(parts.encode()).hexdigest()  # noqa: S324 - theirs
        return {"msg_signature": signed, "timestamp": timestamp, "nonce": nonce}

    def _number(self, stem: str) -> str:
        self._numbers += 1
        return f"{stem}-{self._numbers:06d}"

    # --- what is answered --------------------------------------------------------------------

    def answer(
        self, path: str, query: dict[str, str], body: dict[str, Any], at: datetime
    ) -> Answer | None:
        """What a call is answered; None where there is nothing."""
        if path == "/cgi-bin/gettoken":
            return self._token(query, at)
        if self._tokens.get(query.get("access_token", ""), at) <= at:
            return {"errcode": 42001, "errmsg": "access_token expired"}
        if path in self.paths[2:]:
            who = query.get("code") or query.get("js_code") or ""
            return _visitor(who)
        calls: dict[str, Callable[[Answer, datetime], Answer]] = {
            "get": self._get,
            "list": self._list,
            "send_welcome_msg": self._welcome,
            "add_contact_way": self._add_way,
            "get_contact_way": self._get_way,
            "list_contact_way": self._list_ways,
            "update_contact_way": self._update_way,
            "del_contact_way": self._delete_way,
            **self.handing.calls,
            **self.sends.calls,
            **self.tags.calls,
        }
        call = calls.get(path.removeprefix("/cgi-bin/externalcontact/"))
        return (
            None if call is None else {"errcode": 0, "errmsg": "ok", **call({**query, **body}, at)}
        )

    def _token(self, query: dict[str, str], at: datetime) -> Answer:
        if (query.get("corpid"), query.get("corpsecret")) != (self.corp, self.secret):
            return {"errcode": 40001, "errmsg": "invalid credential"}
        lasts = self.faults.tokens_last or 7200
        held = next((text for text, until in self._tokens.items() if at < until), None)
        if held is None:
            held = self._number("token")
            self._tokens[held] = at + timedelta(seconds=lasts)
        rest = int((self._tokens[held] - at).total_seconds())
        return {"errcode": 0, "access_token": held, "expires_in": max(rest, 1)}

    def _get(self, given: Answer, _at: datetime) -> Answer:
        customer = given.get("external_userid")
        found = [(user, tie) for (user, one), tie in self.ties.items() if one == customer]
        lasting = [(user, tie) for user, tie in found if tie.standing != GONE]
        if not lasting:
            return {"errcode": 84061, "errmsg": "not external contact"}
        person = {"external_userid": customer, "name": "微信用户", "type": 1}
        if customer in self.union_ids:
            person["unionid"] = self.union_ids[customer]
        follows = [
            {
                "userid": user,
                "state": tie.state,
                "createtime": int(tie.since.timestamp()),
                "tags": self.tags.shown((user, str(customer))),
            }
            for user, tie in lasting
        ]
        return {"external_contact": person, "follow_user": follows}

    def _list(self, given: Answer, _at: datetime) -> Answer:
        user = given.get("userid")
        found = [
            one for (other, one), tie in self.ties.items() if other == user and tie.standing != GONE
        ]
        return {"external_userid": found}

    def _welcome(self, given: Answer, at: datetime) -> Answer:
        known = self.welcomes.get(str(given.get("welcome_code")))
        if known is None or at >= known.at + WELCOME_WORKS:
            return {"errcode": 41050, "errmsg": "invalid welcome code"}
        if known.text is not None:
            return {"errcode": 41051, "errmsg": "already welcomed"}
        known.text = given["text"]["content"]
        return {}

    def _add_way(self, given: Answer, at: datetime) -> Answer:
        if len(self.ways) >= MAX_WAYS:
            return {"errcode": 41043, "errmsg": "too many contact ways"}
        config_id = self._number("config")
        kept = {"user": given["user"], "state": given.get("state", ""), "at": at.timestamp()}
        self.ways[config_id] = kept | {"qr_code": f"https://wework.qpic.cn/{config_id}"}
        return {"config_id": config_id, "qr_code": self.ways[config_id]["qr_code"]}

    def _get_way(self, given: Answer, _at: datetime) -> Answer:
        known = self.ways.get(given["config_id"])
        if known is None:
            return {"errcode": 41044, "errmsg": "no such contact way"}
        return {"contact_way": {"config_id": given["config_id"], **known}}

    def _list_ways(self, given: Answer, _at: datetime) -> Answer:
        since, until = given.get("start_time", 0), given.get("end_time", 2**40)
        found = [{"config_id": id_} for id_, w in self.ways.items() if since <= w["at"] <= until]
        return {"contact_way": found}

    def _update_way(self, given: Answer, _at: datetime) -> Answer:
        if given["config_id"] not in self.ways:
            return {"errcode": 41044, "errmsg": "no such contact way"}
        self.ways[given["config_id"]] |= {"user": given["user"], "state": given["state"]}
        return {}

    def _delete_way(self, given: Answer, _at: datetime) -> Answer:
        gone = self.ways.pop(given["config_id"], None)
        return {} if gone else {"errcode": 41044, "errmsg": "no such contact way"}


def _visitor(code: str) -> Answer:
    """Whom a login code stands for: it says so itself; one that begins with `x` is of nobody."""
    if not code or code.startswith("x"):
        return {"errcode": 40029, "errmsg": "invalid code"}
    return {"errcode": 0, "errmsg": "ok", "userid": code}


def sealed_for(key: str, message: bytes, receiver: str, start: bytes) -> str:
    """A message as WeCom and WeChat encrypt it for a receiver."""
    secret = base64.b64decode(key + "=")
    plain = start + struct.pack(">I", len(message)) + message + receiver.encode()
    missing = _BLOCK - len(plain) % _BLOCK
    encryptor = Cipher(AES(secret), CBC(secret[:16])).encryptor()
    sealed = encryptor.update(plain + bytes([missing]) * missing) + encryptor.finalize()
    return base64.b64encode(sealed).decode()
