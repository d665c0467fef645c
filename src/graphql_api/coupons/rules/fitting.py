"""Which coupons fit a basket, what each takes off, and which go together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from graphql_api.coupons.rules.states import CouponState
from graphql_api.coupons.rules.terms import CouponKind, Days, Terms, fits_hour, fits_weekday
from graphql_api.kit.time import business_day

MAX_OF_ORDER = 10


class CouponReason(StrEnum):
    """Why a coupon does not apply."""

    NOT_FOUND = "NOT_FOUND"
    NO_MEMBER = "NO_MEMBER"
    OTHER_MEMBER = "OTHER_MEMBER"
    LOCKED = "LOCKED"
    REDEEMED = "REDEEMED"
    EXPIRED = "EXPIRED"
    RECYCLED = "RECYCLED"
    GIFTED = "GIFTED"
    NOT_YET = "NOT_YET"
    WEEKDAY = "WEEKDAY"
    HOUR = "HOUR"
    STORE = "STORE"
    CHANNEL = "CHANNEL"
    TIER = "TIER"
    CATEGORY = "CATEGORY"
    THRESHOLD = "THRESHOLD"
    ITEM = "ITEM"
    SHIPPING = "SHIPPING"
    NOT_STACKABLE = "NOT_STACKABLE"
    SAME_GROUP = "SAME_GROUP"
    TOO_MANY = "TOO_MANY"
    NO_GAIN = "NO_GAIN"


_OF_STATE = {
    CouponState.LOCKED: CouponReason.LOCKED,
    CouponState.REDEEMED: CouponReason.REDEEMED,
    CouponState.EXPIRED: CouponReason.EXPIRED,
    CouponState.RECYCLED: CouponReason.RECYCLED,
    CouponState.GIFTED: CouponReason.GIFTED,
}


class BasketLine(Protocol):
    """A line of a basket; `amount` is what the whole line costs so far, in fen."""

    @property
    def item_id(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def amount(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Basket:
    """What is to be paid, where, by whom and when.

    `places` are the store with the org units above it, none where there is no store; `shipping` is
    what sending costs in fen, None where nothing is sent; `tier` is None where it is not known.
    """

    lines: Sequence[BasketLine]
    at: datetime
    zone: str
    places: frozenset[str] = frozenset()
    channel: str | None = None
    tier: str | None = None
    shipping: int | None = None


def problem_of_state(state: CouponState) -> CouponReason | None:
    """Why a coupon that stands so cannot be used; None where it can."""
    return _OF_STATE.get(state)


def in_days(days: Days, day: date) -> CouponReason | None:
    """Why a coupon does not hold on a day; None where it does."""
    if day < days.first:
        return CouponReason.NOT_YET
    return CouponReason.EXPIRED if day > days.last else None


def usable(
    terms: Terms, days: Days, *, at: datetime, zone: str, places: frozenset[str]
) -> list[CouponReason]:
    """Why a coupon cannot be used then and there, whatever is bought; empty where it can."""
    return list(_then_and_there(terms, days, at, zone, places))


def _then_and_there(
    terms: Terms, days: Days, at: datetime, zone: str, places: frozenset[str]
) -> Iterator[CouponReason]:
    if reason := in_days(days, business_day(at, zone)):
        yield reason
    if not fits_weekday(terms.validity, at, zone):
        yield CouponReason.WEEKDAY
    elif not fits_hour(terms.validity, at, zone):
        yield CouponReason.HOUR
    if terms.places and terms.places.isdisjoint(places):
        yield CouponReason.STORE


def applicable(terms: Terms, days: Days, basket: Basket) -> list[CouponReason]:
    """Every reason why a coupon gives nothing on a basket; empty where it gives something."""
    found = usable(terms, days, at=basket.at, zone=basket.zone, places=basket.places)
    return [*found, *_what_is_bought(terms, basket)]


def _what_is_bought(terms: Terms, basket: Basket) -> Iterator[CouponReason]:
    if terms.channels and basket.channel not in terms.channels:
        yield CouponReason.CHANNEL
    if terms.tiers and basket.tier not in terms.tiers:
        yield CouponReason.TIER
    eligible = eligible_lines(terms, basket.lines)
    if not eligible:
        yield CouponReason.CATEGORY
    elif sum(basket.lines[n].amount for n in eligible) < terms.threshold:
        yield CouponReason.THRESHOLD
    if terms.kind is CouponKind.EXCHANGE and _piece(terms, basket.lines) is None:
        yield CouponReason.ITEM
    if terms.kind is CouponKind.FREE_SHIPPING and not basket.shipping:
        yield CouponReason.SHIPPING


def eligible_lines(terms: Terms, lines: Sequence[BasketLine]) -> list[int]:
    """The places of the lines that a coupon counts and takes off from."""
    wanted = frozenset(terms.categories)
    return [n for n, line in enumerate(lines) if not wanted or line.category in wanted]


def discount_lines(terms: Terms, lines: Sequence[BasketLine]) -> list[int]:
    """The places of the lines that a coupon makes cheaper; none where it pays for the sending."""
    match terms.kind:
        case CouponKind.FREE_SHIPPING:
            return []
        case CouponKind.GIFT | CouponKind.EXCHANGE:
            found = _piece(terms, lines)
            return [] if found is None else [found[0]]
        case _:
            return eligible_lines(terms, lines)


def discount_of(terms: Terms, lines: Sequence[BasketLine], *, shipping: int = 0) -> int:
    """What a coupon that applies takes off in fen, of its lines or of the sending.

    Never more than they cost. A percentage is rounded down to the fen. A gift that is not among the
    lines is handed over and takes nothing off.
    """
    eligible = sum(lines[n].amount for n in eligible_lines(terms, lines))
    match terms.kind:
        case CouponKind.AMOUNT | CouponKind.THRESHOLD:
            off = terms.amount or 0
        case CouponKind.PERCENT:
            off = eligible * (terms.percent or 0) // 100
        case CouponKind.FREE_SHIPPING:
            return max(0, min(shipping, terms.at_most or shipping))
        case CouponKind.GIFT | CouponKind.EXCHANGE:
            found = _piece(terms, lines)
            off = found[1] if found else 0
    return max(0, min(off, terms.at_most or off, eligible))


def _piece(terms: Terms, lines: Sequence[BasketLine]) -> tuple[int, int] | None:
    """The dearest line with the item of a coupon, and what one piece of it costs, rounded down."""
    among = [
        (line.amount // max(1, line.quantity), -n)
        for n, line in enumerate(lines)
        if line.item_id == terms.item_id
    ]
    if not among:
        return None
    price, place = max(among)
    return -place, price


# --- stacking --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """A coupon that applies to a basket by itself."""

    id: str
    terms: Terms
    last: date = date.max


def clashes(candidates: Sequence[Candidate]) -> dict[str, CouponReason]:
    """Which of these coupons an order cannot take with those ahead of them, and why."""
    refused: dict[str, CouponReason] = {}
    taken: list[Candidate] = []
    for one in candidates:
        reason = _clash(taken, one)
        if reason is None:
            taken.append(one)
        else:
            refused[one.id] = reason
    return refused


def _clash(taken: Sequence[Candidate], one: Candidate) -> CouponReason | None:
    if len(taken) >= MAX_OF_ORDER:
        return CouponReason.TOO_MANY
    if taken and not all(c.terms.stackable for c in (*taken, one)):
        return CouponReason.NOT_STACKABLE
    groups = {c.terms.group for c in taken} - {None}
    return CouponReason.SAME_GROUP if one.terms.group in groups else None


_SEQUENCE = (
    CouponKind.EXCHANGE,
    CouponKind.GIFT,
    CouponKind.THRESHOLD,
    CouponKind.AMOUNT,
    CouponKind.PERCENT,
    CouponKind.FREE_SHIPPING,
)


def in_sequence(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Coupons in the sequence in which they apply: by kind, the greater amount first."""
    return sorted(
        candidates, key=lambda c: (_SEQUENCE.index(c.terms.kind), -(c.terms.amount or 0), c.id)
    )
