"""Rules of friendships: what events in any order come to, and how a friend is welcomed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from graphql_api.viewer import Role, Viewer

WELCOME_WITHIN = timedelta(seconds=20)
"""For how long a welcome code works."""
MAX_TEXT_BYTES = 4_000
GUIDE_MARK, STORE_MARK = "{guide}", "{store}"


class FriendState(StrEnum):
    """Where a friendship of a guide and a customer stands."""

    HALF = "HALF"
    FRIEND = "FRIEND"
    DELETED_BY_GUIDE = "DELETED_BY_GUIDE"
    DELETED_BY_CUSTOMER = "DELETED_BY_CUSTOMER"
    HANDED_OVER = "HANDED_OVER"


class Event(StrEnum):
    """What happened to a friendship, the stronger last: of one second the strongest counts."""

    HALF_ADDED = "HALF_ADDED"
    ADDED = "ADDED"
    DELETED_BY_CUSTOMER = "DELETED_BY_CUSTOMER"
    DELETED_BY_GUIDE = "DELETED_BY_GUIDE"
    HANDED_OVER = "HANDED_OVER"


_RANKS = {event: rank for rank, event in enumerate(Event)}
_STATES = {
    Event.HALF_ADDED: FriendState.HALF,
    Event.ADDED: FriendState.FRIEND,
    Event.DELETED_BY_CUSTOMER: FriendState.DELETED_BY_CUSTOMER,
    Event.DELETED_BY_GUIDE: FriendState.DELETED_BY_GUIDE,
    Event.HANDED_OVER: FriendState.HANDED_OVER,
}
BEGINS = frozenset({Event.HALF_ADDED, Event.ADDED})
LASTING = frozenset({FriendState.HALF, FriendState.FRIEND})


@dataclass(frozen=True, slots=True)
class Happened:
    """An event, when it was (to the second), and by which code."""

    event: Event
    at: datetime
    scene: str | None = None


@dataclass(frozen=True, slots=True)
class Friendship:
    """What is known of a friendship: `since` when it began first, and `scene` of its last code."""

    last: Event
    changed_at: datetime
    since: datetime | None = None
    scene: str | None = None
    scene_at: datetime | None = None

    @property
    def state(self) -> FriendState:
        """Where it stands."""
        return _STATES[self.last]

    @property
    def lasts(self) -> bool:
        """Whether the two can write to each other, or are about to."""
        return self.state in LASTING


def after(known: Friendship | None, happened: Happened) -> Friendship:
    """A friendship after one more event, of whatever time: the same for any order and repeats.

    The last event of all decides where it stands, the first beginning since when, and the last
    beginning with a code through which. Of two codes in one second the greater text counts.
    """
    begins = happened.event in BEGINS
    scene = happened.scene if begins else None
    fresh = Friendship(
        happened.event,
        happened.at,
        since=happened.at if begins else None,
        scene=scene,
        scene_at=happened.at if scene is not None else None,
    )
    if known is None:
        return fresh
    newest = max(known, fresh, key=_order)
    coded = max(known, fresh, key=_code_order)
    starts = [at for at in (known.since, fresh.since) if at is not None]
    return replace(
        newest,
        since=min(starts, default=None),
        scene=coded.scene,
        scene_at=coded.scene_at,
    )


def _order(friendship: Friendship) -> tuple[datetime, int]:
    return friendship.changed_at, _RANKS[friendship.last]


def _code_order(friendship: Friendship) -> tuple[bool, float, str]:
    at, scene = friendship.scene_at, friendship.scene
    return at is not None, at.timestamp() if at else 0.0, scene or ""


def derive(events: Iterable[Happened]) -> Friendship | None:
    """What a friendship's events come to, one after the other."""
    known: Friendship | None = None
    for happened in events:
        known = after(known, happened)
    return known


# --- welcoming -------------------------------------------------------------------------------


def may_welcome(added_at: datetime, at: datetime) -> bool:
    """Whether a welcome code of that moment can still work."""
    return at < added_at + WELCOME_WITHIN


def welcome_text(text: str, *, guide: str | None, store: str | None) -> str:
    """A welcome with the names of guide and store in the place of their marks."""
    return text.replace(GUIDE_MARK, guide or "").replace(STORE_MARK, store or "")


def fits(text: str) -> bool:
    """Whether WeCom takes a text of this length, with room for two names."""
    return len(text.encode()) <= MAX_TEXT_BYTES - 200


# --- tags ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Marks:
    """Linked tags of a guide's customer: what is there now, and what we know of before.

    `told` is what they were brought to the last time, `asked` what WeCom was asked to change since
    without a known end; `is_anew` where the friendship began again, or changed, in between.
    """

    told: frozenset[str]
    there: frozenset[str]
    asked: frozenset[str] = frozenset()
    is_anew: bool = False

    @property
    def before(self) -> frozenset[str]:
        """What was there before the guide did anything that we can tell.

        Whether an unanswered call of ours or the guide made what it asked for, nobody knows: it is
        ours. What a friend who was lost had went with the friendship: nobody took it.
        """
        known = (self.told - self.asked) | (self.there & self.asked)
        return known & self.there if self.is_anew else known


def done_there(pairs: Iterable[Marks]) -> tuple[set[str], set[str]]:
    """What guides gave and took since the last time.

    What one gave and another took in the meantime is given.
    """
    gained: set[str] = set()
    lost: set[str] = set()
    for marks in pairs:
        gained |= marks.there - marks.before
        lost |= marks.before - marks.there
    return gained, lost - gained


# --- handing over ----------------------------------------------------------------------------


class TransferState(StrEnum):
    """Where a hand-over of customers in WeCom stands."""

    ASKING = "ASKING"
    WAITING = "WAITING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class TransferOutcome(StrEnum):
    """What became of one customer; ASKED is what WeCom has begun."""

    ASKED = "ASKED"
    DONE = "DONE"
    REFUSED = "REFUSED"
    LIMIT = "LIMIT"
    FAILED = "FAILED"
    NO_ANSWER = "NO_ANSWER"


TRANSFER_RUNS = frozenset({TransferState.ASKING, TransferState.WAITING})
ASKED_BEFORE = 40100
"""WeCom's number for a customer who is being handed over: our earlier call did it."""
PATIENCE = timedelta(days=3)
"""For how long WeCom is asked what became of customers; it takes a day."""


def outcome_of_asking(errcode: int) -> TransferOutcome:
    """What WeCom's number for a customer comes to."""
    return TransferOutcome.ASKED if errcode in {0, ASKED_BEFORE} else TransferOutcome.FAILED


def next_outcome(known: TransferOutcome, told: TransferOutcome) -> TransferOutcome:
    """What is known of a customer after WeCom told; what is over stays as it is.

    WeCom tells the same again and again, and pages of it late.
    """
    return told if known is TransferOutcome.ASKED else known


def polled_again(begun_at: datetime, at: datetime) -> timedelta:
    """After how long WeCom is asked again: every minute at first, each quarter of an hour later."""
    is_young = at - begun_at < timedelta(minutes=10)
    return timedelta(minutes=1) if is_young else timedelta(minutes=15)


def may_transfer(viewer: Viewer, store_id: str) -> bool:
    """Managers hand over within their store, headquarters everywhere."""
    return viewer.role is not Role.GUIDE and viewer.reaches_store(store_id)


# --- who sees them ---------------------------------------------------------------------------


class OfGuide(Protocol):
    """What belongs to a guide."""

    @property
    def guide_id(self) -> str | None:
        """The guide, where one is known."""

    @property
    def store_id(self) -> str | None:
        """Their store at the time."""


Seen = TypeVar("Seen", bound=OfGuide)


def visible(viewer: Viewer, friendship: Seen) -> Seen | None:
    """The row rule: a guide sees their own, managers and headquarters those of their stores."""
    if viewer.role is Role.GUIDE:
        return friendship if friendship.guide_id == viewer.id else None
    if viewer.role is Role.MEMBER:
        return None
    return friendship if viewer.reaches_store(friendship.store_id) else None
