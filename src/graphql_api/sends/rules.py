"""Rules of sends: what fits into one, how it goes on, and how often a guide is reminded."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from graphql_api.viewer import Role, Viewer

MAX_TEXT_BYTES = 4_000
MAX_MOMENT_CHARACTERS = 2_000
MAX_FRIENDS = 10_000
"""To how many WeCom sends by one task."""
PATIENCE = timedelta(days=3)
"""For how long we ask what became of a send that its guide does not confirm."""
POLLED_EVERY = timedelta(minutes=15)
MAX_REMINDERS, REMINDED_WITHIN = 3, timedelta(hours=24)


class SendKind(StrEnum):
    """What is sent: a message to each friend, or a moment that they see."""

    MASS = "MASS"
    MOMENT = "MOMENT"


class SendState(StrEnum):
    """Where a send stands; nothing is sent before the guide confirms it in WeCom."""

    LISTING = "LISTING"
    ASKING = "ASKING"
    WAITING = "WAITING"
    CONFIRMED = "CONFIRMED"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    UNSURE = "UNSURE"


class SendOutcome(StrEnum):
    """What became of a friend; LIMIT is silence: they have had as many as WeCom lets through."""

    UNSENT = "UNSENT"
    SENT = "SENT"
    NOT_A_FRIEND = "NOT_A_FRIEND"
    LIMIT = "LIMIT"
    REFUSED = "REFUSED"


RUNS = frozenset({SendState.LISTING, SendState.ASKING, SendState.WAITING, SendState.CONFIRMED})
OUTCOMES = {
    0: SendOutcome.UNSENT,
    1: SendOutcome.SENT,
    2: SendOutcome.NOT_A_FRIEND,
    3: SendOutcome.LIMIT,
}


def problem_with(kind: SendKind, text: str) -> str | None:
    """Why WeCom would not take a text; None if it would."""
    if len(text.encode()) > MAX_TEXT_BYTES:
        return f"At most {MAX_TEXT_BYTES} bytes in UTF-8"
    if kind is SendKind.MOMENT and len(text) > MAX_MOMENT_CHARACTERS:
        return f"At most {MAX_MOMENT_CHARACTERS} characters"
    return None


def next_outcome(known: SendOutcome, told: SendOutcome) -> SendOutcome:
    """What is known of a friend after WeCom told; what is over stays as it is."""
    return told if known is SendOutcome.UNSENT else known


def may_remind(reminded: Iterable[datetime], at: datetime) -> bool:
    """Whether the guide may be reminded: three times within 24 hours."""
    recent = [one for one in reminded if at - one < REMINDED_WITHIN]
    return len(recent) < MAX_REMINDERS


def is_given_up(created_at: datetime, at: datetime) -> bool:
    """Whether nobody waits for the guide any more."""
    return at - created_at > PATIENCE


class OfGuide(Protocol):
    """What a guide sends."""

    @property
    def guide_id(self) -> str:
        """The guide."""

    @property
    def store_id(self) -> str:
        """Their store."""


Seen = TypeVar("Seen", bound=OfGuide)


def visible(viewer: Viewer, send: Seen) -> Seen | None:
    """The row rule: a guide sees their own, managers and headquarters those of their stores."""
    if viewer.role is Role.MEMBER:
        return None
    if viewer.role is Role.GUIDE:
        return send if send.guide_id == viewer.id else None
    return send if viewer.reaches_store(send.store_id) else None
