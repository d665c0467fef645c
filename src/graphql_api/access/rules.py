"""Rules of access: sessions and their refresh tokens, identities, keys, and limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from graphql_api.viewer import SCOPES, Role, Viewer

ACCESS_LIFETIME = timedelta(hours=2)
REFRESH_LIFETIME = timedelta(days=30)
ENROLMENT_LIFETIME = timedelta(minutes=10)
GRACE = timedelta(seconds=10)
MAX_SESSIONS = 10
MAX_GRACE_HOURS = 72
USE_NOTED_EVERY = timedelta(hours=1)


# --- who comes in ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WeChatPerson:
    """What WeChat says of whoever brought a code: ids, and the phone where they gave it."""

    openid: str
    unionid: str | None = None
    phone: str | None = field(default=None, repr=False)


class WeComClient(StrEnum):
    """Where a WeCom code was made: in a mini-program, or on a web page."""

    MINI_PROGRAM = "MINI_PROGRAM"
    WEB = "WEB"


def first_holder(holders: Sequence[str | None]) -> str | None:
    """Whose identities these are: the holder of the first that is held, the surest first."""
    return next((holder for holder in holders if holder is not None), None)


# --- sessions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Session:
    """A login and the line of its refresh tokens, of which only the latest is live.

    `generation` counts them, `hash` is that of the latest, given out at `rotated_at`.
    """

    generation: int
    hash: str
    rotated_at: datetime
    ends_at: datetime


Sessions = Mapping[str, Session]


class Use(StrEnum):
    """What presenting a refresh token means."""

    LIVE = "LIVE"
    JUST_REPLACED = "JUST_REPLACED"
    REUSED = "REUSED"
    ENDED = "ENDED"


def running(sessions: Sessions, at: datetime) -> dict[str, Session]:
    """The sessions that have not come to their end."""
    return {id_: session for id_, session in sessions.items() if at < session.ends_at}


def begun(sessions: Sessions, id_: str, hash_: str, at: datetime) -> dict[str, Session]:
    """The sessions with a new one; past ten, those used longest ago end."""
    ordered = sorted(running(sessions, at).items(), key=lambda pair: pair[1].rotated_at)
    kept = ordered[-(MAX_SESSIONS - 1) :]
    return {**dict(kept), id_: Session(1, hash_, at, at + REFRESH_LIFETIME)}


def rotated(session: Session, hash_: str, at: datetime) -> Session:
    """The session with its next refresh token, which holds for its whole time again."""
    return replace(
        session,
        generation=session.generation + 1,
        hash=hash_,
        rotated_at=at,
        ends_at=at + REFRESH_LIFETIME,
    )


def use_of(session: Session | None, generation: int, *, genuine: bool, at: datetime) -> Use:
    """What it means that a token of this generation comes; `genuine`, that its hash is the live.

    Two requests may race for one rotation, so the token that was replaced a moment ago (10 seconds)
    is late, not stolen. Any older one was kept by somebody who should not have it.
    """
    if session is None or session.ends_at <= at or generation > session.generation:
        return Use.ENDED
    if generation == session.generation:
        return Use.LIVE if genuine else Use.REUSED
    late = generation == session.generation - 1 and at < session.rotated_at + GRACE
    return Use.JUST_REPLACED if late else Use.REUSED


def presented(
    sessions: Sessions, id_: str, generation: int, *, genuine: bool, next_hash: str, at: datetime
) -> tuple[Use, Sessions]:
    """What presenting a refresh token means, and the sessions after it.

    The live one is rotated to `next_hash`; a reused one ends its session; else nothing changes.
    """
    use = use_of(sessions.get(id_), generation, genuine=genuine, at=at)
    if use is Use.LIVE:
        return use, {**running(sessions, at), id_: rotated(sessions[id_], next_hash, at)}
    if use is Use.REUSED:
        return use, {other: session for other, session in sessions.items() if other != id_}
    return use, sessions


def admits(
    sessions: Sessions,
    valid_from: datetime | None,
    *,
    session_id: str | None,
    issued_at: datetime,
    at: datetime,
) -> bool:
    """Whether an access token still holds: not from before `valid_from`, its session running.

    A token without a session, which the deployment itself signed, has only the first to meet.
    """
    if valid_from is not None and issued_at < valid_from:
        return False
    return session_id is None or session_id in running(sessions, at)


# --- who manages access ----------------------------------------------------------------------


def manages(viewer: Viewer, scope: str) -> bool:
    """Whether the viewer manages what this scope is about: headquarters, for the whole chain."""
    staff = viewer.role in {Role.OPERATOR, Role.SYSTEM}
    return staff and viewer.holds(scope) and viewer.store_ids is None


def _known(scopes: frozenset[str]) -> frozenset[str]:
    if unknown := scopes - SCOPES:
        raise ValueError(f"unknown scopes: {', '.join(sorted(unknown))}")
    return scopes


Scopes = Annotated[frozenset[str], AfterValidator(_known)]
"""Scopes that exist; whoever manages staff or keys may grant any of them."""


# --- keys ------------------------------------------------------------------------------------


def end_of(day: date, zone: str) -> datetime:
    """The instant at which a day is over in a zone."""
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(zone))


def key_holds(revoked_at: datetime | None, ends_at: datetime | None, at: datetime) -> bool:
    """Whether a key is neither revoked nor over."""
    return revoked_at is None and (ends_at is None or at < ends_at)


def is_worth_noting(last_used_at: datetime | None, at: datetime) -> bool:
    """Whether a use of a key is written down: once an hour."""
    return last_used_at is None or last_used_at + USE_NOTED_EVERY <= at


# --- limits ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many attempts within a window of so many seconds, by the real clock."""

    attempts: int
    seconds: int

    def window(self, at: datetime) -> int:
        """The number of the window that an instant belongs to."""
        return int(at.timestamp()) // self.seconds


OF_ALL = Limit(3_000, 60)
OF_ONE_PERSON = Limit(10, 60)
