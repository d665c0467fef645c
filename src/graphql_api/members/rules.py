"""Rules of members: numbers people read, who sees whom, and facts folded from purchases."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from graphql_api.kit.time import month_number, month_of
from graphql_api.viewer import READ_MEMBERS, SEE_PERSONAL_DATA, Role, Viewer

MONTHS_KEPT = 36
MAX_TAGS = 200


class IdentityKind(StrEnum):
    """Where an identity comes from (domain: identities of one person)."""

    OPENID = "OPENID"
    UNIONID = "UNIONID"
    PHONE = "PHONE"
    WECOM_EXTERNAL = "WECOM_EXTERNAL"
    YOUZAN = "YOUZAN"
    WEIMOB = "WEIMOB"
    POS_CARD = "POS_CARD"


class Gender(StrEnum):
    """As the member states it."""

    FEMALE = "FEMALE"
    MALE = "MALE"
    UNKNOWN = "UNKNOWN"


class SourceChannel(StrEnum):
    """Through which door a member joined (来源渠道)."""

    STORE = "STORE"
    MINI_PROGRAM = "MINI_PROGRAM"
    WECOM = "WECOM"
    OFFICIAL_ACCOUNT = "OFFICIAL_ACCOUNT"
    YOUZAN = "YOUZAN"
    WEIMOB = "WEIMOB"
    POS = "POS"
    REFERRAL = "REFERRAL"
    IMPORT = "IMPORT"


class ConsentPurpose(StrEnum):
    """What a member agrees to (个人信息保护法: consent is per purpose)."""

    SERVICE = "SERVICE"
    MARKETING = "MARKETING"
    PROFILING = "PROFILING"
    SHARING = "SHARING"


class ConsentChannel(StrEnum):
    """Through which channel; ANY for purposes that use none."""

    ANY = "ANY"
    SMS = "SMS"
    PHONE = "PHONE"
    AI_CALL = "AI_CALL"
    WECOM = "WECOM"
    COMMUNITY_GROUP = "COMMUNITY_GROUP"
    MOMENTS = "MOMENTS"
    OFFICIAL_ACCOUNT = "OFFICIAL_ACCOUNT"
    SUBSCRIPTION_MESSAGE = "SUBSCRIPTION_MESSAGE"


class EffectKind(StrEnum):
    """What a decision made happen, once."""

    ENROLLED = "ENROLLED"
    FIRST_PURCHASE = "FIRST_PURCHASE"
    TIER_UPGRADED = "TIER_UPGRADED"
    TIER_DOWNGRADED = "TIER_DOWNGRADED"
    TIER_NOTICE = "TIER_NOTICE"
    LIFECYCLE_CHANGED = "LIFECYCLE_CHANGED"
    POINTS_EXPIRING = "POINTS_EXPIRING"
    GIFT_GIVEN = "GIFT_GIVEN"


class Origin(StrEnum):
    """Whether an effect may give gifts, tasks, messages and webhooks; a back-fill gives none."""

    LIVE = "LIVE"
    BACKFILL = "BACKFILL"


class TagSource(StrEnum):
    """Who gave a member a tag; the tags slice says which of them gives way to which."""

    BY_HAND = "BY_HAND"
    RULE = "RULE"
    IMPORTED = "IMPORTED"


@dataclass(frozen=True, slots=True)
class HeldTag:
    """A tag on a member: its source, and the last day on which it holds where it runs out."""

    source: TagSource
    expires_on: date | None = None

    def holds(self, as_of: date) -> bool:
        """Whether the member has the tag on a business day."""
        return self.expires_on is None or as_of <= self.expires_on


class OwnershipSource(StrEnum):
    """How a guide came to look after a member (domain: §14)."""

    TRANSACTION = "TRANSACTION"
    REGISTRATION = "REGISTRATION"
    WECOM_FRIEND = "WECOM_FRIEND"
    SHARED_LINK = "SHARED_LINK"
    ASSIGNED_BY_MANAGER = "ASSIGNED_BY_MANAGER"
    ASSIGNED_BY_SYSTEM = "ASSIGNED_BY_SYSTEM"
    IMPORT = "IMPORT"


@dataclass(frozen=True, slots=True)
class Ownership:
    """A guide looks after a member; `valid_until` and `protected_until` are last days."""

    guide_id: str
    since: datetime
    source: OwnershipSource
    valid_until: date | None = None
    protected_until: date | None = None
    policy_version: int | None = None

    def holds(self, as_of: date) -> bool:
        """Whether it has not run out on a business day."""
        return self.valid_until is None or as_of <= self.valid_until

    def protected(self, as_of: date) -> bool:
        """Whether others cannot take the member over on a business day."""
        return self.protected_until is not None and as_of <= self.protected_until


# --- numbers ---------------------------------------------------------------------------------


_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def check_digit(digits: str) -> str:
    """The check digit of H. M. Damm (2004): finds any wrong digit, any swap of neighbours."""
    rest = 0
    for digit in digits:
        rest = _DAMM[rest][int(digit)]
    return str(rest)


def shown_number(number: int) -> str:
    """A member number as people read it: at least eight digits, then the check digit."""
    digits = f"{number:08d}"
    return digits + check_digit(digits)


def number_of(text: str) -> int | None:
    """The number behind what somebody typed; None unless that is exactly how it is shown."""
    if not (text.isascii() and text.isdigit() and 9 <= len(text) <= 13):
        return None
    number = int(text[:-1])
    return number if shown_number(number) == text else None


# --- birthdays -------------------------------------------------------------------------------


def birthday_exists(month_day: str | None, year: int | None) -> bool:
    """Whether MM-DD is a day of this year; anything goes with what is not known."""
    if month_day is None or year is None:
        return True
    try:
        date.fromisoformat(f"{year:04d}-{month_day}")
    except ValueError:
        return False
    return True


# --- names -----------------------------------------------------------------------------------


def searched_name(name: str) -> str:
    """A name as it is searched for: compatible forms of a character, case and spaces are alike."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


# --- who sees whom ---------------------------------------------------------------------------


class Sight(StrEnum):
    """How a viewer sees a member."""

    FULL = "FULL"
    MASKED = "MASKED"
    NONE = "NONE"


class Seen(Protocol):
    """What of a member decides who sees it."""

    @property
    def id(self) -> str: ...
    @property
    def store_id(self) -> str: ...
    @property
    def guide_id(self) -> str | None: ...


def reaches(viewer: Viewer, member: Seen) -> bool:
    """Whether a member is in the viewer's data scope: oneself, own customers, own stores."""
    match viewer.role:
        case Role.MEMBER:
            return viewer.id == member.id
        case Role.GUIDE:
            return viewer.id == member.guide_id
        case Role.STORE_MANAGER | Role.OPERATOR:
            return viewer.reaches_store(member.store_id)
        case Role.INTEGRATION:
            return viewer.holds(READ_MEMBERS)
        case Role.SYSTEM:
            return True
        case _:
            return False


def sight(viewer: Viewer, member: Seen) -> Sight:
    """Full to oneself and to holders of the scope for personal data, masked to others in scope."""
    if not reaches(viewer, member):
        return Sight.NONE
    if viewer.role is Role.MEMBER or viewer.holds(SEE_PERSONAL_DATA):
        return Sight.FULL
    return Sight.MASKED


# --- who was erased --------------------------------------------------------------------------


def may_bring_back(viewer: Viewer) -> bool:
    """Whether an identity of somebody who was erased may be recorded again at a viewer's word.

    It may where the person acts, or stands before somebody; never for what systems replay.
    """
    return viewer.role not in {Role.INTEGRATION, Role.SYSTEM, Role.ANONYMOUS}


# --- locks -----------------------------------------------------------------------------------


def held_by_another(owner: str | None, until: datetime | None, me: str, now: datetime) -> bool:
    """Whether somebody else's lock on a member still holds; a lock that ran out does not."""
    return owner is not None and owner != me and until is not None and now < until


# --- facts of purchases ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bucket:
    """One calendar month: orders not fully refunded, spend net of refunds in fen, growth value.

    A refund reduces the month of its purchase. What is `moved` says the rest for policies that let
    a refund count in a month of its own: what refunds in later months took from this one, less what
    refunds in this month took from earlier ones.
    """

    orders: int = 0
    spend: int = 0
    growth: int = 0
    moved_orders: int = 0
    moved_spend: int = 0
    moved_growth: int = 0

    @property
    def row(self) -> tuple[int, ...]:
        """The month as it is stored: three numbers, or six where refunds moved something."""
        own = self.orders, self.spend, self.growth
        if not (self.moved_orders or self.moved_spend or self.moved_growth):
            return own
        return *own, self.moved_orders, self.moved_spend, self.moved_growth

    def plus(self, given: "Contribution", sign: int) -> "Bucket":
        """The month with an order's contribution added (1) or taken back (-1)."""
        return Bucket(
            self.orders + sign * given.orders,
            self.spend + sign * (given.paid - given.refunded),
            self.growth + sign * given.growth,
            self.moved_orders + sign * sum(moved.orders for moved in given.moved),
            self.moved_spend + sign * sum(moved.spend for moved in given.moved),
            self.moved_growth + sign * sum(moved.growth for moved in given.moved),
        )

    def took(self, moved: "Moved", sign: int) -> "Bucket":
        """The month with what its refunds took from another noted (1) or forgotten (-1)."""
        return replace(
            self,
            moved_orders=self.moved_orders - sign * moved.orders,
            moved_spend=self.moved_spend - sign * moved.spend,
            moved_growth=self.moved_growth - sign * moved.growth,
        )

    def and_also(self, other: "Bucket") -> "Bucket":
        """The month of two members who are one."""
        return Bucket(
            self.orders + other.orders,
            self.spend + other.spend,
            self.growth + other.growth,
            self.moved_orders + other.moved_orders,
            self.moved_spend + other.moved_spend,
            self.moved_growth + other.moved_growth,
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """What a refund in a later month than its purchase took, and in which month."""

    month: str
    orders: int
    spend: int
    growth: int


EMPTY = Bucket()


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one order gives to the facts of its member, in its month of purchase.

    `orders` is 1, or 0 once it was fully refunded; amounts in fen. `moved` says which of its
    refunds came in later months.
    """

    day: date
    orders: int
    paid: int
    refunded: int
    growth: int
    moved: tuple[Moved, ...] = ()

    @property
    def month(self) -> str:
        """`YYYY-MM` of the purchase."""
        return month_of(self.day)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a member bought: 36 monthly buckets up to the newest order, and lifetime figures.

    A refund reduces the month of its purchase. `newest_month` is that of the latest order known,
    refunded ones included; it is where the 36 months end.
    """

    months: Mapping[str, Bucket] = field(default_factory=dict)
    newest_month: str | None = None
    orders: int = 0
    paid: int = 0
    refunded: int = 0
    growth: int = 0
    first_on: date | None = None
    last_on: date | None = None


NOTHING_BOUGHT = Facts()


def derive(contributions: Iterable[Contribution]) -> Facts:
    """The facts of these orders in whatever sequence: the definition that `change` must meet."""
    given = list(contributions)
    if not given:
        return NOTHING_BOUGHT
    newest = max(c.month for c in given)
    months: dict[str, Bucket] = {}
    for c in given:
        _fold(months, c, 1, newest)
    counted = [c.day for c in given if c.orders]
    return Facts(
        months=months,
        newest_month=newest,
        orders=sum(c.orders for c in given),
        paid=sum(c.paid for c in given),
        refunded=sum(c.refunded for c in given),
        growth=sum(c.growth for c in given),
        first_on=min(counted, default=None),
        last_on=max(counted, default=None),
    )


def change(facts: Facts, before: Contribution | None, after: Contribution | None) -> Facts | None:
    """The facts after one order's contribution changed, or None where only `derive` can tell.

    Buckets and sums add up; a first, last or newest order that goes away does not: what comes next
    stands in the orders alone.
    """
    if before == after:
        return facts
    if before is not None and _took_an_edge_away(facts, before, after):
        return None
    changed = facts
    if before is not None:
        changed = _add(changed, before, -1)
    if after is not None:
        changed = _add(changed, after, 1)
    return changed


def unite(one: Facts, other: Facts) -> Facts:
    """The facts of two members' orders together, who are one: what `derive` makes of all of them.

    Nothing is missing: the 36 months of each reach back at least as far as those of both.
    """
    newest = max(filter(None, (one.newest_month, other.newest_month)), default=None)
    if newest is None:
        return NOTHING_BOUGHT
    kept = {m for m in (*one.months, *other.months) if _kept(m, newest)}
    sums = {m: one.months.get(m, EMPTY).and_also(other.months.get(m, EMPTY)) for m in kept}
    return Facts(
        months={month: bucket for month, bucket in sums.items() if bucket != EMPTY},
        newest_month=newest,
        orders=one.orders + other.orders,
        paid=one.paid + other.paid,
        refunded=one.refunded + other.refunded,
        growth=one.growth + other.growth,
        first_on=min(filter(None, (one.first_on, other.first_on)), default=None),
        last_on=max(filter(None, (one.last_on, other.last_on)), default=None),
    )


def _took_an_edge_away(facts: Facts, before: Contribution, after: Contribution | None) -> bool:
    if before.month == facts.newest_month and (after is None or after.month < before.month):
        return True
    stays = after is not None and after.orders and after.day == before.day
    return bool(before.orders) and before.day in {facts.first_on, facts.last_on} and not stays


def _add(facts: Facts, c: Contribution, sign: int) -> Facts:
    month = c.month
    newest = max(facts.newest_month or month, month)
    months = dict(facts.months)
    if newest != facts.newest_month:
        months = {m: b for m, b in months.items() if _kept(m, newest)}
    _fold(months, c, sign, newest)
    counts = sign > 0 and c.orders
    return replace(
        facts,
        months=months,
        newest_month=newest,
        orders=facts.orders + sign * c.orders,
        paid=facts.paid + sign * c.paid,
        refunded=facts.refunded + sign * c.refunded,
        growth=facts.growth + sign * c.growth,
        first_on=min(facts.first_on or c.day, c.day) if counts else facts.first_on,
        last_on=max(facts.last_on or c.day, c.day) if counts else facts.last_on,
    )


def _fold(months: dict[str, Bucket], c: Contribution, sign: int, newest: str) -> None:
    """Add an order's contribution to the months that are kept, or take it back."""
    month = c.month
    if _kept(month, newest):
        _put(months, month, months.get(month, EMPTY).plus(c, sign))
    for moved in c.moved:
        if _kept(moved.month, newest):
            _put(months, moved.month, months.get(moved.month, EMPTY).took(moved, sign))


def _put(months: dict[str, Bucket], month: str, bucket: Bucket) -> None:
    """Note a month; one of nothing is left out."""
    if bucket == EMPTY:
        months.pop(month, None)
    else:
        months[month] = bucket


def _kept(month: str, newest: str) -> bool:
    return month_number(newest) - month_number(month) < MONTHS_KEPT
