"""Rules of subscribe messages: what a value may be, what an answer gives, what a sending takes."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from graphql_api.viewer import READ_MEMBERS, Role, Viewer

_KEY = re.compile(r"([a-z_]+?)(\d{1,3})")
_CHINESE = r"[㐀-鿿]"


class NoticeAnswer(StrEnum):
    """What a member said when the mini-program asked (wx.requestSubscribeMessage)."""

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    BAN = "BAN"
    FILTER = "FILTER"


class NoticeState(StrEnum):
    """What became of a subscribe message."""

    SENDING = "SENDING"
    SENT = "SENT"
    REFUSED = "REFUSED"
    FAILED = "FAILED"
    UNSURE = "UNSURE"


OVER = frozenset(NoticeState) - {NoticeState.SENDING}

_SHAPES: dict[str, tuple[str, str]] = {
    "thing": (r"[^\n]{1,20}", "at most 20 characters"),
    "number": (r"(?=.{1,32}$)-?\d+(\.\d+)?", "a number of at most 32 digits"),
    "letter": (r"[A-Za-z]{1,32}", "at most 32 letters"),
    "symbol": (r"[^\w\s]{1,5}", "at most 5 symbols"),
    "character_string": (r"[\x21-\x7e]{1,32}", "at most 32 digits, letters or symbols"),
    "time": (
        r"(\d{4}[-年]\d{1,2}[-月]\d{1,2}日? )?([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?",
        "a time of 24 hours, with or without a date",
    ),
    "date": (
        r"\d{4}[-年]\d{1,2}[-月]\d{1,2}日?( ([01]?\d|2[0-3]):[0-5]\d)?",
        "a date, with or without a time",
    ),
    "amount": (r"[¥$€￥]?\d{1,10}(\.\d{1,2})?元?", "an amount of at most 10 digits"),
    "phone_number": (r"[\d+\-() ]{1,17}", "a phone number of at most 17 characters"),
    "car_number": (r".{1,8}", "at most 8 characters"),
    "name": (rf"({_CHINESE}{{1,10}}|[A-Za-z ]{{1,20}})", "10 Chinese characters or 20 letters"),
    "phrase": (rf"{_CHINESE}{{1,5}}", "at most 5 Chinese characters"),
    "enum": (r".{1,20}", "a word of the template"),
}
_COMPILED = {kind: re.compile(shape) for kind, (shape, _) in _SHAPES.items()}


def problem_with(key: str, value: str) -> str | None:
    """Why WeChat would not take a value under a key such as `thing1` (47003); None if it would."""
    found = _KEY.fullmatch(key)
    kind = found[1] if found else None
    if kind is None or kind not in _SHAPES:
        return f"There is no kind of field like {key[:30]!r}"
    return None if _COMPILED[kind].fullmatch(value) else f"{key} is {_SHAPES[kind][1]}"


# --- the quota -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quota:
    """How many messages of a template a member still agreed to; one tick, one message."""

    left: int = 0
    accepted: int = 0
    taken: int = 0
    is_banned: bool = False


def answered(quota: Quota, answer: NoticeAnswer) -> Quota:
    """The quota after an answer: a tick is one more message; a ban takes away what was left."""
    match answer:
        case NoticeAnswer.ACCEPT:
            return replace(quota, left=quota.left + 1, accepted=quota.accepted + 1, is_banned=False)
        case NoticeAnswer.BAN:
            return replace(quota, left=0, is_banned=True)
        case NoticeAnswer.REJECT | NoticeAnswer.FILTER:
            return quota


def took(quota: Quota) -> Quota | None:
    """The quota after one was taken for a sending; None where there is nothing to take."""
    if quota.left < 1:
        return None
    return replace(quota, left=quota.left - 1, taken=quota.taken + 1)


def gave_back(quota: Quota) -> Quota:
    """The quota after a sending that surely did not happen."""
    return replace(quota, left=quota.left + 1, taken=quota.taken - 1)


def refused(quota: Quota) -> Quota:
    """The quota after WeChat said that there is none (43101): ours counted wrong."""
    return replace(quota, left=0)


# --- who ---------------------------------------------------------------------------------------


def sees_all(viewer: Viewer) -> bool:
    """Whether the viewer sees the messages of members within reach."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(READ_MEMBERS)
    return viewer.role in {Role.OPERATOR, Role.SYSTEM, Role.STORE_MANAGER, Role.GUIDE}
