"""Rules of ownership: who may take a member over, how an ownership ends, what a hand-over does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from graphql_api.guides.rules import GuideStatus, InStore
from graphql_api.kit.time import start_of
from graphql_api.members.rules import Ownership, OwnershipSource, Seen, reaches
from graphql_api.viewer import READ_MEMBERS, WRITE_MEMBERS, Role, Viewer


class EndReason(StrEnum):
    """Why an ownership ended (domain: §14)."""

    LEFT = "LEFT"
    DISMISSED = "DISMISSED"
    EXPIRED = "EXPIRED"
    BY_HAND = "BY_HAND"
    TAKEN_OVER = "TAKEN_OVER"
    HANDED_OVER = "HANDED_OVER"
    MERGED = "MERGED"
    MOVED_STORE = "MOVED_STORE"


class HandOverState(StrEnum):
    """Where a hand-over stands (等待, 进行中, 完成, 失败, 取消)."""

    WAITING = "WAITING"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class HandOverFailure(StrEnum):
    """Why a hand-over failed; whom it moved until then stays moved."""

    NO_TARGET = "NO_TARGET"


class Outcome(StrEnum):
    """What a hand-over did with one member: moved, or skipped with a reason."""

    MOVED = "MOVED"
    NO_LONGER_THEIRS = "NO_LONGER_THEIRS"
    OTHER_STORE = "OTHER_STORE"
    BUSY = "BUSY"


OVER = frozenset({HandOverState.DONE, HandOverState.FAILED, HandOverState.CANCELLED})

HANDING_OVER = frozenset(
    {EndReason.HANDED_OVER, EndReason.LEFT, EndReason.DISMISSED, EndReason.MOVED_STORE}
)
"""Reasons for which a guide's members are handed over: at work (在职继承), or not (离职继承)."""

_SEEN_BY_A_GUIDE = frozenset(
    {OwnershipSource.TRANSACTION, OwnershipSource.WECOM_FRIEND, OwnershipSource.SHARED_LINK}
)
_BY_A_PERSON = _SEEN_BY_A_GUIDE | {OwnershipSource.ASSIGNED_BY_MANAGER}
_SOURCES = {
    Role.GUIDE: _SEEN_BY_A_GUIDE,
    Role.STORE_MANAGER: _BY_A_PERSON,
    Role.OPERATOR: _BY_A_PERSON,
}
_DEFAULT_SOURCES = {
    Role.GUIDE: OwnershipSource.TRANSACTION,
    Role.STORE_MANAGER: OwnershipSource.ASSIGNED_BY_MANAGER,
    Role.OPERATOR: OwnershipSource.ASSIGNED_BY_MANAGER,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """When an ownership ended, and why."""

    at: datetime
    reason: EndReason


class OpenTerm(Protocol):
    """What of a term says whether it has ended."""

    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def valid_until(self) -> date | None: ...


Job = TypeVar("Job", bound=InStore)
Taker = TypeVar("Taker")


# --- taking over -----------------------------------------------------------------------------


def may_claim(viewer: Viewer, member: Seen) -> bool:
    """Whether a viewer may give a member to a guide: a guide to themselves, in their own store."""
    if viewer.role is Role.GUIDE:
        return viewer.reaches_store(member.store_id)
    return may_change(viewer, member)


def may_change(viewer: Viewer, member: Seen) -> bool:
    """Whether a member is in the scope of a manager, of headquarters, or of a key that writes."""
    if viewer.role in {Role.GUIDE, Role.MEMBER}:
        return False
    writes = viewer.role is not Role.INTEGRATION or viewer.holds(WRITE_MEMBERS)
    return writes and reaches(viewer, member)


def may_force(viewer: Viewer) -> bool:
    """Whether a viewer may end a protection: headquarters themselves, not a region of theirs."""
    return viewer.role in {Role.OPERATOR, Role.SYSTEM} and viewer.store_ids is None


def is_free(owned: Ownership | None, status: GuideStatus | None) -> bool:
    """Whether nobody looks after a member: no guide does, or the guide has left."""
    return owned is None or status in {None, GuideStatus.LEFT}


def protected_until(
    owned: Ownership | None, status: GuideStatus | None, as_of: date
) -> date | None:
    """The last day on which others cannot take a member over; None when they can today."""
    if owned is None or is_free(owned, status) or not owned.protected(as_of):
        return None
    return owned.protected_until


def source_of(viewer: Viewer) -> OwnershipSource:
    """The source of what a viewer begins and says no more about."""
    return _DEFAULT_SOURCES.get(viewer.role, OwnershipSource.ASSIGNED_BY_SYSTEM)


def may_state(viewer: Viewer, source: OwnershipSource) -> bool:
    """Whether a viewer may know this source: a guide knows of a sale, not of an assignment."""
    return source in _SOURCES.get(viewer.role, frozenset(OwnershipSource))


# --- ends ------------------------------------------------------------------------------------


def ended(owned: Ownership, reason: EndReason, at: datetime, *, as_of: date, zone: str) -> Ending:
    """How an ownership ends that somebody ends now; one that ran out before ended by itself."""
    if owned.valid_until is None or owned.holds(as_of):
        return Ending(at, reason)
    return ran_out(owned.valid_until, zone)


def ran_out(last_day: date, zone: str) -> Ending:
    """An ownership ends with its last day, whenever that is noticed."""
    return Ending(start_of(last_day + timedelta(days=1), zone), EndReason.EXPIRED)


def ending_unnoticed(term: OpenTerm, *, as_of: date, zone: str) -> Ending | None:
    """The end of a stored term that has run out and was not ended yet."""
    if term.ended_at is not None or term.valid_until is None or as_of <= term.valid_until:
        return None
    return ran_out(term.valid_until, zone)


# --- members who are one ---------------------------------------------------------------------


_STRENGTH = {
    OwnershipSource.ASSIGNED_BY_MANAGER: 6,
    OwnershipSource.TRANSACTION: 5,
    OwnershipSource.WECOM_FRIEND: 4,
    OwnershipSource.SHARED_LINK: 3,
    OwnershipSource.REGISTRATION: 2,
    OwnershipSource.ASSIGNED_BY_SYSTEM: 1,
    OwnershipSource.IMPORT: 0,
}


@dataclass(frozen=True, slots=True)
class Relation:
    """Who looks after one of two members who are one, and whether that guide works."""

    owned: Ownership | None
    status: GuideStatus | None


def gives_way(mine: Relation, theirs: Relation, as_of: date) -> bool:
    """Whether the guide of the member who is merged has the stronger relation, and takes both.

    A relation that ran out, or of a guide who has left, is none. A protection that lasts beats
    none; then what a manager decided beats a sale, a friendship in WeCom, a shared link, the
    enrolment, another system's word and an import, in this sequence; then the older relation.
    Where neither is stronger the survivor's stays.
    """
    ours, others = (_strength(relation, as_of) for relation in (mine, theirs))
    return others is not None and (ours is None or others > ours)


def _strength(relation: Relation, as_of: date) -> tuple[bool, int, float] | None:
    owned = relation.owned
    if owned is None or not owned.holds(as_of) or is_free(owned, relation.status):
        return None
    return owned.protected(as_of), _STRENGTH[owned.source], -owned.since.timestamp()


# --- hand-overs ------------------------------------------------------------------------------


def turn(number: int, takers: Sequence[Taker]) -> Taker:
    """Whose turn it is: members go round, so that no guide gets two more than another."""
    return takers[number % len(takers)]


def outcome(
    owned: Ownership | None, from_guide_id: str, store_id: str, takers_store_id: str | None
) -> Outcome:
    """What a hand-over does with a member: a guide gets members of the store they work in.

    Where nobody takes the members there is no store to ask for.
    """
    if owned is None or owned.guide_id != from_guide_id:
        return Outcome.NO_LONGER_THEIRS
    if takers_store_id not in {None, store_id}:
        return Outcome.OTHER_STORE
    return Outcome.MOVED


def reason_to_hand_over(status: GuideStatus) -> EndReason:
    """Why a guide's members go to others, where nobody says it."""
    return EndReason.LEFT if status is GuideStatus.LEFT else EndReason.HANDED_OVER


def visible_hand_over(viewer: Viewer, job: Job) -> Job | None:
    """The row rule: managers and headquarters see those of the stores they reach, keys all."""
    if viewer.role is Role.INTEGRATION:
        return job if viewer.holds(READ_MEMBERS) else None
    staff = viewer.role in {Role.STORE_MANAGER, Role.OPERATOR, Role.SYSTEM}
    return job if staff and viewer.reaches_store(job.store_id) else None
