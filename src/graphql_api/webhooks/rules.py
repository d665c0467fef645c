"""Rules of webhooks: what is told to whom, when it is tried again, and which hosts may be asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

from graphql_api.coupons.rules import CouponState
from graphql_api.members.rules import EffectKind
from graphql_api.viewer import (
    MANAGE_WEBHOOKS,
    READ_COUPONS,
    READ_MEMBERS,
    READ_ORDERS,
    Role,
    Viewer,
)

KEPT = timedelta(days=14)
GIVEN_UP_AFTER = timedelta(hours=24)
MAX_ENDPOINTS = 20
MAX_GRACE_HOURS = 72
SHOWN_OF_ANSWER = 500
_FIRST_PAUSE = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(hours=3)
_LONGEST_REST = timedelta(minutes=5)
_GONE = 410


class Topic(StrEnum):
    """What an endpoint can be told of; a closed list."""

    MEMBER_ENROLLED = "MEMBER_ENROLLED"
    MEMBER_UPDATED = "MEMBER_UPDATED"
    MEMBER_ARCHIVED = "MEMBER_ARCHIVED"
    MEMBER_RESTORED = "MEMBER_RESTORED"
    MEMBER_MERGED = "MEMBER_MERGED"
    MEMBER_ERASED = "MEMBER_ERASED"
    MEMBER_GUIDE_CHANGED = "MEMBER_GUIDE_CHANGED"
    MEMBER_TAGS_CHANGED = "MEMBER_TAGS_CHANGED"
    MEMBER_FIRST_PURCHASE = "MEMBER_FIRST_PURCHASE"
    GIFT_GIVEN = "GIFT_GIVEN"
    MEMBER_TIER_CHANGED = "MEMBER_TIER_CHANGED"
    MEMBER_LIFECYCLE_CHANGED = "MEMBER_LIFECYCLE_CHANGED"
    MEMBER_POINTS_CHANGED = "MEMBER_POINTS_CHANGED"
    MEMBER_POINTS_EXPIRING = "MEMBER_POINTS_EXPIRING"
    ORDER_APPLIED = "ORDER_APPLIED"
    ORDER_REFUNDED = "ORDER_REFUNDED"
    COUPON_ISSUED = "COUPON_ISSUED"
    COUPON_REDEEMED = "COUPON_REDEEMED"
    COUPON_RETURNED = "COUPON_RETURNED"
    COUPON_EXPIRED = "COUPON_EXPIRED"
    COUPON_RECYCLED = "COUPON_RECYCLED"
    COUPON_GIFTED = "COUPON_GIFTED"
    TEST = "TEST"


# A new topic is a value above and a line in one of these; a member who goes away is erased.

OF_EFFECTS = {
    EffectKind.ENROLLED: Topic.MEMBER_ENROLLED,
    EffectKind.FIRST_PURCHASE: Topic.MEMBER_FIRST_PURCHASE,
    EffectKind.POINTS_EXPIRING: Topic.MEMBER_POINTS_EXPIRING,
    EffectKind.GIFT_GIVEN: Topic.GIFT_GIVEN,
}
"""Effects that are told; those of a back-fill are not."""

OF_MEMBERS = {
    Topic.MEMBER_UPDATED: (
        "name",
        "nickname",
        "gender",
        "birthday",
        "birth_year",
        "city",
        "occupation",
        "income_band",
        "identity_claims",
        "consent_document",
        "store_id",
    ),
    Topic.MEMBER_ARCHIVED: ("archived_at",),
    Topic.MEMBER_RESTORED: ("archived_at",),
    Topic.MEMBER_MERGED: ("merged_into",),
    Topic.MEMBER_GUIDE_CHANGED: ("guide_id", "guide_since"),
    Topic.MEMBER_TAGS_CHANGED: ("tag_document",),
}
"""Which attributes of a member tell of what, when they change."""

OF_POINTS = {Topic.MEMBER_POINTS_CHANGED: ("points", "points_pending", "points_frozen")}
"""The same of points, which a back-fill does not tell."""

OF_ORDERS = {
    Topic.ORDER_APPLIED: (
        "revision_number",
        "total",
        "line_document",
        "store_id",
        "member_id",
        "settled_at",
    ),
    Topic.ORDER_REFUNDED: ("refund_document",),
}
"""The same of an order."""

OF_COUPONS = {
    CouponState.ISSUED: Topic.COUPON_ISSUED,
    CouponState.REDEEMED: Topic.COUPON_REDEEMED,
    CouponState.EXPIRED: Topic.COUPON_EXPIRED,
    CouponState.RECYCLED: Topic.COUPON_RECYCLED,
    CouponState.GIFTED: Topic.COUPON_GIFTED,
}
"""What is told of a coupon that comes to stand so; one that was used and comes back is returned."""

OF_STANDINGS = {
    Topic.MEMBER_TIER_CHANGED: "tier",
    Topic.MEMBER_LIFECYCLE_CHANGED: "lifecycle",
}
"""What is told of a standing, in the order in which it is compared."""

SHOWN_AS = {
    "birth_year": "birthYear",
    "income_band": "incomeBand",
    "identity_claims": "identities",
    "consent_document": "consents",
    "store_id": "store",
    "archived_at": "archivedAt",
    "merged_into": "id",
    "guide_id": "guide",
    "guide_since": "guide",
    "tag_document": "tags",
    "points_pending": "points",
    "points_frozen": "points",
    "revision_number": "revision",
    "line_document": "lines",
    "settled_at": "settledAt",
    "member_id": "member",
    "refund_document": "refunds",
}
"""Attributes that are called otherwise in the schema."""


_OF_COUPONS = frozenset({*OF_COUPONS.values(), Topic.COUPON_RETURNED})


class EndpointState(StrEnum):
    """Whether an endpoint is sent to: a paused one keeps what it would have been told."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"


class StopReason(StrEnum):
    """Why an endpoint is not sent to."""

    BY_HAND = "BY_HAND"
    FAILING = "FAILING"
    GONE = "GONE"
    KEY_ENDED = "KEY_ENDED"


class DeliveryState(StrEnum):
    """What became of a delivery."""

    PENDING = "PENDING"
    HELD = "HELD"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


class Problem(StrEnum):
    """Why an attempt failed."""

    STATUS = "STATUS"
    TIMEOUT = "TIMEOUT"
    UNREACHABLE = "UNREACHABLE"
    FORBIDDEN_ADDRESS = "FORBIDDEN_ADDRESS"
    STOPPED = "STOPPED"


# --- what is told ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to an object; `id` is the same for all who are told of it."""

    id: str
    topic: Topic
    occurred_at: datetime
    type: str
    object_id: str
    version: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


def changed(old: Any, new: Any, names: Iterable[str]) -> list[str]:
    """Which of the attributes differ, as the schema calls them; all that are set of a new one."""
    found = [
        SHOWN_AS.get(name, name)
        for name in names
        if getattr(new, name) != (getattr(old, name) if old is not None else None)
    ]
    return list(dict.fromkeys(found))


def effect_data(kind: EffectKind, level: str) -> dict[str, str]:
    """What is told of an effect besides whose it is: of a gift, what for."""
    if kind is not EffectKind.GIFT_GIVEN:
        return {}
    occasion, _, of = level.partition("#")
    return {"occasion": occasion, "level": of}


def member_topics(old: Any, new: Any) -> dict[Topic, list[str]]:
    """What a change of a member tells, with the names of what changed; of an alias only that."""
    told = {topic: changed(old, new, names) for topic, names in OF_MEMBERS.items()}
    if new.merged_into is not None:
        told = {Topic.MEMBER_MERGED: told[Topic.MEMBER_MERGED]}
    absent = Topic.MEMBER_ARCHIVED if new.archived_at is None else Topic.MEMBER_RESTORED
    return {topic: names for topic, names in told.items() if names and topic is not absent}


def standing_topics(old: Sequence[str] | None, new: Sequence[str] | None) -> dict[Topic, list[str]]:
    """The same of a standing; the first one, and that of who became an alias, is no change."""
    if old is None or new is None:
        return {}
    pairs = zip(OF_STANDINGS.items(), old, new, strict=True)
    return {topic: [name] for (topic, name), before, after in pairs if before != after}


def points_topics(old: Any, new: Any) -> dict[Topic, list[str]]:
    """The same of points; those of who became an alias went to another."""
    if new.merged_into is not None:
        return {}
    told = {topic: changed(old, new, names) for topic, names in OF_POINTS.items()}
    return {topic: names for topic, names in told.items() if names}


def order_topics(old: Any, new: Any) -> dict[Topic, list[str]]:
    """The same of an order; one that came to another member tells its refunds once more."""
    told = {topic: changed(old, new, names) for topic, names in OF_ORDERS.items()}
    if old is None and not new.refund_document:
        del told[Topic.ORDER_REFUNDED]
    return {topic: names for topic, names in told.items() if names}


class SeenCoupon(Protocol):
    """What of a coupon is told."""

    @property
    def state(self) -> CouponState: ...
    @property
    def version(self) -> Any: ...


def coupon_topic(old: SeenCoupon | None, new: SeenCoupon) -> Topic | None:
    """What a change of a coupon tells: that it is new, used, back, or over; locks are not told.

    One that stands elsewhere after a merge is not new: its versions go on.
    """
    if old is None:
        return Topic.COUPON_ISSUED if new.version == 1 else None
    if old.state is new.state:
        return None
    if old.state is CouponState.REDEEMED:
        return Topic.COUPON_RETURNED
    return None if new.state is CouponState.ISSUED else OF_COUPONS.get(new.state)


# --- who may be told -------------------------------------------------------------------------


def scope_of(topic: Topic) -> str:
    """What a key must be allowed to read to be told of it."""
    if topic in _OF_COUPONS:
        return READ_COUPONS
    return READ_ORDERS if topic in OF_ORDERS else READ_MEMBERS


def manages(viewer: Viewer) -> bool:
    """Whether the viewer manages endpoints: headquarters all of them, a key its own."""
    if viewer.role is Role.SYSTEM:
        return True
    allowed = viewer.role in {Role.OPERATOR, Role.INTEGRATION} and viewer.store_ids is None
    return allowed and viewer.holds(MANAGE_WEBHOOKS)


def sees(viewer: Viewer, created_by: str) -> bool:
    """The row rule of an endpoint and its deliveries."""
    own = viewer.role is not Role.INTEGRATION or viewer.id == created_by
    return manages(viewer) and own


# --- which hosts may be asked ----------------------------------------------------------------


def problem_of(url: str, *, laptop: bool) -> str | None:
    """What is wrong with the address of an endpoint; a laptop may use http."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not laptop:
        return "An endpoint is asked over https only"
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return "An endpoint is an http address with a host and no credentials"
    return "An endpoint has no fragment" if parts.fragment else None


def is_public(address: str) -> bool:
    """Whether an address is of the public internet: not private, loopback, link-local or reserved.

    An IPv6 address that carries an IPv4 address is as public as what it carries.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return all(one.is_global and not one.is_multicast for one in _carried(found))


def _carried(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.teredo:
        return [address, *address.teredo]
    inner = [address.sixtofour] if address.sixtofour else []
    if address.packed[:12] == bytes.fromhex("0064ff9b0000000000000000"):  # NAT64
        inner.append(IPv4Address(address.packed[12:]))
    return [address, *inner]


# --- when it is tried again ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt ended: a status, or what kept it from having one."""

    status: int | None = None
    problem: Problem | None = None
    milliseconds: int = 0
    text: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the receiver has it: any 2xx."""
        return self.problem is None


def answered(status: int, milliseconds: int, text: str) -> Answer:
    """What a status means."""
    fine = 200 <= status < 300
    return Answer(status, None if fine else Problem.STATUS, milliseconds, text)


@dataclass(frozen=True, slots=True)
class Health:
    """An endpoint's run of failures: how many, since when, and until when it rests."""

    failures: int = 0
    failing_since: datetime | None = None
    rests_until: datetime | None = None

    def given_up(self, at: datetime) -> bool:
        """Whether it has failed for a whole day without once accepting anything."""
        return self.failing_since is not None and at - self.failing_since >= GIVEN_UP_AFTER


def pause_after(failures: int, jitter: float) -> timedelta:
    """How long to wait after the n-th failure: 10 s, three times as long each time, up to 3 hours.

    `jitter`, from 0 to 1, makes it up to a fifth longer, so that not all come at once.
    """
    times: int = 3 ** min(failures - 1, 8)
    return min(_FIRST_PAUSE * times, _LONGEST_PAUSE) * (1 + jitter / 5)


def after_attempt(
    answer: Answer, attempts: int, begun_at: datetime, at: datetime, jitter: float, *, once: bool
) -> tuple[DeliveryState, datetime | None]:
    """What becomes of a delivery after its n-th attempt, and when the next one is."""
    if answer.accepted:
        return DeliveryState.DELIVERED, None
    next_at = at + pause_after(attempts, jitter)
    if once or gone(answer) or next_at - begun_at > GIVEN_UP_AFTER:
        return DeliveryState.DEAD, None
    return DeliveryState.PENDING, next_at


def gone(answer: Answer) -> bool:
    """Whether the receiver says that it wants nothing any more."""
    return answer.status == _GONE


def health_after(health: Health, answer: Answer, at: datetime, jitter: float) -> Health:
    """An endpoint's health after an attempt; what failed rests before anything else is tried."""
    if answer.accepted:
        return Health()
    failures = health.failures + 1
    rest = min(pause_after(failures, jitter), _LONGEST_REST)
    return Health(failures, health.failing_since or at, at + rest)


def shown(text: str) -> str:
    """The beginning of what a receiver answered, in one line of printable characters."""
    plain = "".join(c if c.isprintable() else " " for c in text[: SHOWN_OF_ANSWER * 2])
    return " ".join(plain.split())[:SHOWN_OF_ANSWER]
