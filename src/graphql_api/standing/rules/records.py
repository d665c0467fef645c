"""What decisions are taken from and what they give, in plain numbers (see kit/calendar.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

ORDERS, SPEND, GROWTH = range(3)
NO_MONTH = 0
_NOTHING = (0, 0, 0)


class LifecycleState(StrEnum):
    """Where a member stands since the last purchase (domain: §4)."""

    ONBOARDING = "ONBOARDING"
    AWAKENING = "AWAKENING"
    WIN_BACK = "WIN_BACK"
    DORMANT = "DORMANT"
    LOST = "LOST"


class Phase(StrEnum):
    """How far the relationship with a member has come (domain: §4)."""

    STARTING = "STARTING"
    GROWING = "GROWING"
    STABLE = "STABLE"


class RfmClass(StrEnum):
    """The eight classes by high and low of recency, frequency and spend (domain: §5)."""

    HHH = "HHH"
    HLH = "HLH"
    LHH = "LHH"
    LLH = "LLH"
    HHL = "HHL"
    HLL = "HLL"
    LHL = "LHL"
    LLL = "LLL"


class Quadrant(StrEnum):
    """Orders in the window, then the value of an order, each high or low against the base."""

    HIGH_HIGH = "HIGH_HIGH"
    HIGH_LOW = "HIGH_LOW"
    LOW_HIGH = "LOW_HIGH"
    LOW_LOW = "LOW_LOW"


class LockKind(StrEnum):
    """A tier set by hand: exactly this one, or this one and better."""

    PIN = "PIN"
    FLOOR = "FLOOR"


class Reason(StrEnum):
    """Why a standing changed."""

    FIRST = "FIRST"
    INITIAL = "INITIAL"
    PURCHASES = "PURCHASES"
    PROFILE = "PROFILE"
    REQUALIFIED = "REQUALIFIED"
    GRACE = "GRACE"
    NOTICE = "NOTICE"
    EXPIRED = "EXPIRED"
    LOCKED = "LOCKED"
    LOCK_ENDED = "LOCK_ENDED"
    POLICY = "POLICY"
    TIME = "TIME"


@dataclass(frozen=True, slots=True)
class Person:
    """What conditions of tag rules may ask of a member's profile; `None` is unknown."""

    gender: str | None = None
    city: str | None = None
    occupation: str | None = None
    income_band: str | None = None
    store: str | None = None
    channel: str | None = None
    birth_year: int | None = None
    birthday: tuple[int, int] | None = None


NOBODY = Person()


@dataclass(slots=True)
class Facts:
    """What is known of a member: purchases by month, days of the last one and of joining, tags.

    `months` are three rows (orders, spend in fen, growth), each from the month `newest` backwards.
    `moved` are what refunds took from other months than their own: rows like `months`, positive
    where a later refund took, negative in the month of the refund; None where there is nothing.
    `tags` are those by hand and imported, with the last day of each, 0 for none.
    """

    months: Sequence[Sequence[int]]
    newest: int
    joined: int
    last: int | None = None
    moved: Sequence[Sequence[int]] | None = None
    totals: tuple[int, int, int] = (0, 0, 0)
    tags: Mapping[str, int] = field(default_factory=dict)
    person: Person = NOBODY
    joined_month: int = field(init=False)
    joined_dom: int = field(init=False)
    active: int = field(init=False)
    active_month: int = field(init=False)
    active_dom: int = field(init=False)
    first_expiry: int | None = field(init=False)

    def __post_init__(self) -> None:
        on = date.fromordinal(self.joined)
        self.joined_month, self.joined_dom = on.year * 12 + on.month - 1, on.day
        self.active = self.joined if self.last is None else self.last
        on = date.fromordinal(self.active)
        self.active_month, self.active_dom = on.year * 12 + on.month - 1, on.day
        ends = [day for day in self.tags.values() if day] if self.tags else None
        self.first_expiry = min(ends) if ends else None

    def window(self, row: int, month: int, length: int) -> int:
        """The sum of a row over a month and those before it, so many together."""
        back = self.newest - month
        end = back + length
        return sum(self.months[row][back if back > 0 else 0 : end]) if end > 0 else 0


def facts_of(
    buckets: Mapping[int, Sequence[int]],
    *,
    joined: date,
    last: date | None = None,
    totals: tuple[int, int, int] = (0, 0, 0),
    tags: Mapping[str, int] | None = None,
    person: Person = NOBODY,
) -> Facts:
    """Facts from rows by month number: orders, spend, growth, and three more where refunds moved.

    `totals` are orders, spend and growth of all time; the months kept are a part of them.
    """
    newest = max(buckets, default=NO_MONTH)
    oldest = min(buckets, default=NO_MONTH)
    rows = [buckets.get(month, _NOTHING) for month in range(newest, oldest - 1, -1)]
    return facts_by_month(
        rows, newest, joined=joined, last=last, totals=totals, tags=tags, person=person
    )


def facts_by_month(
    rows: Sequence[Sequence[int]],
    newest: int,
    *,
    joined: date,
    last: date | None = None,
    totals: tuple[int, int, int] = (0, 0, 0),
    tags: Mapping[str, int] | None = None,
    person: Person = NOBODY,
) -> Facts:
    """Facts from such a row for each month from `newest` backwards, one at least."""
    # Of rows of three and of six, zip takes the three that all have.
    months = tuple(zip(*rows, strict=False))[:3]
    moved = [row[3:] or _NOTHING for row in rows] if max(map(len, rows)) > 3 else []
    return Facts(
        months=months,
        newest=newest,
        joined=joined.toordinal(),
        last=None if last is None else last.toordinal(),
        moved=tuple(zip(*moved, strict=True)) if any(map(any, moved)) else None,
        totals=totals,
        tags=tags or {},
        person=person,
    )


@dataclass(slots=True)
class Lock:
    """A tier that somebody set; `until` is the last day, None for good."""

    kind: LockKind
    tier: str
    since: int
    until: int | None = None


@dataclass(slots=True)
class Tier:
    """A tier that a member has: since when, to which last day, and what the rule would give.

    Without `until` time does not take it away. In its grace period a tier holds to `grace_until`.
    With a `lock`, `earned` is the tier that the member has by the rule underneath. `noticed` says
    that the member was told of the downgrade at the end of this validity.
    """

    name: str
    rank: int
    since: int
    until: int | None
    version: int
    grace_until: int | None = None
    noticed: bool = False
    lock: Lock | None = None
    earned: "Tier | None" = None


@dataclass(slots=True)
class Lifecycle:
    """A state of the lifecycle, since when, and how often a purchase brought the member back."""

    state: LifecycleState
    since: int
    reactivations: int
    version: int


@dataclass(slots=True)
class Relationship:
    """A phase of the relationship, and the version of the policy that said so."""

    phase: Phase
    version: int


@dataclass(slots=True)
class Rfm:
    """Scores 1 to 5, their class, and the version of the policy that gave them."""

    recency: int
    frequency: int
    monetary: int
    value_class: RfmClass
    version: int


@dataclass(slots=True)
class InQuadrant:
    """A quadrant, and the version of the policy that said so."""

    quadrant: Quadrant
    version: int


@dataclass(slots=True)
class Standing:
    """All that was decided of a member, and `active`: the day from which the lifecycle counted.

    `tags` are those that rules gave. Whoever has one of these was decided on at least once.
    """

    tier: Tier
    lifecycle: Lifecycle
    relationship: Relationship
    rfm: Rfm | None
    quadrant: InQuadrant | None
    active: int = field(compare=False)
    tags: frozenset[str] = frozenset()
