"""Which coupons fit a basket, what each takes off, and which go together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class _Line:
    item_id: str
    category: str
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class Together:
    """What coupons take off one after the other; `off` by coupon, `lines` what is left of each."""

    off: Mapping[str, int] = field(default_factory=dict)
    lines: tuple[int, ...] = ()
    shipping: int = 0

    @property
    def total(self) -> int:
        """All that is taken off."""
        return sum(self.off.values())


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


def together(candidates: Sequence[Candidate], basket: Basket) -> Together:
    """What coupons that apply take off, each from what those before it left.

    Thresholds were looked at before, on the whole basket: no coupon undoes another.
    """
    left = [line.amount for line in basket.lines]
    shipping = basket.shipping or 0
    off: dict[str, int] = {}
    for one in in_sequence(candidates):
        lines = [
            _Line(line.item_id, line.category, line.quantity, amount)
            for line, amount in zip(basket.lines, left, strict=True)
        ]
        off[one.id] = taken = discount_of(one.terms, lines, shipping=shipping)
        if one.terms.kind is CouponKind.FREE_SHIPPING:
            shipping -= taken
            continue
        places = discount_lines(one.terms, lines)
        shares = apportioned(taken, [left[n] for n in places])
        for n, share in zip(places, shares, strict=True):
            left[n] -= share
    return Together(off, tuple(left), shipping)


def apportioned(total: int, weights: Sequence[int]) -> list[int]:
    """A total in whole parts by weight that sum to it: largest remainders first, then the first.

    Without any weight the first takes all; no part is more than its weight where the total is not.
    """
    whole = sum(weights)
    if not whole:
        return [total, *(0 for _ in weights[1:])] if weights else []
    parts = [total * weight // whole for weight in weights]
    rests = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in rests[: total - sum(parts)]:
        parts[n] += 1
    return parts


def best(candidates: Sequence[Candidate], basket: Basket) -> list[Candidate]:
    """The coupons to propose: what goes alone, or those together that take the most off.

    Together they are found one by one, the one that adds the most first; of equals the coupon that
    runs out first. A coupon that adds nothing is kept for another day.
    """
    alone = [[one] for one in candidates if not one.terms.stackable]
    chosen = [*alone, _grown([c for c in candidates if c.terms.stackable], basket)]
    worth = [(together(some, basket).total, some) for some in chosen if some]
    ranked = sorted(worth, key=lambda pair: (-pair[0], len(pair[1]), _soonest(pair[1])))
    return in_sequence(ranked[0][1]) if ranked and ranked[0][0] else []


def _grown(candidates: Sequence[Candidate], basket: Basket) -> list[Candidate]:
    taken: list[Candidate] = []
    total = 0
    while True:
        fitting = [c for c in candidates if c not in taken and _clash(taken, c) is None]
        worth = [(together([*taken, c], basket).total, c) for c in fitting]
        gaining = [pair for pair in worth if pair[0] > total]
        if not gaining:
            return taken
        total, found = min(gaining, key=lambda pair: (-pair[0], pair[1].last, pair[1].id))
        taken.append(found)


def _soonest(some: Sequence[Candidate]) -> tuple[date, str]:
    return min((one.last, one.id) for one in some)
